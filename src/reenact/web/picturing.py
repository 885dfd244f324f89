"""Where a recorded image is that a page shows: never elsewhere, and only what its own bytes say is an image."""

import base64
import binascii
from collections.abc import Callable, Collection

from reenact.domain.digesting import digest
from reenact.domain.message import Media
from reenact.store.sniffing import SHOWN, media_type
from reenact.web.linking import asset_href

_MOST_IN_PAGE_BYTES = 64 * 1024
IMAGES = frozenset(kind for kind in SHOWN if kind.startswith("image/"))


def pictures(call_id: str, asset_ids: Collection[str]) -> Callable[[Media], str]:
    """Return what says where the images of a call are: an asset's address, a small one itself, or nothing."""

    def picture(media: Media) -> str:
        try:
            content = base64.b64decode(media.data_base64 or "", validate=True)
        except binascii.Error:
            return ""
        kind = media_type(content)
        if kind not in IMAGES:
            return ""
        if (name := digest(content).hex()) in asset_ids:
            return asset_href(call_id, name)
        return f"data:{kind};base64,{media.data_base64}" if len(content) <= _MOST_IN_PAGE_BYTES else ""

    return picture

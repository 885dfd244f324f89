"""Which requests were sent by a web page of somebody else: a browser lets any page it shows reach a server on its own machine.

Only calls without a Helicone key that is known are looked at. They are let in on loopback alone, where the user's own programs
are trusted; a page from elsewhere, or one under a name that was re-bound to this machine, is not one of them. Programs that are
no browsers send neither `Origin` nor `Sec-Fetch-Site` (Fetch Standard 3.1, Fetch Metadata).
"""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from reenact.domain.exchange import Header
from reenact.gateway.labelling import value_of


def is_from_a_strange_page(headers: Sequence[Header]) -> bool:
    """Return whether a page sent this that is not one of this machine's own."""
    is_browser = False
    for name, value in headers:
        if name == b"origin":
            return not _is_local(value.decode("latin-1"))
        if name == b"sec-fetch-site":
            is_browser = True
    return is_browser and not _is_local(f"//{value_of(headers, b'host') or ''}")


def _is_local(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""The page for what could not be shown, and why."""

import msgspec

from reenact.web.frame import Frame


class FailurePage(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown instead of a page."""

    frame: Frame
    """What stands around the page."""
    status: int
    """The HTTP status."""
    message: str
    """What happened, to which thing, and what to do."""

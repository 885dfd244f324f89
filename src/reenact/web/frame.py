"""Frame: what stands around every page."""

import msgspec


class Crumb(msgspec.Struct, frozen=True):
    """One step on the way to a page."""

    title: str
    href: str


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What the layout shows around a page."""

    title: str
    """Of the page, as the browser's tab shows it."""
    trail: tuple[Crumb, ...] = ()
    """The pages above this one, outermost first."""
    section: str = ""
    """Which entry of the navigation is current: `sessions`, `calls` or none."""
    is_signed_in: bool = False
    """Whether there is a session to sign out of."""
    refresh_s: int = 0
    """After how many seconds the page loads itself again; 0 for never."""

"""Fault: how the scripted provider misbehaves when it is told to."""

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong with one answer; the default is nothing."""

    delay_ms: int = 0
    """Before the answer's head."""
    slow_ms: int = 0
    """Before each piece of the body."""
    status: int | None = None
    """Refuse with this HTTP status."""
    retry_after_seconds: int | None = None
    """Say so in `retry-after`."""
    cut_after: int | None = None
    """Break the connection after this many pieces of the body."""
    is_malformed: bool = False
    """Break one event's JSON, or the body's when it is not streamed."""
    has_wrong_length: bool = False
    """Promise more bytes than are sent."""
    hangs: bool = False
    """Never answer."""
    times: int | None = None
    """How often the same request fails before it is answered well; always when None."""

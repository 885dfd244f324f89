"""How a take came out, as a terminal shows it: what was served, missed and asked for real, and what nobody asked for."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from reenact.cli.printing import ADDED, BAD, CHANGED, QUIET, added, of, plain, removed, short
from reenact.domain.playback import Difference, Level, PlayedCall, Server
from reenact.domain.replay import Take

_SHOWN = 20
"""How many requests and calls of each kind are told one by one."""
_DIFFERENCES = 8


def take_view(take: Take) -> RenderableType:
    """Return what became of a take's requests."""
    failed = [call for call in take.played if call.failure and not call.is_missed]
    parts: list[RenderableType] = [_counts(take)]
    parts += _some([_miss(call) for call in take.missed], "miss")
    parts += _some([_override(call) for call in take.live if call.overrides], "patched request")
    parts += _some([_failure(call) for call in failed], "failure")
    if take.unconsumed:
        shown = ", ".join(map(str, take.unconsumed[:_SHOWN])) + ("…" if len(take.unconsumed) > _SHOWN else "")
        parts.append(plain(f"  {of(len(take.unconsumed), 'recorded call')} never asked for: {shown}", CHANGED))
    return Group(*parts)


def _counts(take: Take) -> Text:
    words = [
        f"{sum(call.level is level for call in take.played)} {level.value}"
        for level in (Level.EXACT, Level.EQUIVALENT, Level.APPROXIMATE)
        if level is not Level.APPROXIMATE or any(call.level is level for call in take.played)
    ]
    missed = len(take.missed)
    line = Text(f"{of(len(take.played), 'request')}: {', '.join(words)}, ")
    line.append(f"{missed} missed", BAD if any(call.served is Server.NOBODY for call in take.missed) else "")
    line.append(f"; {len(take.live)} asked for real. Session ")
    return line.append_text(plain(take.session_id, "bold"))


def _miss(call: PlayedCall) -> RenderableType:
    what = "missed, and asked for real" if call.served is Server.LIVE else "missed"
    parts = [plain(f"  request {call.number} ({call.path}) {what}: {call.reason}", BAD)]
    if call.nearest is not None:
        near = call.nearest
        is_asked = ", asked already" if near.is_asked else ""
        parts.append(plain(f"    nearest: call {near.index} (distance {near.distance:.3f}{is_asked})", QUIET))
        parts += _differences(near.differences, near.left_out)
    return Group(*parts)


def _override(call: PlayedCall) -> RenderableType:
    head = plain(f"  request {call.number} ({call.path}) was patched before it was asked for real:", ADDED)
    return Group(head, *_differences(call.overrides, 0))


def _failure(call: PlayedCall) -> RenderableType:
    return plain(f"  request {call.number} ({call.path}) failed: {call.failure}", BAD)


def _differences(differences: Sequence[Difference], left_out: int) -> list[Text]:
    lines = []
    for difference in differences[:_DIFFERENCES]:
        line = plain(f"      {difference.path} ")
        if difference.before is not None:
            line.append_text(removed(short(difference.before)))
        if difference.after is not None:
            line.append_text(added(short(difference.after)))
        lines.append(line)
    more = max(len(differences) - _DIFFERENCES, 0) + left_out
    return [*lines, plain(f"      and {of(more, 'more difference')}", QUIET)] if more else lines


def _some(lines: Sequence[RenderableType], thing: str) -> list[RenderableType]:
    left_out = len(lines) - _SHOWN
    more = [plain(f"  and {of(left_out, f'more {thing}')}", QUIET)] if left_out > 0 else []
    return [*lines[:_SHOWN], *more]

"""What chained plans carry and what chained takes are worth, as a terminal shows it."""

from collections import Counter
from collections.abc import Sequence

from rich.console import RenderableType

from reenact.cli.printing import QUIET, of, plain
from reenact.domain.divergence import Validity
from reenact.domain.message import Lost
from reenact.domain.replay import CallResult, PlannedCall, Take

_LINES = 20


def carried_words(call: PlannedCall) -> str:
    """Return what will be carried into a call, and what it may depend on; empty when nothing is."""
    words = [f"carries {_calls(call.carried_from)}"] if call.carried_from else []
    words += [f"may depend on {_calls(call.maybe_from)}"] if call.maybe_from else []
    return ", ".join(words)


def worth_view(take: Take) -> list[RenderableType]:
    """Return what a chained take's calls are worth, where it left its source, and what no record can tell; else nothing."""
    known = [result for result in take.results if result.validity is not None]
    if not known:
        return []
    counts = Counter(result.validity for result in known)
    parts = [f"{counts[one]} {one.value.replace('_', ' ')}" for one in Validity if counts[one]]
    lines = [line for result in known for line in _lines(result)]
    left_out = [f"... and {of(len(lines) - _LINES, 'more line')}"] if len(lines) > _LINES else []
    return [plain(f"  {line}", QUIET) for line in (", ".join(parts), *lines[:_LINES], *left_out)]


def _lines(result: CallResult) -> list[str]:
    name = f"call {result.index}" + (f", extra {result.round}" if result.round else "")
    lines = [] if result.divergence is None else [f"{name} leaves the source: {result.divergence.detail}"]
    lines += [f"{name} is in doubt: {doubt.detail}" for doubt in result.doubts[:1]]
    lines += [f"{name}: {lost_words(lost)}" for lost in result.lost]
    return lines if result.stop is None else [*lines, f"after {name}: {result.stop.detail}"]


def lost_words(lost: Lost) -> str:
    """Return what a request says less, and why."""
    return f"without {lost.path}: {lost.why}"


def _calls(indexes: Sequence[int]) -> str:
    return ("call " if len(indexes) == 1 else "calls ") + ", ".join(map(str, indexes))

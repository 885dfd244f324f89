"""Compare actions: does an answer still do what the recorded one did? Rewording alone is no divergence."""

from collections import Counter

from reenact.dialects.translating.translation import ENDINGS
from reenact.domain.divergence import Departure, Divergence
from reenact.domain.message import Answer, Json, ToolUse
from reenact.replay.carrying.matching import canonical_arguments


def departure(recorded: Answer | None, new: Answer | None) -> Divergence | None:
    """Return how the new action differs from the recorded one; None when it is the same."""
    if _failed(recorded) != _failed(new):
        which = "The take" if _failed(new) else "The source"
        return Divergence(departure=Departure.FAILURE, detail=f"{which} failed here and the other did not.")
    if recorded is None or new is None:
        return None
    before, after = _uses(recorded), _uses(new)
    if Counter(map(_action, before)) != Counter(map(_action, after)):
        kind = _kind(before, after)
        return Divergence(departure=kind, detail=_WORDS[kind], before=_shown(before), after=_shown(after))
    ended, ends = _ending(recorded), _ending(new)
    if ended != ends and None not in (ended, ends):
        return Divergence(
            departure=Departure.STOP_REASON,
            detail=f"It ended with {new.stop_reason} where the source ended with {recorded.stop_reason}.",
            before=recorded.stop_reason,
            after=new.stop_reason,
        )
    return None


def _kind(before: tuple[ToolUse, ...], after: tuple[ToolUse, ...]) -> Departure:
    if len(after) != len(before):
        return Departure.EXTRA_CALL if len(after) > len(before) else Departure.MISSING_CALL
    names = Counter(use.name for use in before) == Counter(use.name for use in after)
    return Departure.OTHER_ARGUMENTS if names else Departure.OTHER_TOOL


_WORDS = {
    Departure.EXTRA_CALL: "It asks for more tools than the source did.",
    Departure.MISSING_CALL: "It asks for fewer tools than the source did.",
    Departure.OTHER_TOOL: "It asks for another tool than the source did.",
    Departure.OTHER_ARGUMENTS: "It gives a tool other arguments than the source did.",
}


def _failed(answer: Answer | None) -> bool:
    return answer is None or (answer.error is not None and answer.message is None)


def _uses(answer: Answer) -> tuple[ToolUse, ...]:
    return answer.message.tool_uses if answer.message else ()


def _action(use: ToolUse) -> tuple[str, str]:
    return use.name, canonical_arguments(use.arguments)


def _ending(answer: Answer) -> str | None:
    """Return why an answer ended; one with tool calls ended for them, whatever its provider says."""
    if _uses(answer):
        return "tools"
    return ENDINGS.get(answer.stop_reason, answer.stop_reason) if answer.stop_reason else None


def _shown(uses: tuple[ToolUse, ...]) -> Json:
    return [{"name": use.name, "arguments": use.arguments} for use in uses]

"""What may have decided that a call is asked at all: answers that stand in no later request, yet came just before others.

Verdicts (`billing`, `{"approved": false}`), vectors, and all but one of several answers to the same question. What they do
inside the agent is in no record; that they changed can be told, and then what follows them is in doubt.
"""

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from reenact.domain.message import Answer, Text, ToolResult
from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.matching import Key, key_of
from reenact.replay.carrying.strand import Strand, woven_in
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.valuing import MISSING, document_in

_VERDICT_WORDS = 8


def steering(tape: Tape, strands: Mapping[int, Strand]) -> dict[int, Strand]:
    """Return *strands* with the calls that may steer each."""
    used = {source for strand in strands.values() for source in strand.copied_from}
    rivals = _rivals(tape)
    steers = {
        call.index for call in tape if call.index not in used and (_is_verdict(call.answer) or call.index in rivals)
    }
    vectors = {call.index for call in tape if call.answer is not None and call.answer.message is None}
    seen: set[str] = set()
    found: dict[int, Strand] = {}
    for call in tape:
        strand = strands[call.index]
        own = _own_texts(strand)
        steered = (steers & set(_triggers(tape, call))) - strand.copied_from
        if own <= seen:
            steered -= vectors
        seen |= own
        found[call.index] = msgspec.structs.replace(strand, steered_by=frozenset(steered))
    return found


def _own_texts(strand: Strand) -> set[str]:
    """Return what a request says that is no copy: what was looked up by a vector would be among it."""
    found: set[str] = set()
    for woven in woven_in(strand.pieces):
        for number, part in enumerate(woven.message.parts):
            text = part.text if isinstance(part, Text | ToolResult) else ""
            for span in reversed(woven.spans.get(number, ())):
                text = text[: span.start] + text[span.stop :] if span.is_sure else text
            found.add(text.strip())
    return found - {""}


def verdict(answer: Answer | None) -> object:
    """Return what of an answer may steer: its words without case and signs, its JSON, its vectors; None when there is none."""
    if answer is None:
        return None
    if answer.message is None:
        return answer.origin.get("data", answer.origin) if isinstance(answer.origin, dict) else None
    text = answer.message.text
    document = document_in(text)
    return " ".join(text.lower().split()).strip(" .!\"'*`") if document is MISSING else document


def _rivals(tape: Tape) -> set[int]:
    """Return the calls that ask what another call asks too, so that the agent may take one answer and leave the others."""
    asked: dict[tuple[Key, ...], list[int]] = defaultdict(list)
    for call in tape:
        asked[tuple(key_of(message) for message in call.prompt.messages)].append(call.index)
    return {index for calls in asked.values() if len(calls) > 1 for index in calls}


def _is_verdict(answer: Answer | None) -> bool:
    """Return whether an answer that stands nowhere is short or JSON, as decisions are, or has no message, as vectors."""
    if answer is None:
        return False
    if answer.message is None:
        return answer.error is None
    text = answer.message.text
    if answer.message.tool_uses:
        return False
    return document_in(text) is not MISSING or len(text.split()) <= _VERDICT_WORDS


def _triggers(tape: Tape, call: Recorded) -> list[int]:
    """Return the calls that may have set *call* off: those answered last before it was asked."""
    earlier = [one for one in tape if precedes(one, call) and one.ended_us <= call.started_us] or [
        one for one in tape if precedes(one, call)
    ]
    if not earlier:
        return []
    last = max(one.ended_us for one in earlier)
    asked = max(one.started_us for one in earlier if one.ended_us == last)
    return [one.index for one in earlier if one.ended_us > asked]

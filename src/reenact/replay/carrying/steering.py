"""What may have decided that a call is asked at all: answers that stand in no later request, yet came just before others.

Verdicts (`billing`, `{"approved": false}`), vectors, all but one of several answers to the same question, and the words among
the fields of an answer that stand nowhere though others do (`"tone": "firm"` beside the points of a mail). What they do inside
the agent is in no record; that they changed can be told, and then what follows them is in doubt.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from reenact.domain.message import Answer, Text, ToolResult
from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.matching import Key, key_of
from reenact.replay.carrying.strand import Strand, flat, without_copies, woven_in
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.valuing import MISSING, WHOLE, Place, document_in, values_of

_VERDICT_WORDS = 8
_LABEL = re.compile(r"[A-Za-z][\w-]{0,23}(?: [\w-]{1,20})?")
"""A word or two, as the names of choices are."""


def steering(tape: Tape, strands: Mapping[int, Strand]) -> dict[int, Strand]:
    """Return *strands* with the calls that may steer each."""
    used = {source for strand in strands.values() for source in strand.copied_from}
    rivals = _rivals(tape)
    steers = {
        call.index for call in tape if call.index not in used and (_is_verdict(call.answer) or call.index in rivals)
    }
    places = _used_places(strands)
    labels = {call.index: frozenset(_unused(call, places)) for call in tape if call.index in used}
    vectors = {call.index for call in tape if call.answer is not None and call.answer.message is None}
    seen: set[str] = set()
    found: dict[int, Strand] = {}
    for call in tape:
        strand = strands[call.index]
        own = _own_texts(strand)
        triggers = set(_triggers(tape, call))
        steered = (steers & triggers) - strand.copied_from
        at = frozenset((one, place) for one in triggers | strand.copied_from for place in labels.get(one, ()))
        if own <= seen:
            steered -= vectors
        seen |= own
        found[call.index] = msgspec.structs.replace(strand, steered_by=frozenset(steered), steered_at=at)
    return found


def _used_places(strands: Mapping[int, Strand]) -> set[tuple[int, Place]]:
    """Return the values of answers that stand in requests, or may."""
    return {
        (origin.call, origin.place)
        for strand in strands.values()
        for woven in woven_in(strand.pieces)
        for spans in woven.spans.values()
        for span in flat(spans)
        for origin in span.origins
    }


def _unused(call: Recorded, used: set[tuple[int, Place]]) -> Iterator[Place]:
    """Yield the fields of an answer that name a choice, or say yes or no, and stand nowhere though others of it do."""
    if call.answer is None or (call.index, WHOLE) in used:
        return
    for one in values_of(call.answer):
        is_label = isinstance(one.value, bool) or (isinstance(one.value, str) and _LABEL.fullmatch(one.value))
        around = (Place("json", 0, one.place.steps[:depth]) for depth in range(len(one.place.steps) + 1))
        if one.place.kind == "json" and is_label and not any((call.index, place) in used for place in around):
            yield one.place


def _own_texts(strand: Strand) -> set[str]:
    """Return what a request says that is no copy: what was looked up by a vector would be among it."""
    found: set[str] = set()
    for woven in woven_in(strand.pieces):
        for number, part in enumerate(woven.message.parts):
            text = part.text if isinstance(part, Text | ToolResult) else ""
            found.add(without_copies(text, woven.spans.get(number, ())).strip())
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

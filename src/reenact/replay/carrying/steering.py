"""What may have decided that a call is asked at all: answers that stand in no later request, yet came just before others.

Verdicts (`billing`, `{"approved": false}`), vectors, all but one of several answers to the same question, and the words among
the fields of an answer that stand nowhere though others do (`"tone": "firm"` beside the points of a mail). So may names in a
list under which the answers of other calls are brought together (`## From the billing desk`), and what programs ran: whether it
went well. What they do inside the agent is in no record; that they changed can be told, and then what follows is in doubt.
"""

from bisect import bisect_left, bisect_right, insort_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

import msgspec

from reenact.domain.message import Answer, Text, ToolResult
from reenact.replay.carrying.linking import AT_ONCE_US, CLOCK_SLACK_US
from reenact.replay.carrying.strand import Strand, flat, without_copies, woven_in
from reenact.replay.carrying.surrounding import is_run, tells_findings, tells_outcome
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.carrying.tracing import choices_in, texts_with_copies
from reenact.replay.carrying.valuing import MISSING, WHOLE, Place, document_in, is_item, is_label, values_of

Field = tuple[int, Place]
"""A value in the answer of a call."""

_VERDICT_WORDS = 8


def steering(tape: Tape, strands: Mapping[int, Strand], rivals: Collection[int]) -> dict[int, Strand]:
    """Return *strands* with the calls that may steer each; *rivals* are those that ask what another one asks, too."""
    used = {source for strand in strands.values() for source in strand.copied_from}
    steers = {
        call.index for call in tape if call.index not in used and (_is_verdict(call.answer) or call.index in rivals)
    }
    places = _used_places(strands)
    labels = {call.index: frozenset(_unused(call, places)) for call in tape if call.index in used}
    vectors = {call.index for call in tape if call.answer is not None and call.answer.message is None}
    named = _named(strands)
    ran = _ran(strands)
    conditions = _conditions(strands)
    searches = {call.index for call in tape if call.index not in used and _says(call.answer)} - steers
    set_off = _triggers(tape)
    seen: set[str] = set()
    found: dict[int, Strand] = {}
    for call in tape:
        strand = strands[call.index]
        own = _own_texts(strand)
        triggers = set_off[call.index]
        steered = (steers & triggers) - strand.copied_from
        at = {(one, place) for one in triggers | strand.copied_from for place in labels.get(one, ())}
        at |= named.get(call.index, set()) | conditions.get(call.index, set())
        at |= {one for one, since_us in ran.items() if one[0] in strand.copied_from and since_us < call.started_us}
        if own <= seen:
            steered -= vectors
        elif any(map(tells_findings, own - seen)):
            steered |= {
                one for one in searches & triggers if call.started_us - strands[one].recorded.ended_us < AT_ONCE_US
            }
        seen |= own
        found[call.index] = msgspec.structs.replace(strand, steered_by=frozenset(steered), steered_at=frozenset(at))
    return found


def _named(strands: Mapping[int, Strand]) -> dict[int, set[Field]]:
    """Return, for each call whose answer is brought together with others under an item of a list, that item: its reason."""
    found: dict[int, set[Field]] = defaultdict(set)
    for strand in strands.values():
        for text, spans in texts_with_copies(strand.pieces):
            for name, said in pairwise(span for span in spans if span.document is None and span.is_sure):
                item, whole = name.origins[0], said.origins[0]
                field, source = (item.call, item.place), strands[whole.call]
                is_name = item.place.kind == "json" and is_item(item.place) and item.call in source.copied_from
                is_under = whole.place == WHOLE and not any(sign.isalnum() for sign in text[name.stop : said.start])
                if is_name and is_under and field not in _sure_fields(source):
                    found[whole.call].add(field)
    return found


def _conditions(strands: Mapping[int, Strand]) -> dict[int, set[Field]]:
    """Return the choices in the answers that calls are made of where others of the kind had no such call: they may be why.

    One at the end of the session may have none because it ended, and one that others of the kind were made of led to these.
    """
    kinds: dict[str, list[int]] = defaultdict(list)
    pairs: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for index, strand in strands.items():
        family = strand.recorded.family
        kinds[family].append(index)
        for source in strand.copied_from:
            if (other := strands[source].recorded.family) != family:
                pairs[family, other].append((index, source))
    last = max(strands, default=0)
    found: dict[int, set[Field]] = defaultdict(set)
    for (_, other), made in pairs.items():
        sources = {source for _, source in made}
        is_one_each = len(sources) == len(made) == len({index for index, _ in made})
        led_on = {source for index in kinds[other] for source in strands[index].copied_from}
        went_on = [index for index in kinds[other] if index + 1 < last]
        if is_one_each and not sources.union(led_on).issuperset(went_on):
            for index, source in made:
                found[index] |= {(source, place) for place in _choices(strands[source].recorded)}
    return found


def _choices(call: Recorded) -> Iterator[Place]:
    """Yield the fields of an answer that say yes or no, or one of what the request offered."""
    offered = frozenset(choices_in(call.prompt))
    for one in values_of(call.answer) if call.answer else ():
        if one.place.kind == "json" and (
            isinstance(one.value, bool) or (isinstance(one.value, str) and one.value in offered)
        ):
            yield one.place


def _sure_fields(strand: Strand) -> set[Field]:
    """Return what surely stands in the texts of a request."""
    return {
        (origin.call, origin.place)
        for _, spans in texts_with_copies(strand.pieces)
        for span in flat(spans)
        if span.is_sure
        for origin in span.origins
    }


def _ran(strands: Mapping[int, Strand]) -> dict[Field, int]:
    """Return what programs searched with or ran, each with when a request first told what came of it."""
    found: dict[Field, int] = {}
    for strand in strands.values():
        for text, spans in texts_with_copies(strand.pieces):
            for span in spans:
                origin = span.origins[0] if span.is_sure and span.origins else None
                if origin is not None and is_run(origin.place) and tells_outcome(text, span):
                    found.setdefault((origin.call, origin.place), strand.recorded.started_us)
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
    choices = set(_choices(call))
    for one in values_of(call.answer):
        is_choice = one.place in choices or is_label(one.value)
        around = (Place("json", 0, one.place.steps[:depth]) for depth in range(len(one.place.steps) + 1))
        if one.place.kind == "json" and is_choice and not any((call.index, place) in used for place in around):
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


def _says(answer: Answer | None) -> bool:
    """Return whether an answer says something and asks for no tool."""
    return (
        answer is not None and answer.message is not None and bool(answer.message.text) and not answer.message.tool_uses
    )


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


def _triggers(tape: Tape) -> dict[int, frozenset[int]]:
    """Return the calls that may have set each call off: those answered last before it was asked."""
    found: dict[int, frozenset[int]] = {}
    answered: list[Recorded] = []  # the calls before, in the order of their answers
    for call in tape:
        earlier = answered[: bisect_right(answered, call.started_us, key=_ended)]
        earlier = earlier or answered[: bisect_right(answered, call.started_us + CLOCK_SLACK_US, key=_ended)]
        if earlier:
            last = bisect_left(earlier, earlier[-1].ended_us, key=_ended)
            asked_us = max(one.started_us for one in earlier[last:])
            earlier = earlier[bisect_right(earlier, asked_us, key=_ended) :]
        found[call.index] = frozenset(one.index for one in earlier)
        insort_right(answered, call, key=_ended)
    return found


def _ended(call: Recorded) -> int:
    return call.ended_us

"""Find copies of earlier answers inside texts: whole, a field, a line, in any spelling, inside literals too."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from reenact.domain.digesting import canonical
from reenact.domain.message import Json, Part, Prompt, Text, ToolResult, ToolUse
from reenact.replay.carrying.habits import Habits, asks_for_lines
from reenact.replay.carrying.linking import CLOCK_SLACK_US, precedes
from reenact.replay.carrying.measuring import MEASURE, Measures
from reenact.replay.carrying.neighbouring import beside, near_calls, on_line, words_around
from reenact.replay.carrying.repeating import COPY, Places
from reenact.replay.carrying.resembling import Resemblances
from reenact.replay.carrying.rewriting import is_rewriting, rewritings
from reenact.replay.carrying.searching import Hit, Index, Known, answered, chosen, fitting
from reenact.replay.carrying.spelling import ASCII_TWINS, spell
from reenact.replay.carrying.strand import (
    UNKNOWN_WAY,
    Origin,
    Packed,
    PackedPart,
    Piece,
    Span,
    Woven,
    resettled,
    without_copies,
)
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.unpacking import Document, Steps, documents_in, nodes_of
from reenact.replay.carrying.valuing import PIECES, WHOLE, Place, value_at, values_of
from reenact.replay.carrying.weighing import Weight, weigh
from reenact.replay.carrying.wrapping import is_wrapping, may_wrap, signs_before, ways

_CONTEXT = 12
_WORD = re.compile(r"\w+")
_SIGNS = 4
"""Signs and words on each side that tell whether space stands at the same kind of place."""


def text_of(part: Part) -> str | None:
    """Return the text of a part in which copies may stand; None for parts that have none."""
    if isinstance(part, Text | ToolResult):
        return part.text
    return part.arguments if isinstance(part, ToolUse) else None


def texts_with_copies(pieces: Sequence[Piece]) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """Yield the texts of a request's own messages in which copies stand, tool results aside."""
    for piece in pieces:
        if isinstance(piece, Woven):
            yield from ((text_of(piece.message.parts[number]) or "", spans) for number, spans in piece.spans.items())


class Tracer:
    """Finds copies in texts, call after call in the order of the session."""

    def __init__(self) -> None:
        self.habits = Habits()
        self._index = Index()
        self._resemblances = Resemblances()
        self._measures = Measures()
        self._calls: dict[int, Recorded] = {}
        self._containers: dict[bytes, list[tuple[Recorded, Place]]] = defaultdict(list)
        self._own: dict[int, list[str]] = {}
        """The texts of requests that were asked for."""
        self._offered: dict[int, frozenset[str]] = {}
        """The choices that requests offer that were asked for; an answer that names one repeats it."""
        self._constants: dict[str, int] = {}
        """Texts without their copies, each with when it was first sent."""
        self._places = Places(self._constants)
        self._ends: dict[tuple[str, ...], list[tuple[str, str, str]]] = defaultdict(list)
        """By place: the space after each copy there, the space at the end of its answer, and the family of its call."""
        self._traced: dict[str, tuple[Span, ...]] = {}
        """Whole texts, each with the copies in it: sent again, it holds what it held before."""

    def learn(self, call: Recorded) -> None:
        """Take the values of *call*'s answer; what its request says it may have repeated."""
        self._calls[call.index] = call
        self._measures.learn(call)
        known = answered(call)
        if known is None or call.answer is None:
            return
        self._index.add(known)
        self._resemblances.learn(call)
        for value in values_of(call.answer):
            if isinstance(value.value, dict | list) and weigh(name := canonical(value.value).decode()) is Weight.TEXT:
                self._containers[name.encode()].append((call, value.place))

    def trace(self, call: Recorded, text: str) -> tuple[Span, ...]:
        """Return the copies of earlier values in *text*, which stands in the request of *call*, in their order."""
        if text not in self._traced:
            self._traced[text] = self._trace(call, text, call.started_us + CLOCK_SLACK_US, ())
        return self._traced[text]

    def settle(self, spans: Sequence[Span], text: str, near: frozenset[int]) -> tuple[Span, ...]:
        """Return *spans* of a text judged by all that was seen.

        Short values are sure where their place repeats with others; of several calls that a copy may be of, that one is taken
        of which the line surely holds others, then one of which the request does (*near*), else the latest where they follow
        one another.
        """
        repeated = [resettled(span, lambda _, one: self._places.judged(one), text) for span in spans]
        placed = (beside(span, repeated, text) for span in repeated)
        return tuple(
            resettled(span, lambda around, one: self._trimmed(around, self._narrowed(one, near)), text)
            for span in placed
            if not self._places.is_filled_by_others(span, text)
        )

    # --- one text ------------------------------------------------------------------------------------------------------

    def _trace(self, call: Recorded, text: str, until_us: int, steps: tuple[str, ...]) -> tuple[Span, ...]:
        hits = list(self._kept(self._index.hits(text, call, until_us)))
        packed = [span for document in documents_in(text) if (span := self._packed(call, document, until_us, hits))]
        taken = [(span.start, span.stop) for span in packed]
        groups = chosen(hits, taken)
        places = sorted([*taken, *((group[0].start, group[0].stop) for group in groups)])
        spans = [self._span(text, group, places, steps) for group in groups]
        rewritten = self._resembling(call, text, [*packed, *spans], until_us, steps)
        spans = [
            *rewritten,
            *(
                one
                for one in spans
                if not any(other.start < one.stop and one.start < other.stop for other in rewritten)
            ),
        ]
        spans += self._measured(call, text, [*packed, *spans], until_us)
        found = tuple(sorted([*packed, *spans], key=lambda span: span.start))
        self._constants.setdefault(without_copies(text, found, COPY), call.started_us)
        return found

    def _resembling(
        self, call: Recorded, text: str, spans: Sequence[Span], until_us: int, steps: tuple[str, ...]
    ) -> list[Span]:
        """Return the pieces of *text* that are no copies and have words of answers in a row."""
        copies = sorted((span.start, span.stop, _piece_of(span)) for span in spans)
        found = [
            Span(
                start=one.start,
                stop=one.stop,
                origins=one.origins,
                rule=one.origins[0].spelling,
                is_sure=one.is_known,
                context=(*steps, text[max(one.start - _CONTEXT, 0) : one.start], text[one.stop : one.stop + _CONTEXT]),
            )
            for one in self._resemblances.find(call, text, copies, until_us)
        ]
        for span in found:
            self._note_rewriting(span, text[span.start : span.stop])
        return found

    def _note_rewriting(self, span: Span, there: str) -> None:
        """Take which ways of rewriting an answer fit what stands in its place."""
        origin = span.origins[0]
        answer = self._calls[origin.call].answer
        if (
            is_rewriting(origin.spelling)
            and answer is not None
            and isinstance(value := value_at(answer, origin.place), str)
        ):
            fit = frozenset(rewritings(value).get(there, ()))
            self.habits.rewritings[span.context] = self.habits.rewritings.get(span.context, fit) & fit

    def _measured(self, call: Recorded, text: str, spans: Sequence[Span], until_us: int) -> Iterator[Span]:
        """Yield the numbers of *text* that may be made of the answers in it, or of the one that came last."""
        taken = [(span.start, span.stop) for span in spans]
        for start, stop, origins in self._measures.find(call, text, taken, near_calls(spans), until_us):
            if not origins:
                self._places.note_number(text, start, stop)
                continue
            place = (MEASURE, *words_around(text, start, stop))
            if origins[0].place.kind == MEASURE:
                self._places.note_count(place, text[start:stop], frozenset(origin.place for origin in origins))
            rule = "a number made of it"
            yield Span(start=start, stop=stop, origins=origins, rule=rule, is_sure=False, context=place)

    def _packed(self, call: Recorded, document: Document, until_us: int, hits: Sequence[Hit]) -> Span | None:
        """Return a literal with the copies inside it; None when there are none, or when it is a copy as a whole."""
        whole = [hit for hit in hits if hit.start <= document.start and hit.stop >= document.stop]
        if any(hit.weight is Weight.TEXT for hit in whole):
            return None
        parts = tuple(self._packed_parts(call, document.value, until_us))
        if not any(part.copy or part.spans for part in parts):
            return None
        written = [value for _, value in nodes_of(document.value) if isinstance(value, str)]
        if any(not value.isascii() for value in written):
            self.habits.ascii.add("ASCII" in document.spelling)
        return Span(
            start=document.start,
            stop=document.stop,
            origins=(),
            rule=document.spelling,
            is_sure=True,
            document=Packed(value=document.value, spelling=document.spelling, parts=parts),
        )

    def _packed_parts(self, call: Recorded, value: Json, until_us: int) -> Iterator[PackedPart]:
        copied: list[Steps] = []
        for steps, node in nodes_of(value):
            if any(steps[: len(one)] == one for one in copied):
                continue
            if steps and isinstance(steps[-1], str) and (spans := self._trace(call, steps[-1], until_us, ("a name",))):
                yield PackedPart(steps=steps, text=steps[-1], spans=spans, is_key=True)
            origins = self._copies_of(call, node)
            if origins:
                copied.append(steps)
                copy = Span(start=0, stop=0, origins=origins, rule="value, long and unique", is_sure=True)
                yield PackedPart(steps=steps, copy=copy)
            elif isinstance(node, str):
                names = tuple("*" if isinstance(step, int) else step for step in steps)
                spans = self._trace(call, node, until_us, names)
                if spans:
                    yield PackedPart(steps=steps, text=node, spans=spans)

    def _copies_of(self, call: Recorded, node: Json) -> tuple[Origin, ...]:
        """Return where an object or list is copied from."""
        if not isinstance(node, dict | list) or not node:
            return ()
        known = self._containers.get(canonical(node), ())
        return tuple(Origin(source.index, place, "JSON") for source, place in known if precedes(source, call))

    # --- one hit -------------------------------------------------------------------------------------------------------

    def _kept(self, hits: Iterable[Hit]) -> Iterator[Hit]:
        """Yield the hits that say something.

        A long text that stood in a request before its answer came is no copy of it. A short one may be, when it came last.
        """
        older: dict[tuple[int, str], bool] = {}
        for hit in hits:
            known = hit.known
            name = (known.call.index, known.text)
            if known.text in self._choices(known.call):
                yield msgspec.structs.replace(hit, weight=Weight.WORD)
                continue
            if name not in older:
                older[name] = self._is_older(known)
            if not older[name]:
                yield hit
            elif hit.weight < Weight.TEXT or weigh(known.text) < Weight.TEXT:
                yield msgspec.structs.replace(hit, weight=Weight.WORD)

    def _is_older(self, known: Known) -> bool:
        """Return whether the text stood in a request that was sent before the answer came, by another way than as a copy."""
        if known.place != WHOLE and any(known.text in text for text in self._own_texts(known.call)):
            return True
        ended = known.call.ended_us
        if not self._resemblances.may_have_been_sent(known.text):
            return False
        return any(sent < ended and known.text in text for text, sent in self._constants.items())

    def _choices(self, call: Recorded) -> frozenset[str]:
        if call.index not in self._offered:
            self._offered[call.index] = frozenset(choices_in(call.prompt))
        return self._offered[call.index]

    def _own_texts(self, call: Recorded) -> list[str]:
        if call.index not in self._own:
            parts = (part for message in call.prompt.messages for part in message.parts)
            self._own[call.index] = [text for part in parts if (text := text_of(part))]
        return self._own[call.index]

    def _span(self, text: str, group: Sequence[Hit], places: Sequence[tuple[int, int]], steps: tuple[str, ...]) -> Span:
        first = group[0]
        is_sure = first.weight is Weight.TEXT
        origins = tuple(Origin(hit.known.call.index, hit.known.place, fitting(text, hit)) for hit in group)
        before = max((stop for _, stop in places if stop <= first.start), default=0)
        after = min((start for start, _ in places if start >= first.stop), default=len(text))
        context = (
            *steps,
            on_line(text[max(before, first.start - _CONTEXT) : first.start]),
            text[first.stop : min(after, first.stop + _CONTEXT)],
        )
        self._note_wraps(text, group)
        self._note_end(text, first, context, after)
        if first.known.place == WHOLE and "\n" in text[first.start : first.stop].strip():
            self.habits.whole_at.add(context)
        self._note(
            group, origins, context, is_end=0 < first.start and first.stop == len(text) and not steps, is_sure=is_sure
        )
        return Span(
            start=first.start,
            stop=first.stop,
            origins=origins,
            rule=f"{origins[0].spelling}, {'long and unique' if is_sure else 'short'}",
            is_sure=is_sure,
            context=context,
        )

    def _note(
        self,
        group: Sequence[Hit],
        origins: Sequence[Origin],
        context: tuple[str, ...],
        *,
        is_end: bool,
        is_sure: bool,
    ) -> None:
        """Take what a copy shows of the agent's habits, and of the place that it stands at."""
        for hit, origin in zip(group, origins, strict=True):
            known = hit.known
            if is_sure and known.has_edges and known.place == WHOLE and origin.spelling in ("plain", "trimmed"):
                is_trimmed = origin.spelling == "trimmed"
                habits = self.habits
                told = habits.trims if is_trimmed or not any(context) else habits.may_keep
                if is_end:
                    habits.trims_at_end.setdefault(known.call.family, set()).add(is_trimmed)
                if not (is_end and is_trimmed):
                    told.setdefault(known.call.family, set()).add(is_trimmed)
            if is_sure and origin.spelling in ASCII_TWINS and not known.text.isascii():
                self.habits.ascii.add(False)
            elif is_sure and origin.spelling in ASCII_TWINS.values() and "\\u" in known.text:
                self.habits.ascii.add(True)
            self._places.note(known.place, context, known.text)

    def _note_end(self, text: str, hit: Hit, context: tuple[str, ...], next_start: int) -> None:
        """Take the space that stands after a copy: the prompt's own, and the answer's where it has some and is not trimmed."""
        value = hit.known.value
        if hit.weight is not Weight.TEXT or not value or is_wrapping(hit.known.spellings[0]):
            return
        rest = text[hit.start + len(text[hit.start : hit.stop].rstrip()) : next_start]
        space = rest[: len(rest) - len(rest.lstrip())]
        end = value[len(value.rstrip()) :]
        if rest.lstrip():
            before, after = _WORD.sub("w", context[-2] if len(context) > 1 else ""), _WORD.sub("w", rest.strip())
            self._ends[*context[:-2], before[-_SIGNS:], after[:_SIGNS]].append((space, end, hit.known.call.family))

    def learn_ends(self) -> None:
        """Tell from places that repeat, with and without space at the end of an answer, whether the agent trims it."""
        for seen in self._ends.values():
            own = {space for space, end, _ in seen if not end}
            for space, end, family in seen:
                if end and own:
                    is_kept = space in {one + end for one in own} | {end + one for one in own}
                    is_trimmed = space in own
                    if is_kept != is_trimmed:
                        self.habits.trims.setdefault(family, set()).add(is_trimmed)

    def _note_wraps(self, text: str, group: Sequence[Hit]) -> None:
        """Take what a copy behind signs shows of how several lines are set behind them."""
        first = group[0]
        signs = signs_before(text, first.start)
        is_wrapped = is_wrapping(first.known.spellings[0])
        if first.weight is not Weight.TEXT or not first.known.value or not (is_wrapped or may_wrap(signs)):
            return
        there = text[first.start : first.stop].rstrip()
        fit = frozenset(
            name
            for name in ways(signs)
            if (
                name in first.known.spellings
                if is_wrapped
                else (spell(name, first.known.value) or "").rstrip() == there
            )
        )
        self.habits.wraps[signs] = self.habits.wraps.get(signs, fit) & fit

    def _trimmed(self, text: str, span: Span) -> Span:
        """Return *span* without the space at its ends where the agent was seen to trim: it is the prompt's own then."""
        there = text[span.start : span.stop]
        families = {self._calls[origin.call].family for origin in span.origins}
        if there == there.strip() or not all(self.habits.trims.get(family) == {True} for family in families):
            return span
        if any(origin.spelling != "plain" for origin in span.origins):
            return span
        start = span.start + len(there) - len(there.lstrip())
        origins = tuple(msgspec.structs.replace(origin, spelling="trimmed") for origin in span.origins)
        return msgspec.structs.replace(span, start=start, stop=start + len(there.strip()), origins=origins)

    def _narrowed(self, span: Span, near: frozenset[int]) -> Span:
        """Return *span* with fewer origins, where others of the request or the order of calls tell which."""
        calls = sorted({origin.call for origin in span.origins})
        lines = tuple(one for one in span.origins if one.place.kind in ("line", "item"))
        if len(calls) == 1 and lines and asks_for_lines(self._calls[calls[0]]):
            return msgspec.structs.replace(span, origins=lines)
        if len(calls) < 2 or span.origins[0].spelling == UNKNOWN_WAY:
            return span
        close = [call for call in calls if call in near]
        follow = all(precedes(self._calls[a], self._calls[b]) for a, b in pairwise(calls))
        taken = close[-1] if close else calls[-1] if follow else None
        if taken is None:
            return span
        return msgspec.structs.replace(span, origins=tuple(one for one in span.origins if one.call == taken))


def _piece_of(span: Span) -> int:
    """Return the call of whose answer a copy is a piece; -1 when it is none, or of several."""
    calls = {origin.call if origin.place.kind in PIECES else -1 for origin in span.origins} or {-1}
    return calls.pop() if len(calls) == 1 else -1


def choices_in(prompt: Prompt) -> Iterator[str]:
    """Yield the choices that a request offers: what the schemas of its answer and its tools enumerate."""
    queue: list[Json] = [prompt.parameters, *(tool.schema for tool in prompt.tools)]
    for value in queue:
        if isinstance(value, dict):
            queue += value.values()
            if isinstance(value.get("enum"), list):
                yield from (one for one in value["enum"] if isinstance(one, str))
        elif isinstance(value, list):
            queue += value

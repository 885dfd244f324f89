"""Boards: lines of names and values that an agent keeps, as what it knows of a user, and answers that set one after the other.

A new answer may set another line; the one that it set before then says what it said earlier. So a board is no copy, but what
all answers so far make of it; and taken for that only where this explains every board that the session shows.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from reenact.domain.message import Json
from reenact.replay.carrying.linking import precedes
from reenact.replay.carrying.strand import Board, Origin, Span, Strand, Update, Woven
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.tracing import text_of
from reenact.replay.carrying.valuing import Place, value_at

_LINE = re.compile(r"(?P<before>[ \t]*(?:[-*•][ \t]+)?)(?P<name>[^:\n]{1,60}): (?P<value>[^\n]*)(?:\n|\Z)")
_LEAST = 2
"""Lines that make a board."""

Fields = tuple[str, Place, Place]
"""The kind of the calls that set a board, and where their answers say the name and the value."""
Lines = tuple[tuple[str, str], ...]


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A board as a request shows it."""

    call: Recorded
    number: int
    """Of the part of the message."""
    start: int
    stop: int
    before: str
    lines: Lines
    spans: tuple[Span, ...]
    """The copies in it."""


def with_boards(strands: Mapping[int, Strand]) -> dict[int, Strand]:
    """Return *strands* with the boards in their requests put in place of the copies in these."""
    shown: dict[tuple[str, int, int], list[_Shown]] = defaultdict(list)
    for strand in strands.values():
        for woven in (piece for piece in strand.pieces if isinstance(piece, Woven)):
            for one in _shown(strand, woven):
                shown[strand.recorded.family, woven.place, one.number].append(one)
    found = dict(strands)
    for (_, place, _), boards in shown.items():
        fields = _fields(boards, strands)
        explained = None if fields is None else _explained(boards, fields, strands)
        for one, board in zip(boards, explained or (), strict=False):
            found[one.call.index] = _with_board(found[one.call.index], place, one, board)
    return found


def told(board: Board, updates: Iterable[tuple[Json, Json]]) -> str:
    """Return the text of a board after *updates*, names and values."""
    lines = dict(board.begun)
    lines |= {str(name): str(value) for name, value in updates}
    return _text(board.before, lines.items())


def _text(before: str, lines: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{before}{name}: {value}" for name, value in lines)


def _shown(strand: Strand, woven: Woven) -> Iterator[_Shown]:
    """Yield the longest run of lines in each part of a message."""
    for number, part in enumerate(woven.message.parts):
        text = text_of(part) or ""
        runs = sorted(_runs(text), key=len)
        if runs and len(runs[-1]) >= _LEAST:
            lines = runs[-1]
            start, stop = lines[0].start(), lines[-1].end("value")
            inside = tuple(one for one in woven.spans.get(number, ()) if start < one.stop and one.start < stop)
            if all(start <= one.start and one.stop <= stop for one in inside):
                yield _Shown(
                    call=strand.recorded,
                    number=number,
                    start=start,
                    stop=stop,
                    before=lines[0]["before"],
                    lines=tuple((line["name"], line["value"]) for line in lines),
                    spans=inside,
                )


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    run: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        line = _LINE.match(text, at)
        if line is None or (run and line["before"] != run[0]["before"]):
            yield from [run] if run else []
            run = []
        if line is not None:
            run.append(line)
        end = text.find("\n", at)
        at = len(text) if end < 0 else end + 1
    yield from [run] if run else []


def _fields(boards: Sequence[_Shown], strands: Mapping[int, Strand]) -> Fields | None:
    """Return which answers set the lines: those of which a value stands behind what another field of theirs names."""
    for one in boards:
        named = {value: name for name, value in one.lines}
        for span in one.spans:
            origin = span.origins[0] if span.origins and span.is_sure else None
            if origin is None or origin.place.kind != "json" or not origin.place.steps:
                continue
            recorded = strands[origin.call].recorded
            value = value_at(recorded.answer, origin.place) if recorded.answer else None
            around = msgspec.structs.replace(origin.place, steps=origin.place.steps[:-1])
            document = value_at(recorded.answer, around) if recorded.answer else None
            name = named.get(value) if isinstance(value, str) else None
            for key, said in document.items() if isinstance(document, dict) and name is not None else ():
                if said == name and key != origin.place.steps[-1]:
                    return recorded.family, msgspec.structs.replace(around, steps=(*around.steps, key)), origin.place
    return None


def _explained(boards: Sequence[_Shown], fields: Fields, strands: Mapping[int, Strand]) -> list[Board] | None:
    """Return each board as what its updates make of the first one; None where one is not."""
    family, name, value = fields
    setters = [strand.recorded for strand in strands.values() if strand.recorded.family == family]
    made: list[Board] = []
    for one in boards:
        updates = tuple(
            Update(call=call.index, name=name, value=value)
            for call in sorted(setters, key=lambda call: call.ended_us)
            if call.answer is not None and precedes(call, one.call)
        )
        if not made and updates:
            return None  # what it began with is in no record
        board = Board(before=one.before, begun=boards[0].lines, updates=updates)
        answers = (strands[update.call].recorded.answer for update in updates)
        values = [(value_at(answer, name), value_at(answer, value)) for answer in answers if answer is not None]
        is_text = all(isinstance(text, str) for pair in values for text in pair)
        if not is_text or told(board, values) != _text(one.before, one.lines):
            return None
        made.append(board)
    return made if len(made) > 1 else None


def _with_board(strand: Strand, place: int, one: _Shown, board: Board) -> Strand:
    if not board.updates:
        return strand
    origins = tuple(
        Origin(update.call, field, "plain") for update in board.updates for field in (update.value, update.name)
    )
    span = Span(
        start=one.start,
        stop=one.stop,
        origins=origins,
        rule="lines by name, set one after the other",
        is_sure=True,
        board=board,
    )
    pieces = tuple(
        _put(piece, one, span) if isinstance(piece, Woven) and piece.place == place else piece
        for piece in strand.pieces
    )
    calls = frozenset(update.call for update in board.updates)
    return msgspec.structs.replace(
        strand, pieces=pieces, sources=strand.sources | calls, copied_from=strand.copied_from | calls
    )


def _put(woven: Woven, one: _Shown, board: Span) -> Woven:
    others = tuple(span for span in woven.spans.get(one.number, ()) if span not in one.spans)
    spans = tuple(sorted((*others, board), key=lambda span: span.start))
    return msgspec.structs.replace(woven, spans=dict(woven.spans) | {one.number: spans})

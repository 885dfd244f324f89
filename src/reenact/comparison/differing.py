"""What differs between two texts and between two JSON values; bounded, so that huge inputs cannot stall a page."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice, takewhile, zip_longest

import msgspec
from rapidfuzz.distance import LCSseq

from reenact.domain.comparison import Change, JsonChange, Span
from reenact.domain.digesting import canonical
from reenact.domain.message import Json

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_MAX_CELLS = 64_000_000
"""Of the table that aligning fills, at one bit each: eight megabytes."""
_MAX_DEPTH = 64
_SHORT = 4
"""How many times shorter than both its neighbours a passage that stayed must be to be told as changed with them."""

MAX_CHANGES = 200
"""How many places of one pair of JSON values are told apart."""


def word_spans(left: str, right: str) -> tuple[Span, ...]:
    """Return how *left* became *right*, word by word, white space kept.

    SAME and REMOVED spans joined are *left*; SAME and ADDED spans joined are *right*. Texts too large to compare by
    word are compared by line, and beyond that given as one removal and one addition.
    """
    if left == right:
        return (Span(Change.SAME, left),) if left else ()
    for pieces in (_WORDS, _LINES):
        old, new = pieces.findall(left), pieces.findall(right)
        if len(old) * len(new) <= _MAX_CELLS:
            return _merged(_spans(old, new))
    return _merged([(Change.REMOVED, left), (Change.ADDED, right)])


def _spans(old: Sequence[str], new: Sequence[str]) -> list[tuple[Change, str]]:
    """Return the pieces in reading order, removals before additions."""
    spans: list[tuple[Change, str]] = []
    for step in LCSseq.opcodes(old, new):
        if step.tag == "equal":
            spans.append((Change.SAME, "".join(old[step.src_start : step.src_end])))
            continue
        spans.append((Change.REMOVED, "".join(old[step.src_start : step.src_end])))
        spans.append((Change.ADDED, "".join(new[step.dest_start : step.dest_end])))
    return spans


class _Block(msgspec.Struct, frozen=True, array_like=True):
    """What stayed, and then what was put in place of what."""

    same: str
    removed: str
    added: str

    @property
    def size(self) -> int:
        """Characters of the change; 0 when nothing changed."""
        return max(len(self.removed), len(self.added))


def _merged(spans: Iterable[tuple[Change, str]]) -> tuple[Span, ...]:
    """Return *spans* with phrases kept whole: what hardly counts between two changes belongs to both."""
    phrases = _folded(_blocks(spans), lambda same, _: same.isspace())
    blocks = _folded(phrases, lambda same, smaller: _SHORT * len(same.strip()) <= smaller)
    return _joined(span for block in blocks for span in (Span(Change.SAME, block.same), *_changed(block)))


def _folded(blocks: Iterable[_Block], hardly_counts: Callable[[str, int], bool]) -> list[_Block]:
    """Join neighbours between which hardly anything stayed: *hardly_counts* is told what, and the smaller one's size."""
    found: list[_Block] = []
    for block in blocks:
        smaller = min(found[-1].size, block.size) if found else 0
        if smaller and hardly_counts(block.same, smaller):
            last = found.pop()
            removed, added = last.removed + block.same + block.removed, last.added + block.same + block.added
            found.append(_Block(last.same, removed, added))
        else:
            found.append(block)
    return found


def _blocks(spans: Iterable[tuple[Change, str]]) -> Iterator[_Block]:
    same = removed = added = ""
    for change, text in spans:
        if change is not Change.SAME:
            removed, added = (removed + text, added) if change is Change.REMOVED else (removed, added + text)
        elif removed or added:
            yield _Block(same, removed, added)
            same, removed, added = text, "", ""
        else:
            same += text
    yield _Block(same, removed, added)


def _changed(block: _Block) -> Iterator[Span]:
    """Yield a removal and an addition, the white space that both begin or end with as what stayed."""
    removed, added = block.removed, block.added
    lead = _shared_space(removed, added)
    removed, added = removed[len(lead) :], added[len(lead) :]
    tail = _shared_space(removed[::-1], added[::-1])[::-1]
    yield Span(Change.SAME, lead)
    yield Span(Change.REMOVED, removed[: len(removed) - len(tail)])
    yield Span(Change.ADDED, added[: len(added) - len(tail)])
    yield Span(Change.SAME, tail)


def _shared_space(left: str, right: str) -> str:
    """Return the white space that both texts begin with."""
    both = takewhile(lambda pair: pair[0] == pair[1] and pair[0].isspace(), zip(left, right, strict=False))
    return "".join(one for one, _ in both)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return *spans* without empty ones, neighbours of one kind joined."""
    groups = groupby(filter(lambda span: span.text, spans), key=lambda span: span.change)
    return tuple(Span(change, "".join(span.text for span in group)) for change, group in groups)


def json_changes(left: Json, right: Json, *, limit: int = MAX_CHANGES) -> tuple[JsonChange, ...]:
    """Return the first *limit* places in which the two differ, in reading order of *left*.

    List items are aligned, so an item put in front does not change all that follow. True and 1 differ; 1 and 1.0 too.
    """
    return tuple(islice(_changes(left, right, "", "", 0), limit))


def _changes(left: Json, right: Json, left_path: str, right_path: str, depth: int) -> Iterator[JsonChange]:
    if left == right and canonical(left) == canonical(right):
        return
    if depth < _MAX_DEPTH and isinstance(left, dict) and isinstance(right, dict):
        for key in left | right:
            step = f"/{str(key).replace('~', '~0').replace('/', '~1')}"
            if key not in right:
                yield _removed(left_path + step, left[key])
            elif key not in left:
                yield _added(right_path + step, right[key])
            else:
                yield from _changes(left[key], right[key], left_path + step, right_path + step, depth + 1)
    elif depth < _MAX_DEPTH and isinstance(left, list) and isinstance(right, list):
        yield from _list_changes(left, right, left_path, right_path, depth + 1)
    else:
        yield _removed(left_path, left)
        yield _added(right_path, right)


def _list_changes(
    left: list[Json], right: list[Json], left_path: str, right_path: str, depth: int
) -> Iterator[JsonChange]:
    """Pair equal items first; what stands between them is paired by position."""
    for step in _list_steps(left, right):
        if step[0] == "equal":
            continue
        for old, new in zip_longest(range(step[1], step[2]), range(step[3], step[4])):
            if new is None:
                yield _removed(f"{left_path}/{old}", left[old])
            elif old is None:
                yield _added(f"{right_path}/{new}", right[new])
            else:
                yield from _changes(left[old], right[new], f"{left_path}/{old}", f"{right_path}/{new}", depth)


def _list_steps(left: list[Json], right: list[Json]) -> list[tuple[str, int, int, int, int]]:
    if len(left) == len(right) or len(left) * len(right) > _MAX_CELLS:
        return [("replace", 0, len(left), 0, len(right))]
    steps = LCSseq.opcodes([canonical(item) for item in left], [canonical(item) for item in right])
    found: list[tuple[str, int, int, int, int]] = []
    for step in steps:  # rapidfuzz tells a replacement as a deletion beside an insertion
        last = found[-1] if found else None
        if last and last[0] != "equal" and step.tag != "equal":
            found[-1] = ("replace", last[1], step.src_end, last[3], step.dest_end)
        else:
            found.append((step.tag, step.src_start, step.src_end, step.dest_start, step.dest_end))
    return found


def _removed(path: str, value: Json) -> JsonChange:
    return JsonChange(path=path, change=Change.REMOVED, value=value)


def _added(path: str, value: Json) -> JsonChange:
    return JsonChange(path=path, change=Change.ADDED, value=value)

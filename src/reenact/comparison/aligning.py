"""Which call of one session belongs to which call of another."""

from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

from reenact.comparison.resembling import Trait, likeness, trait
from reenact.domain.comparison import Turn

Row = tuple[int | None, int | None]
"""Positions on the left and on the right; a missing side is None."""

_GAP_OPEN, _GAP_MORE = -0.25, -0.05
_MAX_CELLS = 250_000
"""How many pairs of calls are weighed in one stretch; longer stretches look only near their diagonal."""
_OUT = -1e12
_MATCH, _LEFT, _RIGHT = 0, 1, 2


def align(left: Sequence[Turn], right: Sequence[Turn]) -> list[Row]:
    """Pair the calls of two sessions so that each is used once.

    Calls that name each other (or the same source) in a replay link are paired whatever their order, since a replay may
    ask calls side by side. The rest keep their order: equal calls first, then the best alignment by path, prompt id, kind,
    model family and newest text; what is left stands alone.

    Returns:
        Rows in reading order of the left side; calls that only the right has stand where they came.
    """
    linked = _linked(left, right)
    taken = set(linked.values())
    rest_left = [at for at in range(len(left)) if at not in linked]
    rest_right = [at for at in range(len(right)) if at not in taken]
    paired = _align_traits([trait(left[at]) for at in rest_left], [trait(right[at]) for at in rest_right])
    linked |= {rest_left[one]: rest_right[other] for one, other in paired}
    return _reading_order(len(left), len(right), linked)


def _linked(left: Sequence[Turn], right: Sequence[Turn]) -> dict[int, int]:
    """Return the right position by left position of calls that a replay link ties together."""
    sources: dict[str, int] = {}
    for at, turn in enumerate(right):
        sources.setdefault(_source(turn), at)
    found: dict[int, int] = {}
    for at, turn in enumerate(left):
        if (other := sources.pop(_source(turn), None)) is not None:
            found[at] = other
    return found


def _source(turn: Turn) -> str:
    link = turn.call.labels.replay
    return link.source_call_id if link else turn.call.id


def _reading_order(left: int, right: int, partners: dict[int, int]) -> list[Row]:
    """Return all rows; a call that only the right has stands before the next pair that follows its predecessor."""
    followers: dict[int, list[int]] = {}
    taken = set(partners.values())
    before = -1
    for at in range(right):
        if at in taken:
            before = at
        else:
            followers.setdefault(before, []).append(at)
    rows: list[Row] = []
    waiting = followers.get(-1, [])
    for at in range(left):
        other = partners.get(at)
        if other is not None:
            rows += [(None, one) for one in waiting]
            waiting = followers.get(other, [])
        rows.append((at, other))
    return rows + [(None, one) for one in waiting]


def _align_traits(left: Sequence[Trait], right: Sequence[Trait]) -> list[tuple[int, int]]:
    """Return the pairs, rising on both sides: runs of equal calls hold, the stretches between are weighed."""
    pairs: list[tuple[int, int]] = []
    from_left = from_right = 0
    steps = LCSseq.opcodes(list(map(_name, left)), list(map(_name, right)))
    for step in [*(step for step in steps if step.tag == "equal"), None]:
        to_left, to_right = (step.src_start, step.dest_start) if step else (len(left), len(right))
        pairs += [
            (from_left + one, from_right + other)
            for one, other in _weigh(left[from_left:to_left], right[from_right:to_right])
        ]
        if step:
            pairs += zip(range(step.src_start, step.src_end), range(step.dest_start, step.dest_end), strict=True)
            from_left, from_right = step.src_end, step.dest_end
    return pairs


def _name(one: Trait) -> tuple[str, str, str | None, bytes, str]:
    return one.kind, one.path, one.prompt_id, one.digest, "" if one.digest else one.text


def _weigh(left: Sequence[Trait], right: Sequence[Trait]) -> list[tuple[int, int]]:
    """Return the best pairs of two stretches: Needleman-Wunsch with affine gaps (Gotoh 1982), banded when long.

    Scores of the row above are kept, choices of every cell of the band: memory and time are bounded by the band.
    """
    if not left or not right:
        return []
    width = _half_width(len(left), len(right))
    above = _top_row(min(len(right), width))
    choices: list[tuple[int, list[tuple[int, int, int]]]] = []
    for row, one in enumerate(left, start=1):
        centre = row * len(right) // len(left)
        start, end = max(0, centre - width), min(len(right), centre + width)
        above, chosen = _weigh_row(one, right, above, start, end, row)
        choices.append((start, chosen))
    return _walk_back(choices, above[len(right)], len(left), len(right))


def _half_width(rows: int, columns: int) -> int:
    if rows * columns <= _MAX_CELLS:
        return columns
    return max(16, 2 * (columns // rows + 1), _MAX_CELLS // (2 * rows))


Scores = tuple[float, float, float]
_NOWHERE: Scores = (_OUT, _OUT, _OUT)


def _top_row(end: int) -> dict[int, Scores]:
    edge = {column: (_OUT, _OUT, _GAP_OPEN + (column - 1) * _GAP_MORE) for column in range(1, end + 1)}
    return {0: (0.0, _OUT, _OUT)} | edge


def _weigh_row(
    one: Trait, right: Sequence[Trait], above: dict[int, Scores], start: int, end: int, row: int
) -> tuple[dict[int, Scores], list[tuple[int, int, int]]]:
    """Return the scores of one row by column, and where each of a cell's three states came from."""
    scores: dict[int, Scores] = {}
    chosen: list[tuple[int, int, int]] = []
    before = _NOWHERE
    for column in range(start, end + 1):
        up, corner = above.get(column, _NOWHERE), above.get(column - 1, _NOWHERE)
        best = max(corner)
        match = best + likeness(one, right[column - 1]) if column and best > _OUT / 2 else _OUT
        gaps_left = (up[0] + _GAP_OPEN, up[1] + _GAP_MORE, up[2] + _GAP_OPEN)
        gaps_right = (before[0] + _GAP_OPEN, before[1] + _GAP_OPEN, before[2] + _GAP_MORE)
        skip_left, skip_right = max(gaps_left), max(gaps_right)
        chosen.append((corner.index(best), gaps_left.index(skip_left), gaps_right.index(skip_right)))
        before = scores[column] = (match, skip_left, skip_right)
    return scores, chosen


def _walk_back(
    choices: Sequence[tuple[int, list[tuple[int, int, int]]]], last: Scores, row: int, column: int
) -> list[tuple[int, int]]:
    """Return the pairs on the best way through the table, first to last."""
    pairs: list[tuple[int, int]] = []
    state = last.index(max(last))
    while row and column:
        start, chosen = choices[row - 1]
        came_from = chosen[column - start][state]
        if state == _MATCH:
            pairs.append((row - 1, column - 1))
        row -= state in {_MATCH, _LEFT}
        column -= state in {_MATCH, _RIGHT}
        state = came_from
    return pairs[::-1]

"""The calls of a session as a tree by session path, written as rows: folders with their sums, calls as leaves."""

from collections.abc import Sequence

import msgspec

from reenact.comparison.totalling import total
from reenact.domain.call import Call
from reenact.domain.comparison import Totals

_MAX_DEPTH = 24
"""Folders within folders; what lies deeper is shown in the last."""


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """One segment of a path: how deep it lies, and the sums of all that is under it."""

    depth: int
    name: str
    path: str
    totals: Totals


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """One call, under the folder of its path."""

    depth: int
    number: int
    """Its position in the session, counted from 1 in order of creation."""
    call: Call


Row = Folder | Leaf
Segments = tuple[str, ...]


def tree_rows(calls: Sequence[Call]) -> list[Row]:
    """Return the tree of *calls*, given oldest first; what began first stands first on every level.

    A call without a path stands at the top. Upstream's rule: repeated work reuses a path, so leaves of one folder keep
    their order of time (helicone-surface 4.1, 4.2).
    """
    leaves: dict[Segments, list[Leaf]] = {}
    under: dict[Segments, list[Call]] = {}
    for number, call in enumerate(calls, start=1):
        segments = _segments(call.labels.path)
        leaves.setdefault(segments, []).append(Leaf(depth=len(segments), number=number, call=call))
        for length in range(1, len(segments) + 1):
            under.setdefault(segments[:length], []).append(call)
    children: dict[Segments, list[Segments]] = {}
    for segments in under:
        children.setdefault(segments[:-1], []).append(segments)
    return _rows((), leaves, under, children)


def time_rows(calls: Sequence[Call]) -> list[Row]:
    """Return *calls*, given oldest first, as leaves without folders."""
    return [Leaf(depth=0, number=number, call=call) for number, call in enumerate(calls, start=1)]


def _rows(
    folder: Segments,
    leaves: dict[Segments, list[Leaf]],
    under: dict[Segments, list[Call]],
    children: dict[Segments, list[Segments]],
) -> list[Row]:
    """Return what is in *folder*: its own calls and its folders, merged by when they began."""
    starts: list[tuple[tuple[int, int], list[Row]]] = [
        ((leaf.call.created_us, leaf.number), [leaf]) for leaf in leaves.get(folder, ())
    ]
    for child in children.get(folder, ()):
        head = Folder(depth=len(child) - 1, name=child[-1], path="/" + "/".join(child), totals=total(under[child]))
        first = min(call.created_us for call in under[child])
        starts.append(((first, 0), [head, *_rows(child, leaves, under, children)]))
    return [row for _, rows in sorted(starts, key=lambda start: start[0]) for row in rows]


def _segments(path: str) -> Segments:
    found = tuple(filter(None, path.split("/")))
    return found if len(found) <= _MAX_DEPTH else (*found[: _MAX_DEPTH - 1], "/".join(found[_MAX_DEPTH - 1 :]))

"""The tree of a session: folders by path with their sums, in order of time."""

from reenact.comparison.totalling import total
from reenact.domain.labels import Labels
from reenact.web.nesting import Folder, Leaf, time_rows, tree_rows
from tests.comparison.turns import a_call

START = 1_700_000_000_000_000


def test_a_tree() -> None:
    """A call on a path that is also a folder stands in it; a call without a path stands at the top."""
    plan, search, again, loose = (
        a_call(name, labels=Labels(session_path=path), created_us=START + at)
        for at, (name, path) in enumerate([("a", "/trip"), ("b", "/trip/search"), ("c", "/trip"), ("d", None)])
    )

    assert tree_rows([plan, search, again, loose]) == [
        Folder(depth=0, name="trip", path="/trip", totals=total([plan, search, again])),
        Leaf(depth=1, number=1, call=plan),
        Folder(depth=1, name="search", path="/trip/search", totals=total([search])),
        Leaf(depth=2, number=2, call=search),
        Leaf(depth=1, number=3, call=again),
        Leaf(depth=0, number=4, call=loose),
    ]


def test_repeated_work_reuses_its_folder() -> None:
    """The same path again later is the same folder, where it first began."""
    calls = [
        a_call(str(at), labels=Labels(session_path=path), created_us=START + at)
        for at, path in enumerate(["/a", "/b", "/a"])
    ]

    assert [row.name if isinstance(row, Folder) else row.number for row in tree_rows(calls)] == ["a", 1, 3, "b", 2]


def test_a_very_deep_path_ends_in_one_folder() -> None:
    """Thousands of segments make no thousands of folders."""
    rows = tree_rows([a_call("a", labels=Labels(session_path="/x" * 5000))])

    assert (len(rows), rows[-1].depth) == (25, 24)


def test_by_time() -> None:
    """No folders."""
    call = a_call("a")

    assert time_rows([call]) == [Leaf(depth=0, number=1, call=call)]

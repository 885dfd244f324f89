"""Tool calls are set side by side by what they ask, not by where they stand."""

from reenact.comparison.tooling import pair_tools
from reenact.domain.comparison import Change, JsonChange, ToolPair
from reenact.domain.message import ToolUse


def use(name: str, arguments: str) -> ToolUse:
    """Return a tool call whose link id plays no part."""
    return ToolUse(id=f"call_{name}_{len(arguments)}", name=name, arguments=arguments)


def test_order_of_parallel_calls_means_nothing() -> None:
    """The same two calls in another order, spaced otherwise, are no difference."""
    pairs = pair_tools([use("a", '{"x":1}'), use("b", "{}")], [use("b", "{}"), use("a", '{ "x": 1 }')])

    assert [pair.is_same for pair in pairs] == [True, True]


def test_equal_arguments_find_each_other_first() -> None:
    """Of two calls of one tool, the equal ones are paired even when they stand crosswise."""
    pairs = pair_tools([use("get", '{"id":1}'), use("get", '{"id":2}')], [use("get", '{"id":2}'), use("get", "[]")])

    assert [(pair.left_arguments, pair.right_arguments) for pair in pairs] == [
        ('{"id":1}', "[]"),
        ('{"id":2}', '{"id":2}'),
    ]


def test_changed_arguments_are_told_by_place() -> None:
    """One changed field is a removal and an addition at its pointer."""
    assert pair_tools([use("book", '{"seat":"1A"}')], [use("book", '{"seat":"2B"}')]) == (
        ToolPair(
            left_name="book",
            right_name="book",
            changes=(
                JsonChange(path="/seat", change=Change.REMOVED, value="1A"),
                JsonChange(path="/seat", change=Change.ADDED, value="2B"),
            ),
            left_arguments='{"seat":"1A"}',
            right_arguments='{"seat":"2B"}',
        ),
    )


def test_other_tools_stand_alone() -> None:
    """A tool that only one side asks has no partner."""
    assert pair_tools([use("search", "{}")], [use("book", "{}")]) == (
        ToolPair(left_name="search", right_name=None, left_arguments="{}"),
        ToolPair(left_name=None, right_name="book", right_arguments="{}"),
    )


def test_arguments_that_are_not_json_are_compared_as_text() -> None:
    """A model may write anything."""
    (pair,) = pair_tools([use("run", "ls -l")], [use("run", "ls -a")])

    assert [change.value for change in pair.changes] == ["ls -l", "ls -a"]

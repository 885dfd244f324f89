"""Two sessions side by side in plain characters: what was said, what was asked of tools, what it took."""

from reenact.cli.comparison_view import comparison_view, pair_view
from reenact.comparison.comparing import compare
from reenact.domain.comparison import Change, JsonChange, Pair, Span, ToolPair
from reenact.web.formatting import dollars, duration
from tests.cli.screen import shown
from tests.comparison.turns import a_turn

FIGURES = f"status 200, gpt-4o-mini, 10 + 5 tokens, {dollars(1000)}, {duration(1_000_000)}"


def test_a_pair_shows_its_words_with_signs() -> None:
    """Only left, only right, both."""
    spans = (Span(Change.SAME, "I say "), Span(Change.REMOVED, "yes"), Span(Change.ADDED, "no"), Span(Change.SAME, "."))
    pair = Pair(left=a_turn("l"), right=a_turn("r"), answer_spans=spans)

    expected = f"""
2. /debate  ~ differs
   {FIGURES}
   I say [-yes-]{{+no+}}."""
    assert expected == shown(pair_view(2, pair))


def test_tool_calls_are_compared_by_their_arguments() -> None:
    """The same, other arguments, another tool, one more and one less."""
    changes = (
        JsonChange(path="/seat", change=Change.REMOVED, value="1A"),
        JsonChange(path="/seat", change=Change.ADDED, value="2B"),
    )
    tools = (
        ToolPair(left_name="find", right_name="find", left_arguments="{}", right_arguments="{}"),
        ToolPair(left_name="book", right_name="book", changes=changes),
        ToolPair(left_name="pay", right_name="refund", left_arguments='{"a":1}', right_arguments="{}"),
        ToolPair(left_name=None, right_name="call", right_arguments="{}"),
        ToolPair(left_name="mail", right_name=None, left_arguments="{}"),
    )
    view = shown(pair_view(1, Pair(left=a_turn("l"), right=a_turn("r"), tools=tools)))

    expected = """\
   = find({})
   ~ book
     - /seat 1A
     + /seat 2B
   - pay({"a":1})
   + refund({})
   + call({})
   - mail({})"""
    assert view.endswith(expected)


def test_a_missing_side_is_told() -> None:
    """With what the other took."""
    assert "+ only right" in shown(pair_view(1, Pair(left=None, right=a_turn("r"))))
    assert "- only left" in shown(pair_view(1, Pair(left=a_turn("l"), right=None)))


def test_equal_answers_are_one_line_and_their_figures() -> None:
    """Nothing is repeated that is the same on both sides."""
    view = shown(pair_view(1, Pair(left=a_turn("l"), right=a_turn("r"))))

    assert f"\n1. /debate  = same answer\n   {FIGURES}" == view


def test_a_comparison_ends_in_both_sides_sums_and_a_verdict() -> None:
    """How many are paired, how many differ, and by how much."""
    left = [a_turn("l1", said="yes"), a_turn("l2", said="same")]
    right = [a_turn("r1", said="no", source="l1"), a_turn("r2", said="same", source="l2")]
    view = shown(comparison_view(compare(left, right)))

    assert view.startswith("[-only left-] {+only right+}\n")
    assert view.endswith("2 of 2 calls are paired; 1 of them differ.")
    figures = [line.split() for line in view.splitlines()]
    assert ["calls", "2", "2"] in figures
    assert ["output", "tokens", "10", "10"] in figures


def test_recorded_text_can_neither_mark_nor_move_the_terminal() -> None:
    """Markup is shown as it stands, escape sequences are written out."""
    hostile = "[red]x[/red]\x1b[2J"
    pair = Pair(
        left=a_turn("l", path=hostile),
        right=a_turn("r"),
        answer_spans=(Span(Change.ADDED, hostile),),
        tools=(ToolPair(left_name=hostile, right_name=None, left_arguments=hostile),),
    )

    view = shown(pair_view(1, pair))

    assert 4 == view.count("[red]x[/red]")
    assert "\x1b" not in view

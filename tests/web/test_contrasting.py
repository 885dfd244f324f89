"""A comparison ready to be read: differences with their signs, long passages folded, places of change."""

from reenact.comparison.comparing import compare
from reenact.domain.comparison import Turn
from reenact.domain.message import ToolUse
from reenact.web.contrasting import Contrast, Delta, Run, deltas, rows
from tests.comparison.turns import a_call, a_prompt, a_turn, an_answer


def test_deltas_have_signs_and_say_what_they_leave_out() -> None:
    """More, less, none, and a price that is not known."""
    left = [Turn(call=a_call("a", cost_nanodollars=2_000_000), prompt=None, answer=None)]
    right = [
        Turn(call=a_call("b", cost_nanodollars=1_000_000, duration_us=3_000_000), prompt=None, answer=None),
        Turn(call=a_call("c", cost_nanodollars=None, status=500), prompt=None, answer=None),
    ]
    found = {delta.label: delta for delta in deltas(compare(left, right))}

    assert found["Calls"] == Delta(label="Calls", left="1", right="2", difference="+1", percent="+100 %")
    assert found["Failed"] == Delta(label="Failed", left="0", right="1", difference="+1", percent="")
    assert found["Cost"] == Delta(
        label="Cost",
        left="$0.002",
        right="$0.001",
        difference="\N{MINUS SIGN}$0.001",
        percent="\N{MINUS SIGN}50 %",
        note="1 call of unknown price left out",
    )
    assert found["Start to end"].difference == "+2.00 s"


def test_rows_of_every_kind() -> None:
    """Same, different, only left, only right."""
    left = [a_turn("a"), a_turn("b", said="old words"), a_turn("c", path="/left", asked="0123456789")]
    right = [a_turn("d", source="a"), a_turn("e", said="new words", source="b"), a_turn("f", source="zzz")]
    found = rows(compare(left, right).pairs, first=11)

    assert [(row.number, row.kind) for row in found] == [
        (11, "same"),
        (12, "different"),
        (13, "only_left"),
        (14, "only_right"),
    ]
    assert found[1].left == (Run(change="removed", text="old"), Run(change="same", text=" words"))
    assert found[1].right == (Run(change="added", text="new"), Run(change="same", text=" words"))
    assert (found[2].left, found[2].right) == ((Run(change="same", text="hi"),), ())


def test_a_long_passage_that_stayed_is_folded_in_its_middle() -> None:
    """Its beginning and its end are shown."""
    left, right = a_turn("a", said="x" * 1000 + " end"), a_turn("b", said="x" * 1000 + " fin", source="a")
    ((first, *_),) = (row.left for row in rows(compare([left], [right]).pairs, first=1))

    assert (len(first.text), first.left_out, len(first.rest)) == (300, 401, 300)


def test_changed_prompts_are_shown_word_by_word() -> None:
    """One line per place: the text before and after in one."""
    left, right = a_turn("a", asked="Be brief."), a_turn("b", asked="Be very brief.", source="a")
    (row,) = rows(compare([left], [right]).pairs, first=1)

    assert row.prompt == (
        Contrast(
            path="/messages/1/content",
            runs=(Run(change="same", text="Be "), Run(change="added", text="very "), Run(change="same", text="brief.")),
        ),
    )


def test_tools_of_a_lone_call_stand_on_its_side() -> None:
    """A gap does not hide what was asked for."""
    use = ToolUse(id="1", name="book", arguments='{"seat":1}')
    lone = Turn(call=a_call("a"), prompt=a_prompt("s"), answer=an_answer("", use))
    (left,) = rows(compare([lone], []).pairs, first=1)
    (right,) = rows(compare([], [lone]).pairs, first=1)

    assert [tool.pair.left_name for tool in left.tools] == ["book"]
    assert [(tool.pair.right_name, tool.right) for tool in right.tools] == [("book", '{\n  "seat": 1\n}')]

"""What all printing shares."""

import pytest
from rich.text import Text

from reenact.cli.printing import added, of, partly, plain, removed, short, signed, table
from tests.cli.screen import shown


def test_recorded_text_is_nothing_but_text() -> None:
    """Markup stands as it is; controls and what turns the reading direction are written out."""
    assert "[bold]x[/bold]" == plain("[bold]x[/bold]").plain
    assert not set("\x1b\x07\x9b\u202e\u200b") & set(plain("a\x1b[2J\x07\x9b\u202e\u200bb").plain)
    assert "two\nlines\tand a tab" == plain("two\nlines\tand a tab").plain


def test_differences_have_signs() -> None:
    """Not colours alone."""
    assert ("[-old-]", "{+new+}") == (removed("old").plain, added("new").plain)


@pytest.mark.parametrize(("value", "expected"), [("text", "text"), ({"a": [1]}, '{"a":[1]}'), (None, "null")])
def test_short_values_are_text_or_json(value: object, expected: str) -> None:
    """As they stand."""
    assert expected == short(value)


def test_long_values_are_cut_and_counted() -> None:
    """So that one message does not fill the screen."""
    assert short("x" * 5000).startswith("x" * 200 + "… (5,000 ")


def test_amounts() -> None:
    """Plurals, unknown prices, signs."""
    assert ("1 call", "2 calls") == (of(1, "call"), of(2, "call"))
    assert partly(0, 3).plain.endswith(" + 3 of unknown price")
    assert ("", "+2", "-2") == tuple(signed(str, difference) for difference in (0, 2, -2))


def test_tables_set_numbers_to_the_right_and_never_cut_text() -> None:
    """A long id is folded, not shortened."""
    made = table("id", ">n")
    made.add_row(Text("x" * 30), "7")

    assert 30 == shown(made, width=20).count("x")

"""Numbers and times as people read them; nothing recorded stays hidden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from reenact.web import formatting


@pytest.mark.parametrize(
    ("nanodollars", "written"),
    [
        (None, "unknown"),
        (0, "$0.00"),
        (42_000, "$0.000042"),
        (252_000, "$0.000252"),
        (6_426_000, "$0.00643"),
        (123_400_000, "$0.123"),
        (-123_400_000, "\N{MINUS SIGN}$0.123"),
        (1_234_567_000_000, "$1,234.57"),
        (1, "$0.000000001"),
    ],
)
def test_dollars(nanodollars: int | None, written: str) -> None:
    """Three digits that count; unknown is not free."""
    assert formatting.dollars(nanodollars) == written


@pytest.mark.parametrize(
    ("microseconds", "written"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 µs"),
        (850_400, "850 ms"),
        (1_234_000, "1.23 s"),
        (45_600_000, "45.6 s"),
        (125_000_000, "2 min 5 s"),
        (3_780_000_000, "1 h 3 min"),
        (-1_500_000, "\N{MINUS SIGN}1.50 s"),
    ],
)
def test_duration(microseconds: int | None, written: str) -> None:
    """Each in its unit."""
    assert formatting.duration(microseconds) == written


def test_counts_sizes_shares_and_moments() -> None:
    """The small writers, one of each."""
    assert [
        formatting.count(None),
        formatting.count(1_234_567),
        formatting.count(-5),
        formatting.size(199),
        formatting.size(12_345),
        formatting.size(5_000_000_000),
        formatting.percent(-50, 200),
        formatting.percent(5, 0),
        formatting.when(1_760_000_000_000_000),
        formatting.iso(1_760_000_000_000_000),
        formatting.when(10**30),
        formatting.words("provider_cut"),
    ] == [
        "\N{EN DASH}",
        "1,234,567",
        "\N{MINUS SIGN}5",
        "199 bytes",
        "12.3 KB",
        "5.0 GB",
        "\N{MINUS SIGN}25 %",
        "",
        "2025-10-09 08:53:20",
        "2025-10-09T08:53:20.000+00:00",
        "9999-12-31 23:59:59",
        "provider cut",
    ]


def test_hidden_characters_are_written_out() -> None:
    """A bidirectional override, a null, a lone carriage return and a zero-width space; tabs and line ends stay."""
    assert (
        formatting.visible("a\u202eb\x00c\rd\u200be\tf\r\ng\x7f")
        == "a\N{MATHEMATICAL LEFT ANGLE BRACKET}U+202E\N{MATHEMATICAL RIGHT ANGLE BRACKET}b\u2400c\u240dd"
        "\N{MATHEMATICAL LEFT ANGLE BRACKET}U+200B\N{MATHEMATICAL RIGHT ANGLE BRACKET}e\tf\ng"
        "\N{MATHEMATICAL LEFT ANGLE BRACKET}U+007F\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
    )


def test_other_values_pass() -> None:
    """Numbers and what is already HTML are left to Jinja."""
    markup = Markup("<b>\x00</b>")

    assert [formatting.visible(5), formatting.visible(markup)] == [5, markup]


@given(st.text())
def test_exact_values_can_be_read_back(text: str) -> None:
    """A form gets back what it was given."""
    assert formatting.exact(text).unescape() == text

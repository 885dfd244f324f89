"""Patterns that cannot be used are refused before anything is opened."""

import pytest

from reenact.errors import InvalidInput
from reenact.server.patterns import read_mask


def test_no_patterns_mask_nothing() -> None:
    """Nothing stands before the spool then."""
    assert read_mask(()) is None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(a", "none that RE2 knows"), (r"(a)\1", "none that RE2 knows"), ("a*", "matches the empty text")],
)
def test_a_pattern_that_is_none_is_refused(pattern: str, why: str) -> None:
    """By its number: the pattern itself may tell what it hides."""
    with pytest.raises(InvalidInput) as raised:
        read_mask(["fine", pattern])

    assert ("redact_patterns", True) == (raised.value.field, why in raised.value.message)
    assert raised.value.message.startswith("Pattern 2 of redact_patterns")


def test_a_pattern_takes_no_longer_than_the_text_is_long() -> None:
    """One by which Python's own expressions take for ever."""
    mask = read_mask([r"(a*)*b"])

    assert mask is not None
    assert b"a" * 100_000 == mask.text(b"a" * 100_000)

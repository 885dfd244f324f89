"""Tests of `api.envelope`."""

import msgspec
import pytest

from reenact.api.envelope import Envelope, listed


@pytest.mark.parametrize("items", [[], [1], ["a" * 300_000, {"b": None}, "c" * 300_000], ["x" * 1000] * 1000])
def test_a_list_in_pieces_is_its_envelope(items: list[object]) -> None:
    """However long the list and its items are, the pieces put together are what one encoding would give."""
    assert msgspec.json.encode(Envelope(items)) == b"".join(listed(items))


def test_no_piece_is_much_longer_than_its_item() -> None:
    """What is given to a connection at once stays small."""
    assert max(map(len, listed(["x" * 1000] * 10_000))) < 300_000

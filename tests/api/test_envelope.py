"""Tests of `api.envelope`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

import msgspec
import pytest
from litestar import Response
from litestar.response import Stream

from reenact.api.envelope import Envelope, listed, pieced


@pytest.mark.parametrize("items", [[], [1], ["a" * 300_000, {"b": None}, "c" * 300_000], ["x" * 1000] * 1000])
def test_a_list_in_pieces_is_its_envelope(items: list[object]) -> None:
    """However long the list and its items are, the pieces put together are what one encoding would give."""
    assert msgspec.json.encode(Envelope(items)) == b"".join(listed(items))


def test_no_piece_is_much_longer_than_its_item() -> None:
    """What is given to a connection at once stays small."""
    assert max(map(len, listed(["x" * 1000] * 10_000))) < 300_000


def test_no_more_is_made_than_is_sent() -> None:
    """A few pieces are made before an answer begins, and more only when those were taken: a slow reader fills no memory."""
    made: list[int] = []

    async def taken() -> list[int]:
        answer = cast("Stream", await pieced(listed(noted(made))))
        counts = [len(made)]
        sent = cast("AsyncIterator[bytes]", answer.iterator)
        return counts + [len(made) async for _ in sent]

    counts = asyncio.run(taken())
    assert (True, True, 1000) == (counts[0] < 50, counts[9] < 50, counts[-1])


def test_a_short_list_is_sent_with_its_length() -> None:
    """What is made at once is no stream: whoever asks is told how long it is."""
    answer = asyncio.run(pieced(listed(["x" * 1_000_000])))

    assert (Response, msgspec.json.encode(Envelope(["x" * 1_000_000]))) == (type(answer), answer.content)


def test_what_fails_at_the_beginning_fails_the_answer() -> None:
    """An error before anything is sent is told by the answer's status, not by its breaking off."""

    def failing() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(pieced(listed(failing())))


def noted(made: list[int]) -> Iterator[str]:
    """Yield a thousand long items, each noted in *made* when it is made."""
    for number in range(1000):
        made.append(number)
        yield "x" * 100_000

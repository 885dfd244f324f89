"""Recorded answers given again: their pieces, and how long they are waited for."""

import asyncio

import msgspec

from reenact.domain.exchange import Chunk, Exchange
from reenact.replay.playback.answer import PlayedAnswer, play
from tests.spool.exchanges import an_exchange

DAY_US = 86_400_000_000


def told_over(day: int) -> Exchange:
    """Return an exchange whose answer came in two pieces, the last after so many days."""
    body = b"data: one\n\ndata: two\n\n"
    chunks = (Chunk(body_bytes=11, after_us=0), Chunk(body_bytes=11, after_us=day * DAY_US))
    return msgspec.structs.replace(an_exchange(answer=body), chunks=chunks, duration_us=day * DAY_US)


async def pieces(recorded: Exchange, pace: float) -> list[bytes]:
    """Return what is played of a recorded answer."""
    played = await play(recorded, pace, asyncio.get_running_loop().time())
    assert isinstance(played, PlayedAnswer)
    return [piece async for piece in played.chunks()]


async def test_nothing_is_waited_for_without_a_pace() -> None:
    """An answer that took a day comes at once, in its pieces: a test that waited would never end."""
    assert [b"data: one\n\n", b"data: two\n\n"] == await pieces(told_over(1), 0)


async def test_a_pace_shortens_what_is_waited_for() -> None:
    """A day at a thousand-millionth of its time is no time."""
    assert [b"data: one\n\n", b"data: two\n\n"] == await pieces(told_over(1), 1e-9)

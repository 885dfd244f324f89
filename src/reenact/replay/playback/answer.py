"""PlayedAnswer: a recorded answer given again, in the recorded pieces and, where wanted, at the recorded pace."""

import asyncio
from collections.abc import AsyncIterator

from reenact.domain.exchange import Ending, Exchange
from reenact.errors import UpstreamFailed
from reenact.gateway.refusing import Refusal

_OWN = frozenset({Ending.TIMED_OUT, Ending.UNREACHED, Ending.REFUSED})
"""Endings of exchanges whose answer was the gateway's own."""
_BROKEN = frozenset({Ending.PROVIDER_CUT, Ending.CLIENT_LEFT})


class PlayedAnswer:
    """See UpstreamAnswer. A recorded answer that broke off breaks off again."""

    def __init__(self, exchange: Exchange, pace: float, began_s: float) -> None:
        """Take the recording, how long it takes in relation to it, and the loop's time at which the request came."""
        self._exchange = exchange
        self._pace = pace
        self._began_s = began_s
        self.status = exchange.status
        self.headers = exchange.response_headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in its recorded pieces.

        Raises:
            UpstreamFailed: the recorded answer broke off.
        """
        at = 0
        for body_bytes, after_us in _pieces(self._exchange):
            await pause(self._began_s, after_us, self._pace)
            yield self._exchange.response_body[at : at + body_bytes]
            at += body_bytes
        if self._exchange.ending in _BROKEN:
            message = self._exchange.detail or "The recorded answer ends here."
            raise UpstreamFailed(message, "network_error")

    async def close(self) -> None:
        """Nothing is open."""


async def play(exchange: Exchange, pace: float, began_s: float) -> PlayedAnswer | Refusal:
    """Return the recorded answer when its head is due; one of the gateway's own as such, since it ended as it did."""
    first = _pieces(exchange)[0][1] if exchange.response_body else exchange.duration_us
    await pause(began_s, first, pace)
    if exchange.ending not in _OWN:
        return PlayedAnswer(exchange, pace, began_s)
    return Refusal(
        status=exchange.status,
        headers=exchange.response_headers,
        body=exchange.response_body,
        ending=exchange.ending,
        detail=exchange.detail,
    )


async def pause(began_s: float, after_us: int, pace: float) -> None:
    """Wait until *after_us* from *began_s* on, *pace* times as long."""
    if pace > 0:
        rest_s = began_s + after_us * pace / 1_000_000 - asyncio.get_running_loop().time()
        if rest_s > 0:
            await asyncio.sleep(rest_s)


def _pieces(exchange: Exchange) -> list[tuple[int, int]]:
    """Return size and time of each piece of the body; all in one where the recording does not tell."""
    pieces = [(chunk.body_bytes, chunk.after_us) for chunk in exchange.chunks]
    whole = len(exchange.response_body)
    if sum(size for size, _ in pieces) == whole:
        return pieces
    return [(whole, exchange.first_byte_us or 0)]

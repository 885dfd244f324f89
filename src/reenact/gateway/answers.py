"""Answers that are not simply passed on: one that is here already, and one that is passed on event by event."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.cutting import whole_events
from reenact.gateway.rewriting import without_compression
from reenact.gateway.source import AnswerSource, UpstreamAnswer, UpstreamRequest

_LARGEST_HELD_BYTES = 16 * 1024 * 1024


class HeldAnswer:
    """An answer whose body is here; see UpstreamAnswer."""

    def __init__(self, status: int, headers: Sequence[Header], pieces: Sequence[bytes]) -> None:
        self.status = status
        self.headers = headers
        self._pieces = pieces

    @property
    def body(self) -> bytes:
        """The whole body, undecoded."""
        return b"".join(self._pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in its pieces."""
        for piece in self._pieces:
            yield piece

    async def close(self) -> None:
        """Nothing is open."""


class Uncompressed:
    """Asks a source for answers that are not compressed, so that they can be read on their way; see AnswerSource."""

    def __init__(self, source: AnswerSource) -> None:
        self._source = source

    async def open(self, request: UpstreamRequest) -> UpstreamAnswer:
        """Send *request* and return the answer when its head has come.

        Raises:
            UpstreamFailed: nothing came.
        """
        headers = without_compression(tuple(request.headers))
        return await self._source.open(msgspec.structs.replace(request, headers=headers))


class WholeEvents:
    """An answer whose stream is passed on in pieces that are whole events; see UpstreamAnswer."""

    def __init__(self, answer: UpstreamAnswer) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield one event at a time; what is left of a torn one comes last.

        Raises:
            UpstreamFailed: the provider broke off before the end.
        """
        held = b""
        try:
            async for chunk in self._answer.chunks():
                events, held = whole_events(held, chunk)
                for event in events:
                    yield event
        except UpstreamFailed:
            if held:
                yield held
            raise
        if held:
            yield held

    async def close(self) -> None:
        """Let go of the answer at once."""
        await self._answer.close()


def is_event_stream(answer: UpstreamAnswer) -> bool:
    """Return whether the body is a stream of events that can be cut: one that is not compressed."""
    told = {name: value.strip().lower() for name, value in answer.headers}
    is_stream = told.get(b"content-type", b"").startswith(b"text/event-stream")
    return is_stream and told.get(b"content-encoding", b"identity") == b"identity"


async def hold(answer: UpstreamAnswer) -> HeldAnswer:
    """Read an answer to its end and let go of it.

    Raises:
        UpstreamFailed: it broke off, or is larger than 16 MiB.
    """
    pieces: list[bytes] = []
    held_bytes = 0
    try:
        async for piece in answer.chunks():
            pieces.append(piece)
            held_bytes += len(piece)
            if held_bytes > _LARGEST_HELD_BYTES:
                message = f"An answer with status {answer.status} is larger than {_LARGEST_HELD_BYTES} bytes."
                raise UpstreamFailed(message, "provider_error")
    finally:
        await answer.close()
    return HeldAnswer(answer.status, answer.headers, pieces)

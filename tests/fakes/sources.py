"""Sources that answer from a script, and a recorder that can fail: the seams of the relay without sockets."""

from collections.abc import AsyncIterator, Callable, Sequence

from reenact.domain.exchange import Exchange, Header, Spill
from reenact.errors import SpoolFailed, UpstreamFailed
from reenact.gateway.source import UpstreamRequest


class ScriptedAnswer:
    """An answer made of given chunks, which may break off."""

    def __init__(self, status: int, headers: Sequence[Header], chunks: Sequence[bytes | UpstreamFailed]) -> None:
        self.status = status
        self.headers = headers
        self.is_closed = False
        self._chunks = chunks

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks; raise what is among them."""
        for chunk in self._chunks:
            if isinstance(chunk, UpstreamFailed):
                raise chunk
            yield chunk

    async def close(self) -> None:
        """Note that the relay let go."""
        self.is_closed = True


class ScriptedSource:
    """Gives one answer to everything, or fails to."""

    def __init__(self, answer: ScriptedAnswer | UpstreamFailed) -> None:
        self._answer = answer
        self.requests: list[UpstreamRequest] = []

    async def open(self, request: UpstreamRequest) -> ScriptedAnswer:
        """Note the request and answer it."""
        self.requests.append(request)
        if isinstance(self._answer, UpstreamFailed):
            raise self._answer
        return self._answer


class ListRecorder:
    """Keeps exchanges in a list, or fails with what it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self.gaps: list[tuple[str, str]] = []
        self._failure = failure

    def append(self, exchange: Exchange) -> bool:
        """Keep *exchange*."""
        if self._failure is not None:
            raise self._failure
        self.exchanges.append(exchange)
        return True

    def spill(self) -> Spill:
        """No body in these tests is that large."""
        raise SpoolFailed("There are no files.")

    def append_spilled(self, exchange: Exchange, request: Spill | None, response: Spill | None) -> bool:
        """No body in these tests is that large."""
        raise SpoolFailed("There are no files.")

    def when_written(self, act: Callable[[], None]) -> float:
        """What is in a list is written."""
        act()
        return 1.0

    def let_go(self) -> None:
        """Fail: nothing has to be waited for."""
        raise AssertionError("nobody is let go here")

    def when_durable(self, act: Callable[[], None]) -> None:
        """What is in a list is safe."""
        act()

    def gap(self, organisation_id: str, reason: str) -> None:
        """Keep the fact that one is missing."""
        self.gaps.append((organisation_id, reason))


FULL = SpoolFailed("No space left on device")

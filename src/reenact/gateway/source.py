"""The seam behind the relay: whoever answers a request. A live upstream, a cache, or a recording being played back."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import msgspec

from reenact.domain.exchange import Header


class UpstreamRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent to a provider."""

    method: str
    origin: str
    """Scheme, host and port, no slash at the end: `https://api.openai.com`."""
    target: bytes
    """Path and query exactly as the agent wrote them, percent-encoding untouched."""
    headers: Sequence[Header]
    """End-to-end headers only; `host` and the framing are the source's to write."""
    body: bytes
    upload: AsyncIterator[bytes] | None = None
    """The body, where it is sent as it comes; `body` is empty then, and such a request is never sent twice."""
    upload_bytes: int | None = None
    """How long an upload is; None when that is not known."""
    host: bytes | None = None
    """The `Host` header, where it is another than the origin's."""
    is_guarded: bool = False
    """Whether the origin was named by an agent, so that only permitted addresses may be connected to."""
    silence_timeout_s: float | None = None
    """How long the provider may say nothing; None: as long as the source allows."""


Permit = Callable[[str, int, str], bool]
"""Given a host, a port and an address that the host was resolved to, says whether it may be connected to."""


def permit_none(host: str, port: int, address: str) -> bool:
    """Permit nothing: what a source that was given no rule does with guarded requests."""
    return False


class UpstreamAnswer(Protocol):
    """An answer whose head has come."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Sequence[Header]:
        """As they came: names lower-cased, order and duplicates kept."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, undecoded.

        Raises:
            UpstreamFailed: the provider broke off before the end.
        """
        ...

    async def close(self) -> None:
        """Let go of the answer at once; closes the connection when the body was not read to its end."""
        ...


class AnswerSource(Protocol):
    """Whoever answers."""

    async def open(self, request: UpstreamRequest) -> UpstreamAnswer:
        """Send *request* and return the answer when its head has come.

        Raises:
            UpstreamFailed: nothing came; its `kind` says why.
        """
        ...

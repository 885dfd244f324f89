"""The live upstream: an AnswerSource on aiohttp that adds nothing, decodes nothing and follows nothing."""

import io
import re
import socket
import urllib.request
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.guarding import read_address
from reenact.gateway.source import Permit, UpstreamRequest, permit_none

_FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection", b"expect"})
_AUTO_HEADERS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_UNSENDABLE = re.compile(rb"[\0\r\n ]")
_ONE_PIECE_BYTES = 1024 * 1024
"""A larger body is written piece by piece, so that other calls go on meanwhile."""
_HEADER_LINE_BYTES = 64 * 1024
_IDLE_SECONDS = 30.0
"""How long a connection waits for its next call."""


def environment_proxy(origin: str) -> str | None:
    """Return the proxy that the environment names for *origin*, by the rules of `http_proxy` and `no_proxy`."""
    parts = urlsplit(origin)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)


class LiveAnswer:
    """An answer on its way; see UpstreamAnswer."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: tuple[Header, ...] = tuple((name.lower(), value) for name, value in response.raw_headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, undecoded.

        Raises:
            UpstreamFailed: the provider broke off before the end.
        """
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _failure(error) from error

    async def close(self) -> None:
        """Let go of the answer; a connection whose body was not read to its end is cut at once."""
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()


class _Forbidden(Exception):
    """A name leads where agents may not have calls sent to."""


class _CheckedResolver(AbstractResolver):
    """Resolves names and gives only addresses that are permitted; a connection goes to the very address that was checked."""

    def __init__(self, permit: Permit) -> None:
        self._permit = permit
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of *host*.

        Raises:
            _Forbidden: one of them is not permitted; a name that leads both ways is not trusted at all.
        """
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if not self._permit(host, port, one["host"]):
                raise _Forbidden(host, one["host"])
        return found

    async def close(self) -> None:
        """Let go of the resolver."""
        await self._resolver.close()


class LiveUpstream:
    """Asks providers over the network; see AnswerSource. Belongs to the event loop that first opens it."""

    def __init__(
        self,
        *,
        connect_timeout_seconds: float = 10.0,
        read_timeout_seconds: float = 30 * 60.0,
        proxy_for: Callable[[str], str | None] = environment_proxy,
        permit: Permit = permit_none,
    ) -> None:
        """Open nothing yet.

        Args:
            connect_timeout_seconds: for name, connection and TLS together.
            read_timeout_seconds: the longest silence of a provider, before its answer or within it.
            proxy_for: the proxy's URL for an origin; asked once for each.
            permit: which addresses guarded requests may be sent to; behind a proxy names are the proxy's to judge.
        """
        self._connect_timeout_seconds = connect_timeout_seconds
        self._timeout = self._patience(read_timeout_seconds)
        self._proxy_for = proxy_for
        self._proxies: dict[str, str | None] = {}
        self._permit = permit
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        """By whether addresses are checked: the two never share a connection."""

    async def open(self, request: UpstreamRequest) -> LiveAnswer:
        """Send *request* and return the answer when its head has come.

        Raises:
            UpstreamFailed: nothing came; its `kind` says why.
        """
        if _UNSENDABLE.search(request.target):  # aiohttp writes a path that is called encoded as it is
            raise UpstreamFailed(
                "The path holds a line break, a blank or a NUL where none may stand.", "internal_error"
            )
        try:
            response = await self._opened(request).request(
                request.method,
                URL(request.origin + request.target.decode("latin-1"), encoded=True),
                headers=[
                    (name.decode("latin-1"), _text(value)) for name, value in request.headers if name not in _FRAMING
                ]
                + ([] if request.upload_bytes is None else [("content-length", str(request.upload_bytes))]),
                data=_content(request.body) if request.upload is None else request.upload,
                allow_redirects=False,
                proxy=self._proxy(request.origin),
                timeout=self._patience(request.silence_timeout_s) if request.silence_timeout_s else self._timeout,
            )
        except _Forbidden as error:
            host, address = error.args
            message = f"The target {host} leads to {address}, where agents may not have calls sent to."
            raise UpstreamFailed(message, "disallowed") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _failure(error) from error
        return LiveAnswer(response)

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _opened(self, request: UpstreamRequest) -> aiohttp.ClientSession:
        """Return the session for *request*.

        Raises:
            _Forbidden: it is guarded and names an address that is not permitted.
        """
        is_guarded = request.is_guarded
        if is_guarded:
            parts = urlsplit(request.origin)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
            if (address := read_address(host)) is not None and not self._permit(host, port, str(address)):
                raise _Forbidden(host, str(address))
        if is_guarded not in self._sessions:
            self._sessions[is_guarded] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    keepalive_timeout=_IDLE_SECONDS,
                    resolver=_CheckedResolver(self._permit) if is_guarded else None,
                    use_dns_cache=not is_guarded,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                auto_decompress=False,
                skip_auto_headers=_AUTO_HEADERS,
                max_line_size=_HEADER_LINE_BYTES,
                max_field_size=_HEADER_LINE_BYTES,
            )
        return self._sessions[is_guarded]

    def _patience(self, silence_seconds: float) -> aiohttp.ClientTimeout:
        connect = self._connect_timeout_seconds
        return aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect, sock_read=silence_seconds)

    def _proxy(self, origin: str) -> str | None:
        if origin not in self._proxies:
            self._proxies[origin] = self._proxy_for(origin)
        return self._proxies[origin]


def _content(body: bytes) -> bytes | io.BytesIO | None:
    if not body:
        return None
    return body if len(body) <= _ONE_PIECE_BYTES else io.BytesIO(body)


def _text(value: bytes) -> str:
    """Return *value* so that aiohttp, which writes headers in UTF-8, writes the same bytes again where that is possible."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _failure(error: Exception) -> UpstreamFailed:
    """Return *error* under Helicone's name for it (surface 1.8)."""
    match error:
        case TimeoutError():
            kind = "timeout"
        case aiohttp.ClientConnectorDNSError():
            kind = "dns_error"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            kind = "ssl_error"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            kind = "connection_refused"
        case aiohttp.ClientResponseError():
            kind = "provider_error"
        case aiohttp.InvalidURL() | ValueError():
            kind = "internal_error"
        case _:
            kind = "network_error"
    return UpstreamFailed(f"{type(error).__name__}: {error}", kind)

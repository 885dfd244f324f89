"""The live upstream on connections of our own: an AnswerSource that costs half the CPU of the general client.

One pool per origin, the last used connection first, so that idle ones can end. A connection that the provider closed while it
idled is noticed before a request is written to it, which then goes to another; if it is lost in the moment of writing and
nothing has come back, only a request that may be repeated by its method (RFC 9110, 9.2.2) is sent again.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.connecting import UPGRADE, Address, Proxies, Proxy, address_of, connect_head, request_head
from reenact.gateway.connection import Connection
from reenact.gateway.outbox import Outbox
from reenact.gateway.source import Permit, UpstreamRequest, permit_none

REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
WATCH_S = 1.0
MANY_ORIGINS = 1000
"""Beyond so many, those without a connection are forgotten: agents may name any number."""


class PooledAnswer:
    """An answer on a pooled connection; the connection goes back when the body was read to its end."""

    def __init__(self, connection: Connection, idle: list[Connection]) -> None:
        self.status = connection.status
        self.headers: list[Header] = connection.headers
        self._connection = connection
        self._idle = idle

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, undecoded.

        Raises:
            UpstreamFailed: the provider broke off before the end.
        """
        return self._connection

    async def send(self, content: bytes) -> None:
        """Send the provider bytes of a WebSocket; returns when more may follow."""
        await self._connection.say(content)

    def hang_up(self) -> None:
        """End a WebSocket's connection once the provider has been sent everything."""
        self._connection.hang_up()

    async def close(self) -> None:
        """Let go: keep the connection if its answer was whole and may be followed by another, else close it now."""
        connection = self._connection
        if not connection.busy:
            return
        connection.busy = False
        if connection.is_reusable:
            connection.idle_since_s = connection.waiting_since_s
            self._idle.append(connection)
        else:
            connection.abort()


class PooledSource:
    """Sends requests on pooled connections. Belongs to the event loop that first opens something."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        proxies: Proxies | None = None,
        connect_timeout_s: float = 10.0,
        silence_timeout_s: float = 600.0,
        keep_idle_s: float = 50.0,
        permit: Permit = permit_none,
        unix_path: str | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            tls: how to trust providers; the system's trust when None.
            proxies: what stands between; nothing when None.
            connect_timeout_s: for the name, the connection and TLS together.
            silence_timeout_s: how long a provider may say nothing, before or within an answer.
            keep_idle_s: how long an unused connection is kept: less than the 60 s after which common load balancers close one,
                so that no request meets their closing on its way.
            permit: which addresses guarded requests may be sent to. A guarded name is resolved here and the connection goes
                to the very address that was checked; behind a proxy the name is the proxy's to resolve and to judge.
            unix_path: a socket in the file system that every request goes to, whatever its origin.
        """
        self._tls = tls or ssl.create_default_context()
        self._proxies = proxies or Proxies()
        self._connect_timeout_s = connect_timeout_s
        self._silence_timeout_s = silence_timeout_s
        self._keep_idle_s = keep_idle_s
        self._permit = permit
        self._unix_path = unix_path
        self._started: asyncio.AbstractEventLoop | None = None
        self._outbox: Outbox
        self._addresses: dict[str, tuple[Address, Proxy | None]] = {}
        self._idle: dict[tuple[str, bool], list[Connection]] = {}
        """By origin and whether its address was checked: the two never share a connection."""
        self._all: set[Connection] = set()
        self._watcher: asyncio.TimerHandle | None = None

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop; the first look at it starts the watch."""
        if self._started is None:
            self._started = asyncio.get_running_loop()
            self._outbox = Outbox(self._started)
            self._watcher = self._started.call_later(WATCH_S, self._watch)
        return self._started

    async def open(self, request: UpstreamRequest) -> PooledAnswer:
        """Send *request* and return the answer when its head has come.

        Raises:
            UpstreamFailed: nothing came; its `kind` says why.
        """
        address, proxy = self._address(request.origin)
        head = request_head(request, address, proxy)
        place = request.origin, request.is_guarded
        connection = self._rested(place)
        while True:
            fresh = connection is None
            connection = connection or await self._connect(address, proxy, is_guarded=request.is_guarded)
            connection.silence_timeout_s = request.silence_timeout_s or self._silence_timeout_s
            upload = request.upload
            connection.begin(head, request.body, is_head=request.method == "HEAD", at_once=upload is not None)
            try:
                if upload is not None and connection.failure is None:
                    await connection.send(upload, is_chunked=request.upload_bytes is None)
                await connection.head()
            except UpstreamFailed:
                if fresh:
                    raise
                if not connection.is_asked:
                    connection = self._rested(place)
                    continue
                if connection.heard or upload is not None or request.method not in REPEATABLE:
                    raise
                connection = None
                continue
            except BaseException:
                connection.abort()
                raise
            return PooledAnswer(connection, self._idle.setdefault(place, []))

    async def open_tunnel(self, request: UpstreamRequest) -> PooledAnswer:
        """Send the handshake *request* on a connection of its own and return the answer when its head has come.

        Raises:
            UpstreamFailed: nothing came; its `kind` says why.
        """
        address, proxy = self._address(request.origin)
        connection = await self._connect(address, proxy, is_guarded=request.is_guarded)
        connection.silence_timeout_s = self._silence_timeout_s
        head = request_head(request, address, proxy)[:-2] + UPGRADE + b"\r\n"
        connection.begin(head, b"", is_head=False, is_tunnel=True)
        try:
            await connection.head()
        except BaseException:
            connection.abort()
            raise
        return PooledAnswer(connection, self._idle.setdefault((request.origin, request.is_guarded), []))

    def _address(self, origin: str) -> tuple[Address, Proxy | None]:
        """Return where an origin is, and what stands before it."""
        if origin not in self._addresses:
            address = address_of(origin)
            self._addresses[origin] = address, self._proxies.for_address(address)
        return self._addresses[origin]

    async def close(self) -> None:
        """Close every connection at once and wait until they are gone."""
        if self._watcher is not None:
            self._watcher.cancel()
        while self._all:
            for connection in tuple(self._all):
                connection.abort()
            await asyncio.sleep(0)

    def _rested(self, place: tuple[str, bool]) -> Connection | None:
        """Return the idle connection used last, None when there is none that is still open."""
        idle = self._idle.get(place)
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connect(self, address: Address, proxy: Proxy | None, *, is_guarded: bool) -> Connection:
        peer = proxy.address if proxy is not None else address
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                if is_guarded and proxy is None:
                    connection = await self._reach(peer, await self._checked(peer))
                else:
                    connection = await self._reach(peer, [peer.host])
                self._all.add(connection)
                if proxy is not None and address.is_tls:
                    await self._tunnel(connection, address, proxy)
        except TimeoutError as error:
            raise UpstreamFailed(
                f"{peer.host} did not accept a connection in {self._connect_timeout_s:g} s.", "timeout"
            ) from error
        except ssl.SSLError as error:
            raise UpstreamFailed(f"TLS with {address.host} failed: {error}", "ssl_error") from error
        except socket.gaierror as error:
            raise UpstreamFailed(f"The name {peer.host} could not be resolved: {error}", "dns_error") from error
        except ConnectionRefusedError as error:
            raise UpstreamFailed(f"{peer.host}:{peer.port} refused the connection.", "connection_refused") from error
        except OSError as error:
            raise UpstreamFailed(f"No connection to {peer.host}:{peer.port}: {error}", "network_error") from error
        return connection

    async def _reach(self, peer: Address, hosts: list[str]) -> Connection:
        """Return a connection to the first of *hosts*, names or addresses of *peer*, that accepts one."""
        if self._unix_path is not None:
            made = await self._loop.create_unix_connection(
                lambda: Connection(self._loop, self._outbox, self._forget), self._unix_path
            )
            return made[1]
        for host in hosts:
            try:
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop, self._outbox, self._forget),
                    host,
                    peer.port,
                    ssl=self._tls if peer.is_tls else None,
                    server_hostname=peer.host if peer.is_tls else None,
                )
            except OSError:
                if host is hosts[-1]:
                    raise
            else:
                return connection
        message = f"{peer.host} was resolved to no address."
        raise UpstreamFailed(message, "dns_error")

    async def _checked(self, peer: Address) -> list[str]:
        """Return the addresses of *peer*.

        Raises:
            UpstreamFailed: one of them may not be connected to; a name that leads both ways is not trusted at all.
        """
        found = await self._loop.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        for address in addresses:
            if not self._permit(peer.host, peer.port, address):
                message = f"The target {peer.host} leads to {address}, where agents may not have calls sent to."
                raise UpstreamFailed(message, "disallowed")
        return addresses

    async def _tunnel(self, connection: Connection, address: Address, proxy: Proxy) -> None:
        """Ask *proxy* for a tunnel and speak TLS through it."""
        connection.begin(connect_head(address, proxy), b"", is_head=True)
        await connection.head()
        connection.busy = False
        if connection.status != 200:
            connection.abort()
            raise UpstreamFailed(
                f"The proxy {proxy.address.host} refused a tunnel with status {connection.status}.", "network_error"
            )
        assert connection.transport is not None
        secured = await self._loop.start_tls(connection.transport, connection, self._tls, server_hostname=address.host)
        assert secured is not None
        connection.connection_made(secured)

    def _forget(self, connection: Connection) -> None:
        self._all.discard(connection)

    def _watch(self) -> None:
        """Cut what is silent too long, close what idled too long, and drop what was lost."""
        now = self._loop.time()
        for connection in tuple(self._all):
            if connection.busy and not connection.complete and not connection.is_held:
                if now - connection.waiting_since_s > connection.silence_timeout_s:
                    connection.cut(connection.silence_timeout_s)
            elif not connection.busy and now - connection.idle_since_s > self._keep_idle_s:
                connection.abort()
        for place, idle in tuple(self._idle.items()):
            idle[:] = [connection for connection in idle if not connection.lost]
            if not idle and len(self._idle) > MANY_ORIGINS:
                del self._idle[place]
                self._addresses.pop(place[0], None)
        self._watcher = self._loop.call_later(WATCH_S, self._watch)

"""What connecting decides: which address an origin is, which proxy stands before it, and the bytes of a request's head."""

from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import msgspec

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.source import UpstreamRequest

BODIED = frozenset({"POST", "PUT", "PATCH"})
FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection", b"expect"})
UPGRADE = b"connection: Upgrade\r\nupgrade: websocket\r\n"
"""What makes a request a WebSocket's handshake (RFC 6455, 4.1)."""


class Address(msgspec.Struct, frozen=True):
    """Where a provider listens."""

    host: str
    port: int
    is_tls: bool

    @property
    def host_header(self) -> bytes:
        """The `Host` header's value: the port is left out where it is the scheme's own (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}").encode(
            "idna" if not host.isascii() else "ascii"
        )


class Proxy(msgspec.Struct, frozen=True):
    """An HTTP proxy, with its credentials ready to send."""

    address: Address
    authorization: bytes | None = None


class Proxies(msgspec.Struct, frozen=True):
    """The environment's proxies, as curl reads `http_proxy`, `https_proxy` and `no_proxy`."""

    http: Proxy | None = None
    https: Proxy | None = None
    exempt: tuple[str, ...] = ()
    """Host names, domains and addresses that are reached without a proxy; `*` means all."""

    def for_address(self, address: Address) -> Proxy | None:
        """Return the proxy before *address*, None where there is none."""
        host = address.host.lower()
        for name in self.exempt:
            bare = name.lower().lstrip(".")
            if name == "*" or host == bare or host.endswith("." + bare) or f"{host}:{address.port}" == bare:
                return None
        return self.https if address.is_tls else self.http


def address_of(origin: str) -> Address:
    """Return the address of an origin such as `https://api.openai.com`.

    Raises:
        UpstreamFailed: it is not an http or https origin.
    """
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError as error:
        raise UpstreamFailed(f"{origin!r} is not an address: {error}", "internal_error") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UpstreamFailed(f"{origin!r} is not an http or https address.", "internal_error")
    is_tls = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if is_tls else 80), is_tls)


def read_proxies(environ: Mapping[str, str]) -> Proxies:
    """Return the proxies that *environ* names; lower-case names win over capitals, `all_proxy` fills what is missing."""

    def read(name: str) -> Proxy | None:
        url = environ.get(f"{name}_proxy") or environ.get(f"{name.upper()}_PROXY")
        url = url or environ.get("all_proxy") or environ.get("ALL_PROXY")
        if not url:
            return None
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
        credentials = b"Basic " + b64encode(secret.encode()) if secret else None
        is_tls = parts.scheme == "https"
        return Proxy(Address(parts.hostname, parts.port or (443 if is_tls else 80), is_tls), credentials)

    exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return Proxies(read("http"), read("https"), tuple(name.strip() for name in exempt.split(",") if name.strip()))


def request_head(request: UpstreamRequest, address: Address, proxy: Proxy | None) -> bytes:
    """Return the request line and headers of *request*, framed by its body's length.

    Raises:
        UpstreamFailed: a name, value or target holds a line break or NUL, which would start another request.
    """
    is_absolute = proxy is not None and not address.is_tls
    head = _opening(request.method, request.target, request.host, tuple(request.headers), address, is_absolute)
    if request.upload is not None:
        length = request.upload_bytes
        head += b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
    elif request.body or request.method in BODIED:
        head += b"content-length: %d\r\n" % len(request.body)
    if proxy is not None and is_absolute and proxy.authorization is not None:
        head += b"proxy-authorization: %s\r\n" % proxy.authorization
    return head + b"\r\n"


@lru_cache(maxsize=128)
def _opening(
    method: str, target: bytes, host: bytes | None, headers: tuple[Header, ...], address: Address, is_absolute: bool
) -> bytes:
    """Return a head without its framing. The latest are remembered: an agent's calls differ in their bodies.

    Raises:
        UpstreamFailed: see `request_head`.
    """
    if is_absolute:
        target = b"http://" + address.host_header + target  # absolute form (RFC 9112, 3.2.2)
    lines = [
        b"%s %s HTTP/1.1\r\nhost: %s\r\n"
        % (method.encode("latin-1"), target, address.host_header if host is None else host)
    ]
    lines += [name + b": " + value + b"\r\n" for name, value in headers if name not in FRAMING]
    head = b"".join(lines)
    breaks = len(lines) + 1  # the first item is two lines
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head or b" " in target:
        raise UpstreamFailed(
            "A header or the path holds a line break, a blank or a NUL where none may stand.", "internal_error"
        )
    return head


def connect_head(address: Address, proxy: Proxy) -> bytes:
    """Return the request that asks *proxy* for a tunnel to *address* (RFC 9110, 9.3.6)."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    authority = f"{host}:{address.port}".encode("ascii")
    headers: list[Header] = [(b"host", authority)]
    if proxy.authorization is not None:
        headers.append((b"proxy-authorization", proxy.authorization))
    return b"CONNECT %s HTTP/1.1\r\n" % authority + b"".join(b"%s: %s\r\n" % header for header in headers) + b"\r\n"

"""Listener: the socket that a server listens on, or one clear sentence why not."""

import errno
import socket

from reenact.errors import PortUnusable


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 takes any free one. Nobody can connect before the server accepts.

    Raises:
        PortUnusable: the port is taken or not allowed, or the host is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortUnusable(f"Cannot listen on {host}: {error.strerror}. Choose another with --host.") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise PortUnusable(_sentence(host, port, error)) from None
    return bound


def share(bound: socket.socket, count: int) -> list[socket.socket]:
    """Return *count* sockets on the address of *bound*, among which the system spreads connections; *bound* is closed.

    Until now the address was held by *bound* alone, so that a server that is there already was noticed.

    Raises:
        PortUnusable: somebody else took the address in this moment.
    """
    host, port = bound.getsockname()[:2]
    address, family, kind, protocol = bound.getsockname(), bound.family, bound.type, bound.proto
    bound.close()
    shared: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.socket(family, kind, protocol)
            shared.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(address)
    except OSError as error:
        for one in shared:
            one.close()
        raise PortUnusable(_sentence(host, port, error)) from None
    return shared


def address_of(bound: socket.socket) -> str:
    """Return the origin that a browser on this machine reaches *bound* at."""
    host, port = bound.getsockname()[:2]
    wildcards = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what a wildcard is reached by, not a place to listen
    return f"http://{wildcards.get(host, f'[{host}]' if ':' in host else host)}:{port}"


def _sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken. Stop what listens there, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}. Choose one over 1023 with --port."
    return f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --host or --port."

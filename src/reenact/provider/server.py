"""Serving the scripted provider on a socket of its own."""

import socket
from collections.abc import Callable

import uvicorn

from reenact.errors import PortUnusable
from reenact.provider.app import Provider

_BACKLOG = 4096
"""Connections that may wait to be accepted: room for thousands of agents that start at once."""


def serve(provider: Provider, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; *announce* is given the origin, such as `http://127.0.0.1:9000`, once it can be called.

    Raises:
        PortUnusable: *port* is taken or not allowed; 0 takes any free one.
    """
    listener = _listen(host, port)
    with listener:
        config = uvicorn.Config(
            provider,
            log_level="critical",
            access_log=False,
            lifespan="off",
            backlog=_BACKLOG,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        announce(f"http://{host}:{listener.getsockname()[1]}")
        uvicorn.Server(config).run([listener])


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that accepts connections already, so that the announced address can be called at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortUnusable(f"Cannot listen on {host}:{port}: {error}. Choose another with --port.") from error
    return listener

"""The socket: free ports, and one clear sentence for what cannot be listened on."""

import contextlib

import pytest

from reenact.errors import PortUnusable
from reenact.server.listener import address_of, listen


def test_any_free_port() -> None:
    """Port 0 takes a free one, which the address names."""
    with contextlib.closing(listen("127.0.0.1", 0)) as bound:
        assert f"http://127.0.0.1:{bound.getsockname()[1]}" == address_of(bound)


def test_a_wildcard_is_reached_on_loopback() -> None:
    """The address of a server that listens everywhere is one that a browser can open."""
    with contextlib.closing(listen("0.0.0.0", 0)) as bound:
        assert address_of(bound).startswith("http://127.0.0.1:")


def test_a_taken_port() -> None:
    """The sentence says which port and what to do."""
    with contextlib.closing(listen("127.0.0.1", 0)) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        with pytest.raises(PortUnusable) as raised:
            listen("127.0.0.1", port)

    expected = f"Port {port} on 127.0.0.1 is taken. Stop what listens there, or choose another with --port."
    assert expected == raised.value.message


def test_a_host_that_is_not_ours() -> None:
    """An address of another machine is refused with what the system says."""
    with pytest.raises(PortUnusable, match=r"^Cannot listen on 192\.0\.2\.1 port 0: Cannot assign requested address\."):
        listen("192.0.2.1", 0)


def test_a_host_that_does_not_resolve() -> None:
    """A name nobody knows is refused."""
    with pytest.raises(PortUnusable, match=r"^Cannot listen on no\.such\.invalid: "):
        listen("no.such.invalid", 0)

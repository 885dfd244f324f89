"""An address says which session or take its calls belong to, and leaves every other path as it is."""

import pytest

from reenact.gateway.addressing import Address, TakeName, read_address, read_take, session_path, take_path

KEY = b"/sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd"
TAKE = TakeName("r1", 2)


@pytest.mark.parametrize(
    ("raw_path", "address"),
    [
        (b"/v1/session/s%2F1/gateway/oai/v1/x", Address(path=b"/v1/gateway/oai/v1/x", session_id="s/1")),
        (b"/v1/replay/r1/takes/2/gateway/oai/v1/x%20y", Address(path=b"/v1/gateway/oai/v1/x%20y", take=TAKE)),
        (b"/v1/replay/r1/takes/2/gateway", Address(path=b"/v1/gateway/", take=TAKE)),
        (b"/v1/replay/r1/takes/two/gateway/oai", Address(path=b"/v1/gateway/oai", take=TakeName("r1", 0))),
        (KEY + b"/v1/replay/r1/takes/2/gateway/oai", Address(path=KEY + b"/v1/gateway/oai", take=TAKE)),
        (KEY + b"/v1/chat/completions", Address(path=KEY + b"/v1/chat/completions")),
        (b"/v1/replay/r1", Address(path=b"/v1/replay/r1")),
        (b"/v1/replay/r1/takes/2", Address(path=b"/v1/replay/r1/takes/2")),
        (b"/v1/session/query", Address(path=b"/v1/session/query")),
        (b"/v1/session/s/gatewayx", Address(path=b"/v1/session/s/gatewayx")),
        (b"/v1/session//gateway/oai", Address(path=b"/v1/session//gateway/oai")),
        (b"/v1/chat/completions", Address(path=b"/v1/chat/completions")),
    ],
)
def test_an_address_is_read_off_the_path(raw_path: bytes, address: Address) -> None:
    """What stands before `gateway` is cut out, a key before it and what follows stay as they came."""
    assert address == read_address(raw_path)


@pytest.mark.parametrize("name", ["s", "a b/c?d#é%2F"])
def test_what_is_written_is_read(name: str) -> None:
    """Whatever a session or a replay is called, its address leads back to it."""
    assert name == read_address(f"{session_path(name)}/oai".encode()).session_id
    assert TakeName(name, 3) == read_address(f"{take_path(TakeName(name, 3))}/oai".encode()).take


@pytest.mark.parametrize("text", ["", "r1", "r1/", "r1/x", "r1/-1", "r1/9999999999", "/"])
def test_a_name_that_cannot_be_read_is_no_take(text: str) -> None:
    """It names none, so that such a call is refused and never asked for real."""
    assert 0 == read_take(text).number


def test_the_header_names_a_take() -> None:
    """As the address does."""
    assert TAKE == read_take(" r1/2 ")

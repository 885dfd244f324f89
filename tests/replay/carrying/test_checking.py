"""A prompt is well formed when every tool result answers a call before it, and every call is answered."""

import pytest

from reenact.domain.message import Json
from reenact.replay.carrying.checking import faults
from tests.replay.carrying.tapes import DIALECT, asked, back, result, uses_back

OSLO, LIMA = ("a", "weather", {"city": "Oslo"}), ("b", "weather", {"city": "Lima"})


@pytest.mark.parametrize(
    ("messages", "wrong"),
    [
        (("hi", back("hello"), "more"), 0),
        (("hi", uses_back(OSLO, LIMA), result("b", "x"), result("a", "y"), "thanks"), 0),
        (("hi", uses_back(OSLO), "no result"), 1),
        (("hi", uses_back(OSLO)), 1),
        (("hi", result("a", "x")), 1),
        (("hi", uses_back(OSLO), result("z", "x")), 2),
        (("hi", uses_back(OSLO), result("a", "x"), result("a", "again")), 1),
    ],
)
def test_faults(messages: tuple[Json, ...], wrong: int) -> None:
    """Those that a provider answers with a 400."""
    assert wrong == len(faults(DIALECT.read_prompt(asked(*messages))))


def test_a_held_history_may_have_asked() -> None:
    """The calls are at the provider then."""
    assert [] == faults(DIALECT.read_prompt(asked(result("a", "x"))), state_held=True)

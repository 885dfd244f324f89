"""Tokens cannot be made, changed or kept for ever."""

from hypothesis import given
from hypothesis import strategies as st

from reenact.web.signing import Claim, read_token, write_token

CLAIM = Claim("org", "key-1", 1000)


def test_a_token_comes_back_until_it_expires() -> None:
    """At its end it is no longer good."""
    token = write_token(b"secret", CLAIM)

    assert [read_token(b"secret", token, now_us=now) for now in (999, 1000)] == [CLAIM, None]


def test_another_secret_makes_another_token() -> None:
    """Nobody without the secret can make one."""
    assert read_token(b"other", write_token(b"secret", CLAIM), now_us=0) is None


@given(st.text())
def test_no_other_text_is_a_token(text: str) -> None:
    """Not even a strange one breaks the reading."""
    assert read_token(b"secret", text, now_us=0) is None


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_changed_token_is_none(at: int, character: str) -> None:
    """Each character counts."""
    token = write_token(b"secret", CLAIM)
    at %= len(token)
    changed = token[:at] + character + token[at + 1 :]

    assert (read_token(b"secret", changed, now_us=0) is None) == (changed != token)

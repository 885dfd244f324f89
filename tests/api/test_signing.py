"""Addresses of bodies: good for one call of one organisation until their time has come."""

import pytest

from reenact.api.signing import is_good, signature

SECRET = b"s" * 32


def test_a_signature_is_good_until_its_time() -> None:
    """The proof holds before it expires and no longer."""
    proof = signature(SECRET, "org", "call", 1000)

    assert [True, False] == [is_good(SECRET, "org", "call", 1000, proof, now_s=now) for now in (999.9, 1000)]


@pytest.mark.parametrize(
    ("secret", "organisation", "call", "expires"),
    [
        (b"t" * 32, "org", "call", 1000),
        (SECRET, "other", "call", 1000),
        (SECRET, "org", "other", 1000),
        (SECRET, "org", "call", 1001),
        (SECRET, "org\0call", "", 1000),
    ],
)
def test_a_signature_is_good_for_nothing_else(secret: bytes, organisation: str, call: str, expires: int) -> None:
    """Another secret, organisation, call or time makes it worthless."""
    proof = signature(SECRET, "org", "call", 1000)

    assert not is_good(secret, organisation, call, expires, proof, now_s=0)


def test_what_is_not_ascii_is_no_proof() -> None:
    """A proof with odd characters is refused, not a fault."""
    assert not is_good(SECRET, "org", "call", 1000, "é", now_s=0)

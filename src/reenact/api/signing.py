"""Signing: addresses that are good for one body and one day, so that no key has to go with them."""

import hmac

LIFETIME_S = 24 * 60 * 60


def signature(secret: bytes, organisation_id: str, call_id: str, expires_s: int) -> str:
    """Return the proof that whoever holds *secret* lets this call's bodies be read until *expires_s* (Unix time)."""
    claim = "\0".join(("body", organisation_id, call_id, str(expires_s)))
    return hmac.new(secret, claim.encode(), "sha256").hexdigest()


def is_good(secret: bytes, organisation_id: str, call_id: str, expires_s: int, proof: str, *, now_s: float) -> bool:
    """Return whether *proof* is that signature and its time has not come."""
    expected = signature(secret, organisation_id, call_id, expires_s)
    return hmac.compare_digest(expected.encode(), proof.encode()) and now_s < expires_s

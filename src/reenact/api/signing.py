"""Signing: addresses that are good for one body or asset and some time, so that no key has to go with them."""

import hmac

LIFETIME_S = 24 * 60 * 60


def signature(secret: bytes, organisation_id: str, call_id: str, expires_s: int, *, asset_id: str = "") -> str:
    """Return the proof that whoever holds *secret* lets this call's bodies be read until *expires_s* (Unix time).

    With *asset_id*, that asset alone.
    """
    named = ("asset", asset_id) if asset_id else ("body",)
    claim = "\0".join((*named, organisation_id, call_id, str(expires_s)))
    return hmac.new(secret, claim.encode(), "sha256").hexdigest()


def is_good(
    secret: bytes,
    organisation_id: str,
    call_id: str,
    expires_s: int,
    proof: str,
    *,
    now_s: float,
    asset_id: str = "",
) -> bool:
    """Return whether *proof* is that signature and its time has not come."""
    expected = signature(secret, organisation_id, call_id, expires_s, asset_id=asset_id)
    return hmac.compare_digest(expected.encode(), proof.encode()) and now_s < expires_s

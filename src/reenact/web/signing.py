"""Signed tokens: what a browser keeps after signing in. They hold no key, and end by themselves."""

import base64
import binascii
import hmac

import msgspec

LIFETIME_US = 12 * 60 * 60 * 1_000_000


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What a token says: which key opened the door, and until when it stays open."""

    organisation_id: str
    key_id: str
    expires_us: int


def write_token(secret: bytes, claim: Claim) -> str:
    """Return *claim* as text that only holders of *secret* can make."""
    body = base64.urlsafe_b64encode(msgspec.json.encode(claim)).decode()
    return f"{body}.{_proof(secret, body)}"


def read_token(secret: bytes, token: str, *, now_us: int) -> Claim | None:
    """Return the claim of a token that was made with *secret* and has not expired; None for every other text."""
    body, _, proof = token.partition(".")
    if not hmac.compare_digest(_proof(secret, body).encode(), proof.encode(errors="replace")):
        return None
    try:
        claim = msgspec.json.decode(base64.urlsafe_b64decode(body), type=Claim)
    except (binascii.Error, msgspec.DecodeError):
        return None
    return claim if now_us < claim.expires_us else None


def _proof(secret: bytes, body: str) -> str:
    return hmac.new(secret, f"page session\0{body}".encode(errors="replace"), "sha256").hexdigest()

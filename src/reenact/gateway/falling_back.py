"""Fallbacks: where a call goes next, with which headers and body (surface 5.5)."""

from collections.abc import Mapping

import msgspec

from reenact.domain.exchange import Header
from reenact.domain.message import Json
from reenact.gateway.controls import Fallback, StatusRange

_KEYS = frozenset(
    {
        b"api-key",
        b"authorization",
        b"cookie",
        b"openai-organization",
        b"openai-project",
        b"x-api-key",
        b"x-goog-api-key",
    }
)
"""What belongs to the provider that the call was first meant for, and must not reach another."""


def falls(fallback: Fallback, status: int) -> bool:
    """Return whether an answer with *status* sends the call on to the next target."""
    return any(
        code.start <= status <= code.end if isinstance(code, StatusRange) else code == status
        for code in fallback.on_codes
    )


def replaced_headers(headers: tuple[Header, ...], replacements: Mapping[str, str]) -> tuple[Header, ...]:
    """Return *headers* with the *replacements* in the place of those of their name.

    A target that brings headers of its own is never given the keys of the call: they are another provider's.
    """
    if not replacements:
        return headers
    own = {name.lower().encode("latin-1", "replace"): value.encode() for name, value in replacements.items()}
    return (*(header for header in headers if header[0] not in own and header[0] not in _KEYS), *own.items())


def merged_body(body: bytes, override: Mapping[str, Json]) -> bytes:
    """Return a JSON object with *override* laid over it, objects merged key by key; any other *body* as it is."""
    if not override:
        return body
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body
    return msgspec.json.encode(_merged(value, override)) if isinstance(value, dict) else body


def _merged(value: dict[str, Json], override: Mapping[str, Json]) -> dict[str, Json]:
    return value | {
        key: _merged(value[key], new) if isinstance(new, dict) and isinstance(value.get(key), dict) else new
        for key, new in override.items()
    }

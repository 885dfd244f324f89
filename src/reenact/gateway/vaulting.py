"""Vaulting: a key of this server stands for a provider's key, which its owner named and the agent never sees (surface 1.1).

The provider's key goes where the owner sent it, and nowhere that the agent names.
"""

from collections.abc import Mapping, Sequence

from reenact.access.keys import vaulted_provider
from reenact.domain.exchange import Header
from reenact.gateway.controls import Controls
from reenact.gateway.keying import keyed
from reenact.gateway.routing import Target

_KEYS = frozenset({b"api-key", b"authorization", b"x-api-key", b"x-goog-api-key"})


def asked_of(key: str | None, headers: Sequence[Header]) -> str | None:
    """Return the provider whose key is wanted in the place of *key*; None for a plain key, and where a call brings its own."""
    provider = vaulted_provider(key) if key is not None else None
    return None if provider is None or any(name in _KEYS for name, _ in headers) else provider


def objection(provider: str, target: Target, controls: Controls, keys: Mapping[str, str]) -> str | None:
    """Return why the key of *provider* is not put in, in a sentence; None when it is."""
    if target.provider != provider or target.is_guarded or controls.fallbacks:
        return f"This key stands for the key of {provider}, which goes nowhere else: ask at /v1/gateway/{provider}/..."
    if provider not in keys:
        return f"The server has no key of {provider} any more. Its owner names one in REENACT_PROVIDER_KEYS."
    return None


def opened(headers: Sequence[Header], target: Target, key: str) -> tuple[Header, ...]:
    """Return *headers*, which hold no key, with the provider's."""
    return keyed((*headers, (b"authorization", b"Bearer " + key.encode())), target.auth, target.target)

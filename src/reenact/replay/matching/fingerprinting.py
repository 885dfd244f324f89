"""What of a request is compared: where it goes, its bytes, what they say, and what its agent says of it."""

from collections.abc import Sequence

import msgspec

from reenact.domain.digesting import digest
from reenact.domain.exchange import Exchange, Header
from reenact.domain.labels import Labels
from reenact.gateway.deviating import as_asked, asked_body
from reenact.replay.matching.normalising import Normal, Normaliser
from reenact.replay.matching.parting import meaning


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, recorded or new."""

    method: str
    provider: str
    target: str
    """Path and query at the provider, secrets redacted."""
    headers: Sequence[Header]
    body: bytes
    labels: Labels

    @property
    def place(self) -> str:
        """What it is asked of."""
        return f"{self.method} {self.provider} {self.target}"


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is compared, without its bytes."""

    place: str
    exact: bytes
    """Digest of place and bytes."""
    equivalent: bytes | None
    """Digest of place and meaning; None when the body is neither JSON nor a form."""
    normal: Normal | None
    path: str
    """Session path."""
    prompt_id: str | None
    traits: frozenset[tuple[str, str]]
    """The user and the custom properties."""
    body_bytes: int


def recorded(exchange: Exchange) -> Asked:
    """Return the request of *exchange* as its agent made it, whoever was asked with which model in the end."""
    asked = as_asked(exchange)
    return Asked(
        method=exchange.method,
        provider=asked.provider,
        target=asked.target,
        headers=exchange.request_headers,
        body=asked_body(exchange),
        labels=exchange.labels,
    )


def fingerprint(asked: Asked, normaliser: Normaliser) -> Fingerprint:
    """Return what of *asked* is compared."""
    place = asked.place.encode()
    normal = _normal(asked, normaliser)
    labels = asked.labels
    return Fingerprint(
        place=asked.place,
        exact=digest(place + b"\0" + asked.body),
        equivalent=None if normal is None else digest(place + b"\0" + normal.digest),
        normal=normal,
        path=labels.path,
        prompt_id=labels.prompt_id,
        traits=frozenset({("user", labels.user_id or ""), *labels.properties.items()}),
        body_bytes=len(asked.body),
    )


def _normal(asked: Asked, normaliser: Normaliser) -> Normal | None:
    said = meaning(asked.body, asked.headers)
    return None if said is None else normaliser.read(said)  # else it is compared byte for byte

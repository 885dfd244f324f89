"""What an agent says of its call in `Helicone-*` headers, and what is left of the headers for the provider.

`Reenact-*` names mean the same as `Helicone-*` ones. Grammar: surface 1.1 and 1.2. Nothing here ever raises: a header that
cannot be understood is one that is absent.
"""

from collections.abc import Iterable, Sequence

import msgspec

from reenact.domain.exchange import Header
from reenact.domain.labels import Labels, ReplayLink

_OURS = (b"helicone-", b"reenact-")
LOGINS = frozenset({b"helicone-jwt", b"helicone-manual-access-key"})
"""Ways in that Helicone has and this server has not."""
_PROPERTY = b"property-"

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Of one connection and its framing (RFC 9110 7.6.1): each side writes its own."""

_OF_A_CONNECTION = _HOP_BY_HOP - {b"content-length"}

_ABSENT = frozenset({"", "undefined", "null"})
"""What JavaScript clients send for a value they do not have (surface 1.2)."""

_KEPT_AS_PROPERTIES = {
    b"experiment-id": "Helicone-Experiment-Id",
    b"cache-enabled": "Helicone-Cache-Enabled",
    b"cache-seed": "Helicone-Cache-Seed",
    b"cache-bucket-max-size": "Helicone-Cache-Bucket-Max-Size",
    b"cache-control": "Helicone-Cache-Control",
}
"""Headers that upstream stores among the custom properties, under these names."""

_STRANGE_ID = "Helicone-Request-Id: this is no UUID of version 1 to 5; it was ignored."
_KEY_PREFIXES = ("sk-helicone-", "pk-helicone-")
_BEARER = "bearer "


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A request's headers, sorted into what they are for."""

    labels: Labels
    headers: tuple[Header, ...]
    """For the provider: end-to-end ones, in order, duplicates kept, no key of ours in them."""
    helicone_key: str | None = None
    request_id: str | None = None
    """The UUID that the agent wants the call to have."""
    notes: tuple[str, ...] = ()
    """What could not be understood, in words."""


def label(headers: Iterable[Header], replay: ReplayLink | None = None) -> Labelled:
    """Sort *headers* (names in lower case) into labels, keys and what is forwarded."""
    ours: dict[bytes, str] = {}
    forwarded: list[Header] = []
    dropped: set[bytes] = set()
    for header in headers:
        name, value = header
        if name.startswith(_OURS):
            suffix = name.partition(b"-")[2]
            if (text := _present(value)) is not None:
                ours.setdefault(suffix, text)
        elif name in _HOP_BY_HOP:
            if name == b"connection":
                dropped.update(token.strip().lower() for token in value.split(b","))
        else:
            forwarded.append(header)
    if dropped:
        forwarded = [header for header in forwarded if header[0] not in dropped]
    key, forwarded = _take_key(ours.get(b"auth"), forwarded)
    request_id = _request_id(wanted := ours.get(b"request-id"))
    return Labelled(
        labels=_labels(ours, replay),
        headers=tuple(forwarded),
        helicone_key=key,
        request_id=request_id,
        notes=(_STRANGE_ID,) if wanted is not None and request_id is None else (),
    )


def end_to_end(headers: Sequence[Header]) -> tuple[Header, ...]:
    """Return *headers* without those of one connection, the ones that `Connection` names among them.

    `Content-Length` is left in: it tells about the body.
    """
    kept = [header for header in headers if header[0] not in _OF_A_CONNECTION]
    if len(kept) < len(headers):
        named = {
            token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")
        }
        if named:
            kept = [header for header in kept if header[0] not in named]
    return tuple(kept)


def value_of(headers: Sequence[Header], wanted: bytes) -> str | None:
    """Return the first value of the header *wanted* as text; None when it is absent."""
    for name, value in headers:
        if name == wanted:
            return _present(value)
    return None


def provider_authorization(authorization: str) -> str | None:
    """Return what of an `Authorization` value is for the provider; None when it only holds a Helicone key."""
    return _split(authorization)[0]


def _split(authorization: str) -> tuple[str | None, str | None]:
    """Split `Bearer <provider key>, Bearer <helicone key>` into the provider's value and our key (surface 1.1)."""
    first, comma, second = authorization.partition(",")
    if comma and second.strip().lower().startswith(_BEARER):
        return first.strip(), _bearer(second)
    token = _bearer(authorization)
    return (None, token) if token.startswith(_KEY_PREFIXES) else (authorization, None)


def _bearer(value: str) -> str:
    value = value.strip()
    return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else value


def _take_key(auth: str | None, headers: list[Header]) -> tuple[str | None, list[Header]]:
    """Return the Helicone key and the headers without it; `Helicone-Auth` goes before `Authorization`."""
    key = _bearer(auth) if auth is not None else None
    for index, (name, value) in enumerate(headers):
        if name == b"authorization":
            provider, other = _split(value.decode("latin-1"))
            if other is None:
                continue
            replacement = [(name, provider.encode("latin-1"))] if provider is not None else []
            return key or other, headers[:index] + replacement + headers[index + 1 :]
    return key, headers


def _labels(ours: dict[bytes, str], replay: ReplayLink | None) -> Labels:
    if not ours:
        return Labels(replay=replay)
    properties = {
        suffix[len(_PROPERTY) :].decode("utf-8", "replace"): text
        for suffix, text in ours.items()
        if suffix.startswith(_PROPERTY) and len(suffix) > len(_PROPERTY)
    }
    for suffix, name in _KEPT_AS_PROPERTIES.items():
        if suffix in ours:
            properties[name] = ours[suffix]
    return Labels(
        session_id=ours.get(b"session-id"),
        session_name=ours.get(b"session-name"),
        session_path=ours.get(b"session-path"),
        prompt_id=ours.get(b"prompt-id"),
        user_id=ours.get(b"user-id"),
        model_override=ours.get(b"model-override"),
        properties=properties,
        replay=replay,
    )


def _present(value: bytes) -> str | None:
    try:
        text = value.decode().strip()
    except UnicodeDecodeError:
        text = value.decode("latin-1").strip()
    return None if text in _ABSENT else text


_UUID_DASHES = (8, 13, 18, 23)
_HEX = frozenset("0123456789abcdef")


def _request_id(text: str | None) -> str | None:
    """Return *text* in lower case when it is a UUID of versions 1 to 5, else None (surface 1.2)."""
    if text is None or len(text) != 36:
        return None
    text = text.lower()
    digits = text.replace("-", "")
    is_uuid = len(digits) == 32 and all(text[at] == "-" for at in _UUID_DASHES) and _HEX.issuperset(digits)
    return text if is_uuid and text[14] in "12345" and text[19] in "89ab" else None

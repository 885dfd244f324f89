"""Retelling: a log of a call that somebody made without the gateway, as the Exchange it would have been (surface 3.10)."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from reenact.domain.exchange import Ending, Exchange, Header, Told
from reenact.domain.labels import Labels
from reenact.domain.message import Json
from reenact.ingest.recognising import recognise, way_to
from reenact.ingest.telling import read_told

NO_PATH = "custom-model-nopath"
"""The URL that the helpers give a call without one."""
_ENDINGS = {-2: Ending.TIMED_OUT, -3: Ending.CLIENT_LEFT}
_EARLIEST_US = 946_684_800_000_000
"""2000-01-01. What is before it was counted from the start of a process and not from the epoch."""
_LONGEST_US = 366 * 86_400_000_000
_JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)
_TEXT: tuple[Header, ...] = ((b"content-type", b"text/plain; charset=utf-8"),)

_REDACTED: Json = "REDACTED"
"""Stands where a secret stood."""
_KEYS = ("api_key", "apiKey", "azure_ad_token")
_HEADERS = ("headers", "extra_headers", "default_headers")
"""Arguments of clients in which keys are given; no provider has such fields beside the prompt."""

Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1e14)]
Status = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]
Dollars = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class ProviderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked."""

    url: Text = NO_PATH
    json: Json = None
    meta: dict[str, Any] | None = None
    """Helicone headers, for senders that do not send them as headers."""


class ProviderResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered."""

    json: Json = None
    text_body: str | None = msgspec.field(default=None, name="textBody")
    """Goes before `json`."""
    status: Status = 200
    """HTTP, or one of Helicone's negative ones."""
    cost: Dollars | None = None
    """US dollars; goes before the price table."""


class Moment(msgspec.Struct, frozen=True):
    """A time: seconds since the epoch, and milliseconds beyond them."""

    seconds: Seconds
    milliseconds: Milliseconds = 0

    @property
    def us(self) -> int:
        """Microseconds since the epoch."""
        return round(self.seconds * 1_000_000 + self.milliseconds * 1000)


class Timing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """When it was."""

    start_time: Moment
    end_time: Moment
    time_to_first_token: Milliseconds | None = None
    """Milliseconds."""


class Log(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One call, told afterwards. What Helicone's senders put beside these fields is ignored."""

    provider_request: ProviderRequest
    provider_response: ProviderResponse
    timing: Timing | None = None
    provider: str | None = None


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """How a log came in."""

    id: str
    organisation_id: str
    labels: Labels
    provider: str
    """Out of the route; lower-case. `custom` when the route says nothing."""
    now_us: int
    origin: str
    """Of this server."""


def retell(log: Log, occasion: Occasion) -> Exchange:
    """Return *log* as an exchange. Bodies are what was told, as JSON or as text."""
    asked, response = _without_keys(log.provider_request.json), log.provider_response
    provider = _provider(log.provider, occasion.provider)
    is_text = response.text_body is not None
    body = (response.text_body or "").encode(errors="replace") if is_text else msgspec.json.encode(response.json)
    started_us, duration_us = _times(log.timing, occasion.now_us)
    first_ms = log.timing.time_to_first_token if log.timing else None
    status = round(response.status)
    url = log.provider_request.url
    return Exchange(
        id=occasion.id,
        organisation_id=occasion.organisation_id,
        started_us=started_us,
        duration_us=duration_us,
        first_byte_us=None if first_ms is None else round(first_ms * 1000),
        method="POST",
        url=address(provider, asked, body, occasion.origin) or url,
        target_url=url,
        provider=provider,
        labels=occasion.labels,
        request_headers=_JSON,
        request_body=msgspec.json.encode(asked),
        status=status,
        response_headers=_TEXT if is_text else _JSON,
        response_body=body,
        chunks=(),
        ending=_ENDINGS.get(status, Ending.ANSWERED),
        told=Told(cost_nanodollars=None if response.cost is None else round(response.cost * 1_000_000_000)),
    )


def address(provider: str, asked: Json, answered: bytes, origin: str) -> str | None:
    """Return the address on this server that asks *provider* the same again; None when it cannot be asked."""
    if provider == "custom":
        return None
    told = read_told(answered, asked_stream=isinstance(asked, dict) and asked.get("stream") is True)
    dialect = recognise(provider, asked, told.events[0] if told.events else told.json)
    way = way_to(dialect, provider, asked) if dialect else None
    return f"{origin}/v1/gateway/{provider}/{way}" if way else None


def meta_headers(meta: Mapping[str, Any] | None) -> list[Header]:
    """Return the `meta` of a log as headers, names in lower case; what is no text is left out."""
    return [
        (name.lower().encode(), value.encode())
        for name, value in (meta or {}).items()
        if isinstance(value, str) and value.isprintable()
    ]


def _without_keys(asked: Json) -> Json:
    """Return what was asked without the provider's key.

    Senders that tell a library's arguments as the body (helicone 1.0 does) tell those among them that are no part of it.
    """
    if not isinstance(asked, dict):
        return asked
    secret = {name: _REDACTED for name in _KEYS if isinstance(asked.get(name), str)}
    for name in _HEADERS:
        if isinstance(headers := asked.get(name), dict):
            secret[name] = dict.fromkeys(headers, _REDACTED)
    return asked | secret if secret else asked


def _provider(told: str | None, routed: str) -> str:
    """Return the provider's name: the one that the log names, where it is no general one."""
    name = (told or "").strip().lower()
    return name if routed == "custom" and name.replace("-", "").replace("_", "").isalnum() else routed


def _times(timing: Timing | None, now_us: int) -> tuple[int, int]:
    """Return when the call began and how long it took."""
    if timing is None:
        return now_us, 0
    started_us, duration_us = timing.start_time.us, max(0, timing.end_time.us - timing.start_time.us)
    return believed(started_us, duration_us, now_us)


def believed(started_us: int, duration_us: int, now_us: int) -> tuple[int, int]:
    """Return when a call is taken to have begun and how long it took: what nobody can mean is not believed.

    A beginning before 2000 was counted from the start of a process; one in a year from now, by a clock that is wrong: only how
    long it took is taken from them.
    """
    lasted_us = min(max(0, duration_us), _LONGEST_US)
    is_possible = _EARLIEST_US <= started_us <= now_us + _LONGEST_US
    return (started_us if is_possible else now_us - lasted_us), lasted_us

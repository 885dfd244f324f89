"""Retelling: the other forms of a log, brought to the first one or to an exchange (surface 3.10, the signatures of Trace)."""

import datetime as dt
from typing import Annotated, Any

import msgspec

from reenact.domain.exchange import Ending, Exchange, Handling, Metrics, Told
from reenact.domain.labels import Labels
from reenact.domain.message import Json
from reenact.errors import InvalidInput
from reenact.ingest.retelling import (
    Log,
    Moment,
    Occasion,
    ProviderRequest,
    ProviderResponse,
    Timing,
    believed,
)

Bytes = Annotated[float, msgspec.Meta(ge=0, le=2**53)]


class TypedTiming(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """When it was, as ISO 8601."""

    start_time: str
    end_time: str
    time_to_first_token: Annotated[float, msgspec.Meta(ge=0, le=1e14)] | None = None
    """Milliseconds."""


class TypedLog(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A log whose times are text."""

    provider_request: ProviderRequest
    provider_response: ProviderResponse
    timing: TypedTiming | None = None
    provider: str | None = None


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a gateway says of a request whose body it does not send."""

    id: str
    request_created_at: str
    user_id: str | None = None
    prompt_id: str | None = None
    properties: dict[str, Any] = {}
    target_url: str = ""
    provider: str = "custom"
    body_size: Bytes = 0
    path: str = ""
    threat: bool | None = None
    is_stream: bool = False
    cache_enabled: bool | None = None
    cache_reference_id: str | None = None


class LoggedResponse(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a gateway says of a response whose body it does not send."""

    status: Annotated[float, msgspec.Meta(ge=-1000, le=1000)]
    response_created_at: str
    delay_ms: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None
    time_to_first_token: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None
    body_size: Bytes = 0


class Logged(msgspec.Struct, frozen=True):
    """Both sides."""

    request: LoggedRequest
    response: LoggedResponse


class GatewayLog(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What Helicone's own gateways send of a call. Its bodies lie in their object store and are not sent."""

    log: Logged
    helicone_meta: dict[str, Any] = {}


class Feedback(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """What the first Python package says of a call."""

    helicone_id: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    value: bool | float | str
    data_type: str | None = None
    """`boolean`, `numerical`, `string` or `categorical`; the value tells as well."""


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    field: str
    message: str


class Checked(msgspec.Struct, frozen=True, rename="camel"):
    """Why a typed log was not taken."""

    is_valid: bool
    errors: list[FieldError]


def untyped(typed: TypedLog) -> Log:
    """Return *typed* in the form that all logs have.

    Raises:
        InvalidInput: a time that is none, or an end before the start.
    """
    timing = None
    if typed.timing is not None:
        start_us = _time_us(typed.timing.start_time, "timing.startTime")
        end_us = _time_us(typed.timing.end_time, "timing.endTime")
        if end_us < start_us:
            raise InvalidInput("Expected a time that is not before startTime.", "timing.endTime")
        timing = Timing(
            start_time=Moment(start_us / 1_000_000),
            end_time=Moment(end_us / 1_000_000),
            time_to_first_token=typed.timing.time_to_first_token,
        )
    return Log(
        provider_request=typed.provider_request,
        provider_response=typed.provider_response,
        timing=timing,
        provider=typed.provider,
    )


def retell_gateway_log(sent: GatewayLog, occasion: Occasion) -> Exchange:
    """Return a call of another gateway as an exchange without bodies.

    Raises:
        InvalidInput: a time that is none.
    """
    request, response = sent.log.request, sent.log.response
    asked_us = _time_us(request.request_created_at, "log.request.requestCreatedAt")
    ended_us = _time_us(response.response_created_at, "log.response.responseCreatedAt")
    lasted_us = ended_us - asked_us if response.delay_ms is None else round(response.delay_ms * 1000)
    started_us, duration_us = believed(asked_us, lasted_us, occasion.now_us)
    first_ms, status = response.time_to_first_token, round(response.status)
    override = sent.helicone_meta.get("modelOverride")
    return Exchange(
        id=occasion.id,
        organisation_id=occasion.organisation_id,
        started_us=started_us,
        duration_us=duration_us,
        first_byte_us=None if first_ms is None else round(first_ms * 1000),
        method="POST",
        url=request.path or request.target_url,
        target_url=request.target_url,
        provider=request.provider.lower(),
        labels=_labels(request, override if isinstance(override, str) else None),
        request_headers=(),
        request_body=b"",
        status=status,
        response_headers=(),
        response_body=b"",
        chunks=(),
        ending={-2: Ending.TIMED_OUT, -3: Ending.CLIENT_LEFT}.get(status, Ending.ANSWERED),
        handling=Handling(
            cache_enabled=bool(request.cache_enabled),
            is_threat=bool(request.threat),
            omitted_request=True,
            omitted_response=True,
            metrics=Metrics(
                streamed=request.is_stream,
                request_body_bytes=round(request.body_size),
                response_body_bytes=round(response.body_size),
            ),
        ),
        told=Told(),
    )


def score_of(feedback: Feedback) -> tuple[str, float] | None:
    """Return the name and number of a feedback that is one; None for text."""
    if isinstance(feedback.value, bool):
        return f"{feedback.name}-hcone-bool", float(feedback.value)
    return None if isinstance(feedback.value, str) else (feedback.name, feedback.value)


def _labels(request: LoggedRequest, override: str | None) -> Labels:
    named = {name.lower(): value for name, value in request.properties.items() if isinstance(value, str) and value}
    taken = {"helicone-session-id", "helicone-session-name", "helicone-session-path", "helicone-prompt-id"}
    properties = {
        name: value
        for name, value in request.properties.items()
        if isinstance(value, str) and name.lower() not in taken
    }
    return Labels(
        session_id=named.get("helicone-session-id"),
        session_name=named.get("helicone-session-name"),
        session_path=named.get("helicone-session-path"),
        prompt_id=request.prompt_id or named.get("helicone-prompt-id"),
        user_id=request.user_id,
        model_override=override,
        properties=properties,
    )


def _time_us(raw: Json, field: str) -> int:
    try:
        time = dt.datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        raise InvalidInput("Expected a time such as 2026-01-31T12:00:00.000Z.", field) from None
    aware = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    return (aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)

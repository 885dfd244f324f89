"""Rows: one call as Helicone's API shows it, every field of surface 3.2, bodies inline."""

import base64
import contextlib
import datetime as dt
import urllib.parse
from collections.abc import Mapping, Sequence

import msgspec

from reenact.api.columns import ZERO_UUID
from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Ending, Handling, Header, Told
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Json
from reenact.errors import InvalidInput
from reenact.ingest.overhearing import overhear
from reenact.ingest.unpacking import unpack

ELSEWHERE: dict[str, Json] = {"helicone_message": "fetching body from signed_url..."}
"""What stands for a body that is not inline, as upstream writes it."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_US, _LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
_BOOLEAN_SUFFIX = "-hcone-bool"


class TypedScore(msgspec.Struct, frozen=True, rename="camel"):
    """A score as `/v1/request/query` has always shown it."""

    value: float
    value_type: str
    """`boolean` or `number`."""


class HeliconeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One row. Fields that Helicone fills from services this server does not have are null in every row."""

    request_id: str
    request_created_at: str
    request_body: Json
    request_path: str
    """An absolute URL of this server that re-enters the gateway for the same provider; never the upstream's."""
    request_user_id: str | None
    request_properties: dict[str, str]
    request_model: str | None
    response_id: str | None
    response_created_at: str
    response_body: Json
    response_status: int
    """HTTP status, or Helicone's negative ones: -2 timed out, -3 the client left, -100 other."""
    response_model: str | None
    model_override: str | None
    model: str
    provider: str
    delay_ms: float
    time_to_first_token: float | None
    total_tokens: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    prompt_cache_read_tokens: int | None
    prompt_cache_write_tokens: int | None
    prompt_audio_tokens: int | None
    completion_audio_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    """US dollars; null when the model's price is not known."""
    costUSD: float | None  # noqa: N815 - Helicone's name
    prompt_id: str | None
    prompt_version: str | None = None
    properties: dict[str, str]
    scores: dict[str, float | TypedScore]
    feedback_rating: bool | None
    feedback_created_at: str | None = None
    feedback_id: str | None = None
    signed_body_url: str
    target_url: str
    updated_at: str
    storage_location: str
    """`clickhouse` says that the bodies are inline, `s3` that they are at `signed_body_url` only."""
    helicone_user: str | None = None
    country_code: str | None = None
    asset_ids: list[str] | None = None
    asset_urls: dict[str, str] = {}
    assets: list[str] = []
    cache_enabled: bool = False
    cache_reference_id: str = ZERO_UUID
    request_referrer: str | None = None
    """`ai-gateway` where the gateway chose the provider."""
    ai_gateway_body_mapping: str | None = None
    """What format the body was in then."""
    body: Json
    """The same as `request_body`: the name that the replay guide uses."""
    path: str
    """The session path, `/` when none was sent: the name that the replay guide uses."""
    created_at: str
    """The same as `request_created_at`."""
    replay: ReplayLink | None
    """Where a take's call comes from; null for calls of agents. Ours."""
    handling: Handling
    """What the gateway did with the call beyond relaying it; empty for most calls. Ours."""
    ending: Ending
    """How the call ended: the status alone does not tell a whole answer from one that broke off. Ours."""
    detail: str
    """For an ending other than `answered`: what went wrong, in words. Ours."""
    inputs: dict[str, str] | None
    """What the agent marked as inputs in a prompt it named; null without marks, and without bodies. Ours."""
    told: Told | None
    """Set when the call was told afterwards and did not cross the gateway: where it stands in its trace. Ours."""


def row(
    call: Call,
    bodies: Bodies | None,
    *,
    origin: str,
    signed_body_url: str,
    typed_scores: bool,
    asset_urls: Mapping[str, str] | None = None,
) -> HeliconeRequest:
    """Return *call* as a row; without *bodies* the row points at `signed_body_url` for them.

    Args:
        call: The call.
        bodies: Its bytes, when they are to stand in the row.
        origin: Of this server, as whoever asks reaches it: it may have moved since the call was made.
        signed_body_url: Where both bodies can be had without a key.
        typed_scores: Whether scores are shown as `/v1/request/query` shows them.
        asset_urls: Where the images, sounds and files of the bodies can be had without a key, by id.
    """
    request_body = ELSEWHERE if bodies is None else request_json(bodies)
    created = iso(call.created_us)
    completed = iso(call.created_us + call.duration_us)
    properties = all_properties(call.labels)
    dollars = None if call.cost_nanodollars is None else call.cost_nanodollars / 1_000_000_000
    return HeliconeRequest(
        request_id=call.id,
        request_created_at=created,
        request_body=request_body,
        request_path=rebased(call.url, origin),
        request_user_id=call.labels.user_id,
        request_properties=properties,
        request_model=call.request_model,
        response_id=call.response_id,
        response_created_at=completed,
        response_body=ELSEWHERE if bodies is None else response_json(bodies),
        response_status=call.status,
        response_model=call.response_model,
        model_override=call.labels.model_override,
        model=call.model,
        provider=call.provider.upper(),
        delay_ms=call.duration_us // 1000,
        time_to_first_token=None if call.first_token_us is None else call.first_token_us // 1000,
        total_tokens=call.usage.total_tokens,
        prompt_tokens=call.usage.input_tokens,
        completion_tokens=call.usage.output_tokens,
        prompt_cache_read_tokens=call.usage.cache_read_tokens,
        prompt_cache_write_tokens=call.usage.cache_write_tokens,
        prompt_audio_tokens=call.usage.input_audio_tokens,
        completion_audio_tokens=call.usage.output_audio_tokens,
        reasoning_tokens=call.usage.reasoning_tokens,
        cost=dollars,
        costUSD=dollars,
        prompt_id=call.labels.prompt_id,
        properties=properties,
        scores=_scores(call, typed=typed_scores),
        feedback_rating=call.feedback,
        signed_body_url=signed_body_url,
        target_url=call.target_url,
        updated_at=completed,
        storage_location="s3" if bodies is None else "clickhouse",
        body=request_body,
        path=call.labels.path,
        created_at=created,
        request_referrer=call.handling.referrer or None,
        ai_gateway_body_mapping=call.handling.body_mapping,
        cache_enabled=call.handling.cache_enabled,
        cache_reference_id=call.handling.cache_reference_id or ZERO_UUID,
        replay=call.labels.replay,
        handling=call.handling,
        ending=call.ending,
        detail=call.detail,
        inputs=None if bodies is None or bodies.tagged is None else bodies.tagged.inputs,
        told=call.told,
        asset_ids=list(asset_urls) if asset_urls else None,
        asset_urls=dict(asset_urls or {}),
        assets=list(asset_urls or ()),
    )


def iso(time_us: int) -> str:
    """Return microseconds since the epoch as ISO 8601 in UTC with milliseconds; years before 1 and after 9999 are these."""
    time = _EPOCH + dt.timedelta(microseconds=min(max(time_us, _FIRST_US), _LAST_US))
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def all_properties(labels: Labels) -> dict[str, str]:
    """Return the custom properties and the session's and prompt's labels under their canonical names."""
    canonical = {
        "Helicone-Session-Id": labels.session_id,
        "Helicone-Session-Name": labels.session_name,
        "Helicone-Session-Path": labels.session_path,
        "Helicone-Prompt-Id": labels.prompt_id,
    }
    return dict(labels.properties) | {name: value for name, value in canonical.items() if value is not None}


def rebased(url: str, origin: str) -> str:
    """Return *url* on *origin*, path and query untouched: they alone lead to the same provider.

    What is no URL, as of a call that was told without one, stays as it is.
    """
    if "://" not in url:
        return url
    parts = urllib.parse.urlsplit(url)
    return origin + urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))


def request_json(bodies: Bodies) -> Json:
    """Return the request's body as JSON, or as text when it is none; None when there was no body.

    Of a realtime conversation it is what its agent said, as one object.
    """
    if bodies.frames and (talk := overhear(bodies.frames, bodies.request, bodies.response)) is not None:
        return talk.asked
    return _shown(bodies.request, bodies.request_headers)


def response_json(bodies: Bodies) -> Json:
    """Return the response's body as JSON, a stream merged into one answer; text when it is none."""
    if bodies.answer_json is not None:
        return msgspec.Raw(bodies.answer_json)
    return _shown(bodies.response, bodies.response_headers)


def _shown(body: bytes, headers: Sequence[Header]) -> Json:
    """Return *body* uncompressed: as JSON that was checked, else text, else base64; None for no body."""
    if not body:
        return None
    with contextlib.suppress(InvalidInput):  # it is shown as it crossed, then
        body = unpack(body, headers)
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body.decode()  # what is passed on as it is must be text
        return msgspec.json.decode(body, type=msgspec.Raw)
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode()
    return {"encoding": "base64", "data": base64.b64encode(body).decode()}


def _scores(call: Call, *, typed: bool) -> dict[str, float | TypedScore]:
    feedback = {} if call.feedback is None else {"helicone-score-feedback": float(call.feedback)}
    scores: dict[str, float | TypedScore] = {}
    for name, value in (call.scores | feedback).items():
        kind = "boolean" if name.endswith(_BOOLEAN_SUFFIX) else "number"
        scores[name] = TypedScore(value, kind) if typed else value
    return scores

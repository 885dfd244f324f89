"""An exchange read as a call: its dialect's words, the tokens, the model, the price, what to search for.

Nothing is refused: what cannot be read is said in `unreadable`, and all the rest is kept.
"""

import re
import urllib.parse
from collections.abc import Callable

import msgspec

from reenact.dialects.conversing import conversation_of
from reenact.dialects.dialect import Dialect
from reenact.dialects.framing import read_events
from reenact.dialects.registry import find_dialect
from reenact.domain.call import Call, Kind, Reading
from reenact.domain.exchange import Ending, Exchange, Header, Metrics
from reenact.domain.labels import Labels
from reenact.domain.message import Answer, Json, Message, Prompt, Usage
from reenact.errors import InvalidInput
from reenact.ingest.overhearing import OPENAI_REALTIME, Talk, cached_audio_tokens, overhear
from reenact.ingest.pricing import price
from reenact.ingest.recognising import event_kind, recognise
from reenact.ingest.tariff import LISTED, Tariff
from reenact.ingest.telling import read_told, read_told_usage
from reenact.ingest.unpacking import unpack
from reenact.ingest.wording import answer_text, event_text, prompt_text, with_name

OPAQUE = "opaque"
_UNKNOWN = "unknown"
_STATUSES = {Ending.TIMED_OUT: -2, Ending.CLIENT_LEFT: -3}
_OTHER_STATUS = -100
_THREAT_STATUS = -4
_NEVER_CHARGED = frozenset({Ending.UNREACHED, Ending.REFUSED})
_FREE_KINDS = frozenset({Kind.TOOL, Kind.VECTOR, Kind.DATA})
_MODEL_IN_URL = re.compile(r"/(?:engines|models|deployments)/([^/:?]+)")
_MOST_TOKENS = 2**53
_UNUSED = Usage(input_tokens=0, output_tokens=0)
"""Of a call that was answered from the cache (surface 5.1)."""


class _Side(msgspec.Struct, frozen=True):
    """One body, read as far as it could be."""

    json: Json = None
    is_stream: bool = False
    unreadable: str | None = None
    error: str | None = None
    """What was told of it beside the JSON."""


class Understood(msgspec.Struct, frozen=True):
    """A reading, and what it was made of."""

    reading: Reading
    prompt: Prompt | None = None
    """None when no dialect reads it, or its body was not kept."""
    said: Message | None = None
    """What the model answered."""


def decode(exchange: Exchange, tariff: Tariff = LISTED) -> Reading:
    """Return what *exchange* means, priced by *tariff* before the listed prices."""
    return understand(exchange, tariff).reading


def understand(exchange: Exchange, tariff: Tariff = LISTED) -> Understood:
    """Return what *exchange* means, and the prompt and the answer that were read in it."""
    if exchange.frames and (talk := overhear(exchange.frames, exchange.request_body, exchange.response_body)):
        return Understood(_overheard(exchange, talk, tariff))
    asked = _read_request(exchange)
    if exchange.told is None:
        dialect = find_dialect(exchange.provider, exchange.method, urllib.parse.urlsplit(exchange.target_url).path)
        answered = _read_response(exchange, dialect)
    else:
        dialect, answered = _read_told(exchange, asked.json)
    prompt, prompt_trouble = _prompt(None if exchange.handling.omitted_request else dialect, asked)
    answer, answer_trouble = _answer(dialect, answered)
    troubles = (asked.unreadable, prompt_trouble, answered.unreadable, answer_trouble)
    call = _call(
        exchange,
        dialect.name if dialect else None,
        asked.json,
        answered,
        prompt,
        answer,
        next((trouble for trouble in troubles if trouble), None),
    )
    is_event = call.kind is not Kind.MODEL and exchange.told is not None
    search_text = event_text(asked.json) if is_event else prompt_text(prompt) if prompt else ""
    reading = Reading(
        call=_priced(call, exchange, answered.json, tariff),
        exchange=exchange,
        answer=answered.json,
        search_text=with_name(search_text, _conversation(call, asked.json, answered.json)),
        answer_text=event_text(answered.json) if is_event else answer_text(answer),
    )
    return Understood(reading, prompt, answer.message)


def _conversation(call: Call, asked: Json, answered: Json) -> str | None:
    """Return the conversation at the provider that a call tells of, by which it can be searched for."""
    return conversation_of(call.dialect, call.method, call.target_url, asked, answered)


def derive(exchange: Exchange, decode: Callable[[Exchange], Reading]) -> Reading:
    """Return what *decode* makes of a kept exchange; one that it fails at is opaque and holds up no other."""
    try:
        return decode(exchange)
    except Exception as error:  # noqa: BLE001 - whatever it is: a fault in reading one call must not hide the others
        return leave_unread(exchange, f"{type(error).__name__}: {error}"[:500])


def _overheard(exchange: Exchange, talk: Talk, tariff: Tariff) -> Reading:
    """Return what was said on a WebSocket."""
    call = _call(exchange, OPENAI_REALTIME, talk.asked, _Side(json=talk.answered), talk.prompt, talk.answer, None)
    return Reading(
        call=_priced(call, exchange, talk.answered, tariff),
        exchange=exchange,
        answer=talk.answered,
        search_text=prompt_text(talk.prompt),
        answer_text=answer_text(talk.answer),
    )


def leave_unread(exchange: Exchange, reason: str) -> Reading:
    """Return *exchange* as an opaque call whose bodies were not looked into, because of *reason*."""
    call = _call(exchange, None, None, _Side(), None, Answer(), reason)
    return Reading(call=_priced(call, exchange, None, LISTED), exchange=exchange)


def _read_request(exchange: Exchange) -> _Side:
    """Return the request body as JSON."""
    try:
        return _Side(json=_json(unpack(exchange.request_body, exchange.request_headers)))
    except InvalidInput as error:
        return _Side(unreadable=f"request: {error.message}")


def _read_response(exchange: Exchange, dialect: Dialect | None) -> _Side:
    """Return the response body as JSON, the events of a stream merged into one answer."""
    try:
        body = unpack(exchange.response_body, exchange.response_headers)
    except InvalidInput as error:
        return _Side(unreadable=f"response: {error.message}")
    is_stream = _content_type(exchange.response_headers) == "text/event-stream"
    answer = None if is_stream else _json(body)
    if not is_stream and not isinstance(answer, list):
        return _Side(json=answer)
    # Gemini streams a JSON array of events where no SSE is asked for.
    if dialect is None or not (is_stream or "stream" in exchange.target_url):
        return _Side(json=answer, is_stream=is_stream)
    return _Side(json=dialect.merge(read_events(body)), is_stream=True)


def _read_told(exchange: Exchange, asked: Json) -> tuple[Dialect | None, _Side]:
    """Return the dialect and the response of a call that was told and did not cross the gateway."""
    told = read_told(exchange.response_body, asked_stream=isinstance(asked, dict) and asked.get("stream") is True)
    dialect = recognise(exchange.provider, asked, told.events[0] if told.events else told.json)
    if not told.events:
        return dialect, _Side(json=told.json, error=told.text if exchange.status >= 400 or told.json else None)
    merged = dialect.merge(told.events) if dialect else list(told.events)
    return dialect, _Side(json=merged, is_stream=True, error=told.text)


def _prompt(dialect: Dialect | None, asked: _Side) -> tuple[Prompt | None, str | None]:
    """Return the prompt, or None and why not."""
    if dialect is None or asked.unreadable:
        return None, None
    try:
        return dialect.read_prompt(asked.json), None
    except InvalidInput as error:
        return None, f"request: {error.message}"


def _answer(dialect: Dialect | None, answered: _Side) -> tuple[Answer, str | None]:
    """Return the answer, an empty one when there is none, and why it could not be read."""
    if dialect is None or answered.json is None:
        return Answer(), None
    try:
        return dialect.read_answer(answered.json), None
    except InvalidInput as error:
        return Answer(), f"response: {error.message}"


def _call(
    exchange: Exchange,
    dialect: str | None,
    asked: Json,
    answered: _Side,
    prompt: Prompt | None,
    answer: Answer,
    unreadable: str | None,
) -> Call:
    """Return the row of the call, without its cost."""
    labels = _labels(exchange.labels, asked)
    request_model = prompt.model if prompt else _text(asked, "model")
    response_model = answer.model or _text(answered.json, "model")
    streamed = answered.is_stream or (prompt is not None and prompt.stream and answered.json is None)
    told = exchange.handling.metrics or Metrics(
        request_model=request_model,
        response_model=response_model,
        response_id=answer.response_id,
        stop_reason=answer.stop_reason,
        error=answer.error or answered.error,
        streamed=streamed,
        usage=_bounded(answer.usage if dialect else read_told_usage(answered.json) if exchange.told else Usage()),
        request_body_bytes=len(exchange.request_body),
        response_body_bytes=len(exchange.response_body),
    )
    if exchange.handling.cache_reference_id is not None:
        told = msgspec.structs.replace(told, usage=_UNUSED)
    return Call(
        id=exchange.id,
        organisation_id=exchange.organisation_id,
        created_us=exchange.started_us,
        duration_us=exchange.duration_us,
        first_token_us=exchange.first_byte_us if told.streamed or exchange.told is not None else None,
        kind=_kind(exchange, dialect, asked),
        dialect=dialect or OPAQUE,
        provider=exchange.provider,
        model=labels.model_override
        or _event_name(exchange, asked)
        or told.request_model
        or told.response_model
        or _model_in(exchange.target_url)
        or _UNKNOWN,
        request_model=told.request_model,
        response_model=told.response_model,
        response_id=told.response_id,
        status=_status(exchange),
        ending=exchange.ending,
        detail=exchange.detail,
        streamed=told.streamed,
        stop_reason=told.stop_reason,
        error=told.error,
        labels=labels,
        usage=told.usage,
        url=exchange.url,
        target_url=exchange.target_url,
        method=exchange.method,
        request_body_bytes=told.request_body_bytes,
        response_body_bytes=told.response_body_bytes,
        unreadable=unreadable,
        handling=exchange.handling,
        told=exchange.told,
    )


def _kind(exchange: Exchange, dialect: str | None, asked: Json) -> Kind:
    """Return what sort of event the call is; a log of no known format was a model's call all the same."""
    if exchange.told is None or dialect is not None:
        return Kind.MODEL if dialect else Kind.OPAQUE
    metrics = exchange.handling.metrics
    is_model = bool(_text(asked, "model") or (metrics and metrics.request_model))
    return event_kind(asked) or (Kind.MODEL if is_model else Kind.OPAQUE)


def _event_name(exchange: Exchange, asked: Json) -> str | None:
    """Return what stands for the model of an event that asked none (surface 4.3)."""
    match event_kind(asked) if exchange.told else None:
        case Kind.TOOL:
            return f"tool:{_text(asked, 'toolName') or _UNKNOWN}"
        case Kind.VECTOR:
            return f"vector_db:{_text(asked, 'operation') or _UNKNOWN}"
        case Kind.DATA:
            return f"data:{_text(asked, 'name') or _UNKNOWN}"
        case _:
            return None


def _status(exchange: Exchange) -> int:
    """Return the status that the call is listed with (surface 1.8)."""
    if exchange.handling.is_threat:
        return _THREAT_STATUS
    return _STATUSES.get(exchange.ending, exchange.status or _OTHER_STATUS)


def _priced(call: Call, exchange: Exchange, answered: Json, tariff: Tariff) -> Call:
    """Return *call* with its cost."""
    return msgspec.structs.replace(call, cost_nanodollars=_cost(call, exchange, answered, tariff))


def _cost(call: Call, exchange: Exchange, answered: Json, tariff: Tariff) -> int | None:
    """Return the price; what the provider refused or never got is free when it counted no tokens."""
    if exchange.handling.cache_reference_id is not None or exchange.handling.played_from is not None:
        return 0
    if exchange.told is not None and exchange.told.cost_nanodollars is not None:
        return exchange.told.cost_nanodollars
    if call.kind in _FREE_KINDS:
        return 0
    if call.kind is not Kind.MODEL:
        return None
    is_free = exchange.ending in _NEVER_CHARGED or (exchange.ending is Ending.ANSWERED and exchange.status >= 400)
    if is_free and call.usage.total_tokens is None:
        return 0
    # What was said to be priced, else what answered, which is more exact than the name that was asked for.
    named = (call.labels.model_override, call.response_model, call.request_model, _model_in(exchange.target_url))
    is_told = exchange.told is not None
    return price(
        exchange.provider,
        named,
        call.usage,
        exchange.started_us,
        anywhere=is_told,
        tier=_tier(answered),
        cached_audio_tokens=cached_audio_tokens(answered),
        tariff=tariff,
    )


def _tier(answered: Json) -> str | None:
    """Return the service tier that an answer names: at OpenAI beside its usage, at Anthropic inside it."""
    inside = answered.get("usage") if isinstance(answered, dict) else None
    return _text(answered, "service_tier") or _text(inside, "service_tier")


def _labels(labels: Labels, asked: Json) -> Labels:
    """Return *labels* with the body's `user` where no header named one (surface 1.2)."""
    user_id = labels.user_id or _text(asked, "user")
    return labels if user_id == labels.user_id else msgspec.structs.replace(labels, user_id=user_id)


def _bounded(usage: Usage) -> Usage:
    """Return *usage* without counts that no provider means."""
    counts = msgspec.structs.asdict(usage)
    odd = {name: None for name, count in counts.items() if count is not None and not 0 <= count < _MOST_TOKENS}
    return msgspec.structs.replace(usage, **odd) if odd else usage


def _json(body: bytes) -> Json:
    """Return *body* as JSON; None when it is not."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(body: Json, name: str) -> str | None:
    """Return a field of *body* when it is text that is not empty."""
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) and value else None


def _model_in(url: str) -> str | None:
    """Return the model that the path names (surface 2.2)."""
    found = _MODEL_IN_URL.search(urllib.parse.urlsplit(url).path)
    return urllib.parse.unquote(found.group(1)) if found else None


def _content_type(headers: tuple[Header, ...]) -> str:
    """Return the media type without its parameters; empty when there is none."""
    values = (value for name, value in headers if name.lower() == b"content-type")
    return next(values, b"").decode("latin-1").partition(";")[0].strip().lower()

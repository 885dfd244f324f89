"""Say what a recorded exchange means for the step of a replay that it was made for."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import msgspec

from reenact.dialects.registry import dialect_named
from reenact.domain.call import Reading
from reenact.domain.exchange import Ending, Exchange
from reenact.domain.message import Answer, Json
from reenact.domain.replay import Answered
from reenact.errors import InvalidInput
from reenact.replay.question import Question

Decode = Callable[[Exchange], Reading]
"""Reads an exchange as a call; `ingest.decoding.decode`."""

_PASSING = frozenset({Ending.UNREACHED, Ending.TIMED_OUT, Ending.PROVIDER_CUT})


def judged(question: Question, exchange: Exchange, decode: Decode) -> Answered:
    """Return what became of the step, the same for an exchange just made and for one read back from the store."""
    dialect = question.ask.dialect or question.source.dialect
    answered = Answered(
        index=question.ask.index,
        round=question.ask.round,
        tool=question.ask.tool,
        call_id=exchange.id,
        status=exchange.status or None,
        failure=_failure(exchange, dialect),
        is_passing=_is_passing(exchange),
        retry_after_s=_retry_after_s(exchange),
        is_reused=exchange.handling.cache_reference_id is not None,
    )
    return _with_meaning(answered, decode(exchange), dialect) if question.needs_meaning else answered


def _with_meaning(answered: Answered, reading: Reading, dialect: str) -> Answered:
    usage = reading.call.usage
    known = [tokens for tokens in (usage.input_tokens, usage.output_tokens) if tokens is not None]
    return msgspec.structs.replace(
        answered,
        answer=None if answered.failure else _said(reading.answer, dialect),
        cost_nanodollars=reading.call.cost_nanodollars,
        tokens=sum(known) if known else None,
    )


def _is_passing(exchange: Exchange) -> bool:
    """Return whether asking again may help."""
    if exchange.ending in _PASSING:
        return True
    return exchange.ending is Ending.ANSWERED and (exchange.status in {408, 429} or exchange.status >= 500)


def _retry_after_s(exchange: Exchange) -> float | None:
    """Return what the provider's `retry-after-ms` or `Retry-After` asks for, in seconds (RFC 9110 10.2.3)."""
    headers = {name: value.decode("latin-1").strip() for name, value in exchange.response_headers}
    try:
        if (milliseconds := headers.get(b"retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        wish = headers.get(b"retry-after")
        if wish is None or not wish[:1].isalpha():
            return None if wish is None else max(0.0, float(wish))
        ended_s = (exchange.started_us + exchange.duration_us) / 1_000_000
        return max(0.0, parsedate_to_datetime(wish).timestamp() - ended_s)
    except ValueError:
        return None


def _failure(exchange: Exchange, dialect: str) -> str | None:
    """Return in words why a call failed; None when it was answered whole with a status under 400."""
    if exchange.ending is not Ending.ANSWERED:
        return exchange.detail or exchange.ending.value
    if exchange.status < 400:
        return None
    said = _error(exchange.response_body, dialect)
    return f"HTTP {exchange.status}: {said}" if said else f"HTTP {exchange.status}"


def _error(body: bytes, dialect: str) -> str | None:
    """Return the provider's own words, where its answer has some."""
    try:
        answer = _said(msgspec.json.decode(body), dialect)
    except msgspec.DecodeError:
        return None
    return answer.error if answer else None


def _said(json: Json, dialect: str) -> Answer | None:
    """Return the answer; None when it is not of the format."""
    reader = dialect_named(dialect)
    try:
        return reader.read_answer(json) if reader else None
    except InvalidInput:
        return None

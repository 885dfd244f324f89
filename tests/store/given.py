"""Exchanges, calls and readings for tests: whole ones, of which a test changes what it is about."""

from typing import Any

import msgspec

from reenact.domain.call import Call, Kind, Reading
from reenact.domain.exchange import Chunk, Ending, Exchange
from reenact.domain.labels import Labels

CREATED_US = 1_760_000_000_000_000


def given_exchange(**changes: Any) -> Exchange:
    """Return an answered chat exchange with *changes*."""
    exchange = Exchange(
        id="11111111-1111-4111-8111-111111111111",
        organisation_id="one",
        started_us=CREATED_US,
        duration_us=1_500_000,
        first_byte_us=700_000,
        method="POST",
        url="http://127.0.0.1:8585/v1/chat/completions",
        target_url="https://api.openai.com/v1/chat/completions",
        provider="openai",
        labels=Labels(session_id="s1", session_name="Trip", session_path="/plan", properties={"app": "demo"}),
        request_headers=((b"content-type", b"application/json"),),
        request_body=b'{"model": "gpt-4o",  "messages": [{"role":"user","content":"Where to go in spring? Somewhere warm."}]}',
        status=200,
        response_headers=((b"content-type", b"application/json"),),
        response_body=b'{"id": "r1", "choices": []}',
        chunks=(Chunk(body_bytes=27, after_us=700_000),),
        ending=Ending.ANSWERED,
    )
    return msgspec.structs.replace(exchange, **changes)


def given_call(exchange: Exchange, **changes: Any) -> Call:
    """Return what *exchange* means, as ingest would have read it, with *changes*."""
    call = Call(
        id=exchange.id,
        organisation_id=exchange.organisation_id,
        created_us=exchange.started_us,
        duration_us=exchange.duration_us,
        first_token_us=None,
        kind=Kind.MODEL,
        dialect="openai_chat",
        provider=exchange.provider,
        model="gpt-4o",
        request_model="gpt-4o",
        response_model=None,
        response_id=None,
        status=exchange.status,
        ending=exchange.ending,
        detail=exchange.detail,
        streamed=False,
        stop_reason=None,
        error=None,
        labels=exchange.labels,
        url=exchange.url,
        target_url=exchange.target_url,
        method=exchange.method,
        request_body_bytes=len(exchange.request_body),
        response_body_bytes=len(exchange.response_body),
    )
    return msgspec.structs.replace(call, **changes)


def given_reading(number: int = 1, exchange: dict[str, Any] | None = None, **call: Any) -> Reading:
    """Return a reading whose id and time follow from *number*, with changes to its *exchange* and its *call*."""
    told = {"id": f"{number:08d}-1111-4111-8111-111111111111", "started_us": CREATED_US + number * 1_000_000}
    crossed = given_exchange(**told, **(exchange or {}))
    return Reading(call=given_call(crossed, **call), exchange=crossed)

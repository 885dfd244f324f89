"""In what a call was sent otherwise than its agent asked, where the gateway chose who answers, and back again."""

from urllib.parse import urlsplit

import msgspec

from reenact.domain.exchange import AsAsked, Exchange
from reenact.domain.message import Json
from reenact.gateway.ask import Ask
from reenact.gateway.redacting import redact_target


def deviation(asked: Ask, sent: Ask) -> AsAsked | None:
    """Return what of *asked* cannot be told from *sent*; None when both go to the same place with the same body."""
    if (asked.provider, asked.target, asked.body) == (sent.provider, sent.target, sent.body):
        return None
    before, after = _fields(asked.body), _fields(sent.body)
    if before is None or after is None or asked.body == sent.body:
        before = after = {}
    return AsAsked(
        provider=asked.provider,
        target=redact_target(asked.target).decode("latin-1"),
        fields={name: value for name, value in before.items() if name not in after or after[name] != value},
        added=tuple(name for name in after if name not in before),
    )


def as_asked(exchange: Exchange) -> AsAsked:
    """Return where the agent of *exchange* asked, with nothing else where its body was sent as it came."""
    if exchange.handling.asked is not None:
        return exchange.handling.asked
    parts = urlsplit(exchange.target_url)
    return AsAsked(provider=exchange.provider, target=f"{parts.path}?{parts.query}" if parts.query else parts.path)


def asked_body(exchange: Exchange) -> bytes:
    """Return the body of *exchange* as its agent meant it; the very bytes that were sent when they were not changed."""
    asked = exchange.handling.asked
    if asked is None or not (asked.fields or asked.added):
        return exchange.request_body
    sent = _fields(exchange.request_body)
    if sent is None:
        return exchange.request_body
    kept = {name: value for name, value in sent.items() if name not in asked.added}
    return msgspec.json.encode(kept | asked.fields)


def _fields(body: bytes) -> dict[str, Json] | None:
    """Return the fields of a JSON object; None of anything else."""
    try:
        return msgspec.json.decode(body, type=dict[str, Json])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None

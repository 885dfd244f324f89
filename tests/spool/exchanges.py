"""Exchanges to be kept, small and different from one another."""

from reenact.domain.exchange import Chunk, Ending, Exchange
from reenact.domain.labels import Labels


def an_exchange(number: int = 1, answer: bytes = b'{"ok":true}') -> Exchange:
    """Return an exchange that is told apart by *number*."""
    return Exchange(
        id=f"00000000-0000-4000-8000-{number:012d}",
        organisation_id="acme",
        started_us=1_700_000_000_000_000 + number,
        duration_us=1500,
        first_byte_us=900,
        method="POST",
        url="http://localhost:8585/v1/gateway/oai/v1/chat/completions",
        target_url="https://api.openai.com/v1/chat/completions",
        provider="openai",
        labels=Labels(session_id="s", properties={"app": "x"}),
        request_headers=((b"content-type", b"application/json"),),
        request_body=b'{"model":"gpt-4o"}',
        status=200,
        response_headers=((b"x-dup", b"1"), (b"x-dup", b"2")),
        response_body=answer,
        chunks=(Chunk(body_bytes=len(answer), after_us=900),),
        ending=Ending.ANSWERED,
    )

"""What an agent asked can be told from what was sent and what is kept beside it."""

import msgspec
import pytest

from reenact.domain.exchange import AsAsked, Exchange, Handling
from reenact.domain.labels import Labels
from reenact.gateway.ask import Ask
from reenact.gateway.deviating import as_asked, asked_body, deviation
from reenact.gateway.omitting import without_bodies
from tests.store.given import given_exchange

SENT = Ask(
    id="i",
    organisation_id="o",
    method="POST",
    url="http://localhost/v1/chat/completions",
    provider="openai",
    origin="https://api.openai.com",
    target=b"/v1/chat/completions",
    labels=Labels(),
    headers=(),
    body=b'{"model":"b","messages":[1],"stream_options":{}}',
    started_us=0,
)
ASKED = msgspec.structs.replace(
    SENT,
    provider="ai-gateway",
    target=b"/chat/completions?key=secret",
    body=b'{"messages":[1],"model":"a","plugins":[]}',
)
EXCHANGE: Exchange = given_exchange(request_body=SENT.body)


def test_what_was_sent_otherwise_is_kept_and_no_more() -> None:
    """Messages that were sent as they came are not kept twice, and no key of the address at all."""
    told = deviation(ASKED, SENT)
    assert told is not None
    exchange = msgspec.structs.replace(EXCHANGE, handling=Handling(asked=told))

    assert "secret" not in told.target
    assert ("ai-gateway", {"model": "a", "plugins": []}, ("stream_options",)) == (
        told.provider,
        told.fields,
        told.added,
    )
    assert told == as_asked(exchange)
    assert {"model": "a", "messages": [1], "plugins": []} == msgspec.json.decode(asked_body(exchange))
    assert without_bodies(exchange, None, request=True, response=False).handling.asked is None


@pytest.mark.parametrize("body", [b"no json", b"[1]", SENT.body])
def test_a_body_that_was_sent_as_it_came_stays_byte_for_byte(body: bytes) -> None:
    """Only where it went is kept."""
    sent = msgspec.structs.replace(SENT, body=body)
    told = deviation(msgspec.structs.replace(sent, target=b"/x"), sent)

    assert AsAsked(provider="openai", target="/x") == told
    assert body == asked_body(msgspec.structs.replace(EXCHANGE, request_body=body, handling=Handling(asked=told)))
    assert deviation(sent, sent) is None

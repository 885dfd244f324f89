"""Leaving bodies out of the record."""

import msgspec

from reenact.domain.exchange import Exchange, Handling, Metrics
from reenact.domain.message import Usage
from reenact.gateway.omitting import without_bodies
from tests.store.given import given_call, given_exchange

EXCHANGE: Exchange = given_exchange(handling=Handling(attempts=2))
CALL = given_call(
    EXCHANGE, response_model="m", response_id="r", stop_reason="stop", error="said this", usage=Usage(input_tokens=3)
)


def test_both_bodies_go_and_the_numbers_stay() -> None:
    """Nothing that was said is left, but how much it was."""
    left = without_bodies(EXCHANGE, CALL, request=True, response=True)

    metrics = Metrics(
        request_model="gpt-4o",
        response_model="m",
        response_id="r",
        stop_reason="stop",
        usage=Usage(input_tokens=3),
        request_body_bytes=len(EXCHANGE.request_body),
        response_body_bytes=27,
    )
    handling = Handling(attempts=2, omitted_request=True, omitted_response=True, metrics=metrics)
    expected = msgspec.structs.replace(EXCHANGE, request_body=b"", response_body=b"", chunks=(), handling=handling)
    assert expected == left


def test_one_body_alone_can_go() -> None:
    """The other and its pieces stay, and an error that it tells."""
    left = without_bodies(EXCHANGE, CALL, request=True, response=False)

    assert (b"", EXCHANGE.response_body, EXCHANGE.chunks) == (left.request_body, left.response_body, left.chunks)
    assert left.handling.metrics is not None
    assert "said this" == left.handling.metrics.error


def test_bodies_go_even_when_nobody_could_read_them() -> None:
    """Then only their sizes stay."""
    left = without_bodies(EXCHANGE, None, request=False, response=True)

    assert Metrics(request_body_bytes=len(EXCHANGE.request_body), response_body_bytes=27) == left.handling.metrics

"""Changes to a request's body that headers ask for."""

import pytest

from reenact.gateway.rewriting import with_model, with_usage, without_compression


def test_usage_is_asked_for_and_nothing_else_changes() -> None:
    """Numbers keep their spelling, other options stay."""
    body = b'{"stream":true,"t":1.50,"stream_options":{"include_obfuscation":false}}'

    expected = b'{"stream":true,"t":1.50,"stream_options":{"include_obfuscation":false,"include_usage":true}}'
    assert expected == with_usage(body)
    assert b'{"stream":true,"stream_options":{"include_usage":true}}' == with_usage(b'{ "stream" : true }')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"model":"m"}',
        b'{"stream":false}',
        b'{"stream": true, "stream_options": {"include_usage": true}}',
    ],
)
def test_other_bodies_stay_byte_for_byte(body: bytes) -> None:
    """No stream, no change; asked for already, no change."""
    assert body is with_usage(body)


def test_a_model_is_set_and_keys_are_dropped() -> None:
    """In its place, the other bytes untouched."""
    assert b'{"model":"b","n":1.0}' == with_model(b'{"model":"a","n":1.0,"plugins":[1]}', "b", ("plugins",))


def test_an_answer_is_asked_for_that_is_not_compressed() -> None:
    """Whatever the agent accepts."""
    headers = ((b"accept-encoding", b"gzip"), (b"x", b"y"))

    assert ((b"x", b"y"), (b"accept-encoding", b"identity")) == without_compression(headers)

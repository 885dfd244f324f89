"""Changes to a request's body that headers ask for; every byte that is not changed stays as it came."""

import msgspec

from reenact.domain.exchange import Header

_Fields = dict[str, msgspec.Raw]
_TRUE = msgspec.Raw(b"true")
_USAGE_KEY = "include_usage"


def read_fields(body: bytes) -> _Fields | None:
    """Return the top-level fields of a JSON object, each as its bytes; None when *body* is none."""
    try:
        return msgspec.json.decode(body, type=_Fields)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def with_usage(body: bytes) -> bytes:
    """Return a streaming request's body with `stream_options.include_usage` set; any other as it is."""
    fields = read_fields(body)
    if fields is None or bytes(fields.get("stream", b"")) != b"true":
        return body
    options = read_fields(bytes(fields.get("stream_options", b"{}"))) or {}
    if bytes(options.get(_USAGE_KEY, b"")) == b"true":
        return body
    encoded = msgspec.json.encode(options | {_USAGE_KEY: _TRUE})
    return msgspec.json.encode(fields | {"stream_options": msgspec.Raw(encoded)})


def with_model(body: bytes, model: str, dropped: tuple[str, ...] = ()) -> bytes:
    """Return a JSON object with its `model` set and some keys dropped."""
    fields = read_fields(body) or {}
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode({key: value for key, value in fields.items() if key not in dropped})


def without_compression(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """Return *headers* that ask for an answer which is not compressed."""
    return (*(header for header in headers if header[0] != b"accept-encoding"), (b"accept-encoding", b"identity"))

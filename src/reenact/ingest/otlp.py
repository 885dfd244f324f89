"""OTLP: what a trace exporter sends, in protobuf or JSON, as spans.

Wire facts: opentelemetry.io/docs/specs/otlp and opentelemetry-proto's trace.proto (1.7, 2026-11). In JSON, ids are hexadecimal,
64-bit numbers may be strings.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from reenact.dialects.wire import inner, objects, text
from reenact.domain.message import Json
from reenact.errors import InvalidInput

MOST_SPANS = 10_000
"""In one export; exporters send 512 at a time."""
_MOST_DEPTH = 32
_ERROR = 2
_MOST_NANOSECONDS = 2**63

Attributes = Mapping[str, Json]


class TracedSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One span."""

    trace_id: str
    """Hexadecimal."""
    span_id: str
    parent_id: str | None
    name: str
    started_us: int
    ended_us: int
    attributes: Attributes
    events: tuple[tuple[str, Attributes], ...] = ()
    """Names and attributes, in order."""
    failed: bool = False
    message: str = ""
    """What the status says."""
    resource: Attributes = {}


def read_export(body: bytes, *, is_protobuf: bool) -> list[TracedSpan]:
    """Return the spans of one export, in the order they stand.

    Raises:
        InvalidInput: it is no export, or has more than MOST_SPANS.
    """
    spans: list[TracedSpan] = []
    for span in _from_protobuf(body) if is_protobuf else _from_json(body):
        spans.append(span)
        if len(spans) > MOST_SPANS:
            raise InvalidInput(f"An export may have {MOST_SPANS} spans.", "resourceSpans")
    return spans


def _from_protobuf(body: bytes) -> Iterator[TracedSpan]:
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise InvalidInput(f"Not an OTLP trace export: {error}", "body") from None
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield TracedSpan(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex() or None,
                    name=span.name,
                    started_us=_us(span.start_time_unix_nano),
                    ended_us=_us(span.end_time_unix_nano),
                    attributes=_attributes(span.attributes),
                    events=tuple((event.name, _attributes(event.attributes)) for event in span.events),
                    failed=span.status.code == _ERROR,
                    message=span.status.message,
                    resource=resource,
                )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Json]:
    return {pair.key: _value(pair.value, 0) for pair in pairs}


def _value(value: AnyValue, depth: int) -> Json:
    kind = value.WhichOneof("value")
    if kind is None or depth > _MOST_DEPTH:
        return None
    if kind == "array_value":
        return [_value(one, depth + 1) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    found: Any = getattr(value, kind)
    return base64.b64encode(found).decode() if isinstance(found, bytes) else found


def _from_json(body: bytes) -> Iterator[TracedSpan]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"Not an OTLP trace export: {error}", "body") from None
    if not isinstance(document, dict) or not isinstance(document.get("resourceSpans", []), list):
        raise InvalidInput("Expected an object with a list `resourceSpans`.", "resourceSpans")
    for group in objects(document, "resourceSpans"):
        resource = _json_attributes(inner(group, "resource"))
        for scope in objects(group, "scopeSpans"):
            for span in objects(scope, "spans"):
                yield _json_span(span, resource)


def _json_span(span: dict[str, Json], resource: Attributes) -> TracedSpan:
    status = inner(span, "status")
    return TracedSpan(
        trace_id=_id(text(span, "traceId")),
        span_id=_id(text(span, "spanId")),
        parent_id=_id(text(span, "parentSpanId")) or None,
        name=text(span, "name"),
        started_us=_us(span.get("startTimeUnixNano")),
        ended_us=_us(span.get("endTimeUnixNano")),
        attributes=_json_attributes(span),
        events=tuple((text(event, "name"), _json_attributes(event)) for event in objects(span, "events")),
        failed=status.get("code") in (_ERROR, "STATUS_CODE_ERROR"),
        message=text(status, "message"),
        resource=resource,
    )


def _json_attributes(holder: dict[str, Json]) -> dict[str, Json]:
    return {text(pair, "key"): _json_value(pair.get("value"), 0) for pair in objects(holder, "attributes")}


def _json_value(value: Json, depth: int) -> Json:
    """Return an AnyValue in JSON, an object with one field that names its type."""
    if not isinstance(value, dict) or len(value) != 1 or depth > _MOST_DEPTH:
        return None
    ((kind, found),) = value.items()
    match kind:
        case "intValue":
            return _whole(found)
        case "arrayValue":
            return [_json_value(one, depth + 1) for one in objects(found, "values")]
        case "kvlistValue":
            pairs = objects(found, "values")
            return {text(pair, "key"): _json_value(pair.get("value"), depth + 1) for pair in pairs}
        case _:
            return found if isinstance(found, str | float | int | bool) else None


def _whole(value: Json) -> int | None:
    """Return a 64-bit number, which JSON writes as a string."""
    try:
        return int(value) if isinstance(value, str | int | float) and len(str(value)) < 25 else None
    except (ValueError, OverflowError):
        return None


def _us(nanoseconds: Json) -> int:
    whole = _whole(nanoseconds) or 0
    return whole // 1000 if 0 < whole < _MOST_NANOSECONDS else 0


def _id(raw: str) -> str:
    """Return an id in hexadecimal; some exporters write JSON ids in base64, as protobuf's own JSON does."""
    try:
        return bytes.fromhex(raw).hex()
    except ValueError:
        pass
    try:
        return base64.b64decode(raw, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""

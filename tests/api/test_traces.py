"""Spans of the three conventions, as protobuf and as JSON, over a whole server: what they become and where they stand."""

import gzip
import json
import uuid
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.api.conftest import House

START_NS = 1_767_225_600_000_000_000
HELICONE = "traceloop.association.properties."
OPENLLMETRY = {
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "llm.request.type": "chat",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Where to?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Lisbon.",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.completion.0.tool_calls.0.id": "t1",
    "gen_ai.completion.0.tool_calls.0.name": "book",
    "gen_ai.completion.0.tool_calls.0.arguments": '{"to":"LIS"}',
    "llm.request.functions.0.name": "book",
    "llm.request.functions.0.description": "Books.",
    "llm.request.functions.0.parameters": '{"type":"object"}',
    "gen_ai.usage.prompt_tokens": 1000,
    "gen_ai.usage.completion_tokens": 100,
    "llm.usage.total_tokens": 1100,
}
SEMANTIC = {
    "gen_ai.provider.name": "openai",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}]),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [
                    {"type": "text", "content": "Lisbon."},
                    {"type": "tool_call", "id": "t1", "name": "book", "arguments": {"to": "LIS"}},
                ],
                "finish_reason": "stop",
            }
        ]
    ),
    "gen_ai.tool.definitions": json.dumps(
        [{"type": "function", "name": "book", "description": "Books.", "parameters": {"type": "object"}}]
    ),
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o",
    "llm.invocation_parameters": json.dumps({"temperature": 0.5}),
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Where to?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Lisbon.",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "t1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "book",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"to":"LIS"}',
    "llm.tools.0.tool.json_schema": json.dumps(
        {"type": "function", "function": {"name": "book", "description": "Books.", "parameters": {"type": "object"}}}
    ),
    "llm.token_count.prompt": 1000,
    "llm.token_count.completion": 100,
}


def span(
    trace_id: str,
    number: int,
    attributes: dict[str, Any],
    *,
    parent: int = 0,
    name: str = "openai.chat",
    **further: Any,
) -> dict[str, Any]:
    """One span in OTLP's JSON; it begins *number* seconds after the hour and takes half a second."""
    start = START_NS + number * 1_000_000_000
    return {
        "traceId": trace_id,
        "spanId": f"{number:016x}",
        **({"parentSpanId": f"{parent:016x}"} if parent else {}),
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 500_000_000),
        "attributes": [{"key": key, "value": value(given)} for key, given in attributes.items()],
        "status": {"code": 1},
        **further,
    }


def value(given: Any) -> dict[str, Any]:
    """An AnyValue in JSON."""
    match given:
        case bool():
            return {"boolValue": given}
        case int():
            return {"intValue": str(given)}
        case float():
            return {"doubleValue": given}
        case list():
            return {"arrayValue": {"values": [value(one) for one in given]}}
        case _:
            return {"stringValue": given}


def export(*spans: dict[str, Any]) -> dict[str, Any]:
    """An export of spans by one service."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "trips"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "t"}, "spans": list(spans)}]}]}


def protobuf(document: dict[str, Any]) -> bytes:
    """The same export in protobuf."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for pair in document["resourceSpans"][0]["resource"]["attributes"]:
        group.resource.attributes.add(key=pair["key"]).value.string_value = pair["value"]["stringValue"]
    scope = group.scope_spans.add()
    for given in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        one = scope.spans.add(
            trace_id=bytes.fromhex(given["traceId"]), span_id=bytes.fromhex(given["spanId"]),
            parent_span_id=bytes.fromhex(given.get("parentSpanId", "")), name=given["name"],
            start_time_unix_nano=int(given["startTimeUnixNano"]), end_time_unix_nano=int(given["endTimeUnixNano"]),
        )  # fmt: skip
        for pair in given["attributes"]:
            held = one.attributes.add(key=pair["key"]).value
            ((kind, inside),) = pair["value"].items()
            match kind:
                case "stringValue":
                    held.string_value = inside
                case "intValue":
                    held.int_value = int(inside)
                case _:
                    held.double_value = inside
    return request.SerializeToString()


@pytest.fixture
def trace_id() -> str:
    """A trace nobody else has."""
    return uuid.uuid4().hex


def send(house: House, trace_id: str, *spans: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    """Export spans as JSON; return the rows of the session that the trace is, oldest first."""
    answer = house.http.post("/v1/trace/log", json=export(*spans), headers=headers)
    assert (200, "ok") == (answer.status_code, answer.text)
    return house.rows(trace_id)


@pytest.mark.parametrize("attributes", [OPENLLMETRY, SEMANTIC, OPENINFERENCE])
def test_every_convention_says_the_same(house: House, trace_id: str, attributes: dict[str, Any]) -> None:
    """One chat: who asked what with which tools, what was answered, what it cost."""
    [row] = send(house, trace_id, span(trace_id, 1, attributes))

    assert "gpt-4o" == row["request_body"]["model"]
    assert 0.5 == row["request_body"]["temperature"]
    texts = [
        one["content"] if isinstance(one["content"], str) else one["content"][0]["text"]
        for one in row["request_body"]["messages"]
    ]
    assert ["Be brief.", "Where to?"] == texts
    book = {"name": "book", "description": "Books.", "parameters": {"type": "object"}}
    assert [{"type": "function", "function": book}] == row["request_body"]["tools"]
    said = row["response_body"]["choices"][0]["message"]
    assert ("Lisbon.", "book", {"to": "LIS"}) == (
        said["content"], said["tool_calls"][0]["function"]["name"],
        json.loads(said["tool_calls"][0]["function"]["arguments"]),
    )  # fmt: skip
    assert (1000, 100, 0.0035) == (row["prompt_tokens"], row["completion_tokens"], row["cost"])
    assert ("OPENAI", 500.0, "2026-01-01T00:00:01.000Z") == (row["provider"], row["delay_ms"], row["created_at"])
    assert f"{house.ready.url}/v1/gateway/openai/v1/chat/completions" == row["request_path"]


def test_the_tree_is_the_path_and_is_kept(house: House, trace_id: str) -> None:
    """Parents lend their names; spans about something else than models' work are no calls."""
    rows = send(
        house,
        trace_id,
        span(trace_id, 4, OPENLLMETRY, parent=3),
        span(trace_id, 3, {"traceloop.span.kind": "task", "traceloop.entity.name": "plan"}, parent=2, name="plan"),
        span(trace_id, 2, {"http.method": "GET"}, parent=1, name="GET /trips"),
        span(trace_id, 1, {"traceloop.span.kind": "workflow", "traceloop.entity.name": "trip"}, name="trip"),
        span(
            trace_id,
            5,
            {"openinference.span.kind": "TOOL", "tool.name": "book", "input.value": "{}"},
            parent=3,
            name="book",
        ),
    )

    assert [
        ("/trip", "data:trip", None, "0" * 15 + "1"),
        ("/trip/GET -trips/plan", "data:plan", "0" * 15 + "2", "0" * 15 + "3"),
        ("/trip/GET -trips/plan/openai.chat", "gpt-4o", "0" * 15 + "3", "0" * 15 + "4"),
        ("/trip/GET -trips/plan/book", "tool:book", "0" * 15 + "3", "0" * 15 + "5"),
    ] == [
        (row["path"], row["model"], row["told"]["span"].get("parent_id"), row["told"]["span"]["span_id"])
        for row in rows
    ]
    assert {("trips", trace_id)} == {
        (row["properties"]["Helicone-Session-Name"], row["told"]["span"]["trace_id"]) for row in rows
    }


def test_associated_properties_are_headers(house: House, session_id: str, trace_id: str) -> None:
    """Helicone's under their names, others as properties; they go before the export's own headers."""
    said = OPENLLMETRY | {
        f"{HELICONE}Helicone-Session-Id": session_id,
        f"{HELICONE}Helicone-Session-Path": "/own",
        f"{HELICONE}Helicone-User-Id": "ann",
        f"{HELICONE}Helicone-Property-App": "demo",
        f"{HELICONE}team": "blue",
    }
    answer = house.http.post(
        "/v1/trace/log",
        json=export(span(trace_id, 1, said)),
        headers={"Helicone-User-Id": "bob", "Helicone-Property-Env": "x"},
    )
    [row] = house.rows(session_id)

    assert answer.headers["helicone-id"] == row["request_id"]
    assert ("ann", "/own") == (row["request_user_id"], row["path"])
    assert {"app": "demo", "env": "x", "team": "blue", "service.name": "trips"}.items() <= row["properties"].items()


def test_protobuf_gzip_and_a_second_time(house: House, trace_id: str) -> None:
    """Python's exporter; what is sent again is the same call."""
    body = gzip.compress(protobuf(export(span(trace_id, 1, OPENLLMETRY))))
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    answers = [house.http.post("/v1/traces", content=body, headers=headers) for _ in range(2)]
    legacy = house.http.post("/v1/trace/log-python", content=body, headers=headers)

    assert [(200, b"")] * 2 == [(answer.status_code, answer.content) for answer in answers]
    assert (200, "ok") == (legacy.status_code, legacy.text)
    assert ["Lisbon."] == [row["response_body"]["choices"][0]["message"]["content"] for row in house.rows(trace_id)]


def test_a_failed_span_is_a_failed_call(house: House, trace_id: str) -> None:
    """With what went wrong."""
    failed = span(trace_id, 1, SEMANTIC, status={"code": 2, "message": "Rate limited."})
    [row] = send(house, trace_id, failed)

    assert (500, "Rate limited.") == (row["response_status"], row["response_body"]["error"]["message"])


def test_older_events_hold_messages_too(house: House, trace_id: str) -> None:
    """OpenTelemetry's events, one a message."""
    events = [
        {"name": "gen_ai.user.message", "attributes": [{"key": "content", "value": {"stringValue": "Where to?"}}]},
        {
            "name": "gen_ai.choice",
            "attributes": [{"key": "message", "value": {"stringValue": '{"content": "Lisbon."}'}}],
        },
    ]
    bare = {"gen_ai.system": "anthropic", "gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-3-5-haiku"}
    [row] = send(house, trace_id, span(trace_id, 1, bare, events=events))

    assert "ANTHROPIC" == row["provider"]
    assert "Where to?" == row["request_body"]["messages"][0]["content"]
    assert "Lisbon." == row["response_body"]["choices"][0]["message"]["content"]


def test_retrieval_and_embeddings(house: House, trace_id: str) -> None:
    """OpenInference's other kinds."""
    found = {
        "openinference.span.kind": "RETRIEVER", "input.value": "spring",
        "retrieval.documents.0.document.content": "Lisbon is warm.", "retrieval.documents.0.document.score": 0.9,
    }  # fmt: skip
    embedded = {
        "openinference.span.kind": "EMBEDDING", "embedding.model_name": "text-embedding-3-small", "llm.provider": "openai",
        "embedding.embeddings.0.embedding.text": "spring", "llm.token_count.prompt": 3,
    }  # fmt: skip
    rows = send(house, trace_id, span(trace_id, 1, found, name="search"), span(trace_id, 2, embedded, name="embed"))

    assert ["vector_db:search", "text-embedding-3-small"] == [row["model"] for row in rows]
    assert [{"content": "Lisbon is warm.", "score": 0.9}] == rows[0]["response_body"]["documents"]
    assert (["spring"], 3) == (rows[1]["request_body"]["input"], rows[1]["prompt_tokens"])


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"{", "application/json"),
        (b'{"resourceSpans": 1}', "application/json"),
        (b"\xff\xff\xff", "application/x-protobuf"),
    ],
)
def test_what_is_no_export_is_refused(house: House, content: bytes, media_type: str) -> None:
    """With 400 and why."""
    answer = house.http.post("/v1/traces", content=content, headers={"content-type": media_type})

    assert (400, True) == (answer.status_code, answer.json()["error"] > "")

"""Clients that log without the gateway do what their documents show, unmodified but for the host."""

import asyncio
import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import Running

HELPERS = Path(__file__).parent / "helpers"
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where to?"}]}
ANSWERED = {
    "id": "r1",
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Lisbon."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}

EVENTS: dict[str, dict[str, Any]] = {
    "tool": {"_type": "tool", "toolName": "weather", "input": {"city": "Lisbon"}},
    "vector_db": {"_type": "vector_db", "operation": "search", "text": "spring", "topK": 3},
    "data": {"_type": "data", "name": "orders", "meta": {"table": "orders"}},
}


def steps(server: Running, http: httpx2.Client, session_id: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a session by their property Step."""
    query = {
        "filter": {"request_response_rmt": {"properties": {"Helicone-Session-Id": {"equals": session_id}}}},
        "limit": 100,
    }
    found = http.post(
        f"{server.url}/v1/request/query-clickhouse", json=query, headers={"authorization": f"Bearer {server.key}"}
    ).json()["data"]
    return {row["properties"]["step"]: row for row in found}


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js: install nodejs")
@pytest.mark.skipif(
    not (HELPERS / "node_modules").is_dir(), reason=f"needs npm packages: run npm install in {HELPERS.name}/"
)
def test_the_javascript_helpers(server: Running, http: httpx2.Client) -> None:
    """All that the package has: calls, streams in every form, an error, a stream that was left, and the three events."""
    session_id = str(uuid.uuid4())
    environ = {**os.environ, "HOST": server.url, "KEY": server.key, "SESSION": session_id}
    done = subprocess.run(
        ["node", "agent.js"], cwd=HELPERS, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    rows = steps(server, http, session_id)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    whole = ("request", "stream", "single", "builder", "recorded", "set", "passed", "sent")
    assert {*whole, "left", "error", "tool", "vector", "data"} == rows.keys()
    said = {step: rows[step]["response_body"]["choices"][0]["message"]["content"] for step in whole}
    assert dict.fromkeys(whole, "Lisbon.") == said
    assert {(session_id, "Helpers", "/js")} == {
        (row["properties"]["Helicone-Session-Id"], row["properties"]["Helicone-Session-Name"], row["path"])
        for row in rows.values()
    }
    assert -3 == rows["left"]["response_status"]
    assert (429, 2500, 700, 1100) == (
        rows["sent"]["response_status"], rows["sent"]["delay_ms"], rows["sent"]["time_to_first_token"],
        rows["sent"]["total_tokens"],
    )  # fmt: skip
    assert [("tool", "weather"), ("vector_db", None), ("data", None)] == [
        (rows[step]["response_body"]["_type"], rows[step]["request_body"].get("toolName"))
        for step in ("tool", "vector", "data")
    ]
    assert (0.0035, "OPENAI", 1000.0) == (
        rows["request"]["cost"],
        rows["request"]["provider"],
        rows["single"]["delay_ms"],
    )
    assert (500, "tool:weather", "vector_db:search", "data:orders") == (
        rows["error"]["response_status"], rows["tool"]["model"], rows["vector"]["model"], rows["data"]["model"],
    )  # fmt: skip


def test_the_python_helpers(server: Running, http: httpx2.Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that the package can tell: dicts, texts, chunks, an error, a stream that was left, and the three events."""
    helpers = pytest.importorskip("helicone_helpers", reason="needs the development packages: run scripts/setup dev")
    session_id = str(uuid.uuid4())
    labels = {"Helicone-Session-Id": session_id, "Helicone-Session-Name": "Helpers", "Helicone-Session-Path": "/py"}
    logger = helpers.HeliconeManualLogger(api_key=server.key, headers=labels, logging_endpoint=server.url)

    logger.log_request(
        request=ASKED,
        operation=lambda recorder: recorder.append_results(ANSWERED),
        additional_headers={"Helicone-Property-Step": "request"},
        provider="openai",
    )
    builder = logger.log_builder({**ASKED, "stream": True}, {"Helicone-Property-Step": "builder"})
    for text in ("Lis", "bon."):
        builder.add_chunk(
            {
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": {"content": text}}],
                "model": "gpt-4o",
            }
        )
    asyncio.run(builder.send_log())
    failing = logger.log_builder(ASKED, {"Helicone-Property-Step": "error"})
    failing.set_error(ValueError("gone"))
    asyncio.run(failing.send_log())
    left = logger.new_builder({**ASKED, "stream": True}, {"Helicone-Property-Step": "left"})
    left.add_chunk({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Lis"}}]})
    left.was_cancelled = True
    asyncio.run(left.send_log())
    for step, body in (("whole", ANSWERED), ("text", "Lisbon, of course.")):
        whole = logger.log_builder(ASKED, {"Helicone-Property-Step": step})
        whole.add_model("gpt-4o-mini")
        whole.add_response(body)
        asyncio.run(whole.send_log())
    said = {"content": [{"type": "text", "text": "Lisbon."}], "usage": {"input_tokens": 1000, "output_tokens": 100}}
    times = {"start_time": 1_700_000_000.0, "end_time": 1_700_000_002.5, "time_to_first_token_ms": 700}
    told = times | {"additional_headers": {"Helicone-Property-Step": "claude"}}
    logger.send_log("anthropic", {**ASKED, "model": "claude-3-5-haiku-latest"}, {**ANSWERED, **said}, told)
    for step, event in EVENTS.items():
        logger.log_request(
            request=event,
            operation=lambda recorder: recorder.append_results({"status": "success", "message": "Well."}),
            additional_headers={"Helicone-Property-Step": step},
        )
    rows = steps(server, http, session_id)

    assert "" == capsys.readouterr().out
    assert {"request", "builder", "error", "left", "whole", "text", "claude", *EVENTS} == rows.keys()
    assert {(session_id, "Helpers", "/py")} == {
        (row["properties"]["Helicone-Session-Id"], row["properties"]["Helicone-Session-Name"], row["path"])
        for row in rows.values()
    }
    assert (200, "Lis") == (  # it says 200 of whatever it tells
        rows["left"]["response_status"], rows["left"]["response_body"]["choices"][0]["message"]["content"],
    )  # fmt: skip
    assert [("gpt-4o-mini", 1100), ("gpt-4o-mini", None)] == [
        (rows[step]["model"], rows[step]["total_tokens"]) for step in ("whole", "text")
    ]
    assert "Lisbon, of course." in json.dumps(rows["text"]["response_body"])
    assert ("ANTHROPIC", 2500, 700, 1000, 100, True) == (
        rows["claude"]["provider"], rows["claude"]["delay_ms"], rows["claude"]["time_to_first_token"],
        rows["claude"]["prompt_tokens"], rows["claude"]["completion_tokens"], rows["claude"]["cost"] > 0,
    )  # fmt: skip
    assert all(rows["builder"][name] is not None for name in ("time_to_first_token", "delay_ms"))
    assert {"tool": "tool:weather", "vector_db": "vector_db:search", "data": "data:orders"} == {
        step: rows[step]["model"] for step in EVENTS
    }
    for step, event in EVENTS.items():
        assert (event, step) == (rows[step]["request_body"], rows[step]["response_body"]["_type"])
        assert (0, "success") == (rows[step]["cost"] or 0, rows[step]["response_body"]["status"])
    assert ["Lisbon."] * 2 == [
        rows[step]["response_body"]["choices"][0]["message"]["content"] for step in ("request", "builder")
    ]
    assert (0.0035, "OPENAI") == (rows["request"]["cost"], rows["request"]["provider"])
    assert "ValueError: gone" in json.dumps(rows["error"]["response_body"])


def test_opentelemetrys_exporter(server: Running, http: httpx2.Client) -> None:
    """The plain OTLP exporter with OpenLLMetry's attributes: parents and children, one session."""
    exporter_module = pytest.importorskip(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter", reason="needs the development packages"
    )
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="needs the development packages")
    processors = pytest.importorskip("opentelemetry.sdk.trace.export", reason="needs the development packages")
    exporter = exporter_module.OTLPSpanExporter(
        endpoint=f"{server.url}/v1/trace/log", headers={"Authorization": f"Bearer {server.key}"}
    )
    provider = sdk.TracerProvider()
    provider.add_span_processor(processors.BatchSpanProcessor(exporter))
    tracer, session_id = provider.get_tracer("journey"), str(uuid.uuid4())
    ours = {"traceloop.association.properties.Helicone-Session-Id": session_id}
    with tracer.start_as_current_span("trip") as workflow:
        workflow.set_attributes({**ours, "traceloop.span.kind": "workflow", "traceloop.entity.name": "trip"})
        workflow.set_attribute("traceloop.association.properties.Helicone-Property-Step", "workflow")
        with tracer.start_as_current_span("openai.chat") as span:
            span.set_attributes(
                {
                    **ours,
                    "traceloop.association.properties.Helicone-Property-Step": "chat",
                    "gen_ai.system": "OpenAI",
                    "gen_ai.request.model": "gpt-4o",
                    "llm.request.type": "chat",
                    "gen_ai.prompt.0.role": "user",
                    "gen_ai.prompt.0.content": "Where to?",
                    "gen_ai.completion.0.role": "assistant",
                    "gen_ai.completion.0.content": "Lisbon.",
                    "gen_ai.usage.prompt_tokens": 1000,
                    "gen_ai.usage.completion_tokens": 100,
                }
            )
    provider.shutdown()
    rows = steps(server, http, session_id)

    assert {"workflow": "/trip", "chat": "/trip/openai.chat"} == {step: row["path"] for step, row in rows.items()}
    assert rows["workflow"]["told"]["span"]["span_id"] == rows["chat"]["told"]["span"]["parent_id"]
    assert (0.0035, "Lisbon.") == (
        rows["chat"]["cost"], rows["chat"]["response_body"]["choices"][0]["message"]["content"],
    )  # fmt: skip


def test_the_documented_export_loop(server: Running, http: httpx2.Client) -> None:
    """Pages until an empty one, every body by its signed address without a key; scored calls are not lost."""
    headers = {"authorization": f"Bearer {server.key}"}
    for number in range(5):
        body = {
            "providerRequest": {"url": "x", "json": ASKED | {"seed": number}},
            "providerResponse": {"json": ANSWERED},
        }
        made = http.post(f"{server.url}/oai/v1/log", json=body, headers=headers)
    http.post(
        f"{server.url}/v1/request/{made.headers['helicone-id']}/score", json={"scores": {"good": 1}}, headers=headers
    ).raise_for_status()
    exported: list[int] = []
    offset = 0
    while True:
        query = {
            "filter": "all", "isCached": False, "includeInputs": False, "isScored": False, "isPartOfExperiment": False,
            "sort": {"created_at": "desc"}, "limit": 2, "offset": offset,
        }  # fmt: skip
        page = http.post(f"{server.url}/v1/request/query-clickhouse", json=query, headers=headers).json()["data"]
        if not page:
            break
        exported += [http.get(row["signed_body_url"]).json()["request"]["seed"] for row in page]
        offset += 2

    assert [4, 3, 2, 1, 0] == exported

"""Voicing: what a span says of a model's call or of another step, as a request and a response in JSON.

Conventions: OpenTelemetry's GenAI (opentelemetry.io/docs/specs/semconv/gen-ai, messages as JSON and as events), OpenLLMetry's
(`gen_ai.prompt.N`, `traceloop.*`) and OpenInference's (`llm.input_messages.N`, `openinference.span.kind`), all as of 2026-11.
Models' calls become OpenAI chats, whoever was asked: it is the form that all of them can be told in.

Long, because the three ways to say one thing are best read beside each other.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from reenact.domain.call import Kind
from reenact.domain.message import Json
from reenact.ingest.otlp import Attributes, TracedSpan

_OPERATIONS = {
    "chat": Kind.MODEL, "text_completion": Kind.MODEL, "generate_content": Kind.MODEL, "embeddings": Kind.MODEL,
    "execute_tool": Kind.TOOL, "retrieval": Kind.VECTOR, "invoke_agent": Kind.DATA, "create_agent": Kind.DATA,
    "invoke_workflow": Kind.DATA,
}  # fmt: skip
_OPENINFERENCE = {
    "LLM": Kind.MODEL, "EMBEDDING": Kind.MODEL, "TOOL": Kind.TOOL, "RETRIEVER": Kind.VECTOR, "RERANKER": Kind.VECTOR,
    "CHAIN": Kind.DATA, "AGENT": Kind.DATA, "GUARDRAIL": Kind.DATA, "EVALUATOR": Kind.DATA, "PROMPT": Kind.DATA,
}  # fmt: skip
_TRACELOOP = {"tool": Kind.TOOL, "workflow": Kind.DATA, "task": Kind.DATA, "agent": Kind.DATA}
_VECTOR_STORES = frozenset(
    {"chroma", "chromadb", "lancedb", "marqo", "milvus", "pgvector", "pinecone", "qdrant", "weaviate"}
)
_PARAMETERS = {
    "gen_ai.request.temperature": "temperature",
    "gen_ai.request.top_p": "top_p",
    "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.frequency_penalty": "frequency_penalty",
    "gen_ai.request.presence_penalty": "presence_penalty",
    "gen_ai.request.seed": "seed",
    "gen_ai.request.stop_sequences": "stop",
    "gen_ai.request.choice.count": "n",
}
_USAGE: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("prompt_tokens",), ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")),
    (
        ("completion_tokens",),
        ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    ),
    (("total_tokens",), ("llm.usage.total_tokens", "llm.token_count.total", "gen_ai.usage.total_tokens")),
    (
        ("prompt_tokens_details", "cached_tokens"),
        (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
        ),
    ),
    (
        ("prompt_tokens_details", "cache_write_tokens"),
        (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "llm.token_count.prompt_details.cache_write",
        ),
    ),
    (("prompt_tokens_details", "audio_tokens"), ("llm.token_count.prompt_details.audio",)),
    (("completion_tokens_details", "audio_tokens"), ("llm.token_count.completion_details.audio",)),
    (
        ("completion_tokens_details", "reasoning_tokens"),
        (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "llm.token_count.completion_details.reasoning",
        ),
    ),
)
_MODEL = ("gen_ai.request.model", "llm.model_name", "embedding.model_name", "gen_ai.response.model")


class Voiced(msgspec.Struct, frozen=True):
    """What a span says."""

    asked: Json
    answered: Json


def kind_of(span: TracedSpan) -> Kind | None:
    """Return what sort of event *span* is; None for one that is about something else than a model's work."""
    said = span.attributes
    found = (
        _OPENINFERENCE.get(str(said.get("openinference.span.kind")).upper())
        or _OPERATIONS.get(str(said.get("gen_ai.operation.name")))
        or _TRACELOOP.get(str(said.get("traceloop.span.kind")))
    )
    if found is not None:
        return found
    if "llm.request.type" in said or any(name in said for name in _MODEL):
        return Kind.MODEL
    return Kind.VECTOR if str(said.get("db.system")).lower() in _VECTOR_STORES else None


def voice(span: TracedSpan, kind: Kind) -> Voiced:
    """Return the request and the response of a span of *kind*."""
    if kind is not Kind.MODEL:
        return _step(span, kind)
    said = span.attributes
    is_embedding = (
        str(said.get("openinference.span.kind")).upper() == "EMBEDDING"
        or said.get("gen_ai.operation.name") == "embeddings"
        or said.get("llm.request.type") == "embedding"
    )
    return _embedding(span) if is_embedding else _chat(span)


def _chat(span: TracedSpan) -> Voiced:
    said = span.attributes
    asked: dict[str, Json] = {"model": _first(said, _MODEL)}
    asked |= {name: said[key] for key, name in _PARAMETERS.items() if said.get(key) is not None}
    asked |= _invocation(said)
    asked["messages"] = [*_system(said), *_messages(span, _INPUTS)]
    if tools := _tools(said):
        asked["tools"] = tools
    answered = {"object": "chat.completion", "model": _first(said, ("gen_ai.response.model", *_MODEL))}
    if (response_id := said.get("gen_ai.response.id")) is not None:
        answered["id"] = response_id
    reasons = said.get("gen_ai.response.finish_reasons")
    answered["choices"] = [_choice(index, message, reasons) for index, message in enumerate(_messages(span, _OUTPUTS))]
    return Voiced(asked, _finished(span, answered))


def _embedding(span: TracedSpan) -> Voiced:
    said = span.attributes
    texts = [row.get("embedding.text") for row in rows(said, "embedding.embeddings")]
    texts = texts or [row.get("content") for row in rows(said, "gen_ai.prompt")]
    asked = {"model": _first(said, _MODEL), "input": [text for text in texts if text] or said.get("input.value") or ""}
    return Voiced(asked, _finished(span, {"object": "list", "data": [], "model": _first(said, _MODEL)}))


def _step(span: TracedSpan, kind: Kind) -> Voiced:
    """Return the event that a tool, a look-up or another step is (surface 4.3)."""
    said = span.attributes
    name = _first(said, ("gen_ai.tool.name", "tool.name", "traceloop.entity.name", "gen_ai.agent.name")) or span.name
    given = _parsed(
        _first(said, ("gen_ai.tool.call.arguments", "traceloop.entity.input", "input.value", "tool.parameters"))
    )
    gave = _parsed(_first(said, ("gen_ai.tool.call.result", "traceloop.entity.output", "output.value")))
    if kind is Kind.TOOL:
        event: dict[str, Json] = {"_type": "tool", "toolName": name}
        return Voiced({**event, "input": given}, _failed(span) or {**event, "output": gave})
    if kind is Kind.DATA:
        event = {"_type": "data", "name": name}
        return Voiced({**event, "input": given}, _failed(span) or {**event, "output": gave})
    documents = [
        {key.removeprefix("document."): value for key, value in row.items()}
        for row in rows(said, "retrieval.documents")
    ]
    asked = {"_type": "vector_db", "operation": said.get("db.operation") or "search", "text": given}
    asked["databaseName"] = said.get("db.system") or name
    return Voiced(asked, _failed(span) or {"_type": "vector_db", "status": "success", "documents": documents or gave})


def _finished(span: TracedSpan, answered: dict[str, Json]) -> Json:
    """Return the answer with its usage, or the error that the span ended with."""
    usage: dict[str, Json] = {}
    for (*outer, name), keys in _USAGE:
        if isinstance(count := _first(span.attributes, keys), int):
            place = usage
            for step in outer:
                place = place.setdefault(step, {})
            place[name] = count
    return (_failed(span) or answered) | ({"usage": usage} if usage else {})


def _failed(span: TracedSpan) -> dict[str, Json] | None:
    if not span.failed:
        return None
    raised = [attributes for name, attributes in span.events if name == "exception"]
    told = raised[-1].get("exception.message") if raised else None
    kind = raised[-1].get("exception.type") if raised else span.attributes.get("error.type")
    return {"error": {"message": str(span.message or told or "The span failed."), "type": kind}}


def rows(said: Attributes, prefix: str) -> list[dict[str, Json]]:
    """Return the attributes `<prefix>.<N>.<rest>` as one mapping of rests for each N, in the order of N."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d{1,6})\.(.+)", re.DOTALL)
    found: dict[int, dict[str, Json]] = {}
    for key, value in said.items():
        if parts := pattern.fullmatch(key):
            found.setdefault(int(parts[1]), {})[parts[2]] = value
    return [found[number] for number in sorted(found)]


def _messages(span: TracedSpan, ways: Iterable[Callable[[TracedSpan], list[dict[str, Json]]]]) -> list[dict[str, Json]]:
    """Return the messages by the first convention that has any."""
    return next((found for way in ways if (found := way(span))), [])


def _numbered(prefix: str) -> Callable[[TracedSpan], list[dict[str, Json]]]:
    """OpenLLMetry's: `gen_ai.prompt.0.role`."""

    def read(span: TracedSpan) -> list[dict[str, Json]]:
        return [
            _message(
                row.get("role"),
                _content(row.get("content")),
                [(call.get("id"), call.get("name"), call.get("arguments")) for call in rows(row, "tool_calls")],
                row.get("tool_call_id"),
                row.get("finish_reason"),
            )
            for row in rows(span.attributes, prefix)
        ]

    return read


def _openinference(prefix: str) -> Callable[[TracedSpan], list[dict[str, Json]]]:
    """OpenInference's: `llm.input_messages.0.message.role`."""

    def read(span: TracedSpan) -> list[dict[str, Json]]:
        return [
            _message(
                row.get("message.role"),
                row.get("message.content") or _inference_parts(row),
                [
                    (
                        call.get("tool_call.id"),
                        call.get("tool_call.function.name"),
                        call.get("tool_call.function.arguments"),
                    )
                    for call in rows(row, "message.tool_calls")
                ],
                row.get("message.tool_call_id"),
                None,
            )
            for row in rows(span.attributes, prefix)
        ]

    return read


def _inference_parts(row: dict[str, Json]) -> Json:
    parts: list[Json] = []
    for part in rows(row, "message.contents"):
        if (url := part.get("message_content.image.image.url")) is not None:
            parts.append({"type": "image_url", "image_url": {"url": url}})
        elif (text := part.get("message_content.text")) is not None:
            parts.append({"type": "text", "text": text})
    return parts or None


def _semantic(key: str) -> Callable[[TracedSpan], list[dict[str, Json]]]:
    """OpenTelemetry's: messages with parts, as JSON in an attribute of the span or of an event."""

    def read(span: TracedSpan) -> list[dict[str, Json]]:
        held = [span.attributes.get(key), *(attributes.get(key) for _, attributes in span.events)]
        raw = next((found for one in held if isinstance(found := _parsed(one), list)), [])
        return [message for one in raw if isinstance(one, dict) for message in _with_parts(one)]

    return read


def _with_parts(raw: dict[str, Json]) -> list[dict[str, Json]]:
    """Return one message of OpenTelemetry's as chat messages: each tool's result is one of its own."""
    if not isinstance(parts := raw.get("parts"), list):
        return [_message(raw.get("role"), _content(raw.get("content")), [], None, raw.get("finish_reason"))]
    known = [part for part in parts if isinstance(part, dict)]
    results = [part for part in known if part.get("type") == "tool_call_response"]
    texts = [str(part.get("content")) for part in known if part.get("type") == "text"]
    calls = [
        (part.get("id"), part.get("name"), part.get("arguments")) for part in known if part.get("type") == "tool_call"
    ]
    told = [
        _message("tool", _as_text(part.get("response", part.get("result"))), [], part.get("id"), None)
        for part in results
    ]
    if texts or calls or not results:
        told.insert(0, _message(raw.get("role"), "\n".join(texts) or None, calls, None, raw.get("finish_reason")))
    return told


def _events(names: tuple[str, ...]) -> Callable[[TracedSpan], list[dict[str, Json]]]:
    """OpenTelemetry's older form: one event a message, `gen_ai.user.message` and `gen_ai.choice`."""

    def read(span: TracedSpan) -> list[dict[str, Json]]:
        found: list[dict[str, Json]] = []
        for name, said in span.events:
            if name not in names:
                continue
            held = _parsed(said.get("message")) if "message" in said else None
            inside = held if isinstance(held, dict) else said
            role = "assistant" if name == "gen_ai.choice" else name.split(".")[1]
            calls = [
                (call.get("id"), function.get("name"), function.get("arguments"))
                for call in _parsed(inside.get("tool_calls")) or []
                if isinstance(call, dict) and isinstance(function := call.get("function"), dict)
            ]
            content = _content(inside.get("content"))
            found.append(
                _message(inside.get("role") or role, content, calls, said.get("id"), said.get("finish_reason"))
            )
        return found

    return read


def _values(key: str, role: str) -> Callable[[TracedSpan], list[dict[str, Json]]]:
    """Return the whole input or output as one message, where a span tells no more."""

    def read(span: TracedSpan) -> list[dict[str, Json]]:
        value = span.attributes.get(key)
        return [] if value is None else [_message(role, _as_text(value), [], None, None)]

    return read


_INPUTS = (
    _numbered("gen_ai.prompt"), _openinference("llm.input_messages"), _semantic("gen_ai.input.messages"),
    _semantic("gen_ai.prompt"),
    _events(("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message")),
    _values("traceloop.entity.input", "user"), _values("input.value", "user"),
)  # fmt: skip
_OUTPUTS = (
    _numbered("gen_ai.completion"), _openinference("llm.output_messages"), _semantic("gen_ai.output.messages"),
    _semantic("gen_ai.completion"), _events(("gen_ai.choice",)),
    _values("traceloop.entity.output", "assistant"), _values("output.value", "assistant"),
)  # fmt: skip


def _message(
    role: Json, content: Json, calls: list[tuple[Json, Json, Json]], tool_call_id: Json, reason: Json
) -> dict[str, Json]:
    """Return a chat message; `finish_reason` is taken off again by `_choice`."""
    message: dict[str, Json] = {"role": str(role or ("assistant" if calls else "user")), "content": content}
    if calls:
        message["tool_calls"] = [
            {
                "id": str(identity or ""),
                "type": "function",
                "function": {"name": str(name or ""), "arguments": _as_text(arguments) or "{}"},
            }
            for identity, name, arguments in calls
        ]
    if tool_call_id is not None:
        message["tool_call_id"] = str(tool_call_id)
    if reason is not None:
        message["finish_reason"] = str(reason)
    return message


def _choice(index: int, message: dict[str, Json], reasons: Json) -> dict[str, Json]:
    told = message.pop("finish_reason", None)
    listed = reasons[index] if isinstance(reasons, list) and index < len(reasons) else None
    message["role"] = "assistant"
    return {"index": index, "message": message, "finish_reason": told or listed}


def _system(said: Attributes) -> list[dict[str, Json]]:
    """Return the instructions that newer spans keep apart from the messages."""
    parts = _parsed(said.get("gen_ai.system_instructions"))
    if isinstance(parts, str):
        return [{"role": "system", "content": parts}]
    texts = [str(part.get("content")) for part in parts or [] if isinstance(part, dict) and part.get("content")]
    return [{"role": "system", "content": "\n".join(texts)}] if texts else []


def _tools(said: Attributes) -> list[Json]:
    """Return the tools that the model was offered, in chat's form."""
    told = [row for row in rows(said, "llm.request.functions") if row.get("name")]
    tools: list[Json] = [
        {
            "type": "function",
            "function": {
                "name": row["name"],
                "description": row.get("description") or "",
                "parameters": _parsed(row.get("parameters")) or {},
            },
        }
        for row in told
    ]
    tools += [_tool(_parsed(row.get("tool.json_schema"))) for row in rows(said, "llm.tools")]
    defined = _parsed(said.get("gen_ai.tool.definitions"))
    tools += [_tool(one) for one in defined] if isinstance(defined, list) else []
    return [tool for tool in tools if tool is not None]


def _tool(raw: Json) -> Json:
    if not isinstance(raw, dict):
        return None
    if isinstance(raw.get("function"), dict):
        return raw
    return {"type": "function", "function": {key: value for key, value in raw.items() if key != "type"}}


def _invocation(said: Attributes) -> dict[str, Json]:
    """Return OpenInference's parameters, which are the request's own fields as JSON."""
    raw = _parsed(said.get("llm.invocation_parameters"))
    return {key: value for key, value in raw.items() if key != "messages"} if isinstance(raw, dict) else {}


def _content(raw: Json) -> Json:
    """Return a message's content: text, or the parts that some exporters write as JSON text."""
    if isinstance(raw, str) and raw.startswith("["):
        parsed = _parsed(raw)
        if isinstance(parsed, list) and parsed and all(isinstance(one, dict) and "type" in one for one in parsed):
            return parsed
    return raw


def _parsed(raw: Json) -> Json:
    """Return what JSON text says; anything else as it is."""
    if not isinstance(raw, str):
        return raw
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return raw


def _as_text(raw: Json) -> str | None:
    return raw if isinstance(raw, str) or raw is None else msgspec.json.encode(raw).decode()


def _first(said: Attributes, names: Iterable[str]) -> Json:
    return next((said[name] for name in names if said.get(name) is not None), None)

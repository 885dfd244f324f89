"""Telling: what the response of a told call says. Streams are told in several ways; each is brought back to its events.

Forms (surface 3.10; the helpers' own sources, 2026-11): `streamed_data` with the raw chunks, server-sent events as text,
JSON documents one a line or one right after the other, and in front of any of them the text of an error.
"""

import json

import msgspec

from reenact.dialects.framing import read_events
from reenact.dialects.openai_answer import read_usage
from reenact.dialects.wire import inner, text, whole
from reenact.domain.message import Json, Usage

_MOST_EVENTS = 100_000
_MOST_TRIES = 1000
"""Of places that look like the beginning of a document and are none."""
_decoder = json.JSONDecoder()
_CHUNK_TYPES = ("message_", "content_block_", "response.")


class ToldAnswer(msgspec.Struct, frozen=True):
    """A response as it was told."""

    json: Json = None
    """The whole answer; None for a stream and for text."""
    events: tuple[Json, ...] = ()
    """Of a stream."""
    text: str | None = None
    """What is no JSON: an answer in plain text, or the error that stands before it."""


def read_told(body: bytes, *, asked_stream: bool) -> ToldAnswer:
    """Return what *body* says; *asked_stream* tells whether the request asked for a stream."""
    raw = body.decode("utf-8", "replace")
    documents, rest = _documents(raw)
    if len(documents) == 1 and not rest:
        return _whole(documents[0], asked_stream=asked_stream)
    if raw.lstrip().startswith(("data:", "event:")) and (events := read_events(body)):
        return ToldAnswer(events=tuple(events))
    if not documents:
        return ToldAnswer(text=raw.strip() or None)
    if len(documents) == 1 and not _is_chunk(documents[0]):
        return ToldAnswer(json=documents[0], text=rest)
    return ToldAnswer(events=tuple(documents), text=rest or None)


def read_told_usage(answer: Json) -> Usage:
    """Return the tokens that an answer of no known format tells in one of the usual ways (surface 3.10)."""
    usage = read_usage(inner(answer, "usage"))
    if usage.total_tokens is not None:
        return usage
    google = inner(answer, "usageMetadata")
    input_tokens, llama_input = whole(google, "promptTokenCount"), whole(answer, "prompt_token_count")
    output_tokens, llama_output = whole(google, "candidatesTokenCount"), whole(answer, "generation_token_count")
    return Usage(
        input_tokens=llama_input if input_tokens is None else input_tokens,
        output_tokens=llama_output if output_tokens is None else output_tokens,
    )


def _whole(document: Json, *, asked_stream: bool) -> ToldAnswer:
    """Return what one JSON document says, which may hold the chunks of a stream or be its only chunk."""
    streamed = document.get("streamed_data") if isinstance(document, dict) else None
    if isinstance(streamed, list):
        return ToldAnswer(events=tuple(_chunk(one) for one in streamed[:_MOST_EVENTS]))
    if isinstance(document, list) and asked_stream:
        return ToldAnswer(events=tuple(document))
    return ToldAnswer(events=(document,)) if _is_chunk(document) else ToldAnswer(json=document)


def _chunk(raw: Json) -> Json:
    """Return one element of `streamed_data`: JSON, or the text of an event."""
    if not isinstance(raw, str):
        return raw
    try:
        return msgspec.json.decode(raw.strip().removeprefix("data:"))
    except msgspec.DecodeError:
        return None


def _is_chunk(document: Json) -> bool:
    return text(document, "object").endswith(".chunk") or text(document, "type").startswith(_CHUNK_TYPES)


def _documents(raw: str) -> tuple[list[Json], str]:
    """Return the JSON objects and arrays of *raw* in order, and the text between them."""
    found: list[Json] = []
    between: list[str] = []
    at, from_here, failed = 0, 0, 0
    while len(found) < _MOST_EVENTS and failed < _MOST_TRIES and (start := _next_start(raw, at)) is not None:
        try:
            document, end = _decoder.raw_decode(raw, start)
        except (ValueError, RecursionError):
            at, failed = _line_end(raw, start), failed + 1
            continue
        between.append(raw[from_here:start].strip())
        found.append(document)
        at = from_here = end
    between.append(raw[from_here:].strip())
    return found, "\n".join(piece for piece in between if piece)


def _next_start(raw: str, at: int) -> int | None:
    """Return where the next bracket stands that begins a line or follows a document."""
    while at < len(raw):
        stripped = at + len(raw[at : at + 64]) - len(raw[at : at + 64].lstrip())
        if stripped < len(raw) and raw[stripped] in "{[":
            return stripped
        at = _line_end(raw, at)
    return None


def _line_end(raw: str, at: int) -> int:
    found = raw.find("\n", at)
    return len(raw) if found < 0 else found + 1

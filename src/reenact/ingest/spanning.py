"""Spanning: spans of a trace as Exchanges, their place in the tree kept and told as a session's path."""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from reenact.domain.call import Kind
from reenact.domain.exchange import Ending, Exchange, Header, Span, Told
from reenact.domain.labels import Labels
from reenact.domain.message import Json
from reenact.ingest.otlp import TracedSpan
from reenact.ingest.retelling import NO_PATH, address, believed
from reenact.ingest.voicing import kind_of, voice

_ASSOCIATED = "traceloop.association.properties."
_SESSIONS = ("session.id", "gen_ai.conversation.id", _ASSOCIATED + "session_id")
_USERS = ("user.id", "enduser.id", _ASSOCIATED + "user_id")
_LABELLED = frozenset({"session_id", "user_id"})
_MOST_LEVELS = 64
_MOST_NAME = 200
_PROVIDERS = (
    ("azure", "azure"), ("az.ai", "azure"), ("bedrock", "aws"), ("aws", "aws"), ("vertex", "vertex"), ("gemini", "google"),
    ("google", "google"), ("gcp", "google"), ("mistral", "mistral"), ("openai", "openai"), ("anthropic", "anthropic"),
    ("cohere", "cohere"), ("deepseek", "deepseek"), ("groq", "groq"), ("perplexity", "perplexity"), ("xai", "x"),
    ("x_ai", "x"), ("together", "together"), ("fireworks", "fireworks"), ("openrouter", "openrouter"),
    ("cerebras", "cerebras"), ("nvidia", "nvidia"),
)  # fmt: skip
"""What a system's name contains, and our name of it."""
_JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """How an export came in."""

    organisation_id: str
    headers: Sequence[Header]
    """Of the HTTP request, names in lower case: labels for all of its spans."""
    now_us: int
    origin: str
    """Of this server."""


def retell_spans(
    spans: Sequence[TracedSpan], export: Export, read_labels: Callable[[Iterable[Header]], Labels]
) -> list[Exchange]:
    """Return the spans that are about models' work as exchanges, in the order they began.

    The id follows from organisation, trace and span: an export that is sent again changes nothing.
    """
    tree = {span.span_id: span for span in spans if span.span_id}
    told = [(span, kind) for span in spans if (kind := kind_of(span)) is not None]
    told.sort(key=lambda pair: pair[0].started_us)
    return [_exchange(span, kind, _ancestors(span, tree), export, read_labels) for span, kind in told]


def _exchange(
    span: TracedSpan,
    kind: Kind,
    ancestors: list[TracedSpan],
    export: Export,
    read_labels: Callable[[Iterable[Header]], Labels],
) -> Exchange:
    voiced = voice(span, kind)
    provider = _provider(span) if kind is Kind.MODEL else "custom"
    answered = msgspec.json.encode(voiced.answered)
    started_us, duration_us = believed(span.started_us, span.ended_us - span.started_us, export.now_us)
    url = address(provider, voiced.asked, answered, export.origin)
    return Exchange(
        id=_id(export.organisation_id, span),
        organisation_id=export.organisation_id,
        started_us=started_us,
        duration_us=duration_us,
        first_byte_us=None,
        method="POST",
        url=url or NO_PATH,
        target_url=_target(span),
        provider=provider,
        labels=_labels(span, ancestors, read_labels([*_headers(span), *export.headers])),
        request_headers=_JSON,
        request_body=msgspec.json.encode(voiced.asked),
        status=500 if span.failed else 200,
        response_headers=_JSON,
        response_body=answered,
        chunks=(),
        ending=Ending.ANSWERED,
        told=Told(span=Span(trace_id=span.trace_id, span_id=span.span_id, parent_id=span.parent_id, name=span.name)),
    )


def _id(organisation_id: str, span: TracedSpan) -> str:
    """Return a UUID of version 8 (RFC 9562: made by the application)."""
    place = "\0".join((organisation_id, span.trace_id, span.span_id, str(span.started_us)))
    digits = bytearray(hashlib.sha256(place.encode(errors="replace")).digest()[:16])
    digits[6] = digits[6] & 0x0F | 0x80
    digits[8] = digits[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digits)))


def _ancestors(span: TracedSpan, tree: Mapping[str, TracedSpan]) -> list[TracedSpan]:
    """Return the spans around *span* as far as the export has them, the outermost first."""
    found: list[TracedSpan] = []
    seen = {span.span_id}
    parent = tree.get(span.parent_id or "")
    while parent is not None and parent.span_id not in seen and len(found) < _MOST_LEVELS:
        found.append(parent)
        seen.add(parent.span_id)
        parent = tree.get(parent.parent_id or "")
    return found[::-1]


def _labels(span: TracedSpan, ancestors: list[TracedSpan], told: Labels) -> Labels:
    """Return the labels that headers *told*, filled up from the span and the tree."""
    said = span.attributes
    # What all spans of a trace say, whichever export they come in: another name would make another session of them.
    name = _text(said, ("traceloop.workflow.name",)) or _service(span)
    return msgspec.structs.replace(
        told,
        session_id=told.session_id or _text(said, _SESSIONS) or span.trace_id or None,
        session_name=told.session_name or name,
        session_path=told.session_path or _path(span, ancestors),
        user_id=told.user_id or _text(said, _USERS),
        properties=_properties(span) | told.properties,
    )


def _path(span: TracedSpan, ancestors: list[TracedSpan]) -> str:
    """Return where in the tree the span stands: the names from the outermost span that is known to its own."""
    names = [one.name for one in ancestors]
    if not ancestors:
        workflow, entity = (_text(span.attributes, (f"traceloop.{name}",)) for name in ("workflow.name", "entity.path"))
        names = [part for part in (workflow, *(entity or "").split(".")) if part]
    return "/" + "/".join(name.replace("/", "-")[:_MOST_NAME] for name in (*names, span.name) if name)


def _headers(span: TracedSpan) -> list[Header]:
    """Return the Helicone headers among a span's associated properties (surface 3.10)."""
    named = ((key.removeprefix(_ASSOCIATED), value) for key, value in span.attributes.items() if _is_associated(key))
    return [
        (name.lower().encode(errors="replace"), str(value).encode(errors="replace"))
        for name, value in named
        if name.lower().startswith(("helicone-", "reenact-")) and "auth" not in name.lower()
    ]


def _properties(span: TracedSpan) -> dict[str, str]:
    """Return the other associated properties, and the service's name."""
    found = {
        key.removeprefix(_ASSOCIATED): str(value)
        for key, value in span.attributes.items()
        if _is_associated(key) and isinstance(value, str | int | float)
    }
    kept = {
        name: value
        for name, value in found.items()
        if name not in _LABELLED and not name.lower().startswith(("helicone-", "reenact-"))
    }
    return kept | ({"service.name": service} if (service := _service(span)) else {})


def _is_associated(key: str) -> bool:
    return key.startswith(_ASSOCIATED)


def _service(span: TracedSpan) -> str | None:
    name = _text(span.resource, ("service.name",))
    return None if name is None or name.startswith("unknown_service") else name


def _provider(span: TracedSpan) -> str:
    named = _text(span.attributes, ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")) or ""
    low = named.lower()
    return next((ours for part, ours in _PROVIDERS if part in low), low if low.isalnum() else "custom")


def _target(span: TracedSpan) -> str:
    """Return where the span says that the request went."""
    host = _text(span.attributes, ("server.address", "gen_ai.openai.api_base", "url.full"))
    return NO_PATH if host is None else host if "://" in host else f"https://{host}"


def _text(said: Mapping[str, Json], names: Iterable[str]) -> str | None:
    return next((value for name in names if isinstance(value := said.get(name), str) and value), None)

"""Leave out of a request body what may drift from run to run: ids that a run makes for itself, times, what no model reads.

What was left out is kept beside it: a value that the record knows from elsewhere names something and has not drifted, so a
request that differs from a recorded one in such a value is another request (see `assigning`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from reenact.domain.digesting import canonical, digest
from reenact.domain.message import Json
from reenact.domain.playback import Matching
from reenact.errors import InvalidInput

_UNREAD = frozenset({"metadata", "prompt_cache_key", "safety_identifier", "user"})
"""Top-level fields that are for the provider's books: no model reads them (OpenAI and Anthropic API references, 2026-11)."""

_LINK_KEYS = frozenset({"call_id", "item_id", "previous_response_id", "tool_call_id", "tool_use_id"})
_IS_LINKED = re.compile(r"_(?:call|use)$|^(?:function|custom|message|reasoning)$")
"""Types of objects whose `id` the provider or the agent made up: tool calls, and items of the Responses API."""
_LINKED_PARENTS = frozenset({"functionCall", "functionResponse", "function_call", "function_response"})

_DRIFTING = re.compile(
    rb"(?:(?<![0-9A-Za-z])|(?<=\\[nrt]))(?:"
    rb"(?P<id>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
    rb"|(?:[A-Z][a-z]{2},? )?(?:\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2} [ \d]\d) (?:\d{4} )?\d\d:\d\d:\d\d"
    rb"(?: [A-Z]{3,4}| [+-]\d{4})?(?: \d{4})?"
    rb"|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    rb"|1[6-9]\d{8}(?:\d{9}|\d{6}|\d{3}|\.\d{1,9})?"
    rb")(?![0-9A-Za-z])"
)
"""UUIDs (RFC 9562); times of ISO 8601, RFC 5322 and C's asctime, times of day, seconds since 2020 and their fractions. Dates
alone are none: they are more often what is talked about than when."""

_LIST_FIELDS = frozenset({"messages", "input", "contents", "tools", "system"})
"""Where a body holds one thing after another; each is a piece of its own."""
_MOST_KEPT = 20_000


class Value(msgspec.Struct, frozen=True, array_like=True):
    """Something left out."""

    text: str
    is_id: bool
    """Whether it names something, so that where it stands twice it has to stand twice again."""


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """One part of a body."""

    digest: bytes
    """Of what is left."""
    values: tuple[Value, ...]
    body_bytes: int


class Normal(msgspec.Struct, frozen=True, kw_only=True):
    """A body as it is compared."""

    digest: bytes
    """Equal digests: the same but for what was left out."""
    values: tuple[str, ...]
    """What was left out, in order."""
    pieces: tuple[Piece, ...]


class Normaliser:
    """Reads bodies under one set of rules; pieces that come again, as histories do, are read once."""

    def __init__(self, rules: Matching) -> None:
        """Take the rules.

        Raises:
            InvalidInput: a pointer or a pattern that is none.
        """
        self._ignored = tuple(
            _steps(pointer, f"playback.matching.ignore[{n}]") for n, pointer in enumerate(rules.ignore)
        )
        self._volatile = tuple(
            _compiled(text, f"playback.matching.volatile[{n}]") for n, text in enumerate(rules.volatile)
        )
        self._known: dict[bytes, Piece] = {}

    def read(self, body: Json) -> Normal:
        """Return what *body* says."""
        for steps in self._ignored:
            body = without(body, steps)
        named = [(name, self._piece(value)) for name, value in _pieces(body)]
        order: dict[str, int] = {}
        pattern = [
            order.setdefault(value.text, len(order)) if value.is_id else -1
            for _, piece in named
            for value in piece.values
        ]
        parts = [name.encode() + b"\0" + piece.digest for name, piece in named]
        return Normal(
            digest=digest(b"\0".join(parts) + canonical(pattern)),
            values=tuple(value.text for _, piece in named for value in piece.values),
            pieces=tuple(piece for _, piece in named),
        )

    def says_the_same(self, one: Json, other: Json) -> bool:
        """Return whether two values differ in nothing but what drifts."""
        return self._piece(one).digest == self._piece(other).digest

    def _piece(self, value: Json) -> Piece:
        content = canonical(value)
        key = digest(content)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            known = self._known[key] = self._read_piece(value, content)
        return known

    def _read_piece(self, value: Json, content: bytes) -> Piece:
        values: list[Value] = []
        loosened = _loosened(value, "", values, self._volatile)
        left = canonical(loosened) if loosened is not value else content

        def leave_out(found: re.Match[bytes]) -> bytes:
            values.append(Value(found[0].decode().lower(), found["id"] is not None))
            return b"\1"

        left = _DRIFTING.sub(leave_out, left)
        return Piece(digest(left), tuple(values), len(content))


def without(value: Json, steps: Sequence[str]) -> Json:
    """Return *value* without what stands at *steps*; `*` is any one step. What is not there is no matter."""
    if not steps:
        return None
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        keys = list(value) if step == "*" else [step] if step in value else []
        changed = {key: without(value[key], rest) for key in keys if rest}
        return {key: changed.get(key, item) for key, item in value.items() if rest or key not in keys}
    if isinstance(value, list):
        at = range(len(value)) if step == "*" else [int(step)] if step.isdigit() and int(step) < len(value) else []
        return [without(item, rest) if number in at else item for number, item in enumerate(value)]
    return value


def _pieces(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield the parts of a body with where they stand, the same order whatever the order of its keys."""
    if not isinstance(body, dict):
        yield "", body
        return
    for key in sorted(body):
        value = body[key]
        if key in _UNREAD:
            continue
        if key in _LIST_FIELDS and isinstance(value, list):
            yield from ((key, item) for item in value)
        elif key in _LINK_KEYS:
            yield "", {key: value}  # what names it has to stand beside it
        else:
            yield key, value


def _loosened(value: Any, parent: str, values: list[Value], volatile: Sequence[re.Pattern[str]]) -> Any:
    """Return *value* without its link ids, which are added to *values*, and without volatile texts; itself when it has none."""
    if isinstance(value, dict):
        return _loosened_object(value, parent, values, volatile)
    if isinstance(value, list):
        items = [_loosened(item, "", values, volatile) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if isinstance(value, str) and volatile:
        text = value
        for pattern in volatile:
            text = pattern.sub("\2", text)
        return value if text == value else text
    return value


def _loosened_object(
    value: dict[str, Any], parent: str, values: list[Value], volatile: Sequence[re.Pattern[str]]
) -> dict[str, Any]:
    kind = value.get("type")
    has_id = parent in _LINKED_PARENTS or (isinstance(kind, str) and _IS_LINKED.search(kind) is not None)
    changed: dict[str, Any] = {}
    for key in sorted(value):
        item = value[key]
        if isinstance(item, str) and (key in _LINK_KEYS or (key == "id" and has_id)):
            values.append(Value(item, is_id=True))
            changed[key] = "\3"
        elif (new := _loosened(item, key, values, volatile)) is not item:
            changed[key] = new
    return {**value, **changed} if changed else value


def _steps(pointer: str, field: str) -> tuple[str, ...]:
    """Return the steps of a JSON Pointer (RFC 6901)."""
    if not pointer.startswith("/"):
        raise InvalidInput(f"{pointer!r} is no JSON Pointer: it begins with a slash, as in /messages/0/name.", field)
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


def _compiled(text: str, field: str) -> re.Pattern[str]:
    """Return a pattern.

    Raises:
        InvalidInput: it is none, or repeats something that repeats, which may take for ever.
    """
    if _NESTED.search(text):
        raise InvalidInput(f"The pattern {text!r} repeats a group that itself repeats, which may take for ever.", field)
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidInput(f"{text!r} is no regular expression: {error}.", field) from error


_NESTED = re.compile(r"[*+}][^()]*\)[*+{]")

"""Find JSON and Python literals inside texts, so that what stands in their strings can be replaced without breaking them."""

import ast
import json
import re
from collections.abc import Iterator, Mapping

import msgspec

from reenact.domain.message import Json
from reenact.replay.carrying.spelling import DOCUMENT_SPELLINGS, spell

Steps = tuple[str | int, ...]

_OPENING = re.compile(r"[\[{]")
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_DECODER = json.JSONDecoder()
_SHORTEST = 4
_MOST_TRIES = 200


class Document(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A JSON object or list, or a Python one, that stands in a text."""

    start: int
    stop: int
    value: Json
    spelling: str
    """How it is written: this spelling of the value is the very text."""


def documents_in(text: str) -> list[Document]:
    """Return the documents in *text*, outermost ones only, whose spelling is known, in their order."""
    found: list[Document] = []
    at = 0
    for _ in range(_MOST_TRIES):
        opening = _OPENING.search(text, at)
        if opening is None:
            break
        at = opening.start()
        document = _json_at(text, at) or _python_at(text, at)
        if document is not None:
            found.append(document)
        at = document.stop if document is not None else at + 1
    return found


def nodes_of(value: Json, steps: Steps = ()) -> Iterator[tuple[Steps, Json]]:
    """Yield every value in a document with the way to it, outer ones first."""
    yield steps, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from nodes_of(child, (*steps, key))


def replaced(value: Json, changes: Mapping[Steps, Json], names: Mapping[Steps, str], steps: Steps = ()) -> Json:
    """Return a document with other values at some places, and other names for some; of two with one name the later stands."""
    if steps in changes:
        return changes[steps]
    if isinstance(value, dict):
        ways = {key: (*steps, key) for key in value}
        return {names.get(way, key): replaced(value[key], changes, names, way) for key, way in ways.items()}
    if isinstance(value, list):
        return [replaced(child, changes, names, (*steps, number)) for number, child in enumerate(value)]
    return value


def _json_at(text: str, at: int) -> Document | None:
    try:
        value, stop = _DECODER.raw_decode(text, at)
    except ValueError:
        return None
    return _document(text, at, stop, value)


def _python_at(text: str, at: int) -> Document | None:
    stop = _end_of_literal(text, at)
    if stop is None:
        return None
    try:
        value = ast.literal_eval(text[at:stop])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return _document(text, at, stop, value)


def _document(text: str, start: int, stop: int, value: Json) -> Document | None:
    if stop - start < _SHORTEST or not isinstance(value, dict | list):
        return None
    written = text[start:stop]
    try:
        spelling = next((name for name in DOCUMENT_SPELLINGS if spell(name, value) == written), None)
    except TypeError:  # a Python literal may hold what JSON cannot: bytes, sets
        return None
    return Document(start=start, stop=stop, value=value, spelling=spelling) if spelling else None


def _end_of_literal(text: str, at: int) -> int | None:
    """Return where the bracket that opens at *at* is closed, strings skipped; None when it is not."""
    open_brackets: list[str] = []
    quote = ""
    place = at
    while place < len(text):
        sign = text[place]
        if quote:
            if sign == "\\":
                place += 1
            elif sign == quote:
                quote = ""
        elif sign in "'\"":
            quote = sign
        elif sign in _CLOSING:
            open_brackets.append(_CLOSING[sign])
        elif open_brackets and sign == open_brackets[-1]:
            open_brackets.pop()
            if not open_brackets:
                return place + 1
        elif sign in ")]}":
            return None
        place += 1
    return None

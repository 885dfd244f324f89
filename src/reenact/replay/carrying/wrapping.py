"""Texts that stand in a prompt line by line, each behind the same signs: quoted mails, comments, lists, indented blocks."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache

_SIGNS = re.compile(r"[ \t]*(?:[>|;%]+|#+(?=[ \t])|//+|[*•+-](?=[ \t]))?[ \t]*")
_NUMBER = re.compile(r"\d+")
_LONGEST = 12
_NAME = "behind "
_EDGES = ("trimmed", "kept", "every", "each")
"""Which lines are set: those of the trimmed text, of the text as it is, what stands between line ends, each line trimmed."""
_BLANKS = ("marked", "bare", "empty", "dropped")
"""What becomes of blank lines: the signs, the signs without their space, nothing on a line of its own, no line."""
PLAIN = ("plain", "trimmed")
"""The spellings of a text that is put behind a sign in one piece."""


def signs_before(text: str, start: int) -> str:
    """Return what stands on its line before *start*; empty when that is too long to be set before every line."""
    before = text[max(start - _LONGEST - 1, text.rfind("\n", 0, start) + 1, 0) : start]
    return before if len(before) <= _LONGEST else ""


def may_wrap(signs: str) -> bool:
    """Return whether programs set such signs before every line of a text: those of quotes, comments, lists, or space."""
    return bool(signs) and _SIGNS.fullmatch(signs) is not None


def is_wrapping(spelling: str) -> bool:
    """Return whether this is the name of a way to set a text line by line."""
    return spelling.startswith(_NAME)


@lru_cache(256)
def ways(signs: str) -> tuple[str, ...]:
    """Return the names of the ways to set a text behind *signs*, those in one piece last."""
    pairs = [(edges, blanks) for edges in _EDGES for blanks in _BLANKS if edges != "every" or blanks == "marked"]
    return (*(_NAME + json.dumps([signs, *pair]) for pair in pairs), *PLAIN)


def wrapped(name: str, value: str) -> str:
    """Return *value* set line by line; the signs before its first line are left out, they stand there already."""
    signs, edges, blanks = json.loads(name.removeprefix(_NAME))
    return "\n".join(_set(signs, _lines(value, edges), blanks)).removeprefix(signs)


def wrapped_at(text: str, start: int, value: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the text in which *value*, which has several lines, stands at *start* behind signs, and the ways that give it."""
    signs = signs_before(text, start)
    first = value.strip().splitlines()[0]
    if not signs or not text.startswith(f"{first.rstrip()}\n", start):
        return None
    found: dict[str, list[str]] = {}
    for name in ways(signs):
        there = wrapped(name, value) if is_wrapping(name) else ""
        if there and text.startswith(there, start) and text[start + len(there) :][:1] in ("", "\n", *'"<`'):
            found.setdefault(there, []).append(name)
    longest = max(found, key=len, default="")
    return (longest, tuple(found[longest])) if longest.count("\n") else None


def _lines(value: str, edges: str) -> list[str]:
    if edges == "every":
        return value.split("\n")
    lines = (value if edges == "kept" else value.strip()).splitlines()
    return [line.strip() for line in lines] if edges == "each" else lines


def _set(signs: str, lines: list[str], blanks: str) -> Iterator[str]:
    number = 0
    for line in lines:
        there = _NUMBER.sub(lambda found, by=number: str(int(found[0]) + by), signs)  # type: ignore[misc]
        if line.strip() or blanks == "marked":
            yield there + line
        elif blanks == "dropped":
            continue
        else:
            yield there.rstrip() if blanks == "bare" else ""
        number += 1

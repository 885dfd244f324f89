"""How programs write a value into a text: as it is, trimmed, escaped, as Python shows it, indented, as a list of lines."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from reenact.domain.message import Json
from reenact.replay.carrying.rewriting import as_simple, is_rewriting, rewritings, rewritten
from reenact.replay.carrying.wrapping import is_wrapping, wrapped

_SIMPLE = re.compile(r"(?!\s)[ !#-&(-\[\]-~]*(?<!\s)")
"""Texts that every spelling leaves as they are: ASCII, on one line, without quotes and backslashes, no space at their ends."""

_unicode = json.JSONEncoder(ensure_ascii=False).encode

_PLAIN_WORDS = re.compile(r"[A-Za-z0-9_.~ -]*")

SPELLINGS: dict[str, Callable[[Any], str | None]] = {
    "plain": lambda value: value if isinstance(value, str) else None,
    "trimmed": lambda value: value.strip() if isinstance(value, str) else None,
    "JSON": _unicode,
    "ASCII JSON": json.dumps,
    "Python": lambda value: repr(value) if value is not None else None,
    "escaped": lambda value: _unicode(value)[1:-1] if isinstance(value, str) else None,
    "escaped to ASCII": lambda value: json.dumps(value)[1:-1] if isinstance(value, str) else None,
    "Python, inside quotes": lambda value: repr(value)[1:-1] if isinstance(value, str) else None,
    "escaped twice": lambda value: json.dumps(json.dumps(value)[1:-1])[1:-1] if isinstance(value, str) else None,
    "number": lambda value: str(value) if isinstance(value, int | float) else None,
    "compact JSON": lambda value: _dumped(value, separators=(",", ":"), ensure_ascii=False),
    "compact ASCII JSON": lambda value: _dumped(value, separators=(",", ":")),
    "JSON indented by 2": lambda value: _dumped(value, indent=2, ensure_ascii=False),
    "ASCII JSON indented by 2": lambda value: _dumped(value, indent=2),
    "JSON indented by 4": lambda value: _dumped(value, indent=4, ensure_ascii=False),
    "ASCII JSON indented by 4": lambda value: _dumped(value, indent=4),
    "sorted JSON": lambda value: _dumped(value, sort_keys=True),
    "sorted JSON indented by 2": lambda value: _dumped(value, sort_keys=True, indent=2),
    "list with commas": lambda value: _joined(value, ", "),
    "list with semicolons": lambda value: _joined(value, "; "),
    "lines": lambda value: _joined(value, "\n"),
    "lines with dashes": lambda value: _joined(value, "\n", lambda number, item: f"- {item}"),
    "lines with stars": lambda value: _joined(value, "\n", lambda number, item: f"* {item}"),
    "numbered lines": lambda value: _joined(value, "\n", lambda number, item: f"{number}. {item}"),
    "in a heading, capital first": lambda value: _short(value, lambda text: text[:1].upper() + text[1:]),
    "in a heading, one capital": lambda value: _short(value, str.capitalize),
    "in a heading, title": lambda value: _short(value, str.title),
    "in a URL's path": lambda value: _short(value, lambda text: _quoted(text, "/")),
    "in a URL": lambda value: _short(value, lambda text: _quoted(text, "")),
    "in a URL, by JavaScript": lambda value: _short(value, lambda text: _quoted(text, "!'()*")),
    "in a form": lambda value: _short(value, quote_plus),
    "list with spaces": lambda value: _joined(value, " "),
    "paragraphs": lambda value: _joined(value, "\n\n"),
}
"""By name; None where a value cannot be written so. The first of several that give the same text is taken."""


DOCUMENT_SPELLINGS = (
    "JSON", "ASCII JSON", "Python", "compact JSON", "compact ASCII JSON", "JSON indented by 2", "ASCII JSON indented by 2",
    "JSON indented by 4", "ASCII JSON indented by 4",
)  # fmt: skip
"""Those that whole objects and lists are written in."""

ASCII_TWINS = {
    "JSON": "ASCII JSON",
    "compact JSON": "compact ASCII JSON",
    "JSON indented by 2": "ASCII JSON indented by 2",
    "JSON indented by 4": "ASCII JSON indented by 4",
    "escaped": "escaped to ASCII",
}
"""The spelling that gives the same text as long as there are only ASCII letters."""


_USUAL = ("plain", "trimmed", "escaped", "escaped to ASCII")
"""Those that leave simple texts as they are."""
_SHORT = 200
"""Letters of a value that is put into a heading or a link."""
_OF_SHORT = tuple(name for name in SPELLINGS if name.startswith("in a"))
"""Those that only short values are written in."""
_RARE = frozenset(
    name for name in SPELLINGS if name.startswith(("list", "lines", "numbered", "paragraphs", *_OF_SHORT))
)
"""Those that change a text in a way of the agent's own; several may give the same as long as it is short."""


def spell(name: str, value: Json) -> str | None:
    """Return *value* written in the spelling of this *name*; None when it cannot be."""
    if is_wrapping(name) or is_rewriting(name):
        write = wrapped if is_wrapping(name) else rewritten
        return write(name, value) if isinstance(value, str) else None
    return SPELLINGS[name](value)


def rivals(name: str, value: Json, written: str) -> list[str]:
    """Return the spellings that write *value* as *written* too, beside *name*, and that no habit of the agent tells apart."""
    if is_rewriting(name):
        return as_simple(name, rewritings(value).get(written, [])) if isinstance(value, str) else []
    if name not in _RARE:
        return []
    return [one for one in spellings(value).get(written, ()) if one in _RARE and one != name]


def spellings(value: Json) -> dict[str, list[str]]:
    """Return the texts that *value* may stand as, each with the names of the spellings that give it, longest text first."""
    if isinstance(value, str) and _SIMPLE.fullmatch(value):
        return _of_simple(value) if value.strip() else {}
    found: dict[str, list[str]] = {}
    for name, write in SPELLINGS.items():
        text = write(value)
        if text and text.strip():
            found.setdefault(text, []).append(name)
    return dict(sorted(found.items(), key=lambda one: -len(one[0])))


def spellings_as_is(value: str) -> list[str]:
    """Return the names of the usual spellings that leave a text as it is."""
    if _SIMPLE.fullmatch(value):
        return list(_USUAL)
    return [name for name in _USUAL if SPELLINGS[name](value) == value]


def _of_simple(value: str) -> dict[str, list[str]]:
    """Return the texts that one may stand as that is the same in every spelling but those of short ones."""
    found = {value: list(_USUAL)}
    if len(value) <= _SHORT:
        for name in _OF_SHORT:
            if (text := SPELLINGS[name](value)) and text != value:
                found.setdefault(text, []).append(name)
    return found


def _short(value: Json, write: Callable[[str], str]) -> str | None:
    return write(value) if isinstance(value, str) and len(value) <= _SHORT else None


def _quoted(text: str, safe: str) -> str:
    """Return a text as it stands in a URL; one of plain words, as most are, without looking at each letter."""
    return text.replace(" ", "%20") if _PLAIN_WORDS.fullmatch(text) else quote(text, safe=safe)


def _dumped(value: Json, **how: Any) -> str | None:
    return json.dumps(value, **how) if isinstance(value, dict | list) else None


def _joined(value: Json, between: str, line: Callable[[int, str], str] = lambda number, item: item) -> str | None:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        return None
    return between.join(line(number, item) for number, item in enumerate(value, start=1))

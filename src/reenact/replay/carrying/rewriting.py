"""How programs rewrite a text on its way into another one: lines joined or left out, letters changed, signs escaped.

Each way is one of every table below, one after the other. Several may give the same for one text and not for the next.
"""

import html
import itertools
import json
import re
from collections.abc import Callable, Sequence

_NAME = "rewritten "
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")
_MARKS = re.compile(r"[*_`#]+")
_NO_WORD = re.compile(r"[^a-z0-9]+")

_ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|#34|#39|#x27);")
_ESCAPED_QUOTE = re.compile(r"&(?:quot|#34|#39|#x27);")

Rewrite = Callable[[str], str]


def _kept(text: str) -> str:
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


_LINES: dict[str, Rewrite] = {
    "": _kept,
    "trimmed": str.strip,
    "on one line": lambda text: " ".join(text.split()),
    "line ends to spaces": lambda text: text.replace("\n", " "),
    "runs of line ends to spaces": lambda text: re.sub(r"\n+", " ", text),
    "trimmed, line ends to spaces": lambda text: text.strip().replace("\n", " "),
    "blank lines left out": lambda text: "\n".join(_lines(text)),
    "lines with commas": lambda text: ", ".join(_lines(text)),
    "lines with semicolons": lambda text: "; ".join(_lines(text)),
    "lines with bars": lambda text: " | ".join(_lines(text)),
    "lines with strokes": lambda text: " / ".join(_lines(text)),
    "first line": lambda text: next(iter(_lines(text)), ""),
    "last line": lambda text: next(iter(_lines(text)[::-1]), ""),
    "first sentence": lambda text: _SENTENCE_END.split(text.strip(), maxsplit=1)[0],
}
_LETTERS: dict[str, Rewrite] = {
    "": _kept,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "as a title": str.title,
    "with one capital": str.capitalize,
    "words with hyphens": lambda text: _NO_WORD.sub("-", text.lower()).strip("-"),
    "words with underscores": lambda text: _NO_WORD.sub("_", text.lower()).strip("_"),
    "spaces to hyphens": lambda text: text.lower().replace(" ", "-"),
    "spaces to underscores": lambda text: text.lower().replace(" ", "_"),
    "spaces to hyphens, letters kept": lambda text: text.replace(" ", "-"),
    "spaces to underscores, letters kept": lambda text: text.replace(" ", "_"),
}
_SIGNS: dict[str, Rewrite] = {
    "": _kept,
    "escaped for HTML": html.escape,
    "escaped for HTML but for quotes": lambda text: html.escape(text, quote=False),
    "without Markdown": lambda text: _MARKS.sub("", text),
    "double quotes to single ones": lambda text: text.replace('"', "'"),
}
WAYS = tuple(_NAME + json.dumps(way) for way in itertools.product(_LINES, _LETTERS, _SIGNS))
"""The names of all ways, simple ones first."""


def is_rewriting(spelling: str) -> bool:
    """Return whether this is the name of a way to rewrite a text."""
    return spelling.startswith(_NAME)


def rewritten(name: str, value: str) -> str:
    """Return *value* rewritten."""
    lines, letters, signs = json.loads(name.removeprefix(_NAME))
    return _SIGNS[signs](_LETTERS[letters](_LINES[lines](value)))


def escapings_in(text: str) -> list[str]:
    """Return the ways in which signs of *text* may have been escaped for HTML, by those that were; none when none was."""
    if _ESCAPED.search(text) is None:
        return []
    signs = (
        ("escaped for HTML",)
        if _ESCAPED_QUOTE.search(text)
        else ("escaped for HTML", "escaped for HTML but for quotes")
    )
    return [_NAME + json.dumps(["", "", one]) for one in signs]


def as_simple(name: str, others: Sequence[str]) -> list[str]:
    """Return those of *others* that do no more to signs than *name*, the simplest of them, does."""
    signs = json.loads(name.removeprefix(_NAME))[2]
    return [one for one in others if json.loads(one.removeprefix(_NAME))[2] == signs]


def rewritings(value: str) -> dict[str, list[str]]:
    """Return every text that *value* may be rewritten as, each with the names of the ways that give it."""
    found: dict[str, list[str]] = {}
    for lines, join in _LINES.items():
        joined = join(value)
        for letters, change in _LETTERS.items():
            changed = change(joined)
            for signs, escape in _SIGNS.items():
                found.setdefault(escape(changed), []).append(_NAME + json.dumps([lines, letters, signs]))
    return found

"""What stands around a copy and may follow from it: what was found with it, a date worked out of it, a line of its name."""

import re
from collections.abc import Sequence

from reenact.replay.carrying.strand import Span
from reenact.replay.carrying.valuing import Place

_SEARCHED = re.compile(r"(^|_)(query|queries|search|keywords?|sql|url|command|expression)($|_)", re.IGNORECASE)
"""Fields of answers that programs hand to something else than a model."""
_FINDINGS = re.compile(
    r"\b(passages|results?|documents|sources|snippets|hits|rows|context|retrieved|found|excerpts|output|tests|stdout|stderr)\b"
    r"[^\n]{0,40}:",
    re.IGNORECASE,
)
"""How a prompt announces what came back."""
_ARROW = re.compile(r"['\"`)\]}]{0,4}[ \t]*(?:->|=>|→)[ \t]*\S")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_RECKONED = re.compile(
    r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}:\d\d\b|[$€£] ?\d|\b\d+(?:[.,]\d+)? ?[%€]|"
    rf"\b\d{{1,2}}\.? {_MONTH}\b|\b{_MONTH} \d{{1,2}}\b"
)
"""Dates, times, amounts and shares, as programs work them out of a number."""
_BULLET = re.compile(r"[ \t]*(?:[-*•+]|\d{1,3}[.)])?[ \t]*")
"""What may stand before a name on its line, as in `- name: value`."""


def is_run(place: Place) -> bool:
    """Return whether a value of an answer is one that programs search with, or run: by the name of its field, or in a fence."""
    field = next((step for step in reversed(place.steps) if isinstance(step, str)), "")
    return place.kind == "block" or _SEARCHED.search(field) is not None


def tells_outcome(text: str, span: Span) -> bool:
    """Return whether a text says what came of a copy in it: it announces findings, or an arrow stands behind the copy."""
    return _ARROW.match(text, span.stop) is not None or tells_findings(text)


def tells_findings(text: str) -> bool:
    """Return whether a text announces what came back of a search."""
    return _FINDINGS.search(text) is not None


def reckoned_beside(text: str, span: Span, spans: Sequence[Span]) -> str | None:
    """Return a date or an amount, none of the copies *spans*, on the line of a number that is copied; None without one."""
    if _NUMBER.fullmatch(text[span.start : span.stop]) is None:
        return None
    start = text.rfind("\n", 0, span.start) + 1
    line = text[start : span.start] + "\0" * (span.stop - span.start) + text[span.stop :].split("\n", 1)[0]
    for found in _RECKONED.finditer(line):
        at = start + found.start()
        if not any(one.start <= at < one.stop for one in spans):
            return found[0]
    return None


def names_another_line(text: str, span: Span, new: str) -> bool:
    """Return whether a copy is the name of its line (`- name: value`) and *new*, in its place, would be another line's, too."""
    start = text.rfind("\n", 0, span.start) + 1
    bullet = text[start : span.start]
    is_name = text[span.stop : span.stop + 1] == ":" and _BULLET.fullmatch(bullet) is not None
    others = (*text[:start].splitlines(), *text[span.stop :].splitlines()[1:])
    return is_name and any(line.startswith(f"{bullet}{new}:") for line in others)

"""Manner: how an answer is to be given, as the prompt's instructions ask for it."""

import re

import msgspec

_LANGUAGES = {
    "french": "french", "français": "french", "francais": "french",
    "german": "german", "deutsch": "german",
    "spanish": "spanish", "español": "spanish", "espanol": "spanish",
}  # fmt: skip
_LANGUAGE = re.compile(r"\b(?:in|en|auf)\s+(" + "|".join(_LANGUAGES) + r")\b", re.IGNORECASE)
_EXPERT = re.compile(
    r"\b(?:persona of|act as|speak as|you are|you're)\b[^.]{0,40}\b(?:expert|authority|professor)\b", re.IGNORECASE
)
_PERSUASIVE = re.compile(r"\bpersuasive|\bmore convincing", re.IGNORECASE)
_CONCISE = re.compile(r"\b(?:concise|concisely|brief|briefly|short|terse)\b", re.IGNORECASE)
_SENTENCES = re.compile(r"\b(one|two|three|four|five|a single|\d{1,2})\s+sentences?\b", re.IGNORECASE)
_WORDS = re.compile(r"\b(\d{1,4})\s+words?\b", re.IGNORECASE)
_EXACT = re.compile(r"\b(?:say|reply|respond|answer)\b[^.\"“]{0,40}[\"“]([^\"”]+)[\"”]", re.IGNORECASE)
_COUNTS = {"one": 1, "a single": 1, "two": 2, "three": 3, "four": 4, "five": 5}


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """What can be seen of an instruction that was followed."""

    is_expert: bool = False
    is_persuasive: bool = False
    is_concise: bool = False
    sentences: int | None = None
    words: int | None = None
    """At most so many."""
    language: str = "english"
    """`english`, `french`, `german` or `spanish`."""
    exactly: str | None = None
    """The very words to say."""


def read_manner(system: str, user: str) -> Manner:
    """Return what the instructions ask for; the user's newest word goes before the system's."""
    both = f"{user}\n{system}"
    sentences = _SENTENCES.search(both)
    words = _WORDS.search(both)
    language = _LANGUAGE.search(both)
    exactly = _EXACT.search(user)
    return Manner(
        is_expert=_EXPERT.search(both) is not None,
        is_persuasive=_PERSUASIVE.search(both) is not None,
        is_concise=_CONCISE.search(both) is not None,
        sentences=_count(sentences.group(1)) if sentences else None,
        words=int(words.group(1)) if words else None,
        language=_LANGUAGES[language.group(1).lower()] if language else "english",
        exactly=exactly.group(1) if exactly else None,
    )


def _count(text: str) -> int:
    return _COUNTS.get(text.lower()) or max(1, int(text))

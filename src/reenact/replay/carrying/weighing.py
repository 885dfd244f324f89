"""How much it says that a text equals an earlier value: long texts are copies, short ones may be words of the prompt."""

import enum
import re

_WORD = re.compile(r"\w+")
_LONG = 64
_OPENERS = frozenset("\"'`([{<>:=|*#\n\t")
_CLOSERS = frozenset("\"'`)]}<>|*,;.\n\t")


class Weight(enum.IntEnum):
    """How much."""

    NOTHING = 0
    """So common that it says nothing: `a`, `7`, `true`."""
    WORD = 1
    """Evidence only where the place repeats with other values."""
    PHRASE = 2
    """Evidence where it stands by itself: in quotes, on a line, after a colon."""
    TEXT = 3
    """Evidence wherever it stands."""


def weigh(text: str) -> Weight:
    """Return how much an occurrence of *text* says."""
    words = _WORD.findall(text[:_LONG])
    letters = sum(map(len, words))
    if len(words) >= 3 and letters >= 16:  # what the beginning of a long text says, all of it does
        return Weight.TEXT
    if len(text) > _LONG:
        words = _WORD.findall(text)
        letters = sum(map(len, words))
    if letters < 3 and not (letters == 2 and text.strip().isdecimal()):
        return Weight.NOTHING
    if (len(words) >= 3 and letters >= 16) or (len(text.strip()) >= 12 and _is_token(text.strip())):
        return Weight.TEXT
    return Weight.PHRASE if len(words) >= 2 and letters >= 9 else Weight.WORD


def stands_alone(target: str, start: int, stop: int) -> bool:
    """Return whether *target* sets the text from *start* to *stop* off from what is around it."""
    before = target[:start].rstrip(" ")[-1:]
    after = target[stop:].lstrip(" ")[:1]
    return (not before or before in _OPENERS) and (not after or after in _CLOSERS)


def is_set_off(target: str, start: int, stop: int) -> bool:
    """Return whether signs, and not words, stand before and after the text from *start* to *stop*."""
    return not (target[:start].rstrip(" ")[-1:].isalnum() or target[stop:].lstrip(" ")[:1].isalnum())


def is_word_there(target: str, start: int, stop: int) -> bool:
    """Return whether the text from *start* to *stop* is no part of a longer word."""
    before, after = target[start - 1 : start], target[stop : stop + 1]
    starts = not before.isalnum() or not target[start].isalnum()
    ends = not after.isalnum() or not target[stop - 1].isalnum()
    return starts and ends


def _is_token(text: str) -> bool:
    """Return whether *text* is one long word with digits, such as an id."""
    return not re.search(r"\s", text) and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)

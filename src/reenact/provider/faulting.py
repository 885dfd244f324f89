"""Reading which fault is wished for: `x-provider-fault: status=429;retry-after=1`, or `[[fault: ...]]` in the newest turn."""

import re

import msgspec

from reenact.errors import InvalidInput
from reenact.provider.fault import Fault

MARKER = re.compile(r"\s*\[\[fault:([^\]]*)\]\]")
_DURATION = re.compile(r"(\d+)(ms|s)")
_FLAGS = {"malformed": "is_malformed", "wrong-length": "has_wrong_length", "hang": "hangs"}
_DURATIONS = {"delay": "delay_ms", "slow": "slow_ms"}
_NUMBERS = {"status": "status", "retry-after": "retry_after_seconds", "cut": "cut_after", "times": "times"}


def read_fault(text: str) -> Fault:
    """Return the fault that *text* names: words parted by semicolons, such as `delay=200ms;cut=3`.

    Raises:
        InvalidInput: a word that is none of delay=, slow=, status=, retry-after=, cut=, times=, malformed, wrong-length, hang.
    """
    return msgspec.convert(dict(_read_word(word.strip()) for word in text.split(";") if word.strip()), Fault)


def marked_fault(text: str) -> str | None:
    """Return what stands in the first fault marker of *text*, None when there is none."""
    found = MARKER.search(text)
    return found.group(1) if found else None


def without_marker(text: str) -> str:
    """Return *text* without its fault markers."""
    return MARKER.sub("", text)


def _read_word(word: str) -> tuple[str, int | bool]:
    name, _, value = word.partition("=")
    if word in _FLAGS:
        return _FLAGS[word], True
    if name in _NUMBERS and value.isdecimal():
        return _NUMBERS[name], int(value)
    if name in _DURATIONS and (found := _DURATION.fullmatch(value)):
        return _DURATIONS[name], int(found.group(1)) * (1000 if found.group(2) == "s" else 1)
    known = ", ".join([*_FLAGS, *(f"{name}=" for name in (*_DURATIONS, *_NUMBERS))])
    raise InvalidInput(f"`{word}` is no fault; known are {known} (durations as 200ms or 1s).", "fault")

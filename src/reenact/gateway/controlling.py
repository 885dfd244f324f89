"""Reading Controls out of headers. A header that cannot be understood counts as absent and leaves a note, never an error.

Grammar and defaults: surface 1.4 to 1.6. `Reenact-*` names mean the same as `Helicone-*` ones. Two things are errors because
they are documented as such: a bucket of more than 20 slots and fallbacks that are not valid JSON.
"""

import math
import re
from collections.abc import Iterable

import msgspec

from reenact.domain.exchange import Header
from reenact.gateway.controls import (
    NONE,
    CacheUse,
    Controls,
    Fallback,
    Fault,
    Mapping,
    Overflow,
    Policy,
    Retries,
    Screening,
)
from reenact.gateway.limiting import read_policy

_PREFIXES = (b"helicone-", b"reenact-")
_SUFFIXES = (
    b"cache-enabled",
    b"cache-read",
    b"cache-save",
    b"cache-seed",
    b"cache-bucket-max-size",
    b"cache-control",
    b"cache-ignore-keys",
    b"retry-enabled",
    b"retry-num",
    b"retry-factor",
    b"retry-min-timeout",
    b"retry-max-timeout",
    b"ratelimit-policy",
    b"fallbacks",
    b"omit-request",
    b"omit-response",
    b"stream-usage",
    b"stream-force-format",
    b"moderations-enabled",
    b"llm-security-enabled",
    b"prompt-security-enabled",
    b"llm-security-advanced",
    b"increase-timeout",
    b"prompt-mode",
    b"gateway-body-mapping",
    b"token-limit-exception-handler",
)
_KNOWN = frozenset(prefix + suffix for prefix in _PREFIXES for suffix in _SUFFIXES)
_ABSENT = frozenset({"", "undefined", "null"})
_FLAG = {"true": True, "false": False}

_MAX_SLOTS = 20
_MAX_AGE_S = 31_536_000
_MAX_RETRIES = 50
_MAX_WAIT_MS = 600_000
_MAX_FACTOR = 100.0
_MAX_FALLBACKS = 20
_SHOWN_LETTERS = 60
_PROMPT_MODES = frozenset({"production", "testing", "deactivated"})
_SHARED_AGE = re.compile(r"(?:^|[\s,;])s-maxage\s*=\s*\"?(\d+)", re.IGNORECASE)
_AGE = re.compile(r"(?:^|[\s,;])max-age\s*=\s*\"?(\d+)", re.IGNORECASE)
_fallbacks = msgspec.json.Decoder(tuple[Fallback, ...])


def control(headers: Iterable[Header]) -> Controls:
    """Return what *headers* (names in lower case) switch on; the object NONE when that is nothing."""
    ours = [header for header in headers if header[0] in _KNOWN]
    return _Reading(ours, headers).controls() if ours else NONE


class _Reading:
    """One reading of a call's headers, which gathers notes on its way."""

    def __init__(self, ours: list[Header], headers: Iterable[Header]) -> None:
        self._ours = ours
        self._headers = headers
        self._notes: list[str] = []
        self._fault: Fault | None = None
        self._values: dict[str, str] = {}
        for name, value in ours:
            text = value.decode("utf-8", "replace").strip()
            if text not in _ABSENT:
                self._values.setdefault(name.partition(b"-")[2].decode("ascii"), text)

    def controls(self) -> Controls:
        """Return all of it."""
        if not self._values:
            return NONE
        return Controls(
            cache=self._cache(),
            retries=self._retries(),
            policy=self._policy(),
            fallbacks=self._fallbacks(),
            omits_request=self._flag("omit-request"),
            omits_response=self._flag("omit-response"),
            adds_usage=self._flag("stream-usage"),
            forces_format=self._flag("stream-force-format"),
            moderates=self._flag("moderations-enabled"),
            screening=self._screening(),
            ignores_tags=self._prompt_mode() == "deactivated",
            is_patient=self._flag("increase-timeout"),
            mapping=self._mapping(),
            overflow=self._overflow(),
            notes=tuple(self._notes),
            fault=self._fault,
        )

    def _cache(self) -> CacheUse | None:
        both, reads, saves = (self._flag(name) for name in ("cache-enabled", "cache-read", "cache-save"))
        if not (both or reads or saves):
            return None
        return CacheUse(
            reads=both or reads,
            saves=both or saves,
            seed=self._values.get("cache-seed", ""),
            slots=self._slots(),
            max_age_s=self._age(),
            ignored_keys=self._ignored_keys(),
            headers=tuple(sorted(header for header in self._ours if header[0].partition(b"-")[2].startswith(b"cache"))),
        )

    def _slots(self) -> int:
        slots = self._whole("cache-bucket-max-size", 1, lowest=1, highest=math.inf)
        if slots > _MAX_SLOTS:
            self._fault = Fault(500, "invalid_cache", f"Cache bucket size cannot be greater than {_MAX_SLOTS}")
        return slots

    def _age(self) -> int:
        """Return for how long an answer may be given again, in seconds."""
        ours = self._values.get("cache-control")
        plain = next((value.decode("latin-1") for name, value in self._headers if name == b"cache-control"), "")
        text = plain if ours is None else ours
        if (found := _SHARED_AGE.search(text) or _AGE.search(text)) is not None:
            return min(int(found.group(1)[:12]), _MAX_AGE_S)
        if ours is not None:
            self._note("cache-control", "says neither max-age nor s-maxage")
        return CacheUse(reads=False, saves=False).max_age_s

    def _ignored_keys(self) -> tuple[str, ...]:
        """Return the keys of a comma-separated list or a JSON array of texts."""
        text = self._values.get("cache-ignore-keys", "")
        if not text.startswith("["):
            return tuple(key.strip() for key in text.split(",") if key.strip())
        try:
            return msgspec.json.decode(text, type=tuple[str, ...])
        except msgspec.DecodeError:
            self._note("cache-ignore-keys", "is neither a list parted by commas nor a JSON array of texts")
            return ()

    def _retries(self) -> Retries | None:
        if not self._flag("retry-enabled"):
            return None
        usual = Retries()
        return Retries(
            count=self._whole("retry-num", usual.count, highest=_MAX_RETRIES),
            factor=self._number("retry-factor", usual.factor, lowest=0, highest=_MAX_FACTOR),
            min_ms=self._whole("retry-min-timeout", usual.min_ms, highest=_MAX_WAIT_MS),
            max_ms=self._whole("retry-max-timeout", usual.max_ms, highest=_MAX_WAIT_MS),
        )

    def _policy(self) -> Policy | None:
        if (text := self._values.get("ratelimit-policy")) is None:
            return None
        if (policy := read_policy(text)) is None:
            self._note("ratelimit-policy", "is no policy such as 100;w=3600;u=cents;s=user")
        return policy

    def _fallbacks(self) -> tuple[Fallback, ...]:
        if (text := self._values.get("fallbacks")) is None:
            return ()
        try:
            fallbacks = _fallbacks.decode(text)
        except msgspec.DecodeError as error:  # its message names the place, never the value: the header holds keys
            self._fault = Fault(400, "invalid_fallbacks", f"Helicone-Fallbacks cannot be read: {error}")
            return ()
        if not 1 <= len(fallbacks) <= _MAX_FALLBACKS:
            message = f"Helicone-Fallbacks must name 1 to {_MAX_FALLBACKS} targets, not {len(fallbacks)}."
            self._fault = Fault(400, "invalid_fallbacks", message)
        return fallbacks

    def _screening(self) -> Screening:
        advanced = self._flag("llm-security-advanced")
        wanted = [self._flag(name) for name in ("llm-security-enabled", "prompt-security-enabled")]
        if not any(wanted):
            return Screening.NONE
        return Screening.ADVANCED if advanced else Screening.BASIC

    def _mapping(self) -> Mapping:
        text = self._values.get("gateway-body-mapping", Mapping.OPENAI.value)
        try:
            return Mapping(text.upper())
        except ValueError:
            self._note("gateway-body-mapping", "is none of OPENAI, RESPONSES, NO_MAPPING")
            return Mapping.OPENAI

    def _overflow(self) -> Overflow | None:
        text = self._values.get("token-limit-exception-handler")
        if text is None:
            return None
        try:
            return Overflow(text.lower())
        except ValueError:
            self._note("token-limit-exception-handler", "is none of truncate, middle-out, fallback")
            return None

    def _prompt_mode(self) -> str | None:
        mode = self._values.get("prompt-mode")
        if mode is not None and mode not in _PROMPT_MODES:
            self._note("prompt-mode", "is none of production, testing, deactivated")
        return mode

    def _flag(self, name: str) -> bool:
        text = self._values.get(name)
        if text is not None and text not in _FLAG:
            self._note(name, "is neither true nor false")
        return text is not None and _FLAG.get(text, False)

    def _whole(self, name: str, usual: int, *, lowest: int = 0, highest: float) -> int:
        text = self._values.get(name)
        if text is None:
            return usual
        if text.isascii() and text.isdecimal() and len(text) < 12 and lowest <= int(text) <= highest:
            return int(text)
        limit = "" if highest == math.inf else f" to {highest:g}"
        self._note(name, f"is no whole number from {lowest}{limit}")
        return usual

    def _number(self, name: str, usual: float, *, lowest: float, highest: float) -> float:
        text = self._values.get(name)
        if text is None:
            return usual
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if lowest <= number <= highest:
            return number
        self._note(name, f"is no number from {lowest:g} to {highest:g}")
        return usual

    def _note(self, name: str, why: str) -> None:
        value = self._values[name]
        shown = value if len(value) <= _SHOWN_LETTERS else value[:_SHOWN_LETTERS] + "..."
        self._notes.append(f"Helicone-{name.title()}: {shown!r} {why}; it was ignored.")

"""Tariff: what a server's owner pays instead of the listed prices, for models of their own and by agreements with dates."""

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Self

import msgspec

from reenact.domain.message import Usage
from reenact.errors import InvalidInput

Dollars = Annotated[float, msgspec.Meta(ge=0)]
"""US dollars for a million tokens."""


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tokens cost. Those without a rate of their own cost what input or output does, but audio: it has no price then."""

    input: Dollars
    output: Dollars
    cache_read: Dollars | None = None
    cache_write: Dollars | None = None
    input_audio: Dollars | None = None
    """Also of audio that is read from the cache."""
    output_audio: Dollars | None = None
    reasoning: Dollars | None = None

    def nanodollars(self, usage: Usage, cached_audio_tokens: int = 0) -> int | None:
        """Return what *usage* costs; None where audio has no price or the counts contradict each other."""
        audio_in, audio_out = usage.input_audio_tokens or 0, usage.output_audio_tokens or 0
        if (audio_in and self.input_audio is None) or (audio_out and self.output_audio is None):
            return None
        read = (usage.cache_read_tokens or 0) - cached_audio_tokens
        written, reasoning = usage.cache_write_tokens or 0, usage.reasoning_tokens or 0
        counted = (
            ((usage.input_tokens or 0) - read - written - audio_in, self.input),
            (read, self.input if self.cache_read is None else self.cache_read),
            (written, self.input if self.cache_write is None else self.cache_write),
            (audio_in, self.input_audio or 0),
            ((usage.output_tokens or 0) - audio_out - reasoning, self.output),
            (audio_out, self.output_audio or 0),
            (reasoning, self.output if self.reasoning is None else self.reasoning),
        )
        if any(count < 0 for count, _ in counted):
            return None
        return round(sum(count * Decimal(str(dollars)) for count, dollars in counted) * 1000)


class OwnPrice(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """The price of the models that a pattern names, from a day on."""

    provider: Annotated[str, msgspec.Meta(min_length=1)]
    """As calls are listed with, such as `openai`, in any case; `*` stands for anything."""
    model: Annotated[str, msgspec.Meta(min_length=1)]
    """Likewise."""
    start: dt.date = dt.date.min
    """The first day that it holds, UTC."""
    tiers: dict[str, Rates] = {}
    """By the service tier that an answer names, such as `batch` or `priority`."""

    @property
    def pattern(self) -> tuple[str, str]:
        """What it is the price of."""
        return self.provider.lower(), self.model.lower()


class Tariff:
    """Prices that go before the listed ones. Patterns are tried in the order they are given in."""

    def __init__(self, own: Iterable[OwnPrice] = ()) -> None:
        self._own: dict[tuple[str, str], list[OwnPrice]] = {}
        for one in own:
            self._own.setdefault(one.pattern, []).append(one)
        for dated in self._own.values():
            dated.sort(key=lambda one: one.start, reverse=True)
        self._patterns = [(_wild(provider), _wild(model), key) for key in self._own for provider, model in [key]]

    @classmethod
    def read(cls, content: bytes, place: str) -> Self:
        """Return the tariff that the JSON of *place* says: `{"prices": [...]}`.

        Raises:
            InvalidInput: it is none; the message names *place* and the field.
        """
        try:
            own = msgspec.json.decode(content, type=_File).prices
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{place} is not valid: {error}.", place) from None
        seen: dict[tuple[tuple[str, str], dt.date], int] = {}
        for number, one in enumerate(own):
            if (first := seen.setdefault((one.pattern, one.start), number)) != number:
                raise InvalidInput(
                    f"{place} is not valid: `$.prices[{number}]` prices what `$.prices[{first}]` does, from the same day.",
                    place,
                )
        return cls(own)

    def find(self, provider: str, model: str, day: dt.date, tier: str | None = None) -> Rates | None:
        """Return the rates of a model on a day in UTC: those of the first pattern that has begun, of it the newest.

        None where there are none, or none of the *tier*.
        """
        for providers, models, key in self._patterns:
            if providers.fullmatch(provider) and models.fullmatch(model):
                begun = next((one for one in self._own[key] if one.start <= day), None)
                if begun is not None:
                    return begun if tier is None else begun.tiers.get(tier)
        return None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds."""

    prices: tuple[OwnPrice, ...]


def _wild(pattern: str) -> re.Pattern[str]:
    """Return what matches *pattern*, in which `*` stands for anything."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.IGNORECASE | re.DOTALL)


LISTED = Tariff()
"""Nothing of one's own: the listed prices."""

"""The options that bound a replay: budgets, rates and keys."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from reenact.domain.replay import Budget, Rate
from reenact.errors import InvalidInput

_NANODOLLARS = 1_000_000_000

Budgeted = Annotated[
    float | None, typer.Option("--budget", min=0, metavar="DOLLARS", help="Pause before more than this is spent.")
]
MaxCalls = Annotated[int | None, typer.Option(min=0, help="Pause after so many requests.")]
MaxSeconds = Annotated[float | None, typer.Option(min=0, help="Pause after so long.")]
AllowUnpriced = Annotated[
    bool, typer.Option("--allow-unpriced", help="Take calls of unknown price for free, with --budget.")
]
Rpm = Annotated[
    list[str] | None, typer.Option(metavar="PROVIDER=N", help="So many requests a minute at most. Repeatable.")
]
Tpm = Annotated[
    list[str] | None, typer.Option(metavar="PROVIDER=N", help="So many tokens a minute at most. Repeatable.")
]


def read_budget(
    dollars: float | None, max_calls: int | None, max_seconds: float | None, *, allow_unpriced: bool
) -> Budget:
    """Return the budget that the options say."""
    return Budget(
        cost_nanodollars=None if dollars is None else round(dollars * _NANODOLLARS),
        calls=max_calls,
        seconds=max_seconds,
        allow_unpriced=allow_unpriced,
    )


def read_rates(rpm: Sequence[str], tpm: Sequence[str]) -> dict[str, Rate]:
    """Return the rates by provider.

    Raises:
        InvalidInput: one is not PROVIDER=N.
    """
    requests, tokens = (_numbers(pairs, option) for pairs, option in ((rpm, "--rpm"), (tpm, "--tpm")))
    return {
        provider: Rate(requests_per_minute=requests.get(provider), tokens_per_minute=tokens.get(provider))
        for provider in requests | tokens
    }


def _numbers(pairs: Sequence[str], option: str) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for pair in pairs:
        provider, _, value = pair.partition("=")
        if not provider or not value.replace(".", "", 1).isdecimal() or not float(value):
            raise InvalidInput(f"{option} {pair!r} is not PROVIDER=N, such as openai=500.", option)
        numbers[provider] = float(value)
    return numbers


def read_keys(pairs: Sequence[str]) -> dict[str, str]:
    """Return keys by provider; the message of an error shows no key.

    Raises:
        InvalidInput: one is not PROVIDER=KEY, or its file cannot be read.
    """
    keys: dict[str, str] = {}
    for pair in pairs:
        provider, equals, value = pair.partition("=")
        if not provider or not equals or not value:
            raise InvalidInput("--provider-key wants PROVIDER=KEY or PROVIDER=@FILE.", "--provider-key")
        try:
            keys[provider] = Path(value[1:]).read_text().strip() if value.startswith("@") else value
        except OSError as error:
            raise InvalidInput(f"--provider-key {provider}: the file cannot be read: {error.strerror}.") from error
    return keys

"""Tests of `ingest.tariff`: what one's own prices say, which of them counts, and how a bad file is refused."""

import datetime as dt

import msgspec
import pytest

from reenact.domain.message import Usage
from reenact.errors import InvalidInput
from reenact.ingest.pricing import price
from reenact.ingest.tariff import OwnPrice, Rates, Tariff

AT_US = 1_760_000_000_000_000
"""9 October 2025."""
DAY = dt.date(2025, 10, 9)
TOKENS = Usage(input_tokens=1000, output_tokens=100)


def tariff(*prices: dict[str, object]) -> Tariff:
    """Return the tariff of a file with *prices*."""
    return Tariff.read(msgspec.json.encode({"prices": prices}), "prices.json")


@pytest.mark.parametrize(
    ("usage", "cached_audio", "nanodollars"),
    [
        (TOKENS, 0, 1000 * 2000 + 100 * 8000),
        (Usage(input_tokens=1000), 0, 1000 * 2000),
        (Usage(output_tokens=0), 0, 0),
        (
            Usage(input_tokens=1000, output_tokens=0, cache_read_tokens=500, cache_write_tokens=100),
            0,
            400 * 2000 + 500 * 200 + 100 * 2500,
        ),
        (Usage(output_tokens=100, reasoning_tokens=60), 0, 40 * 8000 + 60 * 16000),
        (
            Usage(
                input_tokens=1000, output_tokens=100, cache_read_tokens=500, input_audio_tokens=400, output_audio_tokens=50
            ),
            300,
            (1000 - 200 - 400) * 2000 + 200 * 200 + 400 * 40000 + 50 * 8000 + 50 * 80000,
        ),
        (Usage(input_tokens=1, cache_read_tokens=5), 0, None),
        (Usage(output_tokens=1, reasoning_tokens=5), 0, None),
        (Usage(input_tokens=-1), 0, None),
    ],
)  # fmt: skip
def test_each_sort_of_token_has_its_rate(usage: Usage, cached_audio: int, nanodollars: int | None) -> None:
    """Cached, spoken and thought ones are part of the input or output; counts that contradict each other have no price."""
    rates = Rates(
        input=2, output=8, cache_read=0.2, cache_write=2.5, input_audio=40, output_audio=80, reasoning=16
    )  # fmt: skip
    assert nanodollars == rates.nanodollars(usage, cached_audio)


def test_a_rate_that_is_not_given() -> None:
    """Is that of the input or the output; audio is never taken for text."""
    rates = Rates(input=2, output=8)
    usage = Usage(input_tokens=100, output_tokens=10, cache_read_tokens=50, cache_write_tokens=5, reasoning_tokens=5)
    assert 100 * 2000 + 10 * 8000 == rates.nanodollars(usage)
    assert [None, None] == [
        rates.nanodollars(Usage(input_tokens=9, input_audio_tokens=1)),
        rates.nanodollars(Usage(output_tokens=9, output_audio_tokens=1)),
    ]


def test_a_price_of_ones_own_goes_before_the_table() -> None:
    """By whichever name of the model it knows, in any case; other models and providers keep the listed price."""
    own = tariff({"provider": "OpenAI", "model": "GPT-4o", "input": 1, "output": 1})
    models = ["gpt-4o-2024-08-06", "gpt-4o"]
    assert 1_100_000 == price("openai", models, TOKENS, AT_US, tariff=own)
    assert 3_500_000 == price("openai", models[:1], TOKENS, AT_US, tariff=own)
    assert 3_500_000 == price("azure", ["gpt-4o"], TOKENS, AT_US, tariff=own)
    assert price("openai", ["gpt-4o"], Usage(), AT_US, tariff=own) is None


def test_a_model_of_ones_own_has_a_price() -> None:
    """Wherever it runs; what nobody has priced stays unknown."""
    own = tariff({"provider": "*", "model": "acme/*-chat", "input": 0, "output": 0})
    assert 0 == price("custom", ["acme/big-chat"], TOKENS, AT_US, tariff=own)
    assert price("custom", ["acme/big-chat-2"], TOKENS, AT_US, tariff=own) is None


def test_of_one_pattern_the_newest_price_that_has_begun_counts() -> None:
    """From the first second of its day; before any has begun the table does."""
    named = {"provider": "openai", "model": "gpt-4o"}
    own = tariff(
        {**named, "from": "2025-10-09", "input": 2, "output": 0},
        {**named, "from": "2025-10-10", "input": 3, "output": 0},
        {**named, "from": "2025-10-01", "input": 1, "output": 0},
    )
    day_us = 24 * 3600 * 1_000_000
    midnight_us = AT_US - AT_US % day_us
    times = [midnight_us - 9 * day_us, midnight_us - 1, midnight_us, midnight_us + day_us]
    assert [3_500_000, 1_000_000, 2_000_000, 3_000_000] == [
        price("openai", ["gpt-4o"], TOKENS, at_us, tariff=own) for at_us in times
    ]


def test_of_two_patterns_the_first_counts() -> None:
    """Unless none of its prices has begun."""
    own = tariff(
        {"provider": "openai", "model": "gpt-4o", "from": "2025-10-10", "input": 1, "output": 1},
        {"provider": "openai", "model": "gpt-4*", "input": 2, "output": 2},
        {"provider": "*", "model": "*", "input": 3, "output": 3},
    )
    asked = [("openai", "gpt-4o", DAY + dt.timedelta(1)), ("openai", "gpt-4o", DAY), ("groq", "gpt-4o", DAY)]
    found = [own.find(*one) for one in asked]
    assert [1, 2, 3] == [one.input for one in found if one]


def test_a_tier_has_rates_of_its_own() -> None:
    """One without them is not agreed on: the table's price of it counts, and none of a model that is not in there."""
    batch = {"input": 1, "output": 4}
    own = tariff(
        {"provider": "openai", "model": "gpt-4o", "input": 2, "output": 8, "tiers": {"batch": batch}},
        {"provider": "openai", "model": "ours", "input": 2, "output": 8},
    )
    tiers = [None, "default", "batch", "priority"]
    assert [2_800_000, 2_800_000, 1_400_000, price("openai", ["gpt-4o"], TOKENS, AT_US, tier="priority")] == [
        price("openai", ["gpt-4o"], TOKENS, AT_US, tier=tier, tariff=own) for tier in tiers
    ]
    assert price("openai", ["ours"], TOKENS, AT_US, tier="priority", tariff=own) is None


def test_a_file_says_what_it_says() -> None:
    """Whole, under the names of the document."""
    content = b'{"provider":"p","model":"m","from":"2026-01-31","input":1,"output":2.5}'
    assert OwnPrice(provider="p", model="m", start=dt.date(2026, 1, 31), input=1, output=2.5) == msgspec.json.decode(
        content, type=OwnPrice
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "Input data was truncated"),
        (b"\xff", "JSON is malformed"),
        (b"[]", "Expected `object`"),
        (b'{"price":[]}', "unknown field `price`"),
        (b'{"prices":[{"provider":"p","model":"m","input":1}]}', "required field `output` - at `$.prices[0]`"),
        (b'{"prices":[{"provider":"p","model":"m","input":"1","output":1}]}', "`$.prices[0].input`"),
        (b'{"prices":[{"provider":"p","model":"m","input":1,"output":-1}]}', "`$.prices[0].output`"),
        (b'{"prices":[{"provider":"p","model":"m","input":1,"output":1,"from":"May"}]}', "`$.prices[0].from`"),
        (b'{"prices":[{"provider":"p","model":"m","input":1,"output":1,"cached":1}]}', "unknown field `cached`"),
        (b'{"prices":[{"provider":"p","model":"","input":1,"output":1}]}', "`$.prices[0].model`"),
        (
            b'{"prices":[{"provider":"p","model":"m","input":1,"output":1},{"provider":"P","model":"M","input":2,"output":1}]}',
            "`$.prices[1]` prices what `$.prices[0]` does",
        ),
    ],
)
def test_a_bad_file_is_refused(content: bytes, why: str) -> None:
    """In a sentence that names the file and the field."""
    with pytest.raises(InvalidInput) as raised:
        Tariff.read(content, "here/prices.json")
    assert ("here/prices.json", True) == (
        raised.value.field,
        raised.value.message.startswith("here/prices.json is not"),
    )
    assert why in raised.value.message

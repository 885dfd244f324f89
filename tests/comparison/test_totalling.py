"""Sums of one side say what they know and what they leave out."""

from reenact.comparison.totalling import total
from reenact.domain.call import Kind
from reenact.domain.comparison import Totals
from reenact.domain.exchange import Ending
from reenact.domain.message import Usage
from tests.comparison.turns import a_call


def test_totals_count_failures_and_unknown_prices() -> None:
    """A 500, a cut stream, and a model without a price; a tool is never without a price."""
    start = 1_700_000_000_000_000
    calls = [
        a_call("a", created_us=start),
        a_call("b", created_us=start + 500_000, status=500, duration_us=2_000_000, usage=Usage()),
        a_call("c", created_us=start + 600_000, ending=Ending.PROVIDER_CUT, cost_nanodollars=None),
        a_call("d", created_us=start + 700_000, kind=Kind.TOOL, cost_nanodollars=None, usage=Usage()),
    ]

    assert total(calls) == Totals(
        calls=4,
        failed_calls=2,
        input_tokens=20,
        output_tokens=10,
        cost_nanodollars=2000,
        unpriced_calls=1,
        duration_us=2_500_000,
        model_us=5_000_000,
    )


def test_nothing_sums_to_nothing() -> None:
    """An empty side has a duration of nothing, not an error."""
    assert total([]).duration_us == 0

"""One side of a comparison, summed."""

from collections.abc import Sequence

from reenact.domain.call import Call, Kind
from reenact.domain.comparison import Totals
from reenact.domain.exchange import Ending


def is_failed(call: Call) -> bool:
    """Return whether *call* gave its agent no whole, good answer."""
    return call.ending is not Ending.ANSWERED or not 0 < call.status < 400


def is_unpriced(call: Call) -> bool:
    """Return whether a price is missing for *call*: only models cost money."""
    return call.kind is Kind.MODEL and call.cost_nanodollars is None


def total(calls: Sequence[Call], attempts: Sequence[Call] = ()) -> Totals:
    """Return the sums over *calls*, in any order; tokens that a provider did not tell count as none.

    *attempts* failed and were made again as one of *calls*: they used tokens, money and time, and are no calls of their own.
    """
    every = (*calls, *attempts)
    return Totals(
        calls=len(calls),
        failed_calls=sum(map(is_failed, calls)),
        input_tokens=sum(call.usage.input_tokens or 0 for call in every),
        output_tokens=sum(call.usage.output_tokens or 0 for call in every),
        cost_nanodollars=sum(call.cost_nanodollars or 0 for call in every),
        unpriced_calls=sum(map(is_unpriced, every)),
        duration_us=max((call.created_us + call.duration_us for call in every), default=0)
        - min((call.created_us for call in every), default=0),
        model_us=sum(call.duration_us for call in every),
    )

"""Ledger: what a replay has used of its budget and what is set aside for calls under way. Knows no clock."""

from reenact.domain.replay import Budget, Spent


class Ledger:
    """Lets a call go only when its worst case still fits beside what was spent and what others may yet cost."""

    def __init__(self, budget: Budget, spent: Spent) -> None:
        """Begin with what was *spent* before."""
        self._budget = budget
        self._calls = spent.calls
        self._cost_nanodollars = spent.cost_nanodollars
        self._unpriced_calls = spent.unpriced_calls
        self._set_aside = 0
        self._under_way = 0
        self._factor = 1.0
        """By how much the dearest call so far went beyond what was set aside for it."""

    def spent(self, elapsed_us: int) -> Spent:
        """Return what was used; *elapsed_us* is the caller's to know."""
        return Spent(
            calls=self._calls,
            cost_nanodollars=self._cost_nanodollars,
            unpriced_calls=self._unpriced_calls,
            elapsed_us=elapsed_us,
        )

    def reserve(self, most_nanodollars: int | None) -> int | None:
        """Set money aside for a call that may cost *most_nanodollars*; return how much, None when it does not fit now.

        What does not fit now may fit when calls under way have come to cost less than was set aside: see `can_wait`.
        """
        if self._budget.calls is not None and self._calls >= self._budget.calls:
            return None
        asked_for = round((most_nanodollars or 0) * self._factor)
        limit = self._budget.cost_nanodollars
        if limit is not None and self._cost_nanodollars + self._set_aside + asked_for > limit:
            return None
        self._calls += 1
        self._under_way += 1
        self._set_aside += asked_for
        return asked_for

    @property
    def can_wait(self) -> bool:
        """Whether a call that does not fit now might later: money is set aside that may come back."""
        has_calls = self._budget.calls is None or self._calls < self._budget.calls
        return has_calls and self._under_way > 0

    def settle(self, reserved: int, cost_nanodollars: int | None, *, may_have_cost: bool = False) -> None:
        """Take what a call came to: its cost, None when that is not known.

        A call of unknown cost that *may_have_cost* something, such as one that broke off, counts as what was set aside.
        """
        self._under_way -= 1
        self._set_aside -= reserved
        if cost_nanodollars is None:
            self._unpriced_calls += 1
            self._cost_nanodollars += reserved if may_have_cost else 0
            return
        self._cost_nanodollars += cost_nanodollars
        if reserved and cost_nanodollars > reserved:
            self._factor *= cost_nanodollars / reserved

    def refusal(self, most_nanodollars: int | None) -> str:
        """Return in words which limit keeps a call from being asked."""
        budget = self._budget
        if budget.calls is not None and self._calls >= budget.calls:
            return f"the budget of {budget.calls} calls is used up"
        next_one = dollars((most_nanodollars or 0) * self._factor)
        return (
            f"the budget of {dollars(budget.cost_nanodollars or 0)} has no room for the next call, which may cost up to "
            f"{next_one}: {dollars(self._cost_nanodollars)} is spent"
        )


def dollars(nanodollars: float) -> str:
    """Return an amount in words, such as `$0.0123`."""
    text = f"{nanodollars / 1e9:.9f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"${whole}.{rest.ljust(2, '0')}"

"""Governor: lets the calls of a replay, or of a whole batch, go one by one as its limits allow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from reenact.domain.replay import Answered, Limits, Rate, Spent
from reenact.errors import ReenactError
from reenact.replay.ledger import Ledger
from reenact.replay.pacing import Pace, pace


class Exhausted(ReenactError):
    """A budget has no room for another call."""


class Permit:
    """Leave to make one call; told what became of it."""

    def __init__(self) -> None:
        self.answered: Answered | None = None
        """None when the call was stopped before anything became of it."""


class Governor:
    """Used on one event loop."""

    def __init__(self, limits: Limits, spent: Spent, *, above: "Governor | None" = None) -> None:
        """Begin with what was *spent* before; a call needs leave of the one *above*, too, which a batch's replays share."""
        self._limits = limits
        self._above = above
        self._ledger = Ledger(limits.budget, spent)
        self._earlier_us = spent.elapsed_us
        self._now_s = asyncio.get_running_loop().time
        self._began_s = self._now_s()
        self._gate = asyncio.Semaphore(limits.concurrency)
        self._gates = {
            name: asyncio.Semaphore(rate.concurrency) for name, rate in limits.rates.items() if rate.concurrency
        }
        self._paces: dict[str, Pace] = {}
        self._settled = asyncio.Event()

    @property
    def spent(self) -> Spent:
        """What was used until now."""
        return self._ledger.spent(self._earlier_us + round((self._now_s() - self._began_s) * 1_000_000))

    @property
    def seconds_left(self) -> float | None:
        """Of the wall time; None when there is no limit."""
        limit = self._limits.budget.seconds
        own = None if limit is None else limit - self.spent.elapsed_us / 1_000_000
        above = self._above.seconds_left if self._above is not None else None
        return min((left for left in (own, above) if left is not None), default=None)

    @asynccontextmanager
    async def permit(self, provider: str, most_nanodollars: int | None, tokens: int) -> AsyncIterator[Permit]:
        """Wait until a call may go, and hold its place and its money until the block ends.

        Args:
            provider: who will be asked.
            most_nanodollars: what the call may cost at most.
            tokens: how many it is expected to use.

        Raises:
            Exhausted: the budget has no room for it, and will have none.
        """
        async with self._gates.get(provider) or nullcontext(), self._gate:
            await self._wait_for_pace(provider)
            self._set_pace(provider, self._pace(provider).after_call(tokens, self._now_s()))
            async with self._permit_above(provider, most_nanodollars, tokens) as above:
                reserved = await self._reserved(most_nanodollars)
                permit = Permit()
                try:
                    yield permit
                finally:
                    self._settle(provider, reserved, tokens, permit.answered)
                    if above is not None:
                        above.answered = permit.answered

    def tell(self, spent: Spent) -> None:
        """Take what the calls are known to have cost, now that all are through."""
        self._ledger = Ledger(self._limits.budget, spent)

    def hold(self, provider: str, seconds: float) -> None:
        """Ask *provider* nothing for so long."""
        if self._above is not None:
            self._above.hold(provider, seconds)
        self._set_pace(provider, self._pace(provider).held(self._now_s() + seconds))

    def _permit_above(
        self, provider: str, most_nanodollars: int | None, tokens: int
    ) -> AbstractAsyncContextManager[Permit | None]:
        if self._above is None:
            return nullcontext()
        return self._above.permit(provider, most_nanodollars, tokens)

    async def _wait_for_pace(self, provider: str) -> None:
        while (wait_s := self._pace(provider).wait_s(self._now_s())) > 0:  # noqa: ASYNC110 - a rate is time, no event
            await asyncio.sleep(wait_s)

    async def _reserved(self, most_nanodollars: int | None) -> int:
        while (reserved := self._ledger.reserve(most_nanodollars)) is None:
            if not self._ledger.can_wait:
                raise Exhausted(self._ledger.refusal(most_nanodollars))
            await self._settled.wait()
        return reserved

    def _settle(self, provider: str, reserved: int, tokens: int, answered: Answered | None) -> None:
        cost = answered.cost_nanodollars if answered else None
        self._ledger.settle(reserved, cost, may_have_cost=answered is None or answered.failure is None)
        if answered is not None and answered.tokens is not None:
            self._set_pace(provider, self._pace(provider).corrected(answered.tokens - tokens, self._now_s()))
        settled, self._settled = self._settled, asyncio.Event()
        settled.set()

    def _pace(self, provider: str) -> Pace:
        known = self._paces.get(provider)
        return known if known is not None else pace(self._limits.rates.get(provider, Rate()), self._now_s())

    def _set_pace(self, provider: str, changed: Pace) -> None:
        self._paces[provider] = changed

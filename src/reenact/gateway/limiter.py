"""Limiter: keeps the buckets of rate limits. In this process; `redislimiter` shares them among several."""

from collections import OrderedDict
from typing import Protocol

from reenact.gateway.controls import Policy
from reenact.gateway.limiting import Bucket, Verdict, draw, spend

_MAX_BUCKETS = 100_000


class Limiter(Protocol):
    """Whoever keeps the buckets."""

    async def draw(self, key: str, policy: Policy, now_s: float) -> Verdict | None:
        """Return whether one call may go on, its request already taken; None when the buckets cannot be reached."""
        ...

    async def spend(self, key: str, policy: Policy, now_s: float, cents: float) -> None:
        """Take what a call has cost. Never raises: what cannot be taken is lost."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class MemoryLimiter:
    """Keeps the buckets of one process; those not used for longest are forgotten, and so full again, beyond 100,000."""

    def __init__(self, max_buckets: int = _MAX_BUCKETS) -> None:
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._max_buckets = max_buckets

    async def draw(self, key: str, policy: Policy, now_s: float) -> Verdict:
        """Return whether one call may go on, its request already taken."""
        verdict, bucket = draw(self._buckets.get(key), policy, now_s)
        self._keep(key, bucket)
        return verdict

    async def spend(self, key: str, policy: Policy, now_s: float, cents: float) -> None:
        """Take what a call has cost."""
        self._keep(key, spend(self._buckets.get(key), policy, now_s, cents))

    async def close(self) -> None:
        """Nothing is open."""

    def _keep(self, key: str, bucket: Bucket) -> None:
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)

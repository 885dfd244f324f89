"""RedisLimiter: keeps the buckets of rate limits in Redis or Valkey, shared by all gateways that are given the same URL.

Each draw is one script run on the server, which nothing can come between. It computes what `limiting` does; the tests run the
same cases on both.
"""

import asyncio
import importlib.util
import logging
import math
from typing import Any

from reenact.errors import InvalidInput
from reenact.gateway.controls import Policy
from reenact.gateway.limiting import Verdict, demand

_log = logging.getLogger(__name__)

_PREFIX = "reenact:limit:"
_PATIENCE_S = 0.25
_PAUSE_S = 1.0
"""After a failure the server is left alone for so long, so that an outage does not slow every call down."""

_SCRIPT = """
local quota, window, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local least, amount = tonumber(ARGV[4]), tonumber(ARGV[5])
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(kept[1]), tonumber(kept[2])
if left == nil then
  left, at = quota, now
else
  left = math.min(quota, left + math.max(0, now - at) * quota / window)
  at = math.max(at, now)
end
local allowed = 0
if left >= least then
  allowed, left = 1, left - amount
end
redis.call('HSET', KEYS[1], 'left', string.format('%.17g', left), 'at', string.format('%.17g', at))
redis.call('EXPIRE', KEYS[1], math.ceil((quota - left) * window / quota) + 1)
return {allowed, string.format('%.17g', left)}
"""


class RedisLimiter:
    """Keeps the buckets of many processes. Belongs to the event loop that first uses it."""

    def __init__(self, url: str) -> None:
        """Take a URL such as `redis://127.0.0.1:6379/0`; nothing is opened yet.

        Raises:
            InvalidInput: the URL is none, or the package `redis` is not installed.
        """
        if importlib.util.find_spec("redis") is None:
            raise InvalidInput("Shared rate limits need the package redis: install reenact[redis].", "redis_url")
        asyncio_redis: Any = importlib.import_module("redis.asyncio")
        try:
            self._redis: Any = asyncio_redis.Redis.from_url(url)
        except ValueError as error:
            raise InvalidInput(f"The URL of Redis is not valid: {error}", "redis_url") from None
        self._script: Any = self._redis.register_script(_SCRIPT)
        self._failure: type[Exception] = importlib.import_module("redis").RedisError
        self._resting_until_s = -math.inf

    async def draw(self, key: str, policy: Policy, now_s: float) -> Verdict | None:
        """Return whether one call may go on, its request already taken; None when Redis cannot be reached."""
        need = demand(policy)
        found = await self._run(key, policy, now_s, need.least, need.amount)
        if found is None:
            return None
        return Verdict(policy=policy, is_allowed=found[0] == 1, left=float(found[1]))

    async def spend(self, key: str, policy: Policy, now_s: float, cents: float) -> None:
        """Take what a call has cost."""
        await self._run(key, policy, now_s, -math.inf, cents)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _run(self, key: str, policy: Policy, now_s: float, least: float, amount: float) -> Any:
        if now_s < self._resting_until_s:
            return None
        arguments = (policy.quota, policy.window_s, repr(now_s), repr(least), repr(amount))
        try:
            async with asyncio.timeout(_PATIENCE_S):  # over all that the client does, its own retries included
                return await self._script(keys=[_PREFIX + key], args=arguments)
        except (self._failure, OSError, TimeoutError) as failure:
            self._resting_until_s = now_s + _PAUSE_S
            _log.warning("Rate limits are not applied: Redis does not answer (%s).", type(failure).__name__)
            return None

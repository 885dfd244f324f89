"""Retrier: opens answers, and asks again where that may help."""

import asyncio
import time
from collections.abc import Callable

from reenact.errors import UpstreamFailed
from reenact.gateway.controls import Retries
from reenact.gateway.retrying import delay_s, is_retried_failure, is_retried_status
from reenact.gateway.source import AnswerSource, UpstreamAnswer, UpstreamRequest


class Retrier:
    """Asks one source, as often as a call allows."""

    def __init__(self, source: AnswerSource, now_s: Callable[[], float] = time.time) -> None:
        """Take the source; *now_s* gives seconds since the epoch."""
        self._source = source
        self._now_s = now_s

    async def open(
        self, request: UpstreamRequest, retries: Retries | None, count: Callable[[], None]
    ) -> UpstreamAnswer:
        """Return the first answer that needs no retry, or the last one as it is; *count* is called before each attempt.

        Raises:
            UpstreamFailed: the last attempt came to nothing.
        """
        left = retries.count if retries is not None else 0
        number = 0
        while True:
            count()
            try:
                answer = await self._source.open(request)
            except UpstreamFailed as failure:
                if number == left or retries is None or not is_retried_failure(failure):
                    raise
                wait_s = delay_s(retries, number, (), self._now_s())
            else:
                if number == left or retries is None or not is_retried_status(answer.status):
                    return answer
                wait_s = delay_s(retries, number, answer.headers, self._now_s())
                await answer.close()
            number += 1
            await asyncio.sleep(wait_s)

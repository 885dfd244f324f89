"""Attempter: has one step of a replay answered: out of what was recorded of it before, else by asking, again if need be."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Protocol

import msgspec

from reenact.domain.exchange import Ending, Exchange
from reenact.domain.replay import Answered, AskCall, Take
from reenact.replay.faulting import asks_nobody
from reenact.replay.governor import Exhausted
from reenact.replay.pacing import delay_s
from reenact.replay.question import Asker, Question
from reenact.replay.run import Run


class Recordings(Protocol):
    """Where recorded calls are read; the call store."""

    def exchanges(self, organisation_id: str, call_ids: list[str]) -> list[Exchange]:
        """Return calls as they were recorded; unknown ids are left out."""
        ...


class Attempter:
    """Asks for steps. A step whose answer is recorded is never asked again."""

    def __init__(self, asker: Asker, recordings: Recordings, chance: Callable[[], float]) -> None:
        """Take the parts; *chance* gives random numbers in [0, 1)."""
        self._asker = asker
        self._recordings = recordings
        self._chance = chance

    async def answer(self, run: Run, take: Take, ask: AskCall) -> Answered:
        """Return what became of *ask* at last. Every attempt is a recorded call; a step is counted once.

        Raises:
            Exhausted: the budget has no room for asking it.
        """
        failures = 0
        for attempt in itertools.count(1):
            question = run.question(take, ask, attempt)
            exchange = await self._recorded(run, question.id)
            if exchange is not None and exchange.ending is Ending.CLIENT_LEFT:
                continue  # it was stopped while it was under way: nothing is known of its answer
            if exchange is not None and exchange.request_body != ask.body:
                continue  # a chained take has come to this step by another way than before it was stopped
            if exchange is not None:
                answered = self._asker.recall(question, exchange)
            else:
                answered = await self._asked(run, take, question)
            failures += 1
            answered = msgspec.structs.replace(answered, attempts=failures)
            if not answered.is_passing or failures > run.order.limits.retries or asks_nobody(question.fault):
                return answered
            if exchange is None and not await self._waited(run, question, answered, failures):
                return answered
        raise AssertionError

    async def _recorded(self, run: Run, call_id: str) -> Exchange | None:
        if call_id not in run.recorded:
            return None
        found = await asyncio.to_thread(self._recordings.exchanges, run.organisation_id, [call_id])
        return found[0] if found else None

    async def _asked(self, run: Run, take: Take, question: Question) -> Answered:
        if asks_nobody(question.fault):
            return await self._asker.fail(question, await self._source(run, question))
        is_same = question.is_unchanged and question.fault is None and question.source.status == 200
        if run.order.reuse and take.arm != "control" and is_same:
            return await self._asker.reuse(question, await self._source(run, question))
        most_nanodollars, tokens = expected(run, take, question)
        async with run.governor.permit(question.provider, most_nanodollars, tokens) as permit:
            permit.answered = await self._asker.ask(question, run.order.provider_keys)
            return permit.answered

    async def _source(self, run: Run, question: Question) -> Exchange:
        """Return the recorded call that a question asks again."""
        source = question.source.id
        [exchange] = await asyncio.to_thread(self._recordings.exchanges, run.organisation_id, [source])
        return exchange

    async def _waited(self, run: Run, question: Question, answered: Answered, failures: int) -> bool:
        """Wait before the next attempt; return False when the provider wants to be left alone for too long."""
        wait_s = delay_s(failures, answered.retry_after_s, self._chance())
        if wait_s is None:
            return False
        if answered.status == 429 or answered.retry_after_s is not None:
            run.governor.hold(question.provider, wait_s)
        else:
            await asyncio.sleep(wait_s)
        return True


def expected(run: Run, take: Take, question: Question) -> tuple[int | None, int]:
    """Return what a step may cost at most, None when that is not known, and how many tokens it is expected to use.

    A request that carries longer answers than the planned one costs more in proportion.
    """
    planned = run.planned(take, question.ask.index)
    grown = max(1.0, len(question.ask.body) / max(1, len(planned.body)))
    most = planned.most_cost_nanodollars
    tokens = (planned.expected_input_tokens or 0) * grown + (planned.expected_output_tokens or 0)
    return None if most is None else round(most * grown), round(tokens)


__all__ = ["Attempter", "Exhausted", "Recordings", "expected"]

"""Desk: gives the tool calls of takes to the user's own tools: an address, or the client that watches the replay.

A result that was recorded is never asked for again. Nothing else of this server runs a tool.
"""

import asyncio
import itertools
from collections.abc import Callable

import msgspec

from reenact.domain.exchange import Ending, Exchange
from reenact.domain.message import Json
from reenact.domain.policy import Callback, Policies
from reenact.domain.replay import Answered, AskTool, Take, WaitingTool
from reenact.errors import InvalidInput, NotFound, TooLarge
from reenact.ingest.unpacking import unpack
from reenact.replay.attempter import Recordings
from reenact.replay.question import ToolQuestion
from reenact.replay.run import Order, Run
from reenact.replay.toolcaller import MOST_RESULT_BYTES, ToolCaller

TOOLS = "tools"
"""What stands for a provider's name in the rates and keys of a replay."""


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client's tool gave back; one of the two."""

    result: Json | msgspec.UnsetType = msgspec.UNSET
    """A text, or JSON that is written as text."""
    error: str | None = None
    """Why it gave nothing back: the branch stops there."""


class _Waiting(msgspec.Struct, frozen=True):
    """A tool call at the desk."""

    question: ToolQuestion
    began_us: int
    came: "asyncio.Future[Exchange]"


class Desk:
    """Used on the event loop that the runner works on."""

    def __init__(self, caller: ToolCaller, recordings: Recordings, clock: Callable[[], int]) -> None:
        """Take the parts; *clock* gives microseconds since the epoch."""
        self._caller = caller
        self._recordings = recordings
        self._clock = clock
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        """By replay and tool call."""

    def check_policies(self, policies: Policies) -> None:
        """Make sure that every address that *policies* name may be called.

        Raises:
            InvalidInput: one may not; `field` is its place.
        """
        for number, rule in enumerate(policies.tools):
            for place, policy in enumerate(rule.policies):
                url = policy.url if isinstance(policy, Callback) else None
                objection = self._caller.objection(url) if url is not None else None
                if objection is not None:
                    raise InvalidInput(objection, f"policies.tools[{number}].policies[{place}].url")

    def check(self, order: Order) -> None:
        """Make sure that every tool of *order* can be called.

        Raises:
            InvalidInput: an address may not be called, or wants the key for tools and none was given.
        """
        policies = order.plan.policies or Policies()
        self.check_policies(policies)
        keyed = any(isinstance(one, Callback) and one.is_keyed for rule in policies.tools for one in rule.policies)
        if keyed and not order.provider_keys.get(TOOLS):
            raise InvalidInput(
                f"There is no key for the tools: give provider_keys.{TOOLS} with the replay.", f"provider_keys.{TOOLS}"
            )

    async def answer(self, run: Run, take: Take, ask: AskTool) -> Answered:
        """Return what became of a tool call.

        Raises:
            Exhausted: the budget has no room for asking it.
        """
        for attempt in itertools.count(1):
            question = run.tool_question(take, ask, attempt)
            recorded = await self._recorded(run, question.id)
            if recorded is None:
                break
            if recorded.request_body == question.body:
                return told(ask, recorded)
        async with run.governor.permit(TOOLS, 0, 0) as permit:
            permit.answered = told(ask, await self._asked(run, take, question))
            return permit.answered

    async def take(self, replay_id: str, tool_id: str, given: ToolResult) -> None:
        """Take what the client's tool gave back; once this returns it is recorded.

        Raises:
            NotFound: no such tool call waits.
            InvalidInput: it is neither a result nor an error, or both.
            TooLarge: it is longer than a result may be.
        """
        waiting = self._waiting.get((replay_id, tool_id))
        if waiting is None or waiting.came.done():
            raise NotFound(f"No tool call {tool_id} of the replay {replay_id} waits for a result.")
        if (given.result is msgspec.UNSET) == (given.error is None):
            raise InvalidInput("Give either a result or an error.", "result")
        said = given.error if given.error is not None else given.result
        body = said.encode() if isinstance(said, str) else msgspec.json.encode(said)
        if len(body) > MOST_RESULT_BYTES:
            raise TooLarge(f"A tool's result may have {MOST_RESULT_BYTES:,} bytes; this one has {len(body):,}.")
        is_error = given.error is not None
        waiting.came.set_result(self._caller.keep_given(waiting.question, waiting.began_us, body, is_error=is_error))
        await self._caller.settle()

    async def _recorded(self, run: Run, call_id: str) -> Exchange | None:
        if call_id not in run.recorded:
            return None
        found = await asyncio.to_thread(self._recordings.exchanges, run.organisation_id, [call_id])
        return found[0] if found else None

    async def _asked(self, run: Run, take: Take, question: ToolQuestion) -> Exchange:
        if question.ask.url is not None:
            key = run.order.provider_keys.get(TOOLS) if question.ask.is_keyed else None
            return await self._caller.call(question, question.ask.url, key)
        ask, began_us = question.ask, self._clock()
        tool = WaitingTool(id=question.id, take=take.number, name=ask.name, arguments=ask.arguments)
        came: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
        self._waiting[run.id, question.id] = _Waiting(question, began_us, came)
        run.wait(tool)
        try:
            async with asyncio.timeout(ask.timeout_s):
                return await came
        except TimeoutError:
            return self._caller.keep_given(question, began_us, None, is_error=True)
        finally:
            del self._waiting[run.id, question.id]
            run.wait_no_more(tool)


def told(ask: AskTool, exchange: Exchange) -> Answered:
    """Return what became of a tool call, the same for one just made and for one read back from the store."""
    failure, result = None, None
    if exchange.ending is not Ending.ANSWERED:
        failure = exchange.detail
    else:
        try:
            result = unpack(exchange.response_body, exchange.response_headers, MOST_RESULT_BYTES).decode()
        except (InvalidInput, UnicodeDecodeError) as error:
            failure = f"its result cannot be read: {error}"
    if failure is None and not 200 <= exchange.status < 300:
        said = (result or "")[:200]
        failure, result = f"HTTP {exchange.status}: {said}" if ask.url else said, None
    return Answered(
        index=ask.index,
        round=ask.round,
        tool=ask.tool,
        call_id=exchange.id,
        status=exchange.status or None,
        failure=failure,
        result=result,
        cost_nanodollars=0,
    )

"""Controller: takes a call through what its headers switch on, in this order: cache, rate limit, checks, provider."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import msgspec

from reenact.domain.call import Call
from reenact.domain.exchange import Exchange
from reenact.errors import ReenactError
from reenact.gateway.answers import HeldAnswer, WholeEvents, is_event_stream
from reenact.gateway.ask import Ask, Sink
from reenact.gateway.cacher import Cacher
from reenact.gateway.caching import MISS_HEADERS, cache_key, hit_headers, to_entry
from reenact.gateway.collector import Collector
from reenact.gateway.controls import NONE, CacheUse, Policy, Screening, Unit
from reenact.gateway.course import Course
from reenact.gateway.forwarder import Forwarder
from reenact.gateway.limiter import Limiter
from reenact.gateway.limiting import bucket_key
from reenact.gateway.means import Means
from reenact.gateway.moderating import (
    checked_text,
    flagged,
    is_checkable,
    is_flagged,
    moderation_ask,
    threatening,
)
from reenact.gateway.omitting import without_bodies
from reenact.gateway.prompting import read_tags
from reenact.gateway.refusing import Refusal, limited, refuse
from reenact.gateway.rewriting import with_usage, without_compression
from reenact.gateway.source import UpstreamAnswer

_log = logging.getLogger(__name__)

_CENT_NANODOLLARS = 10_000_000

Relaying = Callable[[Ask, Sink], Awaitable[Exchange]]


class Controller:
    """Opens answers for calls that are more than relayed."""

    def __init__(
        self,
        forwarder: Forwarder,
        means: Means,
        *,
        new_id: Callable[[], str],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """Take the parts; *now_s* gives seconds since the epoch, *new_id* UUIDs."""
        self._forwarder = forwarder
        self._means = means
        self._new_id = new_id
        self._now_s = now_s
        self._tasks: set[asyncio.Task[None]] = set()
        self.malformed = 0
        """How many headers could not be understood since the start, for health."""

    async def open(self, course: Course, relay: Relaying) -> UpstreamAnswer | Refusal:
        """Return the answer to a call, or the gateway's own in its place; *relay* sends the calls that checks make.

        Raises:
            UpstreamFailed: no answer came.
        """
        controls = course.ask.controls
        self.malformed += len(controls.notes)
        if controls.fault is not None:
            return refuse(controls.fault.status, controls.fault.kind, controls.fault.message)
        self._rewrite(course)
        if controls.omits_request or controls.omits_response:
            course.shape = self._omitting(course)
        answer = await self._play(course) or await self._answer(course, relay)
        if controls.forces_format and not isinstance(answer, Refusal) and is_event_stream(answer):
            return WholeEvents(answer)
        return answer

    def accompany(self, course: Course) -> None:
        """Take a WebSocket, which is passed on as it is: of what headers switch on, bodies are left out and no more."""
        controls = course.ask.controls
        self.malformed += len(controls.notes)
        if controls.omits_request or controls.omits_response:
            course.shape = self._omitting(course)
        done = msgspec.structs.replace(
            controls, omits_request=False, omits_response=False, ignores_tags=False, notes=()
        )
        if done != NONE:
            course.note("A WebSocket is passed on as it is: no cache, retries, limits, checks or changes.")

    async def _play(self, course: Course) -> UpstreamAnswer | Refusal | None:
        """Return the answer to a call of a take; None for every other call, and for one that is to be asked for real."""
        if course.ask.take is None:
            return None
        if self._means.stage is None:
            return refuse(404, "no_such_take", "This server plays no takes.")
        return await self._means.stage.open(course)

    async def _answer(self, course: Course, relay: Relaying) -> UpstreamAnswer | Refusal:
        """Return the answer of the first who has one."""
        controls = course.ask.controls
        if controls.cache is not None and (hit := await self._look_up(course, controls.cache)) is not None:
            return hit
        if controls.policy is not None and (refusal := await self._limit(course, controls.policy)) is not None:
            return refusal
        return await self._check(course, relay) or await self._forwarder.open(course)

    async def close(self) -> None:
        """Finish what is under way beside the calls."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _rewrite(self, course: Course) -> None:
        """Change what is sent as far as that does not depend on where it goes."""
        controls = course.ask.controls
        if controls.reads_tags and (read := read_tags(course.ask.body)) is not None:
            body, course.tagged = read
            course.change(body, "Helicone-Prompt-Id")
        if controls.adds_usage and (body := with_usage(course.ask.body)) is not course.ask.body:
            course.change(body, "Helicone-Stream-Usage")
        if controls.forces_format:
            course.send(headers=without_compression(course.ask.headers))

    # --- the cache (surface 5.3)

    async def _look_up(self, course: Course, use: CacheUse) -> UpstreamAnswer | None:
        """Return a kept answer; None when the provider has to be asked, whose answer is then kept."""
        cacher = self._means.cacher
        if cacher is None:
            course.note("Helicone-Cache-Enabled: this server keeps no answers.")
            return None
        if course.ask.labels.replay is not None:
            return None  # a replay asks: an answer out of the cache would only repeat what is recorded
        key = cache_key(course.ask, use)
        started_s = time.monotonic()
        found = None
        if use.reads:
            found = await cacher.find(key, use.slots)
        else:
            await cacher.warm(key, use.slots)
        if found is not None:
            slot, entry = found
            course.handle(cache_enabled=True, cache_reference_id=entry.call_id)
            course.told += hit_headers(slot, round((time.monotonic() - started_s) * 1000))
            return HeldAnswer(entry.status, entry.headers, entry.chunks)
        if use.reads:
            course.handle(cache_enabled=True)
            course.told += MISS_HEADERS
        if use.saves and not course.ask.controls.omits_response:
            course.afterwards(self._saving(cacher, key, use))
        return None

    def _saving(self, cacher: Cacher, key: str, use: CacheUse) -> Callable[[Exchange], None]:
        def save(exchange: Exchange) -> None:
            if (entry := to_entry(exchange, use, self._now_s())) is not None:
                cacher.save(key, use.slots, entry)

        return save

    # --- rate limits (surface 5.4)

    async def _limit(self, course: Course, policy: Policy) -> Refusal | None:
        """Return the answer to a call that is over its limit."""
        key = bucket_key(policy, course.ask.organisation_id, course.ask.labels)
        limiter = self._means.limiter
        if key is None or limiter is None:
            why = f"the call has no {policy.segment}" if key is None else "this server has no limiter"
            course.note(f"Helicone-RateLimit-Policy: {why}; it was not limited.")
            return None
        verdict = await limiter.draw(key, policy, self._now_s())
        if verdict is None:
            course.note("Helicone-RateLimit-Policy: the limiter could not be reached; the call was not limited.")
            return None
        course.told += verdict.headers
        if not verdict.is_allowed:
            course.handle(is_rate_limited=True)
            course.label("Helicone-Rate-Limit-Status", "bucket_rate_limited")
            course.told += [(b"x-helicone-error", b"rate_limited"), (b"retry-after", b"%d" % verdict.reset_s)]
            return limited(f"Rate limit reached: {policy.text}. Try again in {verdict.reset_s} s.")
        if policy.unit is Unit.CENTS:
            course.afterwards(self._spending(course, limiter, key, policy))
        return None

    def _spending(self, course: Course, limiter: Limiter, key: str, policy: Policy) -> Callable[[Exchange], None]:
        """Return what takes a call's cost out of its budget, once."""
        spent: set[str] = set()

        def spend(exchange: Exchange) -> None:
            if exchange.id in spent:
                return
            spent.add(exchange.id)
            call = self._understood(exchange)
            if call is not None and call.cost_nanodollars:
                self._begin(limiter.spend(key, policy, self._now_s(), call.cost_nanodollars / _CENT_NANODOLLARS))

        if self._means.understand is None:
            course.note("Helicone-RateLimit-Policy: this server knows no prices; nothing was taken from the budget.")
        return spend

    def _understood(self, exchange: Exchange) -> Call | None:
        """Return what an exchange means; None when this server cannot tell."""
        if self._means.understand is None:
            return None
        try:
            return self._means.understand(exchange).call
        except Exception:  # noqa: BLE001 - the gateway's tap: a call never fails because it could not be understood
            _log.exception("A call could not be understood.")
            return None

    # --- checks (surface 5.9)

    async def _check(self, course: Course, relay: Relaying) -> Refusal | None:
        """Return the answer to a call whose text is not to be sent."""
        controls = course.ask.controls
        if not controls.moderates and controls.screening is Screening.NONE:
            return None
        if not is_checkable(course.ask):
            course.note("Only OpenAI chats are moderated and checked for attacks; this call was not.")
            return None
        text = checked_text(course.ask)
        if text is None:
            return None
        if controls.moderates and await self._is_flagged(course, text, relay):
            return flagged(course.ask)
        if controls.screening is not Screening.NONE and await self._is_threat(course, text):
            course.handle(is_threat=True)
            return threatening(course.ask)
        return None

    async def _is_flagged(self, course: Course, text: str, relay: Relaying) -> bool:
        collector = Collector()
        exchange = await relay(moderation_ask(course.ask, text, self._new_id()), collector)
        verdict = is_flagged(exchange.status, collector.body)
        if verdict is None:
            course.note(
                f"Helicone-Moderations-Enabled: the moderation {exchange.id} gave no verdict; the call was sent."
            )
        return verdict is True

    async def _is_threat(self, course: Course, text: str) -> bool:
        if self._means.screen is None:
            course.note("Helicone-LLM-Security-Enabled: this server has no classifier; the call was not checked.")
            return False
        try:
            return await self._means.screen(text, course.ask.controls.screening is Screening.ADVANCED)
        except ReenactError as error:
            course.note(f"Helicone-LLM-Security-Enabled: the check failed ({error.message}); the call was sent.")
            return False

    # --- bodies left out (surface 1.6)

    def _omitting(self, course: Course) -> Callable[[Exchange], Exchange]:
        controls = course.ask.controls

        def shape(exchange: Exchange) -> Exchange:
            call = self._understood(exchange)
            return without_bodies(exchange, call, request=controls.omits_request, response=controls.omits_response)

        return shape

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

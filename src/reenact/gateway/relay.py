"""Relay one call and record it: the one way by which anything is asked of a provider, by agents and by replays."""

from collections.abc import Callable, Sequence

from reenact.domain.exchange import Ending, Exchange, Header
from reenact.errors import TooLarge, UpstreamFailed
from reenact.gateway.ask import Ask, Recorder, Sink
from reenact.gateway.controller import Controller
from reenact.gateway.course import Course
from reenact.gateway.labelling import end_to_end
from reenact.gateway.redacting import redact_target
from reenact.gateway.refusing import Refusal, refuse, report
from reenact.gateway.source import AnswerSource, UpstreamAnswer, UpstreamRequest
from reenact.gateway.tap import Tap
from reenact.gateway.tunneller import TunnelSource, handshake, pass_both_ways
from reenact.gateway.visit import Visit

__all__ = ["Ask", "Recorder", "Relay", "Sink"]

_OWN_ANSWER_HEADERS = frozenset({b"helicone-id", b"helicone-status"})


class Relay:
    """Asks a source, passes the answer on as it comes, and has it recorded before its last byte goes out."""

    def __init__(
        self,
        source: AnswerSource,
        recorder: Recorder,
        clock: Callable[[], int],
        controller: Controller | None = None,
        tunnels: TunnelSource | None = None,
        *,
        is_durable: bool = False,
    ) -> None:
        """Take the parts.

        Args:
            source: answers.
            recorder: keeps what crossed.
            clock: gives microseconds since the epoch and never goes back.
            controller: opens answers for asks that are not plain; without one they are relayed like any other.
            tunnels: opens WebSockets; without one they are refused.
            is_durable: whether the last bytes of answers wait until their records are safe from a power cut.
        """
        self._source = source
        self._recorder = recorder
        self._clock = clock
        self._controller = controller
        self._tunnels = tunnels
        self._is_durable = is_durable

    async def relay(self, ask: Ask, sink: Sink) -> Exchange:
        """Ask, pass the answer on, and return what was recorded.

        Cancel it when whoever asked has left: the provider is let go at once and what had come is recorded. An answer that
        broke off is not ended: `sink.end` was not called, and its agent has to see that.
        """
        course = None if ask.is_plain or self._controller is None else Course(ask)
        tap = Tap(ask, self._recorder, self._clock, course, is_durable=self._is_durable)
        try:
            try:
                answer = await self._open(ask, course, tap)
            except TooLarge as error:
                return await _answer(refuse(413, "request_too_large", error.message), sink, tap)
            except UpstreamFailed as failure:
                target_url = tap.ask.origin + redact_target(tap.ask.target).decode("latin-1")
                return await _answer(report(failure, target_url), sink, tap)
            if isinstance(answer, Refusal):
                return await _answer(answer, sink, tap)
            try:
                return await _pass_on(answer, sink, tap)
            finally:
                await answer.close()
        except BaseException as error:
            tap.leave(f"The call ended before its answer did ({type(error).__name__}).")
            raise

    async def tunnel(self, ask: Ask, agent: Visit) -> Exchange:
        """Pass a WebSocket on, as `relay` does an answer."""
        if self._tunnels is None or ask.is_guarded or ask.elects or ask.controls.fallbacks:
            message = "WebSockets go to the providers that this server knows, and no header changes where."
            return await self.refuse(ask, refuse(400, "invalid_target", message), agent)
        course = None if ask.is_plain or self._controller is None else Course(ask)
        if course is not None and self._controller is not None:
            self._controller.accompany(course)
        tap = Tap(ask, self._recorder, self._clock, course, is_durable=self._is_durable)
        request = UpstreamRequest(
            method=ask.method, origin=ask.origin, target=ask.target, headers=handshake(ask.headers), body=b""
        )
        try:
            try:
                answer = await self._tunnels.open_tunnel(request)
            except UpstreamFailed as failure:
                return await _answer(report(failure, ask.origin), agent, tap)
            try:
                if answer.status != 101:
                    return await _pass_on(answer, agent, tap)
                tap.begin(answer.status, answer.headers)
                await agent.switch(_head(tap, answer.status, answer.headers))
                return await pass_both_ways(answer, agent, tap)
            finally:
                await answer.close()
        except BaseException as error:
            tap.leave(f"The connection ended before it was closed ({type(error).__name__}).")
            raise

    async def refuse(self, ask: Ask, refusal: Refusal, sink: Sink) -> Exchange:
        """Answer *ask* in the provider's place, and return what was recorded. Nothing is sent upstream."""
        return await _answer(refusal, sink, Tap(ask, self._recorder, self._clock, is_durable=self._is_durable))

    async def _open(self, ask: Ask, course: Course | None, tap: Tap) -> UpstreamAnswer | Refusal:
        if course is not None and self._controller is not None:
            return await self._controller.open(course, self.relay)
        request = UpstreamRequest(
            method=ask.method,
            origin=ask.origin,
            target=ask.target,
            headers=ask.headers,
            body=ask.body,
            upload=None if ask.upload is None else tap.sending(ask.upload.pieces),
            upload_bytes=None if ask.upload is None else ask.upload.body_bytes,
            is_guarded=ask.is_guarded,
        )
        return await self._source.open(request)


async def _pass_on(answer: UpstreamAnswer, sink: Sink, tap: Tap) -> Exchange:
    tap.begin(answer.status, answer.headers)
    if tap.is_unsettled:
        await tap.settle()
    await sink.start(answer.status, _head(tap, answer.status, answer.headers))
    try:
        async for chunk in answer.chunks():
            tap.take(chunk)
            if tap.is_unsettled:
                await tap.settle()
            await sink.chunk(chunk)
    except UpstreamFailed as failure:
        return tap.keep(Ending.PROVIDER_CUT, failure.message)
    exchange = tap.finish()
    if tap.is_unsettled:
        await tap.settle()
    await sink.end()
    return exchange


async def _answer(refusal: Refusal, sink: Sink, tap: Tap) -> Exchange:
    exchange = tap.refuse(refusal)
    if tap.is_unsettled:
        await tap.settle()
    await sink.start(refusal.status, _head(tap, refusal.status, refusal.headers))
    await sink.chunk(refusal.body)
    await sink.end()
    return exchange


def _head(tap: Tap, status: int, headers: Sequence[Header]) -> list[Header]:
    """Return the headers that the agent is given (surface 1.7)."""
    head = [header for header in end_to_end(headers) if header[0] not in _OWN_ANSWER_HEADERS]
    if status in {204, 304}:
        head = [
            header for header in head if header[0] != b"content-length"
        ]  # there is no body that it could tell about
    head += tap.told
    head.append((b"helicone-id", tap.ask.id.encode()))
    head.append((b"helicone-status", b"success" if status < 400 else b"failed"))
    return head

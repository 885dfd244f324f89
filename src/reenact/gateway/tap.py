"""Tap: the copy of what crosses, and when it is kept."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence

from reenact.domain.exchange import Chunk, Ending, Exchange, Frame, Header
from reenact.errors import SpoolFailed
from reenact.gateway.ask import Ask, Recorder
from reenact.gateway.course import Course
from reenact.gateway.holder import until_durable, until_written
from reenact.gateway.redacting import redact_headers, redact_target
from reenact.gateway.refusing import Refusal
from reenact.gateway.streaming import REACH_BYTES, ends_stream
from reenact.gateway.transcript import Transcript
from reenact.gateway.unframing import Part

_log = logging.getLogger(__name__)

_BODILESS = frozenset({204, 304})


class Tap:
    """Gathers one answer as it passes and hands the exchange to the recorder before its last byte goes out."""

    def __init__(
        self,
        ask: Ask,
        recorder: Recorder,
        clock: Callable[[], int],
        course: Course | None = None,
        *,
        is_durable: bool = False,
    ) -> None:
        self.is_unsettled = False
        """Whether the agent is given the end only once what was kept last is safer than it is now; see `settle`."""
        self._is_durable = is_durable
        self._ask = ask
        self._course = course
        self._recorder = recorder
        self._clock = clock
        self._status = 0
        self._headers: Sequence[Header] = ()
        self._request = Transcript(recorder.spill)
        self._response = Transcript(recorder.spill)
        self._chunks: list[Chunk] = []
        self._frames: list[Frame] = []
        self._expected_bytes: int | None = None
        self._before: bytes | None = None
        self._kept: Exchange | None = None
        self._kept_bytes = 0
        self._is_lost = False
        self._is_handed_over = False
        """Whether bodies in files are the recorder's, who takes no more of them."""

    @property
    def ask(self) -> Ask:
        """What is asked, as it is sent now."""
        return self._ask if self._course is None else self._course.ask

    @property
    def told(self) -> Sequence[Header]:
        """What the agent is told beside the answer's own headers."""
        return () if self._course is None else self._course.told

    def begin(self, status: int, headers: Sequence[Header]) -> None:
        """Take the answer's head; an answer that has no body is kept now, for nothing of it follows."""
        self._status = status
        self._headers = headers
        for name, value in headers:
            if name == b"content-length" and self._expected_bytes is None and value.isdigit():
                self._expected_bytes = int(value)
            elif name == b"content-type" and value.startswith(b"text/event-stream"):
                self._before = b"\n"
        if self._ask.method == "HEAD" or status in _BODILESS:
            self._expected_bytes = 0
        if self._expected_bytes == 0:
            self.keep(Ending.ANSWERED)

    async def sending(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the pieces of an upload, of which a copy is kept."""
        async for piece in pieces:
            self._copy(self._request, piece)
            yield piece

    def take(self, chunk: bytes) -> None:
        """Take a piece of the body; the exchange is kept before the last one may pass."""
        self._copy(self._response, chunk)
        self._chunks.append(Chunk(body_bytes=len(chunk), after_us=self._passed_us()))
        if self._response.size == self._expected_bytes or self._ends_stream(chunk):
            self.keep(Ending.ANSWERED)

    def hear(self, part: Part, *, by_agent: bool) -> None:
        """Take a piece of a WebSocket frame."""
        self._copy(self._request if by_agent else self._response, part.payload)
        if part.is_first:
            self._frames.append(Frame(by_agent, part.opcode, len(part.payload), self._passed_us()))
            return
        for at in range(len(self._frames) - 1, -1, -1):  # the other side may have begun a frame meanwhile
            begun = self._frames[at]
            if begun.by_agent is by_agent:
                self._frames[at] = Frame(by_agent, begun.opcode, begun.body_bytes + len(part.payload), begun.after_us)
                return

    def refuse(self, refusal: Refusal) -> Exchange:
        """Keep an answer of the gateway's own, and return it."""
        self._status = refusal.status
        self._headers = refusal.headers
        self._copy(self._response, refusal.body)
        self._chunks = [Chunk(body_bytes=len(refusal.body), after_us=self._passed_us())]
        return self.keep(refusal.ending, refusal.detail)

    def finish(self) -> Exchange:
        """Keep the whole answer unless it is kept already, and return it."""
        is_whole = self._kept_bytes == self._request.size + self._response.size
        return self._kept if self._kept is not None and is_whole else self.keep(Ending.ANSWERED)

    def leave(self, detail: str) -> None:
        """Keep what came before whoever asked left; an answer that had come to its end by then stays answered."""
        if self._kept is None:
            self.keep(Ending.CLIENT_LEFT, detail)

    async def settle(self) -> None:
        """Wait until what was kept is written, and where that is wished for, until it is safe from a power cut."""
        await (until_durable if self._is_durable else until_written)(self._recorder)
        self.is_unsettled = False

    def keep(self, ending: Ending, detail: str = "") -> Exchange:
        """Hand what has come so far to the recorder and return it; the agent's call goes on whether it could be kept or not."""
        whole = self._exchange(ending, detail)
        self._kept_bytes = self._request.size + self._response.size
        self._kept = exchange = whole if self._course is None else self._course.record(whole)
        try:
            self.is_unsettled = not self._record(exchange) or self._is_durable
        except SpoolFailed as error:
            self._lose(error.message)
        except Exception as error:  # noqa: BLE001 - a fault of ours in recording a call is no reason to fail it
            _log.exception("A call could not be recorded.")
            self._lose(type(error).__name__)
        if self._course is not None:
            self._course.kept(whole)
        return exchange

    def _record(self, exchange: Exchange) -> bool:
        """Return whether there is nothing to wait for."""
        request, response = self._request.spill, self._response.spill
        if self._is_lost or self._is_handed_over:
            return True
        if request is None and response is None:
            return self._recorder.append(exchange)
        is_written = self._recorder.append_spilled(exchange, request, response)
        self._is_handed_over = True
        return is_written

    def _copy(self, transcript: Transcript, piece: bytes) -> None:
        """Copy a piece; one that cannot be copied costs the record, and its agent nothing."""
        if self._is_lost or self._is_handed_over:
            transcript.size += len(piece)
            return
        try:
            transcript.take(piece)
        except SpoolFailed as error:
            self._lose(error.message)
        except Exception as error:  # noqa: BLE001 - as where a record is kept
            _log.exception("A call could not be copied.")
            self._lose(type(error).__name__)

    def _lose(self, reason: str) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._request.drop()
            self._response.drop()
            self._recorder.gap(self._ask.organisation_id, reason)

    def _ends_stream(self, chunk: bytes) -> bool:
        if self._before is None:
            return False
        if ends_stream(self._before, chunk):
            self._before = None
            return True
        self._before = (self._before + chunk[-REACH_BYTES:])[-REACH_BYTES:]
        return False

    def _passed_us(self) -> int:
        return max(0, self._clock() - self._ask.started_us)

    def _first_byte_us(self) -> int | None:
        if self._frames:
            return next((frame.after_us for frame in self._frames if not frame.by_agent), None)
        return self._chunks[0].after_us if self._chunks else None

    def _exchange(self, ending: Ending, detail: str) -> Exchange:
        ask = self.ask
        return Exchange(
            id=ask.id,
            organisation_id=ask.organisation_id,
            started_us=ask.started_us,
            duration_us=self._passed_us(),
            first_byte_us=self._first_byte_us(),
            method=ask.method,
            url=redact_target(ask.url.encode("latin-1", "replace")).decode("latin-1"),
            target_url=ask.origin + redact_target(ask.target).decode("latin-1"),
            provider=ask.provider,
            labels=ask.labels,
            request_headers=_recorded(ask),
            request_body=ask.body or self._request.body,
            status=self._status,
            response_headers=redact_headers(self._headers),
            response_body=self._response.body,
            chunks=tuple(self._chunks),
            frames=tuple(self._frames),
            ending=ending,
            detail=detail,
        )


def _recorded(ask: Ask) -> tuple[Header, ...]:
    if ask.recorded is not None:
        return ask.recorded
    return redact_headers(ask.headers if ask.received is None else ask.received)

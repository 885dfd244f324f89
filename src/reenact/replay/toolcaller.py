"""ToolCaller: sends the tool calls of a take to the user's own address, and keeps what came back as a call of the take.

What is kept is a tool event, as a log of Helicone's would tell it: by it a resumed replay knows what was answered.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from reenact import __version__
from reenact.domain.exchange import Ending, Exchange, Header, Told
from reenact.errors import UpstreamFailed
from reenact.gateway.ask import Recorder
from reenact.gateway.guarding import Guard
from reenact.gateway.holder import until_written
from reenact.gateway.redacting import redact_target
from reenact.gateway.source import AnswerSource, UpstreamAnswer, UpstreamRequest
from reenact.replay.question import ToolQuestion

MOST_RESULT_BYTES = 1024 * 1024
"""Of one tool's result: it becomes part of every later request."""
_JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)
_TOO_LARGE = f"the tool gave back more than {MOST_RESULT_BYTES:,} bytes"


class _Came:
    """What has come of an answer."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: tuple[Header, ...] = ()
        self.body = b""


class ToolCaller:
    """Asks each tool call once. Redirects are not followed, and addresses inside the network not called unless allowed."""

    def __init__(self, source: AnswerSource, guard: Guard, recorder: Recorder, clock: Callable[[], int]) -> None:
        """Take the parts.

        Args:
            source: sends; it checks where a name leads when it connects.
            guard: knows which addresses may be named.
            recorder: keeps what came back.
            clock: the time in microseconds since the epoch.
        """
        self._source = source
        self._guard = guard
        self._recorder = recorder
        self._clock = clock

    def objection(self, url: str) -> str | None:
        """Return why *url* may not be called, as a sentence; None when it may."""
        if urlsplit(url).username is not None:
            return (
                "A tool's address holds no user or password: give provider_keys.tools, which is sent as a bearer token."
            )
        return self._guard.objection(url)

    async def call(self, question: ToolQuestion, url: str, key: str | None) -> Exchange:
        """Send one tool call and return what was kept of it; a failure is kept, too. Cancelled before that, nothing is."""
        exchange = await self._call(question, url, key)
        await self.settle()
        return exchange

    async def settle(self) -> None:
        """Wait until what was kept is written, see Recorder: a tool is asked once whose result a killed server had."""
        await until_written(self._recorder)

    async def _call(self, question: ToolQuestion, url: str, key: str | None) -> Exchange:
        began_us, came = self._clock(), _Came()
        objection = self.objection(url)
        if objection is not None:
            return self.keep(question, url, began_us, came, Ending.REFUSED, objection)
        try:
            async with asyncio.timeout(question.ask.timeout_s):
                await self._receive(question, url, key, came)
        except TimeoutError:
            return self.keep(question, url, began_us, came, Ending.TIMED_OUT, _late(question))
        except UpstreamFailed as failure:
            ending = Ending.PROVIDER_CUT if came.status else Ending.UNREACHED
            return self.keep(question, url, began_us, came, ending, failure.message)
        if len(came.body) > MOST_RESULT_BYTES:
            came.body = b""
            return self.keep(question, url, began_us, came, Ending.PROVIDER_CUT, _TOO_LARGE)
        return self.keep(question, url, began_us, came)

    def keep_given(self, question: ToolQuestion, began_us: int, body: bytes | None, *, is_error: bool) -> Exchange:
        """Keep what the client's tool gave back; None when it gave nothing in time."""
        came = _Came()
        if body is None:
            return self.keep(question, "client", began_us, came, Ending.TIMED_OUT, _late(question))
        came.status, came.body = 500 if is_error else 200, body
        return self.keep(question, "client", began_us, came)

    def keep(
        self, question: ToolQuestion, url: str, began_us: int, came: _Came,
        ending: Ending = Ending.ANSWERED, detail: str = "",
    ) -> Exchange:  # fmt: skip
        """Record what became of a tool call and return it."""
        shown = redact_target(url.encode()).decode("latin-1")
        exchange = Exchange(
            id=question.id,
            organisation_id=question.organisation_id,
            started_us=began_us,
            duration_us=max(0, self._clock() - began_us),
            first_byte_us=None,
            method="POST",
            url=shown,
            target_url=shown,
            provider="custom",
            labels=question.labels,
            request_headers=_JSON,
            request_body=question.body,
            status=came.status,
            response_headers=tuple(
                header for header in came.headers if header[0] in {b"content-type", b"content-encoding"}
            ),
            response_body=came.body,
            chunks=(),
            ending=ending,
            detail=detail,
            told=Told(cost_nanodollars=0),
        )
        self._recorder.append(exchange)
        return exchange

    async def _receive(self, question: ToolQuestion, url: str, key: str | None, came: _Came) -> None:
        parts = urlsplit(url)
        answer = await self._source.open(
            UpstreamRequest(
                method="POST",
                origin=f"{parts.scheme}://{parts.netloc}",
                target=((parts.path or "/") + (f"?{parts.query}" if parts.query else "")).encode(),
                headers=(
                    *_JSON,
                    (b"accept-encoding", b"identity"),
                    (b"idempotency-key", question.id.encode()),
                    (b"user-agent", f"reenact/{__version__}".encode()),
                    *(((b"authorization", f"Bearer {key}".encode()),) if key else ()),
                ),
                body=question.body,
                is_guarded=True,
            )
        )
        try:
            await _gather(answer, came)
        finally:
            await answer.close()


async def _gather(answer: UpstreamAnswer, came: _Came) -> None:
    """Read an answer into *came*, and no further than it may be long."""
    came.status, came.headers = answer.status, tuple(answer.headers)
    pieces, size = [], 0
    async for piece in answer.chunks():
        pieces.append(piece)
        size += len(piece)
        if size > MOST_RESULT_BYTES:
            break
    came.body = b"".join(pieces)


def _late(question: ToolQuestion) -> str:
    return f"the tool gave no result within {question.ask.timeout_s:g} s"

"""Masker: stands before the spool and masks what its owner never wants written. Agents and providers never get to see it."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import msgspec

from reenact.domain.exchange import AsAsked, Exchange, Frame, Header, Spill, Tagged
from reenact.domain.message import Json
from reenact.gateway.ask import Recorder
from reenact.gateway.masking import Mask, Span

_OWN = (b"helicone-", b"reenact-")
_TEXT, _BINARY = 1, 2


class Masker:
    """A recorder before another; see Recorder. What it cannot look into it leaves out, and says so with the call."""

    def __init__(self, recorder: Recorder, mask: Mask) -> None:
        self._recorder = recorder
        self._mask = mask

    def append(self, exchange: Exchange) -> bool:
        """Keep *exchange*, masked; return whether it is written.

        Raises:
            SpoolFailed: it could not be kept.
        """
        if _is_compressed(exchange.request_headers) and exchange.request_body:
            exchange = _without_request(exchange, "compressed")
        if _is_compressed(exchange.response_headers) and exchange.response_body:
            exchange = _without_response(exchange, "compressed")
        return self._recorder.append(self._masked(exchange))

    def spill(self) -> Spill:
        """Open nothing: a body that is too large to be looked through is not written."""
        return _Nowhere()

    def append_spilled(self, exchange: Exchange, request: Spill | None, response: Spill | None) -> bool:
        """Keep *exchange* without the bodies that were too large; see `append`.

        Raises:
            SpoolFailed: it could not be kept.
        """
        if request is not None:
            exchange = _without_request(exchange, "too large")
        if response is not None:
            exchange = _without_response(exchange, "too large")
        return self.append(exchange)

    def when_written(self, act: Callable[[], None]) -> float:
        """Have *act* called once everything appended so far is written; return how long that may be waited for."""
        return self._recorder.when_written(act)

    def let_go(self) -> None:
        """Count an exchange whose agent was let go before it was written."""
        self._recorder.let_go()

    def when_durable(self, act: Callable[[], None]) -> None:
        """Have *act* called once everything appended so far is safe."""
        self._recorder.when_durable(act)

    def gap(self, organisation_id: str, reason: str) -> None:
        """Count one exchange that could not be kept."""
        self._recorder.gap(organisation_id, reason)

    def _masked(self, exchange: Exchange) -> Exchange:
        frames = exchange.frames
        handling = exchange.handling
        return msgspec.structs.replace(
            exchange,
            url=self._text(exchange.url),
            target_url=self._text(exchange.target_url),
            request_headers=self._headers(exchange.request_headers),
            request_body=self._mask.body(exchange.request_body, _messages(frames, by_agent=True)),
            response_headers=self._headers(exchange.response_headers),
            response_body=self._mask.body(exchange.response_body, _messages(frames, by_agent=False)),
            detail=self._text(exchange.detail),
            handling=msgspec.structs.replace(
                handling,
                notes=tuple(self._text(note) for note in handling.notes),
                asked=None if handling.asked is None else self._asked(handling.asked),
            ),
            tagged=None if exchange.tagged is None else self._tagged(exchange.tagged),
        )

    def _headers(self, headers: Sequence[Header]) -> tuple[Header, ...]:
        """Return *headers* masked but for our own, which calls are found by."""
        return tuple(
            (name, value) if name.startswith(_OWN) else (name, self._mask.text(value)) for name, value in headers
        )

    def _tagged(self, tagged: Tagged) -> Tagged:
        inputs = {key: self._text(text) for key, text in tagged.inputs.items()}
        return Tagged(inputs=inputs, template=self._mask.body(tagged.template.encode()).decode())

    def _asked(self, asked: AsAsked) -> AsAsked:
        fields = msgspec.json.decode(self._mask.body(msgspec.json.encode(asked.fields)), type=dict[str, Json])
        return msgspec.structs.replace(asked, target=self._text(asked.target), fields=fields)

    def _text(self, text: str) -> str:
        return self._mask.text(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


class _Nowhere:
    """Takes a body and keeps nothing of it; see Spill."""

    def write(self, piece: bytes) -> None:
        """Forget a piece."""

    def drop(self) -> None:
        """Nothing is there."""


def _is_compressed(headers: Sequence[Header]) -> bool:
    told = (value.strip().lower() for name, value in headers if name == b"content-encoding")
    return any(encoding not in {b"", b"identity"} for encoding in told)


def _without_request(exchange: Exchange, why: str) -> Exchange:
    note = (
        f"The request's body was {why} and could not be looked through for what is not to be written: it was left out."
    )
    handling = msgspec.structs.replace(
        exchange.handling, asked=None, omitted_request=True, notes=(*exchange.handling.notes, note)
    )
    return msgspec.structs.replace(exchange, request_body=b"", handling=handling)


def _without_response(exchange: Exchange, why: str) -> Exchange:
    note = (
        f"The answer's body was {why} and could not be looked through for what is not to be written: it was left out."
    )
    handling = msgspec.structs.replace(exchange.handling, omitted_response=True, notes=(*exchange.handling.notes, note))
    return msgspec.structs.replace(exchange, response_body=b"", chunks=(), handling=handling)


def _messages(frames: Sequence[Frame], *, by_agent: bool) -> list[Span] | None:
    """Return where one side's messages are in its body; None of what is no WebSocket."""
    if not frames:
        return None
    sizes = [frame.body_bytes for frame in frames if frame.by_agent is by_agent]
    ends = list(itertools.accumulate(sizes))
    opcodes = [frame.opcode for frame in frames if frame.by_agent is by_agent]
    return list(_joined(opcodes, [(end - size, end) for end, size in zip(ends, sizes, strict=True)]))


def _joined(opcodes: Sequence[int], spans: Sequence[Span]) -> Iterator[Span]:
    """Yield messages: a frame of text or bytes, and those that go on with it right behind it."""
    begun: Span | None = None
    for opcode, span in zip(opcodes, spans, strict=True):
        if opcode == 0 and begun is not None:
            begun = (begun[0], span[1])
            continue
        if begun is not None:
            yield begun
        begun = span if opcode in {_TEXT, _BINARY} else None
    if begun is not None:
        yield begun

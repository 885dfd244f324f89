"""Strand: what one recorded request was made of."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from reenact.domain.message import Json, Message, Role
from reenact.replay.carrying.tape import Recorded
from reenact.replay.carrying.valuing import Place

ListPlace = tuple[int, Place]
"""A list in the answer of a call."""

UNKNOWN_WAY = "in a way that no record shows"
"""The spelling of a text that is made of an answer, nobody knows how."""


class Origin(msgspec.Struct, frozen=True):
    """Where a text may have come from."""

    call: int
    place: Place
    spelling: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a text that is a copy of an earlier value."""

    start: int
    stop: int
    origins: tuple[Origin, ...]
    """All that it may be a copy of; several when the values were the same."""
    rule: str
    """The evidence, in words."""
    is_sure: bool
    """Whether the evidence is enough to write a new value there; otherwise it is reported when that value changes."""
    context: tuple[str, ...] = ()
    """What stands around it, which tells whether the same place comes again."""
    document: "Packed | None" = None
    """The JSON or Python literal that stands there, when copies stand inside it; it has no origins of its own then."""
    board: "Board | None" = None
    """The lines of names and values that stand there, when answers changed them one by one."""


class PackedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A value inside a literal: a text with copies in it, or a value that is a copy itself."""

    steps: tuple[str | int, ...]
    text: str = ""
    spans: tuple[Span, ...] = ()
    copy: Span | None = None
    is_key: bool = False
    """Whether it is the name under which the value at *steps* stands."""


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON or Python literal with copies inside."""

    value: Json
    spelling: str
    parts: tuple[PackedPart, ...]


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that sets a line of a board."""

    call: int
    name: Place
    value: Place


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Lines such as `- name: value`, one for each name; each update sets its line, or adds one."""

    before: str
    """What stands before each name."""
    begun: tuple[tuple[str, str], ...]
    """The names and values before the first update."""
    updates: tuple[Update, ...]


def flat(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans that have origins, those inside literals too."""
    for span in spans:
        if span.document is None:
            yield span
        else:
            for part in span.document.parts:
                yield from flat(part.spans if part.copy is None else (part.copy,))


def without_copies(text: str, spans: Iterable[Span], instead: str = "") -> str:
    """Return *text* with something else in place of what surely is a copy."""
    for span in sorted(spans, key=lambda span: -span.start):
        if span.is_sure:
            text = text[: span.start] + instead + text[span.stop :]
    return text


def filtered(span: Span, is_kept: Callable[[Span], bool]) -> Span | None:
    """Return *span* with those inside it that are kept; None when none is."""
    if span.document is None:
        return span if is_kept(span) else None
    parts = []
    for part in span.document.parts:
        if part.copy is not None:
            parts += [part] if is_kept(part.copy) else []
        elif spans := tuple(kept for one in part.spans if (kept := filtered(one, is_kept))):
            parts.append(msgspec.structs.replace(part, spans=spans))
    document = msgspec.structs.replace(span.document, parts=tuple(parts))
    return msgspec.structs.replace(span, document=document) if parts else None


def resettled(span: Span, judge: Callable[[str, Span], Span], text: str) -> Span:
    """Return *span*, and those inside it, as *judge* says, which is given the text around each."""
    if span.document is None:
        return judge(text, span)
    parts = tuple(
        msgspec.structs.replace(
            part,
            spans=tuple(resettled(one, judge, part.text) for one in part.spans),
            copy=None if part.copy is None else judge("", part.copy),
        )
        for part in span.document.parts
    )
    return msgspec.structs.replace(span, document=msgspec.structs.replace(span.document, parts=parts))


class Woven(msgspec.Struct, frozen=True, kw_only=True):
    """A message with the copies in its parts."""

    message: Message
    place: int
    """Which message of the request it is, counted from 0."""
    spans: dict[int, tuple[Span, ...]] = {}
    """By the position of the part."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of the parent's request, from *start* up to *stop*, which is left out."""

    start: int
    stop: int


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier answer as the agent wrote it into the request."""

    call: int
    alternative: int
    messages: tuple[Message, ...]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The results of the tools that an earlier answer asked for."""

    call: int
    woven: tuple[Woven, ...]


Piece = Kept | Turn | Results | Woven


def woven_in(pieces: Sequence[Piece]) -> Iterator[Woven]:
    """Yield the new messages among *pieces*, tool results included."""
    for piece in pieces:
        if isinstance(piece, Results):
            yield from piece.woven
        elif isinstance(piece, Woven):
            yield piece


class Strand(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One recorded request: its pieces in order, and what they depend on."""

    recorded: Recorded
    pieces: tuple[Piece, ...]
    parent: int | None = None
    """The call whose answer its history ends with."""
    is_round: bool = False
    """Whether it gives back the results of its parent's tool calls and nothing else: the next round of a tool loop."""
    is_whole: bool = False
    """Whether it keeps the parent's whole history."""
    state_of: int | None = None
    """The call whose response id it names, when the provider holds the history."""
    is_prose: bool = False
    """Whether it gives back, in words, what its parent's answer asked for in words."""
    complains: bool = False
    """Whether it tells its parent at once that the answer will not do: a program's own check, most likely."""
    sources: frozenset[int] = frozenset()
    """The calls whose answers stand in it, surely or maybe."""
    copied_from: frozenset[int] = frozenset()
    """Those of them whose answers surely do."""
    steered_by: frozenset[int] = frozenset()
    """Earlier calls whose answers stand in no request and may have decided that this one is asked."""
    steered_at: frozenset[tuple[int, Place]] = frozenset()
    """The same of fields: words and yes or no in answers of which other fields stand in requests."""

    @property
    def steering(self) -> frozenset[int]:
        """All calls that may have decided that this one is asked."""
        return self.steered_by | {call for call, _ in self.steered_at}

    @property
    def index(self) -> int:
        """The call's position in the session."""
        return self.recorded.index

    @property
    def frame(self) -> tuple[object, ...]:
        """What the agent sets up for a call: its system prompt and its tools."""
        prompt = self.recorded.prompt
        system = tuple(message.text for message in prompt.messages if message.role is Role.SYSTEM)
        return system, tuple(tool.name for tool in prompt.tools)

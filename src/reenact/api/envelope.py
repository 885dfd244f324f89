"""Envelope: the shape of every answer, and the one place that turns values into JSON bytes."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Generic, TypeVar, cast

import msgspec
from litestar import MediaType, Response
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream

T = TypeVar("T")
_NOT_KEPT = {"cache-control": "no-store"}
_SENT_BYTES = 256 * 1024
"""About what is given to a connection at once."""


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """Helicone's Result: what was asked for, or an error (surface 3.1)."""

    data: T
    error: str | None = None


def answer(value: object) -> Response[bytes]:
    """Return *value* in its envelope; encode large values in a thread and give them to `encoded` instead."""
    return encoded(msgspec.json.encode(Envelope(value)))


def encoded(content: bytes) -> Response[bytes]:
    """Return JSON bytes as an answer."""
    return Response(content, media_type=MediaType.JSON, headers=_NOT_KEPT)


def listed(items: Iterable[object]) -> list[bytes]:
    """Return the envelope of *items* in pieces, for `pieced`. Encodes: call it in a thread.

    Item by item: agents' calls wait for the interpreter while one value is encoded, and a page can have 100 MB.
    """
    pieces: list[bytes] = []
    gathered = bytearray(b'{"data":[')
    mark = b""
    for item in items:
        gathered += mark
        gathered += msgspec.json.encode(item)
        mark = b","
        if len(gathered) >= _SENT_BYTES:
            pieces.append(bytes(gathered))
            gathered.clear()
    gathered += b'],"error":null}'
    return [*pieces, bytes(gathered)]


def pieced(pieces: Sequence[bytes]) -> Response[bytes]:
    """Return JSON in pieces as an answer; whoever reads it slowly is waited for between them."""
    if len(pieces) == 1:
        return encoded(pieces[0])
    headers = {**_NOT_KEPT, "content-length": str(sum(map(len, pieces)))}
    return cast("Response[bytes]", Stream(_each(pieces), media_type=MediaType.JSON, headers=headers))


async def _each(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def described(kind: object) -> dict[int, ResponseSpec]:
    """Return what the API description says of an answer whose data is of *kind*."""
    return {200: ResponseSpec(data_container=Envelope[kind], description="Done", generate_examples=False)}  # type: ignore[valid-type]

"""Envelope: the shape of every answer, and the one place that turns values into JSON bytes."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar, cast

import msgspec
from litestar import MediaType, Response
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream

T = TypeVar("T")
_NOT_KEPT = {"cache-control": "no-store"}
_SENT_BYTES = 256 * 1024
"""About what is given to a connection at once."""
_MADE_PIECES = 8


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


def listed(items: Iterable[object]) -> Iterator[bytes]:
    """Yield the envelope of *items* in pieces, for `pieced`.

    Item by item: agents' calls wait for the interpreter while one value is encoded, and a page can have 100 MB.
    """
    gathered = bytearray(b'{"data":[')
    mark = b""
    for item in items:
        gathered += mark
        gathered += msgspec.json.encode(item)
        mark = b","
        if len(gathered) >= _SENT_BYTES:
            yield bytes(gathered)
            gathered.clear()
    gathered += b'],"error":null}'
    yield bytes(gathered)


async def pieced(pieces: Iterator[bytes]) -> Response[bytes]:
    """Return JSON in *pieces* as an answer: a few are made at once, in a thread, when the connection has taken those before.

    What is raised while the first few are made is raised; later the answer breaks off.
    """
    begun = await asyncio.to_thread(_some, pieces)
    if len(begun) < _MADE_PIECES:
        return encoded(b"".join(begun))
    return cast("Response[bytes]", Stream(_each(begun, pieces), media_type=MediaType.JSON, headers=_NOT_KEPT))


async def _each(made: Sequence[bytes], left: Iterator[bytes]) -> AsyncIterator[bytes]:
    while made:
        for piece in made:
            yield piece
        made = await asyncio.to_thread(_some, left)


def _some(pieces: Iterator[bytes]) -> list[bytes]:
    return list(islice(pieces, _MADE_PIECES))


def described(kind: object) -> dict[int, ResponseSpec]:
    """Return what the API description says of an answer whose data is of *kind*."""
    return {200: ResponseSpec(data_container=Envelope[kind], description="Done", generate_examples=False)}  # type: ignore[valid-type]

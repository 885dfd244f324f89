"""Envelope: the shape of every answer, and the one place that turns values into JSON bytes."""

from typing import Generic, TypeVar

import msgspec
from litestar import MediaType, Response
from litestar.openapi.datastructures import ResponseSpec

T = TypeVar("T")


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """Helicone's Result: what was asked for, or an error (surface 3.1)."""

    data: T
    error: str | None = None


def answer(value: object) -> Response[bytes]:
    """Return *value* in its envelope; encode large values in a thread and give them to `encoded` instead."""
    return encoded(msgspec.json.encode(Envelope(value)))


def encoded(content: bytes) -> Response[bytes]:
    """Return JSON bytes as an answer."""
    return Response(content, media_type=MediaType.JSON, headers={"cache-control": "no-store"})


def described(kind: object) -> dict[int, ResponseSpec]:
    """Return what the API description says of an answer whose data is of *kind*."""
    return {200: ResponseSpec(data_container=Envelope[kind], description="Done", generate_examples=False)}  # type: ignore[valid-type]

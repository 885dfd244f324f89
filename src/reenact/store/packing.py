"""An exchange as the one blob that a store keeps of it, its request body cut into parts that stand elsewhere.

What is large in its bodies is lifted out before that, and stands among the objects.
"""

import itertools
import zlib
from collections.abc import Hashable, Mapping, Sequence
from operator import attrgetter
from typing import TypeVar

import msgspec
import zstandard

from reenact.domain.call import Asset, Bodies, Reading
from reenact.domain.exchange import NOTHING_SPECIAL, Chunk, Ending, Exchange, Frame, Handling, Header, Tagged, Told
from reenact.domain.labels import Labels
from reenact.errors import FolderUnusable, StoreFailed
from reenact.store.lifting import ANSWER, REQUEST, RESPONSE, Lift, lift_strings, lift_whole, put_back
from reenact.store.splitting import join
from reenact.store.vocabulary import VOCABULARY

Name = TypeVar("Name", bound=Hashable)

_LEVEL = 3
_dictionary = zstandard.ZstdCompressionDict(VOCABULARY, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
_dictionary.precompute_compress(level=_LEVEL)
_PLAIN, _COMPRESSED = b"\0", b"\1"


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """All of an exchange but its ids, in the order it is stored; a later version may only add fields at the end."""

    literals: tuple[bytes, ...]
    """Of the request body."""
    steps: tuple[int, ...]
    """The numbers of its parts, each as the difference to the one before: mostly ones, which compress to nothing. None where
    the store names parts beside the blob."""
    request_crc32: int
    response_body: bytes
    answer_json: bytes | None
    """None: there is none. Empty: the response body is it. Else the merged answer."""
    started_us: int
    duration_us: int
    first_byte_us: int | None
    method: str
    url: str
    target_url: str
    provider: str
    labels: Labels
    request_headers: tuple[Header, ...]
    status: int
    response_headers: tuple[Header, ...]
    chunks: tuple[Chunk, ...]
    ending: Ending
    detail: str
    handling: Handling = NOTHING_SPECIAL
    told: Told | None = None
    frames: tuple[Frame, ...] = ()
    tagged: Tagged | None = None
    lifts: tuple[Lift, ...] = ()
    """What was lifted out of the bodies; each body is kept without it."""

    @property
    def part_numbers(self) -> list[int]:
        """Which parts of its session the request body is made of, in order."""
        return list(itertools.accumulate(self.steps))


class Cut(msgspec.Struct, frozen=True):
    """The bodies of an exchange without what is large in them."""

    request: bytes
    response: bytes
    answer: bytes | None
    lifts: tuple[Lift, ...]
    contents: tuple[bytes, ...]
    """Of the lifts, in their order."""


class Whole(msgspec.Struct, frozen=True):
    """The bodies of an exchange put together again."""

    request: bytes
    response: bytes
    answer: bytes | None
    lost: tuple[str, ...]
    """The objects that could not be read."""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Kept)


_BODIES = {"literals", "steps", "request_crc32", "response_body", "answer_json", "lifts"}
_AS_RECORDED = tuple(name for name in Kept.__struct_fields__ if name not in _BODIES)
_recorded = attrgetter(*_AS_RECORDED)


def cut(reading: Reading, least_bytes: int) -> Cut:
    """Return the bodies of *reading* without what has at least *least_bytes*."""
    exchange = reading.exchange
    request = lift_strings(exchange.request_body, REQUEST, least_bytes)
    if not (
        reading.call.labels.session_id and request.rest.lstrip()[:1] == b"{"
    ):  # else the rest repeats what came before
        request = lift_whole(request, REQUEST, least_bytes)
    response = lift_whole(lift_strings(exchange.response_body, RESPONSE, least_bytes), RESPONSE, least_bytes)
    answer_json = _answer_json(reading)
    answer = lift_whole(lift_strings(answer_json or b"", ANSWER, least_bytes), ANSWER, least_bytes)
    return Cut(
        request=request.rest,
        response=response.rest,
        answer=answer.rest if answer_json else answer_json,
        lifts=request.lifts + response.lifts + answer.lifts,
        contents=request.contents + response.contents + answer.contents,
    )


def keep(reading: Reading, pieces: Cut, literals: tuple[bytes, ...], numbers: Sequence[int] = ()) -> Kept:
    """Return what is stored of *reading* when its bodies are these *pieces*, the request made of *literals* and parts."""
    exchange = reading.exchange
    return Kept(
        literals=literals,
        steps=tuple(number - before for before, number in itertools.pairwise((0, *numbers))),
        request_crc32=zlib.crc32(exchange.request_body),
        response_body=pieces.response,
        answer_json=pieces.answer,
        lifts=pieces.lifts,
        **dict(zip(_AS_RECORDED, _recorded(exchange), strict=True)),
    )


def pack(kept: Kept) -> bytes:
    """Return *kept* as bytes, not compressed."""
    return _encode(kept)


def unpack(content: bytes | memoryview) -> Kept:
    """Return what *content* was packed from."""
    return _decoder.decode(content)


def compressor() -> zstandard.ZstdCompressor:
    """Return what a store compresses with that has no codec of its own; one thread at a time may use it."""
    return zstandard.ZstdCompressor(level=_LEVEL, dict_data=_dictionary, write_checksum=True)


def decompressor() -> zstandard.ZstdDecompressor:
    """Return what reads that again, and what was compressed without a dictionary; one thread at a time may use it."""
    return zstandard.ZstdDecompressor(dict_data=_dictionary)


def pack_part(part: bytes, compressor: zstandard.ZstdCompressor) -> bytes:
    """Return *part* compressed when that makes it smaller."""
    compressed = compressor.compress(part)
    return _COMPRESSED + compressed if len(compressed) < len(part) else _PLAIN + part


def unpack_part(content: bytes, decompressor: zstandard.ZstdDecompressor) -> bytes:
    """Return the part that *content* was packed from."""
    return decompressor.decompress(content[1:]) if content[:1] == _COMPRESSED else content[1:]


def whole(
    kept: Kept, names: Sequence[Name], parts: Mapping[Name, bytes], contents: Mapping[str, bytes | None]
) -> Whole:
    """Return the bodies, put together from the *parts* of these *names* and the *contents* of objects by their keys.

    Where a content is None a marker stands that names its object.

    Raises:
        FolderUnusable: the parts do not add up to the bytes that were recorded: the database is damaged.
    """
    lost = tuple(dict.fromkeys(lift.key for lift in kept.lifts if contents.get(lift.key) is None))
    if all(name in parts for name in names) and len(kept.literals) == len(names) + 1:
        rest = join(kept.literals, [parts[name] for name in names])
        request = put_back(rest, REQUEST, kept.lifts, contents)
        if lost or zlib.crc32(request) == kept.request_crc32:
            return Whole(
                request=request,
                response=put_back(kept.response_body, RESPONSE, kept.lifts, contents),
                answer=kept.answer_json and put_back(kept.answer_json, ANSWER, kept.lifts, contents),
                lost=lost,
            )
    raise FolderUnusable("The database is damaged: a recorded request body no longer adds up to the bytes that came")


def to_bodies(kept: Kept, bodies: Whole) -> Bodies:
    """Return the bodies of a call."""
    return Bodies(
        request=bodies.request,
        response=bodies.response,
        answer_json=None if bodies.answer is None else bodies.answer or bodies.response,
        request_headers=kept.request_headers,
        response_headers=kept.response_headers,
        chunks=kept.chunks,
        tagged=kept.tagged,
        frames=kept.frames,
        assets=tuple({lift.key: _asset(lift) for lift in kept.lifts if lift.is_medium}.values()),
        lost=bodies.lost,
    )


def to_exchange(kept: Kept, call_id: str, organisation_id: str, bodies: Whole) -> Exchange:
    """Return the exchange as it was recorded.

    Raises:
        StoreFailed: an object of it cannot be read.
    """
    if bodies.lost:
        raise StoreFailed(
            f"The object {bodies.lost[0]} cannot be read, which is a piece of the recorded call {call_id}"
        )
    given = {"id", "organisation_id", "request_body", "response_body"}
    fields = {name: getattr(kept, name) for name in Exchange.__struct_fields__ if name not in given}
    return Exchange(
        id=call_id,
        organisation_id=organisation_id,
        request_body=bodies.request,
        response_body=bodies.response,
        **fields,
    )


def _asset(lift: Lift) -> Asset:
    return Asset(id=lift.key, media_type=lift.media_type, asset_bytes=lift.piece_bytes)


def _answer_json(reading: Reading) -> bytes | None:
    """Return the answer as it is kept: nothing at all when the response body says the same."""
    if reading.answer is None:
        return None
    try:
        same = msgspec.json.decode(reading.exchange.response_body) == reading.answer
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        same = False
    return b"" if same else msgspec.json.encode(reading.answer)

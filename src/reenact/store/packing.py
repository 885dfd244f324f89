"""An exchange as the one blob that a store keeps of it, its request body cut into parts that stand elsewhere."""

import itertools
import zlib
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import msgspec
import zstandard

from reenact.domain.call import Bodies, Reading
from reenact.domain.exchange import NOTHING_SPECIAL, Chunk, Ending, Exchange, Frame, Handling, Header, Tagged, Told
from reenact.domain.labels import Labels
from reenact.domain.message import Json
from reenact.errors import FolderUnusable
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

    @property
    def part_numbers(self) -> list[int]:
        """Which parts of its session the request body is made of, in order."""
        return list(itertools.accumulate(self.steps))


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Kept)


def keep(reading: Reading, literals: tuple[bytes, ...], numbers: Sequence[int] = ()) -> Kept:
    """Return what is stored of *reading* when its request body is these *literals* and parts."""
    exchange = reading.exchange
    return Kept(
        literals=literals,
        steps=tuple(number - before for before, number in itertools.pairwise((0, *numbers))),
        request_crc32=zlib.crc32(exchange.request_body),
        answer_json=_answer_json(reading),
        **{name: getattr(exchange, name) for name in Kept.__struct_fields__[3:] if name != "answer_json"},
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


def request_body(kept: Kept, names: Sequence[Name], parts: Mapping[Name, bytes]) -> bytes:
    """Return the request body, put together from the *parts* of these *names*, in order.

    Raises:
        FolderUnusable: the parts do not add up to the bytes that were recorded: the database is damaged.
    """
    if all(name in parts for name in names) and len(kept.literals) == len(names) + 1:
        body = join(kept.literals, [parts[name] for name in names])
        if zlib.crc32(body) == kept.request_crc32:
            return body
    raise FolderUnusable("The database is damaged: a recorded request body no longer adds up to the bytes that came")


def to_bodies(kept: Kept, request: bytes) -> Bodies:
    """Return the bodies of a call whose request body is *request*."""
    return Bodies(
        request=request,
        response=kept.response_body,
        answer=_answer(kept),
        request_headers=kept.request_headers,
        response_headers=kept.response_headers,
        chunks=kept.chunks,
        tagged=kept.tagged,
        frames=kept.frames,
    )


def to_exchange(kept: Kept, call_id: str, organisation_id: str, request: bytes) -> Exchange:
    """Return the exchange as it was recorded."""
    names = (name for name in Exchange.__struct_fields__ if name not in {"id", "organisation_id", "request_body"})
    fields = {name: getattr(kept, name) for name in names}
    return Exchange(id=call_id, organisation_id=organisation_id, request_body=request, **fields)


def _answer_json(reading: Reading) -> bytes | None:
    """Return the answer as it is kept: nothing at all when the response body says the same."""
    if reading.answer is None:
        return None
    try:
        same = msgspec.json.decode(reading.exchange.response_body) == reading.answer
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        same = False
    return b"" if same else msgspec.json.encode(reading.answer)


def _answer(kept: Kept) -> Json:
    """Return the response as JSON."""
    if kept.answer_json is None:
        return None
    return msgspec.json.decode(kept.answer_json or kept.response_body)

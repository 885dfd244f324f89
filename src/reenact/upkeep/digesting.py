"""Digesting: one number for a set of calls, whatever their order, so that two stores can be told alike."""

from collections.abc import Iterable

import msgspec

from reenact.domain.call import Call
from reenact.domain.digesting import digest
from reenact.domain.exchange import Exchange, Gap, Unreadable

_SIZE_BITS = 128
_encode = msgspec.msgpack.Encoder(order="sorted").encode

Record = tuple[Call, Exchange] | Gap | Unreadable
"""A call as it is answered with the exchange it was made of, or what else a store keeps."""


class Sum(msgspec.Struct, frozen=True):
    """How many records, and the sum of their digests."""

    count: int = 0
    digests: int = 0

    def plus(self, records: Iterable[Record]) -> "Sum":
        """Return the sum with *records*, each encoded canonically: keys sorted, every field said."""
        added = [int.from_bytes(digest(_encode(record)), "big") for record in records]
        return Sum(self.count + len(added), (self.digests + sum(added)) % (1 << _SIZE_BITS))

    @property
    def digest(self) -> str:
        """The sum of the digests in hexadecimal."""
        return f"{self.digests:0{_SIZE_BITS // 4}x}"

"""Reading WebSocket frames (RFC 6455, 5.2) out of bytes cut anywhere. Nothing is checked: the two ends do that."""

from collections.abc import Iterator

import msgspec

CLOSE = 8
_EXTENDED = {126: 2, 127: 8}
"""How many bytes hold the length, where seven bits say that they do."""


class Part(msgspec.Struct, frozen=True):
    """A piece of a frame's payload, unmasked."""

    opcode: int
    """Of the frame: 0 goes on with a message, 1 text, 2 binary, 8 close, 9 ping, 10 pong."""
    is_first: bool
    """Whether the frame begins with it."""
    payload: bytes


class Unframer:
    """Takes one direction of a connection, piece by piece. Holds no payload, however long a frame is."""

    def __init__(self) -> None:
        self._head = bytearray()
        """Of a frame, as far as it has come."""
        self._left_bytes = 0
        """Of the payload that is coming."""
        self._opcode = 0
        self._mask = b""

    def read(self, data: bytes) -> Iterator[Part]:
        """Yield what *data* holds."""
        at = 0
        while at < len(data):
            if self._left_bytes:
                piece = data[at : at + self._left_bytes]
                at += len(piece)
                yield self._part(piece, is_first=False)
            else:
                self._head.append(data[at])
                at += 1
                if len(self._head) >= 2 and len(self._head) == _head_bytes(self._head):
                    piece = data[at : at + self._open()]
                    at += len(piece)
                    yield self._part(piece, is_first=True)

    def _open(self) -> int:
        """Begin the frame whose head has come; return how long its payload is."""
        head, self._head = self._head, bytearray()
        self._opcode = head[0] & 15
        self._mask = bytes(head[-4:]) if head[1] & 128 else b""
        short = head[1] & 127
        extended = _EXTENDED.get(short, 0)
        self._left_bytes = int.from_bytes(head[2 : 2 + extended], "big") if extended else short
        return self._left_bytes

    def _part(self, piece: bytes, *, is_first: bool) -> Part:
        self._left_bytes -= len(piece)
        if self._mask:
            piece, self._mask = _unmask(piece, self._mask)
        return Part(self._opcode, is_first, piece)


def _head_bytes(head: bytearray) -> int:
    return 2 + _EXTENDED.get(head[1] & 127, 0) + (4 if head[1] & 128 else 0)


def _unmask(piece: bytes, mask: bytes) -> tuple[bytes, bytes]:
    """Return *piece* without its mask, and the mask turned for what follows."""
    size = len(piece)
    key = (mask * (size // 4 + 1))[:size]
    plain = (int.from_bytes(piece, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    turn = size % 4
    return plain, mask[turn:] + mask[:turn]

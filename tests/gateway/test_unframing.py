"""Frames read out of bytes cut anywhere are the frames that were written."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from reenact.gateway.unframing import Unframer

FRAMES = st.lists(st.tuples(st.sampled_from([0, 1, 2, 8, 9, 10]), st.binary(max_size=300), st.booleans()), max_size=6)


def written(opcode: int, payload: bytes, is_masked: bool) -> bytes:
    """Return a frame as RFC 6455, 5.2 draws it."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    if not is_masked:
        return bytes([0x80 | opcode]) + length + payload
    mask = b"\x01\x80\xff\x37"
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([0x80 | opcode, length[0] | 0x80]) + length[1:] + mask + masked


def joined(unframer: Unframer, pieces: list[bytes]) -> list[tuple[int, bytes]]:
    """Return opcode and payload of what comes."""
    frames: list[tuple[int, bytes]] = []
    for piece in pieces:
        for part in unframer.read(piece):
            if part.is_first:
                frames.append((part.opcode, part.payload))
            else:
                frames[-1] = part.opcode, frames[-1][1] + part.payload
    return frames


@given(FRAMES, st.lists(st.integers(0, 2000), max_size=8))
def test_frames_cut_anywhere(frames: list[tuple[int, bytes, bool]], cuts: list[int]) -> None:
    """Opcodes and payloads come back, masked or not, in order."""
    wire = b"".join(written(*frame) for frame in frames)
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    pieces = [wire[begin:end] for begin, end in itertools.pairwise(edges)]

    assert [(opcode, payload) for opcode, payload, _ in frames] == joined(Unframer(), pieces)


def test_a_length_of_eight_bytes() -> None:
    """Frames over 64 KiB say their length in eight."""
    payload = bytes(70_000)
    wire = b"\x82\x7f" + len(payload).to_bytes(8, "big") + payload

    assert [(2, payload)] == joined(Unframer(), [wire[:5], wire[5:100], wire[100:]])

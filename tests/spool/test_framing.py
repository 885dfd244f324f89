from hypothesis import given
from hypothesis import strategies as st

from reenact.spool.framing import EXCHANGE, HEADER_BYTES, Damage, Frame, expected_bytes, frame, frames
from tests.spool.exchanges import an_exchange

SALT = 0x1234ABCD


def _written(*numbers: int, salt: int = SALT) -> bytes:
    return b"".join(b"".join(frame(an_exchange(number), salt)) for number in numbers)


def _read(content: bytes, salt: int = SALT) -> list[Frame | Damage]:
    return list(frames(memoryview(content), salt))


def test_frames_come_back_in_order() -> None:
    """What was framed is read again, record by record, each with where the next begins."""
    payloads = [frame(an_exchange(number), SALT)[1] for number in (1, 2)]
    first_end = HEADER_BYTES + len(payloads[0])
    assert _read(_written(1, 2)) == [
        Frame(kind=EXCHANGE, payload=payloads[0], end=first_end),
        Frame(kind=EXCHANGE, payload=payloads[1], end=first_end + HEADER_BYTES + len(payloads[1])),
    ]


@given(kept=st.integers(min_value=0))
def test_a_torn_tail_loses_only_the_torn_record(kept: int) -> None:
    """Cut at any byte, all whole records before the cut are read and the torn one is neither read nor damage."""
    content = _written(1, 2, 3)
    kept %= len(content)
    whole = _read(content)
    assert _read(content[:kept]) == [found for found in whole if found.end <= kept]


@given(at=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_damaged_byte_costs_one_record(at: int, flip: int) -> None:
    """One byte changed anywhere in the middle record leaves the records around it, and the stretch itself is handed out."""
    first, middle, last = _written(1), _written(2), _written(3)
    at %= len(middle)
    damaged = middle[:at] + bytes([middle[at] ^ flip]) + middle[at + 1 :]
    whole = _read(first + middle + last)
    assert _read(first + damaged + last) == [whole[0], Damage(raw=damaged, end=whole[1].end), whole[2]]


def test_recorded_content_is_never_taken_for_a_record() -> None:
    """A body that holds a whole frame of another salt stays a part of the damage around it."""
    forged = _written(7, salt=0)
    body = b"".join(frame(an_exchange(1, answer=forged), SALT))
    damaged = b"\0" + body[1:]
    content = damaged + _written(2)
    assert [found.end for found in _read(content)] == [len(damaged), len(content)]


def test_zeros_behind_the_last_record_are_a_torn_tail() -> None:
    """A power cut may leave zeros where a record was to be; they are no damage."""
    assert _read(_written(1) + bytes(40)) == _read(_written(1))


def test_expected_bytes_reads_the_header_alone() -> None:
    """The header says how long its frame is; anything else says nothing."""
    content = _written(1)
    assert [expected_bytes(memoryview(part)) for part in (content[:HEADER_BYTES], content[:4], b"x" * 99)] == [
        len(content),
        0,
        0,
    ]

"""What one turn of the loop sends leaves at its end: in order, all of it, whatever happens to one piece."""

import asyncio
import logging

import pytest

from reenact.gateway.outbox import Outbox


async def test_what_is_posted_in_a_turn_leaves_at_its_end_in_order() -> None:
    """What was held back for more to join it comes last, as it was posted last."""
    outbox, sent = an_outbox(), list[bytes]()
    outbox.before(lambda: outbox.post(sent.append, b"held back until the end"))
    outbox.post(sent.append, b"first")
    outbox.post(sent.append, b"second")
    assert sent == []
    await _turn()
    assert sent == [b"first", b"second", b"held back until the end"]
    outbox.post(sent.append, b"next turn")
    await _turn()
    assert sent[3:] == [b"next turn"]


async def test_a_piece_that_cannot_be_sent_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """Its fault is logged."""
    outbox, sent = an_outbox(), list[bytes]()

    def fail(content: bytes) -> None:
        raise RuntimeError(content)

    outbox.post(fail, b"first")
    outbox.post(sent.append, b"second")
    with caplog.at_level(logging.ERROR):
        await _turn()
    assert sent == [b"second"]
    assert "could not be sent" in caplog.text


async def test_a_turn_gathers_no_more_than_its_bound() -> None:
    """What is posted beyond it leaves at once, with all before it."""
    outbox, sent = an_outbox(), list[bytes]()
    piece = b"x" * 100_000
    for _ in range(3):
        outbox.post(sent.append, piece)
    assert len(sent) == 3
    outbox.post(sent.append, piece)
    outbox.empty()
    assert len(sent) == 4
    await _turn()
    assert len(sent) == 4


async def test_the_first_of_a_long_turn_does_not_wait_for_the_last() -> None:
    """What was gathered for longer than a millisecond leaves in the middle of the turn, and the gathering begins anew."""
    times_s = iter([5.0, 5.0006, 5.0012, 5.0018, 5.0024, 5.003])
    outbox, sent = Outbox(asyncio.get_running_loop(), lambda: next(times_s)), list[bytes]()
    counts = []
    for piece in b"abcdef":
        outbox.post(sent.append, bytes([piece]))
        counts.append(len(sent))
    assert [0, 0, 3, 3, 3, 6] == counts
    assert b"abcdef" == b"".join(sent)


def an_outbox() -> Outbox:
    """Return an outbox for which turns take no time."""
    return Outbox(asyncio.get_running_loop(), lambda: 0.0)


async def _turn() -> None:
    """Let the loop go round until what was due is done."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(done.set_result, None))
    await done


async def test_an_act_that_fails_leaves_the_next_turn_as_it_is() -> None:
    """The loop tells of the fault; what is posted afterwards leaves."""
    loop = asyncio.get_running_loop()
    faults = list[object]()
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
    outbox, sent = an_outbox(), list[bytes]()

    def fail() -> None:
        sent.append(b"")
        raise ZeroDivisionError

    outbox.before(fail)
    await _turn()
    outbox.post(sent.append, b"later")
    await _turn()
    assert ["ZeroDivisionError"] == [type(fault).__name__ for fault in faults]
    assert [b"", b"later"] == sent

"""Every step of every replay has a name of its own, and always the same one."""

from uuid import UUID

from reenact.domain.replay import AskCall, Take
from reenact.replay.naming import item_id, step_id


def test_each_attempt_at_each_step_has_its_own_id() -> None:
    """Replay, arm, take, call, round, tool and attempt all tell steps apart; the order of asking does not."""
    ids = [
        step_id(
            replay,
            Take(number=number, session_id="s", arm=arm),
            AskCall(index=9, source_call_id=source, model="m", url="u", body=b"", round=round_number, tool=tool),
            attempt,
        )
        for replay in ("r1", "r2")
        for arm in ("changed", "control")
        for number in (1, 2)
        for source in ("a", "b")
        for round_number in (0, 1)
        for tool in (None, 0, 1)
        for attempt in (1, 2)
    ]

    assert 192 == len(set(ids))
    assert all(str(UUID(one)) == one for one in ids)


def test_a_step_is_known_again() -> None:
    """By another process at another time: this very id stands in recordings that are already made."""
    ask = AskCall(index=1, source_call_id="call-1", model="m", url="u", body=b"{}")

    assert step_id("r", Take(number=1, session_id="s"), ask, 1) == "12635f6a-f766-5ad2-8cbc-71fec655478c"
    assert item_id("batch", "session") == "ae0e973e-0c33-5bad-9b6e-4ac5f2dc412e"

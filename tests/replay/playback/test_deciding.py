"""Who answers a request: the record, the provider, or nobody."""

import pytest

from reenact.domain.playback import Fork, Level, OnMiss, Playback, Server
from reenact.replay.playback.deciding import Situation, server_of

RECORD, LIVE, NOBODY = Server.RECORD, Server.LIVE, Server.NOBODY


@pytest.mark.parametrize(
    ("playback", "index", "has_forked", "has_missed", "server"),
    [
        (Playback(), 1, False, False, RECORD),
        (Playback(), None, False, False, NOBODY),
        (Playback(on_miss=OnMiss.LIVE), None, False, False, LIVE),
        (Playback(on_miss=OnMiss.LIVE), 1, True, True, RECORD),
        (Playback(fork=Fork(call=2)), 1, False, False, RECORD),
        (Playback(fork=Fork(call=2)), 2, False, False, LIVE),
        (Playback(fork=Fork(call=2)), 1, True, False, RECORD),
        (Playback(fork=Fork(call=2)), None, False, False, NOBODY),
        (Playback(fork=Fork(call=2)), None, True, False, LIVE),
        (Playback(fork=Fork(first_miss=True)), 1, False, False, RECORD),
        (Playback(fork=Fork(first_miss=True)), None, False, False, LIVE),
        (Playback(fork=Fork(first_miss=True)), 1, True, True, LIVE),
    ],
)
def test_who_answers(playback: Playback, index: int | None, has_forked: bool, has_missed: bool, server: Server) -> None:
    """By what it matches, where the record is left, and what came before."""
    now = Situation(
        playback=playback,
        live=frozenset({2}) if playback.fork.call else frozenset(),
        index=index,
        level=Level.NONE if index is None else Level.EXACT,
        has_forked=has_forked,
        has_missed=has_missed,
    )

    assert server is server_of(now)

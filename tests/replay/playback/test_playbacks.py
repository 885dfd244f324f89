"""How playbacks are kept: what is written last is how they ended."""

import asyncio
import itertools
import threading
from pathlib import Path

from reenact.domain.playback import Driver, Playback
from reenact.domain.replay import Mode, Replay, State
from reenact.replay.orderer import Orderer
from reenact.replay.request import ReplayRequest
from reenact.replay.service import Replays
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from tests.fakes.replaying import a_runner, some_playbacks
from tests.replay.test_service import BODIES, GatedAsker, reading

PATIENCE_S = 0.5


class SlowKeeper:
    """Writes a replay that is under way only when its end is written, or after a while."""

    def __init__(self, control: ControlStore) -> None:
        self._control = control
        self._is_begun = False
        self.is_slow = threading.Event()
        """Whether such a replay is being written."""
        self._is_over = threading.Event()

    def save_replay(self, replay: Replay) -> None:
        """Keep it in its turn."""
        if replay.state is State.RUNNING and self._is_begun:
            self.is_slow.set()
            self._is_over.wait(PATIENCE_S)
        self._is_begun = True
        self._control.save_replay(replay)
        if replay.state is not State.RUNNING:
            self._is_over.set()


async def test_the_end_of_a_playback_is_kept_last(tmp_path: Path) -> None:
    """Though a thread was still writing what had become of it before."""
    store, control = SqliteStore(tmp_path / "calls"), ControlStore(tmp_path / "control")
    store.save([reading(f"call-{number}", number, body) for number, body in enumerate(BODIES, start=1)])
    ids = map("id-{}".format, itertools.count(1))
    keeper = SlowKeeper(control)
    playbacks = some_playbacks(keeper, store, clock=lambda: 1, new_id=lambda: next(ids))
    runner = a_runner(GatedAsker(), control, store, clock=lambda: 1, new_id=lambda: next(ids))
    replays = Replays(Orderer(store, runner, lambda *_: 5, lambda _, patch: patch), control, runner, playbacks)
    request = ReplayRequest(session_id="debate", mode=Mode.PLAYBACK, playback=Playback(driver=Driver.AGENT))
    started = await replays.start("org", request)

    opened = playbacks._stager.find("org", started.id)
    assert opened is not None
    for _ in range(5):
        await asyncio.sleep(0)  # whatever watches it is there
    opened.change()
    assert await asyncio.to_thread(keeper.is_slow.wait, 30)
    await replays.finish("org", started.id)
    await playbacks.close()
    await runner.close()

    assert State.DONE is control.get_replay("org", started.id).state
    control.close()
    store.close()

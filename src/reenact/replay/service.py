"""Replays: what the API, the pages and the command line call to plan, start, watch and stop replays.

`POST /v1/replay` takes the JSON of `request.ReplayRequest`. Plans and replays are shown as the JSON of `domain.replay.Plan`
and `Replay` (msgspec's encoding of the structs: snake_case keys, enums by value, costs in nanodollars), their `body` fields
left empty; progress as `domain.replay.Progress`.

| over HTTP | calls | answers |
| --- | --- | --- |
| `POST /v1/replay` with `dry_run` | `plan` | a Plan |
| `POST /v1/replay` | `start` | a Replay, under way |
| `GET /v1/replay/{id}` | `get` | a Replay |
| `GET /v1/replay/{id}/progress` | `watch` | server-sent events, each a Progress, the last one over |
| `POST /v1/replay/{id}/cancel` | `cancel` | a Replay |
| `POST /v1/replay/{id}/finish` | `finish` | a Replay: of a playback or fork, once its agent is through |
| `POST /v1/replay/{id}/pause` | `pause` | a Replay |
| `POST /v1/replay/{id}/resume` | `resume` | a Replay, under way |
| `GET /v1/replay?session_id=` | `of_session` | Replays, newest first |
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

from reenact.domain.replay import Mode, Plan, Progress, Replay, State
from reenact.errors import InvalidInput, NotFound, ReenactError
from reenact.replay.desk import ToolResult
from reenact.replay.orderer import Orderer
from reenact.replay.planning import without_bodies
from reenact.replay.playback.playbacks import Playbacks
from reenact.replay.request import ReplayRequest, ResumeRequest
from reenact.replay.runner import Runner

_LOOK_EVERY_S = 0.5
"""How often to look how far a replay has come that another worker performs."""
_STOP_WITHIN_S = 10.0

_PLAYED = frozenset({Mode.PLAYBACK, Mode.FORK})


class Shelf(Protocol):
    """Where replays are kept; the control store."""

    def get_replay(self, organisation_id: str, replay_id: str) -> Replay:
        """Return a replay.

        Raises:
            NotFound: no such replay.
        """
        ...

    def replays_of(self, organisation_id: str, session_id: str | None = None) -> list[Replay]:
        """Return the replays of a session, or of all when it is None, newest first."""
        ...


class Replays:
    """Plans, starts, shows and stops replays. Used on the event loop that the runner works on."""

    def __init__(self, orderer: Orderer, shelf: Shelf, runner: Runner, playbacks: Playbacks) -> None:
        """Take the parts."""
        self._playbacks = playbacks
        self._shelf = shelf
        self._runner = runner
        self._orderer = orderer
        self._foreign: set[str] = set()

    async def plan(self, organisation_id: str, request: ReplayRequest) -> Plan:
        """Return what *request* would do, without bodies. Sends nothing.

        Raises:
            NotFound: no such session.
            InvalidPatch: a selector matches nothing, or an edit does not fit.
        """
        if request.mode in _PLAYED:
            played = await asyncio.to_thread(self._orderer.play_order, organisation_id, request)
            return without_bodies(played.plan)
        return without_bodies(await asyncio.to_thread(self._orderer.plan, organisation_id, request))

    async def start(self, organisation_id: str, request: ReplayRequest) -> Replay:
        """Begin to perform *request* and return the replay, which runs on in the background.

        Raises:
            NotFound: no such session.
            InvalidPatch: a selector matches nothing, or an edit does not fit.
            InvalidInput: a provider's key is missing; nothing was sent.
        """
        if request.mode in _PLAYED:
            return await self._playbacks.start(
                await asyncio.to_thread(self._orderer.play_order, organisation_id, request)
            )
        order = await asyncio.to_thread(self._orderer.order, organisation_id, request)
        return await self._runner.start(order)

    async def resume(self, organisation_id: str, replay_id: str, request: ResumeRequest) -> Replay:
        """Go on with a replay that is not done: what is answered stays, only the rest is asked.

        Raises:
            NotFound: no such replay, or its session is gone.
            InvalidInput: it is done or under way, or a provider's key is missing.
        """
        replay = await self.get(organisation_id, replay_id)
        if replay.plan.mode in _PLAYED:
            raise InvalidInput(f"A {replay.plan.mode.value} cannot be resumed: start another one.", "replay_id")
        if replay.state in {State.DONE, State.RUNNING}:
            raise InvalidInput(
                f"The replay {replay_id} is {replay.state.value}: there is nothing to resume.", "replay_id"
            )
        if not await self._runner.claim(replay_id):
            raise InvalidInput(f"The replay {replay_id} is under way.", "replay_id")
        try:
            limits = request.limits(replay.limits)
            order = await asyncio.to_thread(self._orderer.order_again, replay, limits, request.provider_keys)
            return await self._runner.resume(replay, order)
        except ReenactError:
            await self._runner.release(replay_id)
            raise

    async def recover(self, organisation_id: str, replay_id: str) -> bool:
        """Go on with a replay that a worker left; return False when that is not for this one to do.

        One that cannot go on without something only its owner has, such as a key, is paused and says so.
        """
        is_not_ours = replay_id in self._foreign or self._playbacks.performs(replay_id)
        if is_not_ours or not await self._runner.claim(replay_id):
            return False
        replay = await asyncio.to_thread(self._shelf.get_replay, organisation_id, replay_id)
        if replay.plan.mode in _PLAYED or replay.is_over or replay.batch_id is not None:  # a batch goes on with its own
            if replay.plan.mode in _PLAYED and not replay.is_over:
                await self._playbacks.abandon(replay)
            await self._runner.release(replay_id)
            return False
        try:
            order = await asyncio.to_thread(self._orderer.order_again, replay, replay.limits, {})
            await self._runner.resume(replay, order)
        except NotFound:  # its session was recorded by another server, which alone can go on with it
            self._foreign.add(replay_id)
            await self._runner.release(replay_id)
            return False
        except InvalidInput as error:
            await self._runner.set_aside(replay, error.message)
            return False
        return True

    async def get(self, organisation_id: str, replay_id: str) -> Replay:
        """Return a replay as it stands.

        Raises:
            NotFound: no such replay.
        """
        running = self._running(organisation_id, replay_id)
        if running is not None:
            return running
        return await asyncio.to_thread(self._shelf.get_replay, organisation_id, replay_id)

    async def of_session(self, organisation_id: str, session_id: str | None = None) -> list[Replay]:
        """Return the replays made of a session, or of all when it is None, newest first, each as it stands now."""
        kept = await asyncio.to_thread(self._shelf.replays_of, organisation_id, session_id)
        return [self._running(organisation_id, replay.id) or replay for replay in kept]

    async def watch(self, organisation_id: str, replay_id: str) -> AsyncIterator[Progress]:
        """Yield how far a replay has come, at once and whenever that changes; the last one is over.

        Raises:
            NotFound: no such replay.
        """
        if self._playbacks.running(organisation_id, replay_id) is not None:
            async for progress in self._playbacks.watch(replay_id):
                yield progress
            return
        while self._runner.running(organisation_id, replay_id) is None:  # nobody performs it, or another worker does
            progress = (await self.get(organisation_id, replay_id)).progress
            yield progress
            if progress.is_over:
                return
            await asyncio.sleep(_LOOK_EVERY_S)
        async for progress in self._runner.watch(replay_id):
            yield progress

    async def cancel(self, organisation_id: str, replay_id: str) -> Replay:
        """Stop a replay at once and return it; one that is over stays as it is.

        Raises:
            NotFound: no such replay.
        """
        if self._playbacks.running(organisation_id, replay_id) is not None:
            await self._playbacks.cancel(replay_id)
            return await self.get(organisation_id, replay_id)
        return await self._stopped(organisation_id, replay_id, State.CANCELLED)

    async def finish(self, organisation_id: str, replay_id: str) -> Replay:
        """End a playback or fork whose agent is through, and return it; one that is over stays as it is.

        Raises:
            NotFound: no such replay.
            InvalidInput: the server drives it, and it ends by itself.
        """
        if self._playbacks.running(organisation_id, replay_id) is not None:
            await self._playbacks.finish(replay_id)
        replay = await self.get(organisation_id, replay_id)
        if not replay.is_over:
            raise InvalidInput(f"The replay {replay_id} ends by itself; cancel stops it.", "replay_id")
        return replay

    async def take_result(self, organisation_id: str, replay_id: str, tool_id: str, given: ToolResult) -> None:
        """Take what the client's tool gave back for a tool call that waits; once this returns it is recorded.

        Raises:
            NotFound: no such tool call waits on this server.
            InvalidInput: it is neither a result nor an error, or both.
            TooLarge: it is longer than a result may be.
        """
        await self._runner.take_result(organisation_id, replay_id, tool_id, given)

    async def pause(self, organisation_id: str, replay_id: str) -> Replay:
        """Stop a replay at once, to be resumed, and return it; one that is not under way stays as it is.

        Raises:
            NotFound: no such replay.
        """
        return await self._stopped(organisation_id, replay_id, State.PAUSED)

    async def _stopped(self, organisation_id: str, replay_id: str, state: State) -> Replay:
        """Stop a replay, wherever it is performed, and return it when it is, or as it stands after a while."""
        replay = await self.get(organisation_id, replay_id)
        if replay.is_over:
            return replay
        await self._runner.stop(replay_id, state)
        with suppress(TimeoutError):  # another worker performs it, which may take a while
            async with asyncio.timeout(_STOP_WITHIN_S):
                async for _ in self.watch(organisation_id, replay_id):
                    pass
        return await self.get(organisation_id, replay_id)

    def _running(self, organisation_id: str, replay_id: str) -> Replay | None:
        """Return a replay that is under way here."""
        found = self._runner.running(organisation_id, replay_id)
        return found or self._playbacks.running(organisation_id, replay_id)

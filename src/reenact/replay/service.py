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
| `GET /v1/replay?session_id=` | `of_session` | Replays, newest first |
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from reenact.domain.replay import Plan, Progress, Replay
from reenact.errors import NotFound
from reenact.replay.planning import Price, Recording, plan, without_bodies
from reenact.replay.request import ReplayRequest
from reenact.replay.run import Order
from reenact.replay.runner import Runner
from reenact.store.calls import CallStore


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

    def __init__(self, store: CallStore, shelf: Shelf, runner: Runner, price: Price) -> None:
        """Take the parts; *price* says what a call would cost."""
        self._store = store
        self._shelf = shelf
        self._runner = runner
        self._price = price

    async def plan(self, organisation_id: str, request: ReplayRequest) -> Plan:
        """Return what *request* would do, without bodies. Sends nothing.

        Raises:
            NotFound: no such session.
            InvalidPatch: a selector matches nothing, or an edit does not fit.
        """
        whole, _ = await asyncio.to_thread(self._planned, organisation_id, request)
        return without_bodies(whole)

    async def start(self, organisation_id: str, request: ReplayRequest) -> Replay:
        """Begin to perform *request* and return the replay, which runs on in the background.

        Raises:
            NotFound: no such session.
            InvalidPatch: a selector matches nothing, or an edit does not fit.
            InvalidInput: a provider's key is missing; nothing was sent.
        """
        whole, recording = await asyncio.to_thread(self._planned, organisation_id, request)
        order = Order(
            organisation_id=organisation_id,
            plan=whole,
            recording=recording,
            session_name=request.session_name or f"Replay of {whole.session_name or whole.session_id}",
            concurrency=request.concurrency,
            provider_keys=request.provider_keys,
        )
        return await self._runner.start(order)

    async def get(self, organisation_id: str, replay_id: str) -> Replay:
        """Return a replay as it stands.

        Raises:
            NotFound: no such replay.
        """
        running = self._runner.running(organisation_id, replay_id)
        if running is not None:
            return running
        return await asyncio.to_thread(self._shelf.get_replay, organisation_id, replay_id)

    async def of_session(self, organisation_id: str, session_id: str | None = None) -> list[Replay]:
        """Return the replays made of a session, or of all when it is None, newest first, each as it stands now."""
        kept = await asyncio.to_thread(self._shelf.replays_of, organisation_id, session_id)
        return [self._runner.running(organisation_id, replay.id) or replay for replay in kept]

    async def watch(self, organisation_id: str, replay_id: str) -> AsyncIterator[Progress]:
        """Yield how far a replay has come, at once and whenever that changes; the last one is over.

        Raises:
            NotFound: no such replay.
        """
        if self._runner.running(organisation_id, replay_id) is None:
            yield (await self.get(organisation_id, replay_id)).progress
            return
        async for progress in self._runner.watch(replay_id):
            yield progress

    async def cancel(self, organisation_id: str, replay_id: str) -> Replay:
        """Stop a replay at once and return it; one that is over stays as it is.

        Raises:
            NotFound: no such replay.
        """
        if self._runner.running(organisation_id, replay_id) is not None:
            await self._runner.cancel(replay_id)
        return await self.get(organisation_id, replay_id)

    def _planned(self, organisation_id: str, request: ReplayRequest) -> tuple[Plan, Recording]:
        calls = self._store.session(organisation_id, request.session_id)
        if not calls:
            raise NotFound(f"There is no session {request.session_id!r}.")
        bodies = self._store.bodies(organisation_id, [call.id for call in calls])
        recording = Recording(session_id=request.session_id, calls=calls, bodies=bodies)
        return plan(recording, request.patch, request.mode, request.takes, self._price), recording

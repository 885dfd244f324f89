"""Orderer: makes of what is asked for what is to be performed: reads the session, and has it planned. Sends nothing."""

from collections.abc import Callable, Mapping

import msgspec

from reenact.domain.patch import Patch
from reenact.domain.playback import Playback
from reenact.domain.policy import Policies
from reenact.domain.replay import Budget, Limits, Mode, Plan, Replay
from reenact.errors import InvalidInput, NotFound
from reenact.replay.chain import chain_of, explained, strands_of
from reenact.replay.estimating import Price
from reenact.replay.finder import earlier_calls, kin_of
from reenact.replay.planning import check_budget, plan, with_control
from reenact.replay.playback.planning import plan_playback
from reenact.replay.playback.playbacks import PlayOrder
from reenact.replay.recording import Recorded, Recording, recorded_calls
from reenact.replay.request import ReplayRequest
from reenact.replay.run import Order
from reenact.replay.runner import Runner
from reenact.replay.timing import expected_duration_us
from reenact.store.calls import CallStore


class Orderer:
    """Reads the store, which may wait for a disk: used in threads."""

    def __init__(self, store: CallStore, runner: Runner, price: Price, fill: Callable[[str, Patch], Patch]) -> None:
        """Take the parts; *price* says what a call would cost, *fill* looks up what a patch uses (`prompts.filler`)."""
        self._store = store
        self._runner = runner
        self._price = price
        self.filled = fill
        """Returns a patch with all that it uses of what an organisation keeps, so that it is the same whenever it is made."""

    def plan(self, organisation_id: str, request: ReplayRequest) -> Plan:
        """Return what *request* would do: the plan of its order, without what only performing needs; reads the store.

        Raises:
            NotFound: no such session.
            InvalidPatch: a selector matches nothing, or an edit does not fit.
            InvalidInput: a budget cannot be held.
        """
        recording, calls, changed = self._changed(organisation_id, request)
        if request.mode is Mode.CHAINED:
            changed = explained(changed, strands_of(calls, changed), request.policies)
        return self._completed(recording, calls, changed, request)[0]

    def order(self, organisation_id: str, request: ReplayRequest) -> Order:
        """Return what *request* asks for, planned; reads the store.

        Raises:
            NotFound: no such session.
            InvalidPatch: a selector matches nothing, or an edit does not fit.
            InvalidInput: a budget cannot be held.
        """
        recording, calls, changed = self._changed(organisation_id, request)
        chain = None
        if request.mode is Mode.CHAINED:
            kin = kin_of(self._store, organisation_id, recording)
            chain = chain_of(calls, changed, request.policies, kin)
            changed = chain.explained(changed)
        changed, control = self._completed(recording, calls, changed, request)
        return Order(
            organisation_id=organisation_id,
            plan=changed,
            control=control,
            recording=recording,
            session_name=request.session_name or f"Replay of {changed.session_name or changed.session_id}",
            limits=request.limits,
            reuse=request.reuse,
            root_session_id=self._root(organisation_id, recording),
            provider_keys=request.provider_keys,
            chain=chain,
        )

    def order_again(self, replay: Replay, limits: Limits, provider_keys: Mapping[str, str]) -> Order:
        """Return what a kept *replay* was to do, bodies and all; reads the store.

        Raises:
            NotFound: its session is gone.
        """
        kept = replay.plan
        request = ReplayRequest(
            session_id=kept.session_id,
            patch=kept.patch,
            mode=kept.mode,
            takes=kept.takes,
            session_name=replay.session_name,
            policies=kept.policies or Policies(),
            control=kept.control_takes > 0,
            reuse=replay.reuse,
            concurrency=limits.concurrency,
            budget=limits.budget,
            rates=limits.rates,
            retries=limits.retries,
            provider_keys=dict(provider_keys),
        )
        return self.order(replay.organisation_id, request)

    def play_order(self, organisation_id: str, request: ReplayRequest) -> PlayOrder:
        """Return what a request for a playback or a fork asks for, planned; reads the store.

        Raises:
            NotFound: no such session.
            InvalidPatch: a selector matches nothing, or an edit does not fit.
            InvalidInput: what is asked for does not go together.
        """
        if request.budget != Budget():
            raise InvalidInput("A budget is for replays whose calls the server makes.", "budget")
        recording = self._recording(organisation_id, request.session_id)
        patch = self.filled(organisation_id, request.patch)
        planned = plan_playback(recording, patch, request.mode, request.takes, request.playback, self._price)
        name = planned.session_name or planned.session_id
        return PlayOrder(
            organisation_id=organisation_id,
            plan=planned,
            recording=recording,
            session_name=request.session_name or f"{request.mode.value.capitalize()} of {name}",
            root_session_id=self._root(organisation_id, recording),
        )

    def _changed(self, organisation_id: str, request: ReplayRequest) -> tuple[Recording, list[Recorded], Plan]:
        """Return the session, its calls, and the plan of its patched takes, which may be asked as it says."""
        if request.playback != Playback():
            raise InvalidInput("This is said of modes playback and fork only.", "playback")
        recording = self._recording(organisation_id, request.session_id)
        calls = recorded_calls(recording)
        patch = self.filled(organisation_id, request.patch)
        changed = plan(recording, patch, request.mode, request.takes, self._price, reuse=request.reuse, calls=calls)
        self._runner.check_addresses(changed, recording)
        self._runner.check_policies(request.policies)
        if request.mode is not Mode.CHAINED and request.policies != Policies():
            raise InvalidInput("This is said of mode chained only.", "policies")
        return recording, calls, changed

    def _completed(
        self, recording: Recording, calls: list[Recorded], changed: Plan, request: ReplayRequest
    ) -> tuple[Plan, Plan | None]:
        """Return *changed* with what all takes cost and how long they take, and the plan of the control where one is wanted."""
        control = None
        if request.control and not changed.patch.is_empty:
            control = plan(recording, Patch(), request.mode, request.takes, self._price, calls=calls)
            changed = with_control(changed, control)
        check_budget(request.budget, [one for one in (changed, control) if one is not None])
        takes_us = expected_duration_us(changed, control, request.limits)
        return msgspec.structs.replace(changed, expected_duration_us=takes_us), control

    def _recording(self, organisation_id: str, session_id: str) -> Recording:
        calls = self._store.session(organisation_id, session_id)
        if not calls:
            raise NotFound(f"There is no session {session_id!r}.")
        bodies = self._store.bodies(organisation_id, [call.id for call in calls])
        lost = {call_id: one.lost[0] for call_id, one in bodies.items() if one.lost}
        for call_id, key in lost.items():  # a marker must not be sent to a provider as what was recorded
            raise InvalidInput(
                f"The session cannot be replayed: of its call {call_id} the object {key} cannot be read."
            )
        earlier = earlier_calls(self._store, organisation_id, calls, bodies)
        return Recording(session_id=session_id, calls=calls, bodies=bodies, earlier=earlier)

    def _root(self, organisation_id: str, recording: Recording) -> str:
        """Return the session that an agent recorded, where *recording* is a take of a take of it."""
        session_id, calls = recording.session_id, recording.calls
        passed = {session_id}
        while (link := calls[0].labels.replay if calls else None) and link.source_session_id not in passed:
            session_id = link.source_session_id
            passed.add(session_id)
            calls = self._store.session(organisation_id, session_id)
        return session_id

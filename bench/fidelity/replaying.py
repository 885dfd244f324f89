"""Three ways to run a recorded session again: chained, the guide's plain loop, and carrying by position."""

import json
import re
from collections import Counter, deque
from collections.abc import Callable
from functools import reduce
from typing import Any

import msgspec
from bench.fidelity.world import World, canonical

from reenact.dialects.registry import dialect_named
from reenact.domain.call import Bodies, Call, Kind
from reenact.domain.divergence import Validity
from reenact.domain.exchange import Ending
from reenact.domain.labels import Labels
from reenact.domain.message import Answer, Prompt
from reenact.domain.patch import Patch
from reenact.domain.policy import Policies
from reenact.domain.replay import Answered, AskCall, Mode, Plan, Take
from reenact.replay.carrying.checking import faults
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.tape import Recorded, Tape
from reenact.replay.chaining import perform_chained
from reenact.replay.editing import edited
from reenact.replay.performing import advance
from reenact.replay.planning import edits_of, plan
from reenact.replay.recording import Recording, recorded_calls

Json = Any


class Sent:
    """What a replay sent."""

    def __init__(self) -> None:
        self.claimed: Counter[str] = Counter()
        """Requests that it takes for those that the agent would have sent."""
        self.marked: Counter[str] = Counter()
        """Requests that it marked as doubtful."""
        self.invalid: list[str] = []
        self.notes: list[str] = []


def recording_of(world: World) -> Recording:
    """Return what the gateway would have recorded."""
    calls, bodies = [], {}
    for number, event in enumerate(world.events, start=1):
        call = Call(
            id=f"call-{number}",
            organisation_id="org",
            created_us=event.started,
            duration_us=event.ended - event.started,
            first_token_us=None,
            kind=Kind.MODEL,
            dialect=event.kind,
            provider="any",
            model=event.body["model"],
            request_model=event.body["model"],
            response_model=None,
            response_id=event.response.get("id"),
            status=event.status,
            ending=Ending.ANSWERED,
            detail="",
            streamed=False,
            stop_reason=None,
            error=None,
            labels=Labels(session_id="s", session_path=event.path),
            url="http://gateway/v1",
            target_url="http://provider/v1",
            method="POST",
            request_body_bytes=0,
            response_body_bytes=0,
        )
        calls.append(call)
        bodies[call.id] = Bodies(
            request=json.dumps(event.body).encode(), response=b"", answer_json=json.dumps(event.response).encode()
        )
    return Recording(session_id="s", calls=calls, bodies=bodies)


def tape_of(recording: Recording) -> Tape:
    """Return the recording as carrying reads it."""
    return tuple(
        Recorded(
            index=number,
            prompt=_prompt(call.dialect, recording.bodies[call.id].request),
            answer=_answer(call.dialect, recording.bodies[call.id].answer) if call.status < 400 else None,
            started_us=call.created_us,
            ended_us=call.created_us + call.duration_us,
            family=re.sub(r"\d+", "#", call.labels.path),
        )
        for number, call in enumerate(recording.calls, start=1)
    )


def edits(patch: Patch, recording: Recording) -> Callable[[int, Prompt], Prompt]:
    known = edits_of(recorded_calls(recording), patch)
    return lambda index, prompt: reduce(edited, known.get(index, ()), prompt)


def chained(recording: Recording, patch: Patch, fabric: Fabric) -> Sent:
    """Replay chained."""
    world = World()
    whole = _plan(recording, patch)
    performance = perform_chained(whole, Take(number=1, session_id="take"), fabric, Policies(), edits(patch, recording))
    sent, bodies = Sent(), {}
    step = advance(performance)
    waiting: deque[AskCall] = deque()
    while not isinstance(step, Take):
        waiting.extend(ask for ask in step if isinstance(ask, AskCall))
        ask = waiting.popleft()
        kind = recording.calls[ask.index - 1].dialect
        body = json.loads(ask.body)
        bodies[ask.index, ask.round] = canonical([kind, body])
        _check(sent, kind, body)
        response, status = world.respond(kind, body)
        answered = Answered(
            index=ask.index,
            call_id="new",
            status=status,
            failure=None if status < 400 else f"HTTP {status}",
            answer=_answer(kind, response),
            round=ask.round,
        )
        step = advance(performance, answered)
    for result in step.results:
        key = (result.index, result.round)
        if key in bodies:
            (sent.marked if result.doubts else sent.claimed)[bodies[key]] += 1
        if result.doubts or result.validity is Validity.DROPPED:
            sent.notes.append(f"{result.index}.{result.round} {result.validity} {result.failure} {list(result.doubts)}")
    return sent


def anchored(recording: Recording, patch: Patch) -> Sent:
    """Replay as the guide's loop does: recorded histories, changed by the patch."""
    sent = Sent()
    for call in _plan(recording, patch).asked:
        kind = recording.calls[call.index - 1].dialect
        body = json.loads(call.body)
        _check(sent, kind, body)
        sent.claimed[canonical([kind, body])] += 1
    return sent


def by_position(recording: Recording, patch: Patch) -> Sent:
    """Replay by putting the k-th new answer where the k-th answer of a history stands."""
    sent, world = Sent(), World()
    answers: list[Json] = []
    for call in _plan(recording, patch).asked:
        kind = recording.calls[call.index - 1].dialect
        body = json.loads(call.body)
        place = 0
        for number, message in enumerate(body.get("messages", [])):
            if message.get("role") == "assistant" and place < len(answers):
                body["messages"][number] = answers[place]
                place += 1
        _check(sent, kind, body)
        sent.claimed[canonical([kind, body])] += 1
        response, _ = world.respond(kind, body)
        if "choices" in response:
            answers.append({k: v for k, v in response["choices"][0]["message"].items() if v not in (None, [])})
        elif "content" in response:
            answers.append({"role": "assistant", "content": response["content"]})
    return sent


def _plan(recording: Recording, patch: Patch) -> Plan:
    return plan(recording, patch, Mode.ANCHORED, 1, lambda *asked: None)


def _check(sent: Sent, kind: str, body: Json) -> None:
    dialect = dialect_named(kind)
    assert dialect is not None
    wrong = faults(dialect.read_prompt(body), state_held="previous_response_id" in body)
    sent.invalid += wrong[:1]


def _prompt(kind: str, body: bytes) -> Prompt:
    dialect = dialect_named(kind)
    assert dialect is not None
    return dialect.read_prompt(msgspec.json.decode(body))


def _answer(kind: str, body: Json) -> Answer:
    dialect = dialect_named(kind)
    assert dialect is not None
    return dialect.read_answer(body)

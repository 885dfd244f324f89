"""Chained replays over the whole server: planned, performed through the relay, kept with what they are worth."""

import gzip
import json
from collections import defaultdict
from pathlib import Path

import httpx2
import msgspec
import pytest

from reenact.client import Client
from reenact.domain.divergence import Unknown, Validity
from reenact.domain.message import Json
from reenact.domain.patch import AppendSystem, Change, Patch
from reenact.domain.policy import Callback, Policies, ToolRule
from reenact.domain.replay import AskCall, Mode
from reenact.errors import ServerRefused
from tests.fakes import tau_bench
from tests.fakes.house import House, a_house
from tests.replay.carrying.tapes import a_tape, asked, said
from tests.replay.test_chaining import Driven

EXPERT = Patch(changes=(Change(edits=(AppendSystem(" Take the persona of a field expert."),)),))
ARGUMENTS = ("Climate change is a natural cycle.", "Resources should go to urgent needs.", "Rules hinder growth.")


def debate(house: House, session_id: str) -> list[Json]:
    """Have an agent debate as the guide's does, and return its messages."""
    messages: list[Json] = [{"role": "system", "content": "You debate."}]
    headers = {
        "authorization": "Bearer sk-agent",
        "helicone-auth": f"Bearer {house.key}",
        "helicone-session-id": session_id,
        "helicone-session-path": "/debate",
    }
    with httpx2.Client(trust_env=False, headers=headers) as agent:
        for argument in ARGUMENTS:
            messages.append({"role": "user", "content": argument})
            body = {"model": "gpt-4o-mini", "messages": messages}
            answer = agent.post(f"{house.url}/v1/gateway/oai/v1/chat/completions", json=body).raise_for_status().json()
            messages.append({"role": "assistant", "content": answer["choices"][0]["message"]["content"]})
    return messages


def sent(client: Client, session_id: str) -> list[list[str]]:
    """Return what the messages of each of the three calls of a session say, as soon as all can be read."""
    query = {
        "filter": {"properties": {"Helicone-Session-Id": {"equals": session_id}}},
        "sort": {"created_at": "asc"},
    }
    headers = dict(client._http.headers)
    for _ in range(500):
        answer = httpx2.post(f"{client.url}/v1/request/query", json=query, headers=headers, trust_env=False)
        rows = answer.json()["data"]
        if len(rows) == 3:
            return [[message["content"] for message in row["request_body"]["messages"]] for row in rows]
    raise AssertionError(f"{len(rows)} calls of {session_id} came")


def test_a_chained_replay_holds_its_own_answers(tmp_path: Path) -> None:
    """Each request of the take stands on what the take itself was answered; the control stands on the record."""
    with a_house(tmp_path) as house, Client(house.url, house.key) as client:
        recorded = [message["content"] for message in debate(house, "debate")]

        plan = client.plan("debate", EXPERT, mode=Mode.CHAINED)
        replay = client.replay("debate", EXPERT, mode=Mode.CHAINED)

        assert [(), (1,), (2,)] == [call.carried_from for call in plan.calls]
        changed, control = replay.takes
        assert {Validity.ON_TAPE} == {one.validity for take in replay.takes for one in take.results}
        first, second, third = sent(client, changed.session_id)
        system = "You debate. Take the persona of a field expert."
        assert [system, ARGUMENTS[0]] == first
        assert recorded[2] != second[2]
        assert [[system, ARGUMENTS[0], second[2], ARGUMENTS[1]], [*second, third[4], ARGUMENTS[2]]] == [second, third]
        assert [recorded[:2], recorded[:4], recorded[:6]] == sent(client, control.session_id)


def test_policies_are_kept_with_the_plan_and_belong_to_this_mode(tmp_path: Path) -> None:
    """Before anything is sent."""
    with a_house(tmp_path) as house, Client(house.url, house.key) as client:
        debate(house, "debate")
        policies = Policies(extra_rounds=3, stop_in_doubt=True)

        assert policies == client.replay("debate", mode=Mode.CHAINED, policies=policies).plan.policies
        with pytest.raises(ServerRefused, match="chained only"):
            client.plan("debate", mode=Mode.ANCHORED, policies=policies)


# --- real sessions: one trial of a task, with the answers of another --------------------------------------------------------


def trials() -> dict[int, list[list[Json]]]:
    """Return the messages of the recorded trials of each task."""
    found: dict[int, list[list[Json]]] = defaultdict(list)
    for run in json.loads(gzip.decompress(tau_bench.DATA.read_bytes())):
        found[run["task_id"]].append(run["traj"])
    return found


def calls_of(messages: list[Json]) -> list[tuple[Json, Json]]:
    """Return the calls that an agent with these messages made: request and answer."""
    found = []
    for place, message in enumerate(messages):
        if message["role"] == "assistant":
            uses = message.get("tool_calls") or ()
            triples = [(one["id"], one["function"]["name"], json.loads(one["function"]["arguments"])) for one in uses]
            found.append((asked(*messages[:place]), said(message["content"], *triples)))
    return found


def first_miss(recorded: list[Json], answers: list[Json]) -> tuple[int, bool]:
    """Return how many calls a take makes whose answers are *answers*, and whether a tool call ends it that nothing answers.

    Written without the engine: a user's turn of the record is said after each answer without a tool call; a tool call goes on
    where the record knows its result. Results that differ are given in their order, each once. A tool that was asked for and
    never answered ends the conversation, as it did in the record.
    """
    last = max(place for place, message in enumerate(recorded) if message["role"] == "assistant")
    used = {one["function"]["name"] for message in recorded for one in message.get("tool_calls") or ()}
    answered: set[str] = set()
    results: dict[str, list[str]] = defaultdict(list)
    names: dict[str, str] = {}
    for message in recorded[:last]:
        for one in message.get("tool_calls") or ():
            names[one["id"]] = key_of(one)
        if message["role"] == "tool":
            results[names[message["tool_call_id"]]].append(message["content"])
            answered.add(json.loads(names[message["tool_call_id"]])[0])
    turns = sum(message["role"] == "user" for message in recorded[:last])
    given: dict[str, int] = defaultdict(int)
    for count, message in enumerate(answers, start=1):
        for one in message.get("tool_calls") or ():
            if one["function"]["name"] in used - answered:
                return count, False
            key = key_of(one)
            is_known = given[key] < len(results[key]) or len(set(results[key])) == 1
            if not is_known:
                return count, True
            given[key] += 1
        turns -= not message.get("tool_calls")
        if turns == 0:
            return count, False
    return len(answers), False


def key_of(use: Json) -> str:
    """Return a tool and its arguments, whatever their spacing."""
    return json.dumps([use["function"]["name"], json.loads(use["function"]["arguments"])], sort_keys=True)


@pytest.mark.skipif(not tau_bench.DATA.exists(), reason=tau_bench.MISSING)
def test_a_take_with_another_trials_answers_stops_at_the_first_tool_call_that_the_record_cannot_answer() -> None:
    """For the trials of 25 tasks; nothing is asked after it, and the stop says why."""
    stops = 0
    for one, other, *_ in trials().values():
        tape = a_tape(*calls_of(one))
        spoken = [message for message in other if message["role"] == "assistant"]
        given = [answer for _, answer in calls_of(other)]
        asked_so_far: list[AskCall] = []

        def model(ask: AskCall, given: list[Json] = given, so_far: list[AskCall] = asked_so_far) -> Json:
            so_far.append(ask)
            return given[len(so_far) - 1] if len(so_far) <= len(given) else said("That is all.")

        take = Driven(tape, model)

        count, is_stopped = first_miss(one, spoken)
        if is_stopped:
            stops += 1
            unknown = [
                doubt.unknown for result in take.results.values() for doubt in (*result.doubts, result.stop) if doubt
            ]
            assert count == len(take.sent)
            assert Unknown.TOOL_RESULT in unknown
        else:
            assert count <= len(take.sent)
    assert stops > 10


@pytest.mark.skipif(not tau_bench.DATA.exists(), reason=tau_bench.MISSING)
def test_a_hundred_real_sessions_are_repeated_exactly_by_their_own_answers() -> None:
    """Every request as recorded, nothing in doubt."""
    for messages in (one for runs in trials().values() for one in runs):
        calls = calls_of(messages)
        take = Driven(a_tape(*calls), lambda ask, calls=calls: calls[ask.index - 1][1])  # type: ignore[misc]

        assert [body for body, _ in calls] == [take.sent[index, 0] for index in range(1, len(calls) + 1)]
        assert {(Validity.ON_TAPE, ())} == {(one.validity, one.doubts) for one in take.results.values()}


def test_a_plan_of_carried_calls_survives_being_kept() -> None:
    """As JSON, with its policies."""
    policies = Policies(tools=(ToolRule(tool="x", policies=(Callback("http://a"),)),))

    assert policies == msgspec.json.decode(msgspec.json.encode(policies), type=Policies)

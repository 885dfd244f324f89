"""Replays and comparisons over the API: planned, started, watched, listed, compared."""

import uuid
from typing import Any

import msgspec

from reenact.domain.comparison import Comparison
from reenact.domain.replay import Plan, Progress, Replay, State
from tests.api.conftest import House

PATCH = {"changes": [{"edits": [{"edit": "append_system", "text": " Be brief."}]}]}


def post(house: House, path: str, body: Any, kind: Any) -> Any:
    """Post and return the data as *kind*."""
    answer = house.http.post(path, json=body)
    assert 200 == answer.status_code, answer.text
    return msgspec.convert(answer.json()["data"], kind)


def get(house: House, path: str, kind: Any, **query: str) -> Any:
    """Get and return the data as *kind*."""
    answer = house.http.get(path, params=query)
    assert 200 == answer.status_code, answer.text
    return msgspec.convert(answer.json()["data"], kind)


def watched(house: House, replay_id: str) -> list[Progress]:
    """Return every progress of a replay until it is over."""
    with house.http.stream("GET", f"/v1/replay/{replay_id}/progress") as answer:
        return [
            msgspec.json.decode(line.removeprefix("data: "), type=Progress)
            for line in answer.iter_lines()
            if line.startswith("data: ")
        ]


def test_a_plan_sends_nothing(house: House, session_id: str) -> None:
    """`dry_run` answers what would be done; no call is made."""
    house.chat(session_id, "One?", "Two?")
    before = house.http.post("/v1/request/count/query", json={"filter": "all"}).json()["data"]

    plan = post(house, "/v1/replay", {"session_id": session_id, "patch": PATCH, "dry_run": True}, Plan)

    after = house.http.post("/v1/request/count/query", json={"filter": "all"}).json()["data"]
    assert (2, before) == (len(plan.asked), after)


def test_a_replay_from_start_to_comparison(house: House, session_id: str) -> None:
    """Started, watched to its end, listed with its session, and compared with its source."""
    calls = house.chat(session_id, "One?", "Two?")

    wanted = {"session_id": session_id, "patch": PATCH, "session_name": "Brief", "control": False}
    started = post(house, "/v1/replay", wanted, Replay)
    progress = watched(house, started.id)
    done = get(house, f"/v1/replay/{started.id}", Replay)

    last = Progress(replay_id=started.id, state=State.DONE, calls=2, answered=2, failed=0, spent=done.spent)
    assert (last, State.DONE) == (progress[-1], done.state)
    assert [done] == get(house, "/v1/replay", list[Replay], session_id=session_id)
    assert done in get(house, "/v1/replay", list[Replay])
    assert done == post(house, f"/v1/replay/{done.id}/cancel", {}, Replay)

    take = done.takes[0].session_id
    rows = house.rows(take)
    links = [(row["replay"]["replay_id"], row["replay"]["source_call_id"], row["path"]) for row in rows]
    assert [(done.id, call, "/talk") for call in calls] == links

    comparison = get(house, "/v1/comparison", Comparison, left=session_id, right=take)
    assert (session_id, take, "Talk", "Brief", 2) == (
        comparison.left_session_id, comparison.right_session_id, comparison.left_name, comparison.right_name,
        len(comparison.pairs),
    )  # fmt: skip


def test_what_is_not_there(house: House, session_id: str) -> None:
    """Replays and sessions that are not there are said not to be."""
    house.chat(session_id, "One?")
    nobody = str(uuid.uuid4())

    answers = [
        house.http.post("/v1/replay", json={"session_id": nobody}),
        house.http.get(f"/v1/replay/{nobody}"),
        house.http.get(f"/v1/replay/{nobody}/progress"),
        house.http.post(f"/v1/replay/{nobody}/cancel"),
        house.http.get("/v1/comparison", params={"left": session_id, "right": nobody}),
    ]

    assert [(404, None)] * len(answers) == [(answer.status_code, answer.json()["data"]) for answer in answers]


def test_what_cannot_be_understood_names_its_place(house: House, session_id: str) -> None:
    """A patch that is none, an unknown field and a missing parameter are 422."""
    house.chat(session_id, "One?")
    wrong = {"session_id": session_id, "patch": {"changes": [{"edits": [{"edit": "fly"}]}]}}

    answers = [
        house.http.post("/v1/replay", json=wrong),
        house.http.post("/v1/replay", json={"session_id": session_id, "colour": "red"}),
        house.http.post("/v1/replay", json=[]),
        house.http.get("/v1/comparison", params={"left": session_id}),
    ]

    assert [422] * len(answers) == [answer.status_code for answer in answers]
    assert ["patch.changes[0].edits[0].edit"] == list(answers[0].json()["details"])

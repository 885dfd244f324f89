"""Helicone's session routes: grouped by id and name, filtered by their calls, summed."""

import uuid
from typing import Any

import pytest

from tests.api.conftest import House

EVER = {"startTimeUnixMs": 0, "endTimeUnixMs": 4e12}


def query(house: House, **given: Any) -> list[dict[str, Any]]:
    """Return the sessions found."""
    answer = house.http.post("/v1/session/query", json={"filter": "all", **given})
    assert 200 == answer.status_code, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_a_session_is_summed(house: House, session_id: str) -> None:
    """Every field of Helicone's, and ours."""
    house.chat(session_id, "One?", "Two?", Helicone_User_Id="ann")
    rows = house.rows(session_id)

    [found] = query(house, search=session_id, timeFilter=EVER, timezoneDifference=0)

    assert {
        "session_id": session_id,
        "session_name": "Talk",
        "created_at": rows[0]["created_at"],
        "latest_request_created_at": rows[1]["created_at"],
        "total_cost": pytest.approx(sum(row["cost"] for row in rows)),
        "total_requests": 2,
        "prompt_tokens": sum(row["prompt_tokens"] for row in rows),
        "completion_tokens": sum(row["completion_tokens"] for row in rows),
        "total_tokens": sum(row["total_tokens"] for row in rows),
        "avg_latency": found["avg_latency"],
        "user_ids": ["ann"],
        "failed_requests": 0,
        "unpriced_requests": 0,
        "models": ["gpt-4o-mini"],
        "replay_id": None,
        "replay_of": None,
    } == found
    assert found["avg_latency"] > 0


def test_one_id_under_two_names_is_two_sessions(house: House, session_id: str) -> None:
    """Helicone groups by the pair of id and name."""
    house.chat(session_id, "One?")
    house.chat(session_id, "Two?", Helicone_Session_Name="Other")

    found = [(row["session_name"], row["total_requests"]) for row in query(house, search=session_id)]

    assert [("Other", 1), ("Talk", 1)] == found
    assert ["Other"] == [row["session_name"] for row in query(house, search=session_id, nameEquals="Other")]


def test_pages_and_counts(house: House) -> None:
    """Pages are newest first and end; the count sums all pages."""
    name = f"Name {uuid.uuid4()}"
    ids = [str(uuid.uuid4()) for _ in range(3)]
    for one in ids:
        house.chat(one, "One?", Helicone_Session_Name=name)

    pages = [[row["session_id"] for row in query(house, search=name, offset=offset, limit=2)] for offset in (0, 2, 4)]
    count = house.http.post("/v1/session/count", json={"filter": "all", "search": name, "limit": 1}).json()["data"]

    assert [ids[:0:-1], ids[:1], []] == pages
    assert (3, 1.0, True) == (count["count"], count["avg_requests"], count["total_cost"] > 0)
    assert pytest.approx(count["total_cost"] / 3) == count["avg_cost"]


def test_only_calls_that_match_are_summed(house: House, session_id: str) -> None:
    """A filter of calls restricts what is grouped; a session without a match is left out."""
    house.chat(session_id, "One?", Helicone_Property_App="a")
    house.chat(session_id, "Two?")
    of_app = {"request_response_rmt": {"properties": {"App": {"equals": "a"}}}}
    failed = {"request_response_rmt": {"status": {"gte": 400}}}

    assert [1] == [row["total_requests"] for row in query(house, search=session_id, filter=of_app)]
    assert [] == query(house, search=session_id, filter=failed)


def test_a_time_without_calls_has_no_sessions(house: House, session_id: str) -> None:
    """The time filter is in milliseconds."""
    house.chat(session_id, "One?")

    assert [] == query(house, search=session_id, timeFilter={"startTimeUnixMs": 0, "endTimeUnixMs": 1000})


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "filter"),
        ({"filter": "all", "limit": 1001}, "limit"),
        ({"filter": "all", "timeFilter": {"startTimeUnixMs": 0}}, "endTimeUnixMs"),
        ({"filter": {"request": {"unknown": 1}}}, "filter.request.unknown"),
    ],
)
@pytest.mark.parametrize("route", ["query", "count"])
def test_what_cannot_be_understood_names_its_place(house: House, route: str, body: Any, place: str) -> None:
    """A 422 names the field."""
    answer = house.http.post(f"/v1/session/{route}", json=body)

    assert (422, [place]) == (answer.status_code, list(answer.json()["details"]))

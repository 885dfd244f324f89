"""What the gateway did with calls, as the API tells it."""

from typing import Any

from reenact.api.columns import ZERO_UUID
from tests.api.conftest import House, of


def both(where: dict[str, Any], reference: str) -> dict[str, Any]:
    """Return *where*, and that the cache's answer is this call's."""
    leaf = {"request_response_rmt": {"cache_reference_id": {"equals": reference}}}
    return {"left": where, "operator": "and", "right": leaf}


def test_an_answer_out_of_the_cache_is_a_row_of_its_own(house: House, session_id: str) -> None:
    """It names the first call, used nothing, cost nothing, and is found by asking for cached calls."""
    first, second = house.chat(
        session_id, *(["Again?"] * 2), helicone_cache_enabled="true", helicone_cache_seed=session_id
    )
    rows = house.rows(session_id)
    query = {"filter": of(session_id), "isCached": True}
    cached = house.http.post("/v1/request/query", json=query).json()["data"]
    named, unnamed = (
        house.http.post("/v1/request/query", json={"filter": both(of(session_id), reference)}).json()["data"]
        for reference in (first, ZERO_UUID)
    )

    assert [first, second] == [row["request_id"] for row in rows]
    assert (True, first) == (rows[1]["cache_enabled"], rows[1]["cache_reference_id"])
    assert (0, 0, 0) == (rows[1]["prompt_tokens"], rows[1]["completion_tokens"], rows[1]["cost"])
    assert rows[0]["cost"] > 0
    assert rows[0]["response_body"] == rows[1]["response_body"]
    assert [second] == [row["request_id"] for row in cached] == [row["request_id"] for row in named]
    assert [first] == [row["request_id"] for row in unnamed]


def test_a_replay_asks_and_does_not_read_the_cache(house: House, session_id: str) -> None:
    """Although the recorded call could be answered out of it."""
    house.chat(session_id, *(["Once more?"] * 2), helicone_cache_enabled="true", helicone_cache_seed=session_id)
    order = {"session_id": session_id, "provider_keys": {"openai": "sk-provider"}}
    replay = house.http.post("/v1/replay", json=order).json()["data"]
    house.http.get(f"/v1/replay/{replay['id']}/progress")  # ends when the replay does
    found = house.http.get(f"/v1/replay/{replay['id']}").json()["data"]
    rows = house.rows(found["takes"][0]["session_id"])

    assert 2 == len(rows)
    assert [{}, {}] == [row["handling"] for row in rows]
    assert all(row["cost"] > 0 for row in rows)


def test_omitted_bodies_are_in_no_answer_and_found_by_no_search(house: House, session_id: str) -> None:
    """The tokens and the cost are there all the same."""
    house.chat(session_id, "Sesame zanzibar?", helicone_omit_request="true", helicone_omit_response="true")
    (row,) = house.rows(session_id)
    search = {"filter": {"request_response_rmt": {"request_body": {"contains": "zanzibar"}}}}
    found = house.http.post("/v1/request/query-clickhouse", json=search).json()["data"]
    signed = house.http.get(row["signed_body_url"])

    assert "zanzibar" not in signed.text
    assert "zanzibar" not in str(row)
    assert [] == found
    assert row["prompt_tokens"] > 0
    assert row["cost"] > 0
    assert "gpt-4o-mini" == row["model"] == row["request_model"]
    assert (True, True) == (row["handling"]["omitted_request"], row["handling"]["omitted_response"])


def test_what_a_prompt_was_given_is_told(house: House, session_id: str) -> None:
    """In the row, and by its own route."""
    (call_id,) = house.chat(session_id, 'Who is <helicone-prompt-input key="who" >Ann</helicone-prompt-input>?')
    (row,) = house.rows(session_id)
    inputs = house.http.get(f"/v1/request/{call_id}/inputs").json()["data"]

    assert ("Who is Ann?", {"who": "Ann"}) == (row["request_body"]["messages"][0]["content"], row["inputs"])
    assert {"inputs": {"who": "Ann"}, "prompt_id": "answer", "version_id": "", "environment": None} == inputs


def test_headers_that_could_not_be_understood_are_told(house: House, session_id: str) -> None:
    """With the call that they came with."""
    house.chat(session_id, "Hm?", helicone_ratelimit_policy="lots")
    (row,) = house.rows(session_id)

    expected = "Helicone-Ratelimit-Policy: 'lots' is no policy such as 100;w=3600;u=cents;s=user; it was ignored."
    assert {"notes": [expected]} == row["handling"]


def test_headers_that_cannot_be_understood_are_told_in_the_row_and_counted(house: House, session_id: str) -> None:
    """Whatever they are about; the call is made."""
    headers = {"helicone_request_id": "no UUID", "helicone_ratelimit_policy": "2;w=5"}
    [call_id] = house.chat(session_id, "Odd?", **headers)
    (row,) = house.rows(session_id)
    health = house.http.get("/healthcheck").json()

    assert (call_id, 200) == (row["request_id"], row["response_status"])
    assert ["Helicone-Request-Id", "Helicone-Ratelimit-Policy"] == [
        note.partition(":")[0] for note in row["handling"]["notes"]
    ]
    assert any("could not be understood" in note for note in health["notes"])


def test_calls_that_the_gateway_chose_a_provider_for_and_overridden_ones_are_found(
    house: House, session_id: str
) -> None:
    """By what their rows tell of it."""
    labels = {"authorization": "Bearer sk-provider", "helicone-session-id": session_id}
    body = {"model": "gpt-4o-mini/openai", "messages": [{"role": "user", "content": "Hi"}]}
    house.http.post("/ai/chat/completions", json=body, headers=labels).raise_for_status()
    house.chat(session_id, "Hi", helicone_model_override="gpt-4o")
    first, second = house.rows(session_id)
    shown = [
        (row["request_referrer"], row["ai_gateway_body_mapping"], row["model_override"]) for row in (first, second)
    ]

    assert [("ai-gateway", "OPENAI", None), (None, None, "gpt-4o")] == shown
    for leaf, expected in (
        ({"request_response_rmt": {"request_referrer": {"equals": "ai-gateway"}}}, first),
        ({"request": {"modelOverride": {"equals": "gpt-4o"}}}, second),
        ({"request_response_log": {"model": {"equals": "gpt-4o"}}}, second),
    ):
        where = {"left": of(session_id), "operator": "and", "right": leaf}
        found = house.http.post("/v1/request/query", json={"filter": where}).json()["data"]
        assert [expected["request_id"]] == [row["request_id"] for row in found]

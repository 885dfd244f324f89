"""Helicone's request routes over real sockets: what an agent's answered call looks like in the next query."""

import uuid
from typing import Any

import pytest

from tests.api.conftest import House, of

ZERO = "00000000-0000-0000-0000-000000000000"


def test_an_answered_call_is_in_the_next_query_with_every_field(house: House, session_id: str) -> None:
    """The row has every field of Helicone's, bodies inline, and the guide's names beside them."""
    [call_id] = house.chat(session_id, "What is a tide?", Helicone_User_Id="ann", Helicone_Property_App="demo")

    [row] = house.rows(session_id)

    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is a tide?"}]}
    created, answer = row["request_created_at"], row["response_body"]
    properties = {
        "app": "demo",
        "Helicone-Session-Id": session_id,
        "Helicone-Session-Name": "Talk",
        "Helicone-Session-Path": "/talk",
        "Helicone-Prompt-Id": "answer",
    }
    usage = answer["usage"]
    assert row["cost"] > 0
    assert {
        "request_id": call_id,
        "request_created_at": created,
        "created_at": created,
        "request_body": body,
        "body": body,
        "request_path": f"{house.ready.url}/v1/gateway/oai/v1/chat/completions",
        "path": "/talk",
        "prompt_id": "answer",
        "prompt_version": None,
        "request_user_id": "ann",
        "request_properties": properties,
        "properties": properties,
        "request_model": "gpt-4o-mini",
        "response_model": "gpt-4o-mini",
        "model_override": None,
        "model": "gpt-4o-mini",
        "provider": "OPENAI",
        "response_id": answer["id"],
        "response_created_at": row["response_created_at"],
        "updated_at": row["response_created_at"],
        "response_body": answer,
        "response_status": 200,
        "delay_ms": row["delay_ms"],
        "time_to_first_token": None,
        "prompt_tokens": usage["prompt_tokens"],
        "completion_tokens": usage["completion_tokens"],
        "total_tokens": usage["total_tokens"],
        "prompt_cache_read_tokens": row["prompt_cache_read_tokens"],
        "prompt_cache_write_tokens": None,
        "prompt_audio_tokens": row["prompt_audio_tokens"],
        "completion_audio_tokens": row["completion_audio_tokens"],
        "reasoning_tokens": row["reasoning_tokens"],
        "cost": row["cost"],
        "costUSD": row["cost"],
        "scores": {},
        "feedback_rating": None,
        "feedback_created_at": None,
        "feedback_id": None,
        "signed_body_url": row["signed_body_url"],
        "target_url": f"{house.upstream}/v1/chat/completions",
        "storage_location": "clickhouse",
        "helicone_user": None,
        "country_code": None,
        "asset_ids": None,
        "asset_urls": {},
        "assets": [],
        "cache_enabled": False,
        "cache_reference_id": ZERO,
        "request_referrer": None,
        "ai_gateway_body_mapping": None,
        "replay": None,
        "handling": {},
        "inputs": None,
        "told": None,
        "ending": "answered",
        "detail": "",
    } == row


def test_the_guides_query(house: House, session_id: str) -> None:
    """`sort_by`, the legacy filter and a lower-case header give the session oldest first, on both routes."""
    ids = house.chat(session_id, "One?", "Two?", "Three?")
    query = {
        "limit": 100,
        "offset": 0,
        "sort_by": {"key": "request_created_at", "direction": "asc"},
        "filter": of(session_id),
    }

    for route in ("query", "query-clickhouse"):
        answer = house.http.post(f"/v1/request/{route}", json=query, headers={"authorization": "Bearer sk-unknown"})
        assert (ids, None) == ([row["request_id"] for row in answer.json()["data"]], answer.json()["error"])


def test_pages_do_not_overlap_and_end(house: House, session_id: str) -> None:
    """The export tool's loop sees every call once and stops at an empty page; its false flags lose nothing."""
    ids = house.chat(session_id, *(f"Question {number}?" for number in range(5)))
    house.http.post(f"/v1/request/{ids[0]}/score", json={"scores": {"good": 1}})
    flags = {"isCached": False, "includeInputs": False, "isScored": False, "isPartOfExperiment": False}

    seen: list[str] = []
    while page := house.rows(session_id, offset=len(seen), limit=2, sort={"created_at": "desc"}, **flags):
        seen += [row["request_id"] for row in page]

    assert ids[::-1] == seen


@pytest.mark.parametrize(("key", "direction"), [("request_prompt", "asc"), ("response_text", "desc")])
def test_rows_are_sorted_by_what_was_said(house: House, session_id: str, key: str, direction: str) -> None:
    """By the newest message of the user, and by the answer's text."""
    for asked in ("pear", "apple", "Zebra"):
        house.chat(session_id, asked)

    rows = house.rows(session_id, sort={key: direction})

    texts = [
        row["request_body"]["messages"][-1]["content"]
        if key == "request_prompt"
        else row["response_body"]["choices"][0]["message"]["content"]
        for row in rows
    ]
    assert 3 == len(texts)
    assert sorted(texts, reverse=direction == "desc") == texts


def test_true_flags_restrict(house: House, session_id: str) -> None:
    """`isScored` keeps calls with scores, `isPartOfExperiment` those of one, `isCached` none here."""
    first, second = house.chat(session_id, "One?", "Two?")
    house.http.post(f"/v1/request/{first}/score", json={"scores": {"good": 1}})
    house.http.put(f"/v1/request/{second}/property", json={"key": "Helicone-Experiment-Id", "value": "x"})

    found = [
        [row["request_id"] for row in house.rows(session_id, **{flag: True})]
        for flag in ("isScored", "isPartOfExperiment", "isCached")
    ]

    assert [[first], [second], []] == found


def test_ten_newest_by_default(house: House, session_id: str) -> None:
    """Without limit and sort, the ten newest calls come, newest first, as at Helicone."""
    ids = house.chat(session_id, *(f"Question {number}?" for number in range(11)))

    rows = house.http.post("/v1/request/query", json={"filter": of(session_id)}).json()["data"]

    assert ids[:0:-1] == [row["request_id"] for row in rows]


def test_limits(house: House, session_id: str) -> None:
    """Over 1000 rows are given when the filter names one session, and refused else."""
    [call_id] = house.chat(session_id, "One?")

    assert [call_id] == [row["request_id"] for row in house.rows(session_id, limit=5000)]
    refused = house.http.post("/v1/request/query", json={"filter": "all", "limit": 1001})
    assert (422, ["limit"]) == (refused.status_code, list(refused.json()["details"]))


def test_count_counts_all_pages(house: House, session_id: str) -> None:
    """The count is of all matches, whatever the limit; nested filters too."""
    house.chat(session_id, "One?", "Two?", "Three?")
    tokens = {"request_response_rmt": {"total_tokens": {"gt": "0"}}}
    both = {"left": of(session_id), "operator": "and", "right": tokens}

    counted = house.http.post("/v1/request/count/query", json={"filter": both, "limit": 1})

    assert {"data": 3, "error": None} == counted.json()


def test_a_stream_is_one_answer(house: House, session_id: str) -> None:
    """A streamed call's row holds the merged answer and its time to first token."""
    house.ask(session_id, {"messages": [{"role": "user", "content": "Stream?"}], "stream": True}, {})

    [row] = house.rows(session_id)

    assert "chat.completion" == row["response_body"]["object"]
    assert isinstance(row["time_to_first_token"], int)


def test_by_ids(house: House, session_id: str) -> None:
    """Ids give rows in the order asked; unknown ids are left out."""
    first, second = house.chat(session_id, "One?", "Two?")

    answer = house.http.post("/v1/request/query-ids", json={"requestIds": [second, str(uuid.uuid4()), first]})

    assert [second, first] == [row["request_id"] for row in answer.json()["data"]]


def test_one_with_and_without_bodies(house: House, session_id: str) -> None:
    """One request by id; without bodies the row says where they are, and the address needs no key."""
    [call_id] = house.chat(session_id, "One?")

    whole = house.http.get(f"/v1/request/{call_id}").json()["data"]
    bare = house.http.get(f"/v1/request/{call_id}", params={"includeBody": "false"}).json()["data"]
    bodies = house.http.get(bare["signed_body_url"])

    elsewhere = {"helicone_message": "fetching body from signed_url..."}
    assert [elsewhere, elsewhere, "s3"] == [bare["request_body"], bare["response_body"], bare["storage_location"]]
    assert {"request": whole["request_body"], "response": whole["response_body"]} == bodies.json()


def test_signed_addresses_are_for_one_call(house: House, session_id: str) -> None:
    """Changed in any part, an address is worth nothing."""
    [call_id] = house.chat(session_id, "One?")
    address = house.rows(session_id)[0]["signed_body_url"]

    changed = [
        address.replace(call_id, str(uuid.uuid4())),
        address[:-1] + "x",
        address.replace("expires=1", "expires=2"),
    ]

    assert [403, 403, 403] == [house.http.get(url).status_code for url in changed]


def test_scores_feedback_and_properties_are_seen_at_once(house: House, session_id: str) -> None:
    """Numbers, decimals and booleans, a rating and a property are in the next query, in each route's shape."""
    [call_id] = house.chat(session_id, "One?")
    answers = [
        house.http.post(f"/v1/request/{call_id}/score", json={"scores": {"exact": 92, "part": 0.5, "safe": True}}),
        house.http.post(f"/v1/request/{call_id}/score", json={"scores": {"exact": 93}}),
        house.http.post(f"/v1/request/{call_id}/feedback", json={"rating": False}),
        house.http.put(f"/v1/request/{call_id}/property", json={"key": "App", "value": "demo"}),
    ]

    [row] = house.rows(session_id)
    [typed] = house.http.post("/v1/request/query", json={"filter": of(session_id)}).json()["data"]

    assert [(200, {"data": None, "error": None})] * 4 == [(answer.status_code, answer.json()) for answer in answers]
    assert {"exact": 93, "part": 0.5, "safe-hcone-bool": 1, "helicone-score-feedback": 0} == row["scores"]
    assert (False, "demo") == (row["feedback_rating"], row["properties"]["App"])
    assert {
        "exact": {"value": 93, "valueType": "number"},
        "part": {"value": 0.5, "valueType": "number"},
        "safe-hcone-bool": {"value": 1, "valueType": "boolean"},
        "helicone-score-feedback": {"value": 0, "valueType": "number"},
    } == typed["scores"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "/feedback", {"rating": True}),
        ("PUT", "/property", {"key": "a", "value": "b"}),
        ("POST", "/score", {"scores": {"a": 1}}),
    ],
)
def test_a_request_that_is_not_there(house: House, method: str, path: str, body: Any) -> None:
    """Every route for one request says that it is not there."""
    answer = house.http.request(method, f"/v1/request/{uuid.uuid4()}{path}", json=body)

    assert (404, None) == (answer.status_code, answer.json()["data"])


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/v1/request/query", {}, "filter"),
        ("/v1/request/query", {"filter": "all", "limit": -1}, "limit"),
        ("/v1/request/query", {"filter": "all", "offset": 2**63}, "offset"),
        ("/v1/session/query", {"search": "", "offset": 2**63}, "offset"),
        ("/v1/request/query", {"filter": "all", "limit": "many"}, "limit"),
        ("/v1/request/query", {"filter": "all", "offset": -1}, "offset"),
        ("/v1/request/query", {"filter": "all", "sort": {"colour": "asc"}}, "sort.colour"),
        ("/v1/request/query", {"filter": {"request_response_rmt": {"foo": 1}}}, "filter.request_response_rmt.foo"),
        ("/v1/request/query", [], "body"),
        ("/v1/request/query", None, "body"),
        ("/v1/request/query-ids", {"requestIds": [1]}, "requestIds"),
        ("/v1/request/x/feedback", {"rating": True}, "requestId"),
        ("/v1/request/x/feedback", {"rating": "perhaps"}, "rating"),
        ("/v1/request/x/score", {"scores": {"a": "b"}}, "scores"),
    ],
)
def test_what_cannot_be_understood_names_its_place(house: House, path: str, body: Any, place: str) -> None:
    """A 422 in Helicone's shape names the field."""
    answer = house.http.post(path, json=body) if body is not None else house.http.post(path)

    assert (422, "Validation Failed") == (answer.status_code, answer.json()["message"])
    assert [place] == [name.split("[")[0].removesuffix(".0") for name in answer.json()["details"]]


@pytest.mark.parametrize("body", [b'{"filter":', b"\xff", b'{"filter":' + b"[" * 100_000])
def test_broken_json(house: House, body: bytes) -> None:
    """What is no JSON, or nested beyond reason, is a 422 and not a fault."""
    answer = house.http.post("/v1/request/query", content=body)

    assert (422, ["body"]) == (answer.status_code, list(answer.json()["details"]))


def test_numeric_strings_are_numbers(house: House, session_id: str) -> None:
    """As at Helicone, `"1"` is a limit; unknown keys do no harm."""
    house.chat(session_id, "One?", "Two?")

    assert 1 == len(house.rows(session_id, limit="1", unheard_of=True))


def test_a_large_body_is_taken_and_a_larger_one_refused(house: House) -> None:
    """Fifty megabytes are the limit."""
    padding = "x" * (40 * 1024 * 1024)

    statuses = [
        house.http.post("/v1/request/count/query", json={"filter": "all", "padding": padding * times}).status_code
        for times in (1, 2)
    ]

    assert [200, 413] == statuses


def test_sums_of_sessions_stand_below_an_or(house: House, session_id: str) -> None:
    """Calls of a long session, or of one that is named; and of neither."""
    long, named, neither = (f"{session_id} {name}" for name in ("long", "named", "neither"))
    calls = house.chat(long, "One?", "Two?", "Three?") + house.chat(named, "Four?")
    house.chat(neither, "Five?", "Six?")

    def session(column: str, **test: object) -> dict[str, object]:
        return {"sessions_request_response_rmt": {column: test}}

    either = {
        "left": session("session_total_requests", gte=3),
        "operator": "or",
        "right": session("session_session_id", equals=named),
    }
    ours = {"left": session("session_session_id", contains=session_id), "operator": "and", "right": either}
    query = {"filter": ours, "limit": 9, "sort": {"created_at": "asc"}}
    answer = house.http.post("/v1/request/query-clickhouse", json=query)
    assert (200, calls) == (answer.status_code, [row["request_id"] for row in answer.json()["data"]])
    assert 4 == house.http.post("/v1/request/count/query", json={"filter": ours}).json()["data"]

"""Calls told afterwards, over a whole server: every route, the forms of an answer, and what they become."""

import json
import uuid
from typing import Any

import pytest

from tests.api.conftest import House

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where to, zanzibar?"}]}
ANSWERED = {
    "id": "r1",
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Lisbon."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
CHUNKS = [
    {"object": "chat.completion.chunk", "model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "Lis"}}]},
    {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": "bon."}, "finish_reason": "stop"}],
    },
]
TIMING = {
    "startTime": {"seconds": 1_760_000_000, "milliseconds": 250},
    "endTime": {"seconds": 1_760_000_002, "milliseconds": 0},
    "timeToFirstToken": 300,
}
ROUTES = {
    "/custom/v1/log": "CUSTOM",
    "/oai/v1/log": "OPENAI",
    "/anthropic/v1/log": "ANTHROPIC",
    "/googleapis/v1/log": "GOOGLE",
    "/v1/trace/custom/v1/log": "CUSTOM",
    "/v1/trace/custom/log": "CUSTOM",
    "/v1/log": "CUSTOM",
}


def told(asked: Any = ASKED, answered: Any = ANSWERED, **further: Any) -> dict[str, Any]:
    """A log of a call; *further* goes into its response."""
    return {
        "providerRequest": {"url": "custom-model-nopath", "json": asked, "meta": {}},
        "providerResponse": {"headers": {}, "status": 200, "json": answered, **further},
        "timing": TIMING,
    }


def send(house: House, body: Any, route: str = "/oai/v1/log", **headers: str) -> dict[str, Any]:
    """Send a log and return the row that it became."""
    answer = house.http.post(route, json=body, headers={"authorization": "Bearer sk-helicone-x", **headers})
    assert (200, "ok") == (answer.status_code, answer.text)
    row: dict[str, Any] = house.http.get(f"/v1/request/{answer.headers['helicone-id']}").json()["data"]
    return row


@pytest.mark.parametrize("route", ROUTES)
def test_a_providers_key_that_is_told_is_not_kept(house: House, session_id: str, route: str) -> None:
    """Senders tell the arguments of a client's function as the body; what is no secret of them stays."""
    secrets = {"api_key": "sk-told", "extra_headers": {"Authorization": "Bearer sk-told"}, "headers": None}
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Who am I?"}]}
    log = told({**asked, **secrets})
    log["providerRequest"]["url"] = "https://api.example/chat?version=1&key=sk-told"
    row = send(house, log, route, **{"Helicone-Session-Id": session_id})
    hidden = {"api_key": "REDACTED", "extra_headers": {"Authorization": "REDACTED"}, "headers": None}
    assert {**asked, **hidden} == house.rows(session_id)[0]["request_body"]
    assert ("https://api.example/chat?version=1&key=REDACTED", False) == (row["target_url"], "sk-told" in str(row))


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_answers_ok_and_the_call_is_there(house: House, session_id: str, route: str) -> None:
    """Under the route's provider, with the labels of the headers, at the times told."""
    row = send(house, told(), route, **{"Helicone-Session-Id": session_id, "Helicone-User-Id": "ann"})

    assert ROUTES[route] == row["provider"]
    assert (ASKED, 200, "ann") == (row["request_body"], row["response_status"], row["request_user_id"])
    assert ("2025-10-09T08:53:20.250Z", 1750.0) == (row["created_at"], row["delay_ms"])
    assert session_id == row["properties"]["Helicone-Session-Id"]
    assert ("custom-model-nopath", {}) == (row["target_url"], row["told"])


def test_a_log_of_a_chat_is_read_as_one(house: House, session_id: str) -> None:
    """Tokens, price, search, and an address of this server that asks the same again."""
    row = send(house, told(), **{"Helicone-Session-Id": session_id})
    own = {"Helicone-Session-Id": {"equals": session_id}}
    search = {"filter": {"request_response_rmt": {"request_body": {"contains": "zanzibar"}, "properties": own}}}
    found = house.http.post("/v1/request/query", json=search).json()["data"]

    assert (1000, 100, 0.0035) == (row["prompt_tokens"], row["completion_tokens"], row["cost"])
    assert f"{house.ready.url}/v1/gateway/openai/v1/chat/completions" == row["request_path"]
    assert [row["request_id"]] == [one["request_id"] for one in found]


def test_a_logged_session_can_be_replayed(house: House, session_id: str) -> None:
    """It has all that a replay needs."""
    send(house, told(), **{"Helicone-Session-Id": session_id})
    order = {"session_id": session_id, "dry_run": True}
    plan = house.http.post("/v1/replay", json=order).json()["data"]

    assert ["openai"] == [call["provider"] for call in plan["calls"]]


@pytest.mark.parametrize(
    "response",
    [
        {"json": {"streamed_data": CHUNKS}},
        {"json": {"streamed_data": [f"data: {json.dumps(chunk)}" for chunk in CHUNKS] + ["data: [DONE]"]}},
        {"json": {}, "textBody": "".join(f"{json.dumps(chunk)}\n" for chunk in CHUNKS)},
        {"json": {}, "textBody": "\n".join(json.dumps(chunk) for chunk in CHUNKS)},
        {"json": {}, "textBody": "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in CHUNKS) + "data: [DONE]\n\n"},
    ],
)
def test_streams_told_in_any_form_are_merged(house: House, response: dict[str, Any]) -> None:
    """Raw chunks, JSON lines, events as text."""
    row = send(house, told(ASKED | {"stream": True}, **response))

    assert "Lisbon." == row["response_body"]["choices"][0]["message"]["content"]
    assert 300.0 == row["time_to_first_token"]


def test_text_that_is_json_is_an_answer(house: House) -> None:
    """Helpers send a whole answer as text, too."""
    row = send(house, told(answered={}, textBody=json.dumps(ANSWERED)))

    assert (ANSWERED, 1000) == (row["response_body"], row["prompt_tokens"])


def test_a_failed_stream_keeps_the_error_and_what_had_come(house: House) -> None:
    """The helpers write the error's trace before the text."""
    text = "Traceback (most recent call last):\nValueError: gone\n\n\n" + json.dumps(CHUNKS[0])
    row = send(house, told(ASKED | {"stream": True}, {}, textBody=text, status=500))

    assert (500, "Lis") == (row["response_status"], row["response_body"]["choices"][0]["message"]["content"])


def test_a_cancelled_stream_has_status_minus_three(house: House) -> None:
    """As one that an agent left."""
    row = send(house, told(ASKED | {"stream": True}, {}, textBody=json.dumps(CHUNKS[0]), status=-3))

    assert -3 == row["response_status"]


def test_a_cost_told_goes_before_the_table(house: House) -> None:
    """The sender knows what it paid."""
    assert 1.25 == send(house, told(cost=1.25))["cost"]


def test_an_unknown_model_has_no_known_cost(house: House) -> None:
    """Unknown is not free."""
    assert send(house, told(ASKED | {"model": "zanzibar-1"}, ANSWERED | {"model": "zanzibar-1"}))["cost"] is None


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"_type": "tool", "toolName": "weather", "input": {"city": "Lisbon"}}, "tool:weather"),
        ({"_type": "vector_db", "operation": "search", "text": "spring"}, "vector_db:search"),
        ({"_type": "data", "name": "orders"}, "data:orders"),
    ],
)
def test_events_that_asked_no_model_are_free_and_named(house: House, event: dict[str, Any], name: str) -> None:
    """Tools, look-ups and other steps of a session."""
    row = send(house, told(event, {"_type": event["_type"], "status": "success"}), "/custom/v1/log")

    assert (name, 0, None) == (row["model"], row["cost"], row["total_tokens"])


@pytest.mark.parametrize(
    ("answered", "tokens"),
    [
        ({"usage": {"input_tokens": 5, "output_tokens": 6}}, (5, 6)),
        ({"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 8}}, (7, 8)),
        ({"prompt_token_count": 9, "generation_token_count": 10}, (9, 10)),
    ],
)
def test_tokens_are_read_in_any_of_the_usual_ways(house: House, answered: Any, tokens: tuple[int, int]) -> None:
    """Where the bodies are of no known format."""
    row = send(house, told({"model": "llama-3", "text": "?"}, answered), "/custom/v1/log")

    assert tokens == (row["prompt_tokens"], row["completion_tokens"])


def test_meta_says_what_headers_say_and_headers_win(house: House, session_id: str) -> None:
    """Raw senders put Helicone's headers into the body."""
    body = told()
    body["providerRequest"]["meta"] = {
        "Helicone-Session-Id": session_id,
        "Helicone-User-Id": "meta",
        "Helicone-Auth": "x",
    }
    row = send(house, body, **{"Helicone-User-Id": "http"})

    assert (session_id, "http") == (row["properties"]["Helicone-Session-Id"], row["request_user_id"])


def test_a_sender_names_the_provider_and_the_id(house: House) -> None:
    """In the body and in a header."""
    wanted = str(uuid.uuid4())
    row = send(house, told() | {"provider": "ANTHROPIC"}, "/custom/v1/log", **{"Helicone-Request-Id": wanted})

    assert (wanted, "ANTHROPIC") == (row["request_id"], row["provider"])


def test_what_is_to_be_left_out_is_not_kept(house: House) -> None:
    """Tokens and model are there all the same."""
    row = send(house, told(), **{"Helicone-Omit-Request": "true", "Helicone-Omit-Response": "true"})

    assert (None, None, 1000, "gpt-4o") == (
        row["request_body"], row["response_body"], row["prompt_tokens"], row["model"],
    )  # fmt: skip


def test_times_counted_from_a_process_are_put_before_now(house: House) -> None:
    """A browser's clock that starts at zero says how long it took, not when."""
    body = told()
    body["timing"] = {"startTime": {"seconds": 1, "milliseconds": 0}, "endTime": {"seconds": 3, "milliseconds": 0}}
    row = send(house, body)

    assert (2000.0, True) == (row["delay_ms"], row["created_at"] > "2026")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"{", "body: Not valid JSON."),
        (b'{"providerRequest": {}}', "providerResponse: Object missing required field `providerResponse`"),
        (b" " * (10 * 1024 * 1024 + 1), "Payload too large"),
    ],
)
def test_what_is_no_log_is_refused_with_400(house: House, content: bytes, error: str) -> None:
    """With one line that says why."""
    answer = house.http.post("/custom/v1/log", content=content, headers={"content-type": "application/json"})

    assert (400, error) == (answer.status_code, answer.json()["error"].replace(" - at `$`", ""))


@pytest.mark.parametrize("route", [*ROUTES, "/v1/trace/custom/log/typed", "/v1/log/request", "/v1/traces"])
def test_a_key_is_needed_where_keys_are_needed(locked: House, route: str) -> None:
    """401, as everywhere."""
    assert 401 == locked.http.post(route, json=told()).status_code


def test_a_typed_log_has_times_as_text(house: House) -> None:
    """Otherwise it is like any other."""
    times = {"startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T00:00:01.5Z"}
    row = send(house, told() | {"timing": times}, "/v1/trace/custom/log/typed")

    assert ("2026-01-01T00:00:00.000Z", 1500.0) == (row["created_at"], row["delay_ms"])


def test_a_typed_log_is_told_field_by_field_what_is_wrong(house: House) -> None:
    """With 400 and the fields."""
    times = {"startTime": "yesterday", "endTime": "2026-01-01T00:00:01Z"}
    answer = house.http.post("/v1/trace/custom/log/typed", json=told() | {"timing": times})

    expected = {
        "isValid": False,
        "errors": [{"field": "timing.startTime", "message": "Expected a time such as 2026-01-31T12:00:00.000Z."}],
    }
    assert (400, expected) == (answer.status_code, answer.json())


def test_another_gateway_tells_of_a_call_without_its_bodies(house: House, session_id: str) -> None:
    """Labels, times and status are kept."""
    request_id = str(uuid.uuid4())
    request = {
        "id": request_id, "userId": "ann", "properties": {"Helicone-Session-Id": session_id, "App": "x"},
        "targetUrl": "https://api.openai.com/v1/chat/completions", "provider": "OPENAI", "bodySize": 10,
        "path": "https://gateway/v1/chat/completions", "requestCreatedAt": "2026-01-01T00:00:00Z", "isStream": True,
    }  # fmt: skip
    response = {"id": "r", "status": 200, "bodySize": 20, "responseCreatedAt": "2026-01-01T00:00:02Z", "delayMs": 1500}
    body = {
        "authorization": "x",
        "heliconeMeta": {"modelOverride": "gpt-4o"},
        "log": {"request": request, "response": response},
    }
    row = send(house, body, "/v1/log/request")

    assert (request_id, "OPENAI", "gpt-4o", 1500.0, "ann") == (
        row["request_id"], row["provider"], row["model"], row["delay_ms"], row["request_user_id"],
    )  # fmt: skip
    assert {"App": "x", "Helicone-Session-Id": session_id} == row["properties"]


@pytest.mark.parametrize("route", ["/v1/feedback", "/oai/v1/feedback"])
def test_the_first_packages_feedback(house: House, session_id: str, route: str) -> None:
    """Numbers and booleans are scores, texts are properties."""
    [call_id] = house.chat(session_id, "One?")
    for name, value in (("good", True), ("grade", 4.5), ("mood", "calm")):
        body = {"helicone-id": call_id, "name": name, "value": value, "data-type": "string"}
        assert 200 == house.http.post(route, json=body).status_code
    [row] = house.rows(session_id)

    assert ({"good-hcone-bool": 1.0, "grade": 4.5}, "calm") == (row["scores"], row["properties"]["mood"])

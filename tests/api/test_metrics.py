"""Helicone's sums of calls over a whole server: numbers, series, by model, user, property and score."""

import uuid
from typing import Any

import pytest

from tests.api.conftest import House

EVER = {"start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}


class World:
    """Calls of three models, two users and one day, told with fixed times, and the filter that finds them alone."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.app = uuid.uuid4().hex
        self.where = {"request_response_rmt": {"properties": {"App": {"equals": self.app}}}}
        self.users = [f"ann-{self.app}", f"bob-{self.app}"]
        self.tell("gpt-4o", 0, self.users[0], 1000, 100, status=200, first=100)
        self.tell("gpt-4o", 1, self.users[0], 3000, 300, status=500, first=None)
        self.tell("zanzibar-1", 2, self.users[1], 10, 1, status=200, first=300)

    def tell(
        self, model: str, hour: int, user: str, tokens_in: int, tokens_out: int, *, status: int, first: int | None
    ) -> None:
        """Log one call that took a second and an hour's number of seconds more."""
        start = 1_767_225_600 + hour * 3600  # 2026-01-01T00:00:00Z
        body: dict[str, Any] = {
            "providerRequest": {"url": "x", "json": {"model": model, "messages": [], "stream": first is not None}},
            "providerResponse": {
                "status": status,
                "json": {
                    "model": model,
                    "choices": [],
                    "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out},
                },
            },
            "timing": {
                "startTime": {"seconds": start, "milliseconds": 0},
                "endTime": {"seconds": start + 1 + hour, "milliseconds": 0},
                "timeToFirstToken": first,
            },
        }
        if first is not None:
            chunk = body["providerResponse"]["json"]
            body["providerResponse"]["json"] = {"streamed_data": [chunk]}
        headers = {
            "helicone-user-id": user, "helicone-property-app": self.app, "helicone-session-id": f"{user}-session",
            "helicone-session-name": f"name-{self.app}",
        }  # fmt: skip
        self.house.http.post("/oai/v1/log", json=body, headers=headers).raise_for_status()

    def ask(self, route: str, **further: Any) -> Any:
        """Post a question about this world's calls; return the data."""
        given = {"filter": self.where, "timeFilter": EVER, "timeZoneDifference": 0, **further}
        answer = self.house.http.post(route, json=given)
        assert 200 == answer.status_code, answer.text
        return answer.json()["data"]


@pytest.fixture(scope="module")
def world(house: House) -> World:
    """The calls that every test here is about; none changes them."""
    return World(house)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("totalRequests", 3),
        ("totalCost", 0.014),
        ("averageLatency", 2000.0),
        ("averageTimeToFirstToken", 200.0),
        ("totalThreats", 0),
        ("activeUsers", 2),
        (
            "averageTokensPerRequest",
            {
                "average_prompt_tokens_per_response": 4010 / 3,
                "average_completion_tokens_per_response": 401 / 3,
                "average_total_tokens_per_response": 4411 / 3,
            },
        ),
    ],
)
def test_totals(world: World, name: str, expected: Any) -> None:
    """One number of all calls; what has no price is left out of the cost."""
    assert expected == pytest.approx(world.ask(f"/v1/metrics/{name}"))


FIRST, SECOND, THIRD = (f"2026-01-01T0{hour}:00:00.000Z" for hour in range(3))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("requestOverTime", [(FIRST, {"count": 1}), (SECOND, {"count": 1}), (THIRD, {"count": 1})]),
        ("errorOverTime", [(FIRST, {"count": 0}), (SECOND, {"count": 1}), (THIRD, {"count": 0})]),
        ("threatsOverTime", [(FIRST, {"count": 0}), (SECOND, {"count": 0}), (THIRD, {"count": 0})]),
        ("usersOverTime", [(FIRST, {"count": 1}), (SECOND, {"count": 1}), (THIRD, {"count": 1})]),
        ("costOverTime", [(FIRST, {"cost": 0.0035}), (SECOND, {"cost": 0.0105}), (THIRD, {"cost": 0.0})]),
        (
            "latencyOverTime",
            [(FIRST, {"duration": 1000.0}), (SECOND, {"duration": 2000.0}), (THIRD, {"duration": 3000.0})],
        ),
        ("timeToFirstToken", [(FIRST, {"ttft": 100.0}), (SECOND, {"ttft": 0.0}), (THIRD, {"ttft": 300.0})]),
        (
            "requestStatusOverTime",
            [
                (FIRST, {"status": 200, "count": 1}),
                (SECOND, {"status": 500, "count": 1}),
                (THIRD, {"status": 200, "count": 1}),
            ],
        ),
        (
            "tokensOverTime",
            [
                (FIRST, {"prompt_tokens": 1000, "completion_tokens": 100}),
                (SECOND, {"prompt_tokens": 3000, "completion_tokens": 300}),
                (THIRD, {"prompt_tokens": 10, "completion_tokens": 1}),
            ],
        ),
    ],
)
def test_series(world: World, name: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    """One point for each hour that has a call."""
    found = world.ask(f"/v1/metrics/{name}", dbIncrement="hour")

    assert [{"time": time, **values} for time, values in expected] == found


def test_days_begin_at_local_midnight(world: World) -> None:
    """Two hours west of UTC the first two calls are of the day before."""
    found = world.ask("/v1/metrics/requestOverTime", dbIncrement="day", timeZoneDifference=120)

    assert [("2025-12-31T02:00:00.000Z", 2), ("2026-01-01T02:00:00.000Z", 1)] == [
        (point["time"], point["count"]) for point in found
    ]


def test_a_time_span_bounds_what_is_summed(world: World) -> None:
    """Both ends are within."""
    assert 1 == world.ask("/v1/metrics/totalRequests", timeFilter={"start": SECOND, "end": SECOND})


def test_by_model_and_provider(world: World) -> None:
    """The most used first; the cost says how many calls it leaves out."""
    models, providers = (world.ask(f"/v1/{name}", offset=0, limit=10) for name in ("metrics/models", "providers"))

    assert [
        ("gpt-4o", 2, 4000, 400, 4400, pytest.approx(0.014), 0),
        ("zanzibar-1", 1, 10, 1, 11, 0.0, 1),
    ] == [
        (
            row["model"], row["total_requests"], row["total_prompt_token"], row["total_completion_tokens"],
            row["total_tokens"], row["cost"], row["unpriced_requests"],
        )
        for row in models
    ]  # fmt: skip
    assert [{"provider": "OPENAI", "total_requests": 3}] == providers


def test_quantiles_counts_and_countries(world: World) -> None:
    """Percentiles in the unit of their column."""
    quantiles = world.ask("/v1/metrics/quantiles", metric="latency", dbIncrement="day")

    assert [{"time": FIRST, "p75": 3000.0, "p90": 3000.0, "p95": 3000.0, "p99": 3000.0}] == quantiles
    assert 3 == world.ask("/v1/metrics/requestCount")
    assert [{"country": "unknown", "total_requests": 3}] == world.ask("/v1/metrics/country", offset=0, limit=10)


def test_users(world: World) -> None:
    """Sums by user, sorted, paged, filtered by their sums."""
    page = world.ask("/v1/user/metrics/query", offset=0, limit=1, timeFilter=None, sort={"cost": "desc"})
    of_two = {
        "left": world.where, "operator": "and", "right": {"users_view": {"user_total_requests": {"gte": 2}}},
    }  # fmt: skip
    kept = world.ask("/v1/user/metrics/query", filter=of_two, timeFilter=None)["users"]
    rows = world.ask("/v1/user/query", userIds=world.users, timeFilter=None)

    ann = {
        "id": world.users[0], "user_id": world.users[0], "active_for": 1, "first_active": FIRST, "last_active": SECOND,
        "total_requests": 2, "average_requests_per_day_active": 2.0, "average_tokens_per_request": 2200.0,
        "total_completion_tokens": 400, "total_prompt_tokens": 4000, "cost": 0.014, "rate_limited_count": 0,
    }  # fmt: skip
    assert {"users": [ann], "count": 2, "hasUsers": True} == page
    assert [ann] == kept
    assert {(world.users[0], 2), (world.users[1], 1)} == {(row["user_id"], row["count"]) for row in rows}


def test_sums_of_users_cannot_be_one_of_two_ways(world: World) -> None:
    """They are known only after calls were chosen."""
    either = {"left": world.where, "operator": "or", "right": {"users_view": {"user_cost": {"gte": 2}}}}
    answer = world.house.http.post("/v1/user/metrics/query", json={"filter": either})

    assert (422, ["filter.operator"]) == (answer.status_code, list(answer.json()["details"]))


def test_properties(world: World) -> None:
    """Which there are, their values, what was spent by value, over time; hidden ones are not listed."""
    http = world.house.http
    listed = [row["property"] for row in http.post("/v1/property/query", json={}).json()["data"]]
    http.post("/v1/property/hide", json={"key": "APP"}).raise_for_status()
    hidden = http.post("/v1/property/hidden/query", json={}).json()["data"]
    without = [row["property"] for row in http.post("/v1/property/query", json={}).json()["data"]]
    http.post("/v1/property/restore", json={"key": "App"}).raise_for_status()
    again = [row["property"] for row in http.post("/v1/property/query", json={}).json()["data"]]

    assert ("app" in listed, "app" in without, "app" in again, [{"property": "APP"}]) == (True, False, True, hidden)
    assert [world.app] == world.ask("/v1/property/App/search", searchTerm=world.app[:20].upper())
    assert {"value": world.app, "count": 3} in world.ask("/v1/property/app/top-requests/query")
    assert {"value": world.app, "cost": 0.014} in world.ask("/v1/property/app/top-costs/query")
    over = world.ask("/v1/property/properties/over-time", userFilter=world.where, propertyKey="App", dbIncrement="day")
    assert [{"created_at_trunc": FIRST, "property": world.app, "request_count": 3, "total_cost": 0.014}] == over


def test_scores(world: World) -> None:
    """Set by one route, summed by name, by day, in ranges, for the dashboard."""
    http, name = world.house.http, f"grade-{world.app}"
    rows = world.ask("/v1/request/query-clickhouse", timeFilter=None, sort={"created_at": "asc"})
    for row, score in zip(rows, (1, 2, 6), strict=True):
        http.post(f"/v1/evals/{row['request_id']}", json={"name": name, "score": score}).raise_for_status()

    assert name in http.get("/v1/evals/scores").json()["data"]
    assert [
        {
            "name": name, "averageScore": 3.0, "minScore": 1.0, "maxScore": 6.0, "count": 3,
            "overTime": [{"date": FIRST, "count": 3}], "averageOverTime": [{"date": FIRST, "value": 3.0}],
        }
    ] == [one for one in world.ask("/v1/evals/query") if one["name"] == name]  # fmt: skip
    [spread] = [one for one in world.ask("/v1/evals/score-distributions/query") if one["name"] == name]
    assert (name, [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]) == (spread["name"], [bar["value"] for bar in spread["distribution"]])
    scored = world.ask("/v1/dashboard/scores/query", userFilter=world.where, dbIncrement="year")
    assert {"created_at_trunc": FIRST, "score_key": name, "score_sum": 9.0} in scored


def test_feedback_is_a_score_among_others(world: World) -> None:
    """In the list of names, the sums, the ranges, on the dashboard, and for whoever asks for scored calls."""
    http, name = world.house.http, "helicone-score-feedback"
    rows = world.ask("/v1/request/query-clickhouse", timeFilter=None, sort={"created_at": "asc"})
    for row, rating in zip(rows, (True, False, True), strict=True):
        http.post(f"/v1/request/{row['request_id']}/feedback", json={"rating": rating}).raise_for_status()

    assert name in http.get("/v1/evals/scores").json()["data"]
    [summed] = [one for one in world.ask("/v1/evals/query") if one["name"] == name]
    assert (3, 0.0, 1.0, [{"date": FIRST, "count": 3}]) == (
        summed["count"], summed["minScore"], summed["maxScore"], summed["overTime"],
    )  # fmt: skip
    assert 2 / 3 == summed["averageScore"]
    [spread] = [one for one in world.ask("/v1/evals/score-distributions/query") if one["name"] == name]
    assert [1, 0, 0, 0, 0, 0, 0, 0, 0, 2] == [bar["value"] for bar in spread["distribution"]]
    shown = world.ask("/v1/dashboard/scores/query", userFilter=world.where, dbIncrement="year")
    assert {"created_at_trunc": FIRST, "score_key": name, "score_sum": 2.0} in shown
    asked = {"filter": {"request_response_rmt": {"scores": {name: {"equals": 1}}}}, "isScored": True}
    found = http.post("/v1/request/query-clickhouse", json=asked).json()["data"]
    assert {rows[0]["request_id"], rows[2]["request_id"]} <= {one["request_id"] for one in found}


def test_session_names_and_how_sessions_are_spread(world: World) -> None:
    """By name: when it was used, how many; bars of calls, seconds and cost."""
    ever = {"startTimeUnixMs": 0, "endTimeUnixMs": 4e12}
    name = f"name-{world.app}"
    [named] = world.ask("/v1/session/name/query", nameContains=name.upper(), timeFilter=ever)
    metrics = world.ask("/v1/session/metrics/query", nameContains=name, timeFilter=ever, pSize="p99")

    assert {
        "name": name, "created_at": FIRST, "first_used": FIRST, "last_used": THIRD, "session_count": 2,
        "avg_latency": (1500 + 3000) / 2,
    } == named  # fmt: skip
    assert (1.5, 1800.0, 0.007) == tuple(
        metrics["average"][field][0]["average"] for field in ("session_count", "session_duration", "session_cost")
    )
    assert [2, 2, 2] == [
        sum(bar["value"] for bar in metrics[field]) for field in ("session_count", "session_duration", "session_cost")
    ]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"sessions_request_response_rmt": {"session_total_cost": {"gte": 0.01}}}, {0}),
        ({"sessions_request_response_rmt": {"session_total_requests": {"equals": 1}}}, {1}),
        ({"sessions_request_response_rmt": {"session_total_tokens": {"lt": 100}}}, {1}),
        ({"sessions_request_response_rmt": {"session_created_at": {"gte": THIRD}}}, {1}),
        ({"session": {"any": {"request_response_rmt": {"status": {"equals": 500}}}}}, {0}),
        ({"session": {"all": {"request_response_rmt": {"status": {"equals": 200}}}}}, {1}),
        ({"session": {"count": {"of": {"request_response_rmt": {"model": {"equals": "gpt-4o"}}}, "gte": 2}}}, {0}),
        ({"session": {"count": {"of": {"request_response_rmt": {"model": {"equals": "gpt-4o"}}}, "lt": 1}}}, {1}),
        ({"sessions_request_response_rmt": {"session_tag": {"equals": "odd"}}}, {1}),
        ({"sessions_request_response_rmt": {"session_tag": {"not-equals": "odd"}}}, {0}),
    ],
)
@pytest.mark.parametrize("route", ["/v1/session/query", "/v1/request/query"])
def test_filters_ask_about_whole_sessions(world: World, route: str, wish: Any, expected: set[int]) -> None:
    """Their sums, their tag, any, all or a count of their calls; wherever calls are filtered."""
    tagged = f"/v1/session/{world.users[1]}-session/tag"
    world.house.http.post(tagged, json={"tag": "odd"}).raise_for_status()
    both = {"left": world.where, "operator": "and", "right": wish}
    found = world.ask(route, filter=both, timeFilter=None)
    ids = {row.get("session_id") or row["properties"]["Helicone-Session-Id"] for row in found}

    assert {f"{world.users[index]}-session" for index in expected} == ids
    assert "odd" == world.house.http.get(tagged).json()["data"]


def test_feedback_of_a_session_is_a_property_of_its_first_call(world: World) -> None:
    """As at Helicone."""
    http, session_id = world.house.http, f"{world.users[0]}-session"
    http.post(f"/v1/session/{session_id}/feedback", json={"rating": True}).raise_for_status()
    rows = world.ask("/v1/request/query", timeFilter=None, sort={"created_at": "asc"})

    assert ["1", None, None] == [row["properties"].get("Helicone-Session-Feedback") for row in rows]
    assert 404 == http.post("/v1/session/nowhere/feedback", json={"rating": True}).status_code
    assert 404 == http.get("/v1/session/nowhere/tag").status_code


def test_models_and_their_prices_are_shown(world: World) -> None:
    """With the table's version and the day of its newest price."""
    http = world.house.http
    prices = http.get("/v1/public/prices").json()["data"]
    [mini] = [one for one in prices["models"] if (one["provider"], one["model"]) == ("openai", "gpt-4o-mini")]
    models = http.get("/v1/models", headers={"authorization": f"Bearer {world.house.ready.key}"}).json()

    assert ("genai-prices", True, True) == (prices["source"], prices["version"] > "", prices["newest_change"] > "2025")
    assert (0.15, 0.6) == (mini["input"], mini["output"])
    assert ("list", True) == (models["object"], "gpt-4o-mini" in [one["id"] for one in models["data"]])
    heard = http.get("/v1/models/multimodal", headers={"authorization": f"Bearer {world.house.ready.key}"}).json()
    assert {"gpt-audio"} == {"gpt-audio", "gpt-4"} & {one["id"] for one in heard["data"]}
    registry = http.get("/v1/public/model-registry/models").json()["data"]
    [item] = [one for one in registry["models"] if one["id"] == "gpt-4o-mini"]
    [offer] = [one for one in item["endpoints"] if one["provider"] == "openai"]
    assert ("openai", len(registry["models"])) == (item["author"], registry["total"])
    assert (0.15, 0.6) == (offer["pricing"]["prompt"], offer["pricing"]["completion"])


def test_search_looks_on_both_sides(house: House, session_id: str) -> None:
    """All words on one side, in any case."""
    word = f"w{uuid.uuid4().hex}"
    [first] = house.chat(session_id, f"Do you know {word} today?")
    found = house.http.post("/v1/search", json={"query": f"TODAY {word.upper()}"}).json()["data"]

    assert [first] == [row["request_id"] for row in found]
    assert 422 == house.http.post("/v1/search", json={"query": "?!"}).status_code


def test_a_key_is_renamed(house: House) -> None:
    """The key stays what it was."""
    made = house.http.post("/v1/api-keys", json={"api_key_name": "old"}).json()
    changed = house.http.patch(f"/v1/api-keys/{made['id']}", json={"api_key_name": "new"}).json()
    names = {row["id"]: row["api_key_name"] for row in house.http.get("/v1/api-keys").json()["data"]}

    assert ({"hashedKey": made["hashedKey"]}, "new") == (changed, names[int(made["id"])])


def test_a_request_has_no_inputs_of_a_saved_prompt(house: House, session_id: str) -> None:
    """Null, and 404 for what is not here."""
    [call_id] = house.chat(session_id, "One?")

    assert {"data": None, "error": None} == house.http.get(f"/v1/request/{call_id}/inputs").json()
    assert 404 == house.http.get("/v1/request/nowhere/inputs").status_code

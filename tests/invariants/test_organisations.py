"""Invariant 12: one organisation can never see, count, search, change or infer another's data, whatever route it asks.

Driven by the OpenAPI document: a route that is not there, or that nothing here knows how to ask, fails the test.
"""

import base64
import hashlib
import re
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.access.keys import KEY_BYTES, KeyRecord, hash_key, issue_key
from reenact.store.control.store import ControlStore
from reenact.store.control.tables import organisations
from tests.fakes.house import House, a_house

SECRET = "zanzibar"
"""Stands in everything of the other organisation, and in nothing of ours."""
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + SECRET.encode() * 10_000).decode()
PARAMETER = re.compile(r"\{([a-z_]+)\}")


class Strangers(msgspec.Struct, frozen=True):
    """A server with one organisation full of secrets, and a client of another one."""

    house: House
    theirs: httpx2.Client
    ours: httpx2.Client
    names: dict[str, str]
    """Ids of the other organisation by the name of the path parameter that takes them."""
    document: dict[str, Any]


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strangers]:
    """Two organisations; all that one can have, it has."""
    data = tmp_path_factory.mktemp("strangers") / "data"
    with a_house(data, require_key=True) as house, clients(house, _second_key(house, data)) as (theirs, ours):
        names = _fill(house, theirs)
        document = httpx2.get(f"{house.url}/download/swagger.json", trust_env=False).json()
        for client in (theirs, ours):  # for the pages
            key = client.headers["authorization"].removeprefix("Bearer ")
            assert 303 == client.post("/login", data={"key": key}).status_code
        yield Strangers(house, theirs, ours, names, document)


class clients:  # noqa: N801 - a context manager
    """Clients with the two keys."""

    def __init__(self, house: House, second: str) -> None:
        self._clients = [
            httpx2.Client(base_url=house.url, trust_env=False, timeout=30, headers={"authorization": f"Bearer {key}"})
            for key in (house.key, second)
        ]

    def __enter__(self) -> list[httpx2.Client]:
        return self._clients

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()


def _second_key(house: House, data: Path) -> str:
    """Make a second organisation in the control database of a running server, and a key of it."""
    key = issue_key(secrets.token_bytes(KEY_BYTES))
    control = ControlStore(next(data.glob("control*")))
    with control._transaction() as connection:
        connection.execute(organisations.insert().values(id="second", name="Second", created_us=2**53))
    control.add_key(
        KeyRecord(
            id="second-key", organisation_id="second", name="Second", permissions="rw", key_hash=hash_key(key),
            last_four=key[-4:], created_us=1,
        )
    )  # fmt: skip
    control.close()
    return key


def _fill(house: House, theirs: httpx2.Client) -> dict[str, str]:
    """Let the other organisation record, rate, tag, hide, replay and keep keys; return its ids."""
    session_id = f"{SECRET}-session"
    house.say(session_id, f"Tell me of {SECRET}.", path=f"/{SECRET}", prompt_id=f"{SECRET}-prompt")
    log = {
        "providerRequest": {
            "url": "x",
            "json": {
                "model": f"{SECRET}-1",
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": SECRET},
                            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
                        ],
                    }
                ],
            },
        },
        "providerResponse": {"json": {"choices": []}, "cost": 7},
    }
    labels = {
        "helicone-session-id": session_id, "helicone-session-name": SECRET, "helicone-user-id": SECRET,
        f"helicone-property-{SECRET}": SECRET,
    }  # fmt: skip
    request_id = theirs.post("/custom/v1/log", json=log, headers=labels).raise_for_status().headers["helicone-id"]
    for path, body in (
        (f"/v1/request/{request_id}/score", {"scores": {SECRET: 1}}),
        (f"/v1/session/{session_id}/tag", {"tag": SECRET}),
        ("/v1/property/hide", {"key": SECRET}),
        ("/v1/api-keys", {"api_key_name": SECRET}),
    ):
        theirs.post(path, json=body).raise_for_status()
    keys = theirs.get("/v1/api-keys").json()["data"]
    template = {"model": f"{SECRET}-1", "messages": [{"role": "user", "content": f"Tell me of {SECRET}."}]}
    kept = {"name": SECRET, "tags": [SECRET], "promptBody": template}
    prompt = theirs.post("/v1/prompt-2025", json=kept).raise_for_status().json()["data"]
    used = {"promptId": prompt["id"], "promptVersionId": prompt["versionId"], "environment": SECRET}
    theirs.post("/v1/prompt-2025/update/environment", json=used).raise_for_status()
    [asset_id, *_] = theirs.get(f"/v1/request/{request_id}").json()["data"]["asset_ids"]
    house.say(f"{SECRET}-talk", f"Talk of {SECRET}.")
    order: dict[str, Any] = {"provider_keys": {"openai": "sk-x"}, "control": False}
    replay_id = _done(theirs, "/v1/replay", order | {"session_id": f"{SECRET}-talk", "session_name": SECRET})
    batch_id = _done(theirs, "/v1/replay/batch", order | {"name": SECRET, "sessions": [f"{SECRET}-talk"]})
    return {
        "request_id": request_id,
        "session_id": session_id,
        "place": f"{session_id}/tag",
        "user_id": SECRET,
        "property_key": SECRET,
        "asset_id": asset_id,
        "key_id": str(keys[-1]["id"]),
        "organization_id": keys[-1]["organization_id"],
        "prompt_id": prompt["id"],
        "version_id": prompt["versionId"],
        "replay_id": replay_id,
        "batch_id": batch_id,
        "tool_id": str(uuid.uuid4()),
    }


def _done(client: httpx2.Client, route: str, order: dict[str, Any]) -> str:
    """Start something, watch it until it is over, and return its id."""
    begun: str = client.post(route, json=order).raise_for_status().json()["data"]["id"]
    with client.stream("GET", f"{route}/{begun}/progress") as events:
        assert "done" in list(filter(None, events.iter_lines()))[-1]
    return begun


EVER = {"start": "2000-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
BODIES: dict[str, list[Any]] = {
    "RequestQuery": [
        {"filter": "all"},
        {"filter": {"properties": {"Helicone-Session-Id": {"equals": f"{SECRET}-session"}}}},
        {"filter": {"request_response_rmt": {"request_body": {"contains": SECRET}}}},
        {"filter": {"sessions_request_response_rmt": {"session_tag": {"equals": SECRET}}}},
        {"filter": {"sessions_request_response_rmt": {"session_total_cost": {"gte": 0}}}},
    ],
    "SessionQuery": [
        {"filter": "all"},
        {"filter": {"session": {"any": {"request_response_rmt": {"cost": {"gte": 0}}}}}},
    ],
    "SearchQuery": [{"query": SECRET}],
    "Term": [{"searchTerm": ""}],
    "InTime": [{"timeFilter": EVER}, {}],
    "OverTime": [{"propertyKey": SECRET, "timeFilter": EVER}],
    "UserQuery": [{}, {"userIds": [SECRET]}],
    "MetricsQuery": [{"filter": "all"}],
    "OverviewQuery": [{"filter": "all"}],
    "EvalQuery": [{"filter": "all", "timeFilter": EVER}],
    "ScoresQuery": [{"timeFilter": EVER, "dbIncrement": "year"}],
    "NameQuery": [{"nameContains": ""}],
    "QuantileQuestion": [{"filter": "all", "timeFilter": EVER, "metric": "latency"}],
    "NewKey": [{"api_key_name": "ours"}],
    "NewVaultKey": [{"proxyKeyName": "ours", "providerKeyId": SECRET}],
    "KeyName": [{"api_key_name": "ours"}],
    "Key": [{"key": "ours"}],
    "Rating": [{"rating": True}],
    "Property": [{"key": "ours", "value": "ours"}],
    "Scores": [{"scores": {"ours": 1}}],
    "NewEval": [{"name": "ours", "score": 1}],
    "Note": [{"tag": "ours", "rating": True}],
}
"""What each route is asked with, by the name of its body's schema; all others get a generic question."""
GENERIC = {"filter": "all", "timeFilter": EVER}


def operations(strangers: Strangers) -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and description of every route but those that delete, which come last."""
    found = [
        (method, path, operation)
        for path, methods in strangers.document["paths"].items()
        for method, operation in methods.items()
    ]
    return sorted(found, key=lambda one: (one[0] == "delete", one[1]))


def bodies_of(operation: dict[str, Any], names: dict[str, str]) -> list[Any]:
    """Return what an operation is asked with: aimed at the other organisation where a body can name anything."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if not content:
        return [None]
    schema = str(content["schema"].get("$ref", "")).rpartition("/")[2]
    aimed = {
        "session_id": names["session_id"],
        "sessions": [names["session_id"]],
        "requestIds": [names["request_id"]],
        "helicone-id": names["request_id"],
        "promptId": names["prompt_id"],
        "promptVersionId": names["version_id"],
        "environment": SECRET,
        "promptBody": {"messages": []},
        "commitMessage": "ours",
        "tags": ["ours"],
        "patch": {"changes": [{"edits": [{"edit": "use_prompt", "prompt": names["prompt_id"]}]}]},
    }
    return BODIES.get(schema, [GENERIC | aimed | {"name": "ours", "value": 1, "dry_run": True}])


def query_of(operation: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """Return what a route's address is asked with after its path, aimed at the other organisation."""
    aimed = {"left": f"{SECRET}-session", "right": f"{SECRET}-session", "session_id": f"{SECRET}-session"}
    aimed |= {"requestId": names["request_id"]}
    wanted = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
    return {name: aimed[name] for name in wanted if name in aimed}


def state(client: httpx2.Client) -> str:
    """Return a digest of all that an organisation can see of its own."""
    told = [
        client.post("/v1/request/query", json={"filter": "all", "limit": 1000}).json()["data"],
        client.post("/v1/session/query", json={"filter": "all"}).json()["data"],
        client.post("/v1/property/hidden/query", json={}).json()["data"],
        client.get("/v1/api-keys").json()["data"],
        client.get("/v1/replay").json()["data"],
        client.get("/v1/replay/batch").json()["data"],
        prompts := client.post("/v1/prompt-2025/query", json={}).json()["data"],
        [client.post("/v1/prompt-2025/query/versions", json={"promptId": one["id"]}).json()["data"] for one in prompts],
    ]
    text = re.sub(r"(expires|signature)=[0-9a-f]+", "", str(told))
    return hashlib.sha256(text.encode()).hexdigest()


def test_no_route_tells_or_changes_anything_of_another_organisation(strangers: Strangers) -> None:
    """Every route of the document is asked with the other's ids; no answer holds its word, and it has all it had."""
    before, asked = state(strangers.theirs), 0
    for method, path, operation in operations(strangers):
        missing = set(PARAMETER.findall(path)) - strangers.names.keys()
        assert not missing, f"{method} {path}: say in _fill what {missing} of the other organisation is"
        where = PARAMETER.sub(lambda found: strangers.names[found[1]], path)
        for body in bodies_of(operation, strangers.names):
            with strangers.ours.stream(
                method.upper(), where, params=query_of(operation, strangers.names), json=body
            ) as answer:
                text = answer.read().decode(errors="replace")
            asked += 1
            echoed = {str(name) for name in strangers.names.values()} | {SECRET}
            told = text if answer.status_code == 200 else ""
            assert answer.status_code < 500, f"{method} {where}: {text}"
            assert not [name for name in echoed if name in told], f"{method} {where} told: {text[:500]}"
    assert asked > 60
    assert before == state(strangers.theirs)


@pytest.mark.parametrize(
    ("method", "page", "statuses"),
    [
        ("GET", "/", {200}),
        ("GET", f"/?q={SECRET}", {200}),
        ("GET", "/calls", {200}),
        ("GET", f"/calls?q={SECRET}", {200}),
        ("GET", f"/calls?session={SECRET}-session", {200}),
        ("GET", "/sessions/{session_id}", {404}),
        ("GET", "/calls/{request_id}", {404}),
        ("GET", "/calls/{request_id}/request", {404}),
        ("GET", "/calls/{request_id}/assets/{asset_id}", {404}),
        ("GET", "/compare?left={session_id}&right={session_id}", {404}),
        ("GET", "/replays?session={session_id}", {404}),
        ("GET", "/replays/{replay_id}", {404}),
        ("POST", "/replays/{replay_id}/cancel", {404}),
    ],
)
def test_no_page_tells_or_changes_anything_either(
    strangers: Strangers, method: str, page: str, statuses: set[int]
) -> None:
    """What is the other's is not there, and nothing of it is shown but what was asked for."""
    before = state(strangers.theirs)
    seen = {}
    for name, client in (("ours", strangers.ours), ("theirs", strangers.theirs)):
        if (name, method) != ("theirs", "POST"):
            seen[name] = client.request(method, page.format(**strangers.names), headers={"origin": strangers.house.url})
    told = seen["ours"].text.replace(f"{SECRET}-session", "").replace(f'value="{SECRET}"', "")
    assert seen["ours"].status_code in statuses
    assert SECRET not in told.replace(f"q={SECRET}", "")
    assert "theirs" not in seen or 200 == seen["theirs"].status_code
    assert before == state(strangers.theirs)


@pytest.mark.parametrize(
    ("route", "body", "expected"),
    [
        ("/v1/request/count/query", {"filter": "all"}, 0),
        ("/v1/metrics/totalRequests", {"filter": "all"}, 0),
        ("/v1/metrics/totalCost", {"filter": "all"}, 0.0),
        ("/v1/metrics/activeUsers", {"filter": "all"}, 0),
        ("/v1/metrics/models", {"filter": "all"}, []),
        ("/v1/user/query", {}, []),
        ("/v1/property/query", {}, []),
        ("/v1/search", {"query": SECRET}, []),
        ("/v1/prompt-2025/query", {"search": SECRET, "tagsFilter": [], "page": 0, "pageSize": 10}, []),
        ("/v1/request/query", {"filter": {"request": {"org_id": {"not-equals": "second"}}}}, []),
    ],
)
def test_nothing_is_counted_either(strangers: Strangers, route: str, body: Any, expected: Any) -> None:
    """An organisation without a call is told of none, however it asks."""
    answer = strangers.ours.post(route, json=body)

    assert (200, expected) == (answer.status_code, answer.json()["data"])


def test_a_signed_address_is_good_for_its_own_call_only(strangers: Strangers) -> None:
    """Another organisation's name in it makes it bad."""
    [row] = strangers.theirs.post("/v1/request/query", json={"filter": "all", "limit": 1}).json()["data"]
    address = row["signed_body_url"]
    changed = re.sub(r"organisation=[^&]+", "organisation=second", address)

    assert [200, 403] == [httpx2.get(one, trust_env=False).status_code for one in (address, changed)]

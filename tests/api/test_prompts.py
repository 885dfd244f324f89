"""Prompts over HTTP, by Helicone's signatures, and by Helicone's own client."""

from typing import Any

import httpx2
import pytest

from tests.api.conftest import House

BODY: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "system", "content": "You debate."},
        {"role": "user", "content": "Say {{hc:what:string}}!"},
    ],
}
NEXT = BODY | {"model": "gpt-4o", "temperature": 0}


class Desk:
    """Asks the routes of prompts."""

    def __init__(self, house: House) -> None:
        self._house = house

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **query: str) -> Any:
        """Return the data of an answer, which has to have *status*."""
        answer = self._house.http.request(method, path, json=body, params=query)
        assert status == answer.status_code, answer.text
        told = answer.json()
        if status == 200:
            assert told["error"] is None
        return told["data"] if status == 200 else told

    def post(self, what: str, body: Any, status: int = 200) -> Any:
        """Ask `/v1/prompt-2025/...`."""
        return self.ask("POST", f"/v1/prompt-2025{what}", body, status)

    def create(self, name: str, *tags: str) -> tuple[str, str]:
        """Keep a prompt; return its id and that of its version."""
        made = self.post("", {"name": name, "tags": list(tags), "promptBody": BODY})
        return made["id"], made["versionId"]

    def update(self, prompt_id: str, version_id: str, **given: Any) -> str:
        """Keep another version; return its id."""
        wanted = {
            "promptId": prompt_id,
            "promptVersionId": version_id,
            "promptBody": NEXT,
            "commitMessage": "Better.",
            "newMajorVersion": False,
        }
        return str(self.post("/update", wanted | given)["id"])


@pytest.fixture
def desk(house: House) -> Desk:
    """Asks a real server."""
    return Desk(house)


def test_a_prompt_is_made_found_changed_and_deleted(desk: Desk, session_id: str) -> None:
    """All that is said of prompts as wholes."""
    count = desk.ask("GET", "/v1/prompt-2025/count")
    prompt_id, _ = desk.create(f"Debate {session_id}", "old")

    assert (6, True) == (len(prompt_id), prompt_id.isalnum())
    assert None is desk.post(f"/id/{prompt_id}/rename", {"name": f"Talk {session_id}"})
    assert ["a", "b"] == desk.ask("PATCH", f"/v1/prompt-2025/id/{prompt_id}/tags", {"tags": [" a ", "b", "a", ""]})
    told = desk.ask("GET", f"/v1/prompt-2025/id/{prompt_id}")
    assert (prompt_id, f"Talk {session_id}", ["a", "b"]) == (told["id"], told["name"], told["tags"])
    query = {"search": f"talk {session_id}", "tagsFilter": ["b", "c"], "page": 0, "pageSize": 10}
    assert [told] == desk.post("/query", query)
    assert [] == desk.post("/query", query | {"page": 1})
    assert [] == desk.post("/query", query | {"tagsFilter": ["c"]})
    assert {"a", "b"} <= set(desk.ask("GET", "/v1/prompt-2025/tags"))
    assert count + 1 == desk.ask("GET", "/v1/prompt-2025/count")
    assert None is desk.ask("DELETE", f"/v1/prompt-2025/{prompt_id}")
    assert {"data": None, "error": f"There is no prompt {prompt_id}"} == desk.ask(
        "GET", f"/v1/prompt-2025/id/{prompt_id}", status=404
    )
    desk.post("/query/versions", {"promptId": prompt_id}, status=404)


def test_versions_have_numbers_environments_and_bodies(desk: Desk, session_id: str) -> None:
    """The second version of the routes tells the same."""
    prompt_id, first = desk.create("Debate")
    second = desk.update(prompt_id, first, environment=f"staging-{session_id}")
    third = desk.update(prompt_id, first, newMajorVersion=True)

    listed = desk.post("/query/versions", {"promptId": prompt_id})
    assert [(third, 1, 0), (second, 0, 1), (first, 0, 0)] == [
        (one["id"], one["major_version"], one["minor_version"]) for one in listed
    ]
    assert all("prompt_body" not in one and "s3_url" not in one for one in listed)
    assert [third] == [one["id"] for one in desk.post("/query/versions", {"promptId": prompt_id, "majorVersion": 1})]
    assert {"totalVersions": 3, "majorVersions": 1} == desk.post("/query/total-versions", {"promptId": prompt_id})
    for version in ("v1", "v2"):
        route = f"/{version}/prompt-2025/query"
        told = desk.ask("POST", f"{route}/version", {"promptVersionId": second})
        assert (NEXT, "gpt-4o", "Better.", prompt_id) == tuple(
            told[name] for name in ("prompt_body", "model", "commit_message", "prompt_id")
        )
        assert NEXT == httpx2.get(told["s3_url"], trust_env=False).json()
        assert first == desk.ask("POST", f"{route}/production-version", {"promptId": prompt_id})["id"]
        staged = {"promptId": prompt_id, "environment": f"staging-{session_id}"}
        assert second == desk.ask("POST", f"{route}/environment-version", staged)["id"]
    assert NEXT == desk.ask("GET", f"/v1/prompt-2025/{third}/prompt-body")


def test_environments_move_from_version_to_version(desk: Desk, session_id: str) -> None:
    """And are no more once nothing is in use in them."""
    prompt_id, first = desk.create("Debate")
    second = desk.update(prompt_id, first)
    moon = f"moon-{session_id}"
    for version in (first, second):
        used = {"promptId": prompt_id, "promptVersionId": version, "environment": moon}
        assert None is desk.post("/update/environment", used)

    assert moon in desk.ask("GET", "/v1/prompt-2025/environments")
    assert [[moon], ["production"]] == [
        one["environments"] for one in desk.post("/query/versions", {"promptId": prompt_id})
    ]
    assert None is desk.post("/remove/environment", used)
    assert moon not in desk.ask("GET", "/v1/prompt-2025/environments")
    desk.post("/query/environment-version", {"promptId": prompt_id, "environment": moon}, status=404)
    assert None is desk.ask("DELETE", f"/v1/prompt-2025/{prompt_id}/{first}")
    desk.post("/query/production-version", {"promptId": prompt_id}, status=404)
    desk.ask("DELETE", f"/v1/prompt-2025/{prompt_id}/{first}", status=404)


def test_the_inputs_of_a_request_are_told(desk: Desk, house: House, session_id: str) -> None:
    """What it says in place of the variables; null for one that was not made from the version."""
    prompt_id, version_id = desk.create("Debate")
    said = [BODY["messages"][0], {"role": "user", "content": "Say hi!"}]
    made = house.ask(session_id, {"messages": said}, {})
    other = house.ask(session_id, {"messages": said[:1]}, {})
    route = f"/v1/prompt-2025/id/{prompt_id}/{version_id}/inputs"

    assert {"request_id": made, "version_id": version_id, "inputs": {"what": "hi"}} == desk.ask(
        "GET", route, requestId=made
    )
    assert None is desk.ask("GET", route, requestId=other)
    desk.ask("GET", route, status=404, requestId="nobody")
    desk.ask("GET", f"/v1/prompt-2025/id/nobody/{version_id}/inputs", status=404, requestId=made)


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("", {"name": "x", "tags": [], "promptBody": {"messages": "none"}}, "promptBody"),
        ("", {"name": "", "tags": [], "promptBody": BODY}, "name"),
        ("", {"name": "x", "tags": [str(one) for one in range(200)], "promptBody": BODY}, "tags"),
        ("/query", {"page": -1}, "page"),
        ("/update", {"promptId": "x"}, "promptVersionId"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(desk: Desk, what: str, body: Any, field: str) -> None:
    """As everywhere."""
    assert [field] == [place.rpartition(".")[2] for place in desk.post(what, body, status=422)["details"]][:1]


def test_an_address_of_a_body_is_good_for_that_version_only(desk: Desk) -> None:
    """And a call's is good for none."""
    prompt_id, first = desk.create("Debate")
    second = desk.update(prompt_id, first)
    address = desk.post("/query/version", {"promptVersionId": first})["s3_url"]

    assert 403 == httpx2.get(address.replace(first, second), trust_env=False).status_code


def test_helicones_own_client_fetches_and_fills_in(desk: Desk, house: House) -> None:
    """As its users have it: by id in production, by version, with inputs."""
    helpers = pytest.importorskip("helicone_helpers", reason="needs the development packages: run scripts/setup dev")
    prompt_id, first = desk.create("Debate")
    desk.update(prompt_id, first, environment="production")
    manager = helpers.HeliconePromptManager(api_key="none", base_url=house.ready.url)
    manager.session.trust_env = False

    filled = manager.get_prompt_body({"prompt_id": prompt_id, "inputs": {"what": "hi"}, "messages": []})
    older = manager.pull_prompt_body({"prompt_id": prompt_id, "version_id": first})

    manager.session.close()
    assert ([], "gpt-4o", "Say hi!") == (
        filled["errors"],
        filled["body"]["model"],
        filled["body"]["messages"][1]["content"],
    )
    assert older == BODY

"""Who is let in, over real sockets: keys, what they may do, and pages of other sites."""

import base64
from typing import Any

import httpx2
import pytest

from tests.api.conftest import House

ALL = {"filter": "all"}


def bearer(key: str | None) -> dict[str, str]:
    """Return the header that carries *key*."""
    return {"authorization": f"Bearer {key}"}


def make_key(house: House, permissions: str) -> dict[str, str]:
    """Make a key and return Helicone's answer."""
    made: dict[str, str] = house.http.post(
        "/v1/api-keys", json={"api_key_name": "test", "key_permissions": permissions}, headers=bearer(house.ready.key)
    ).json()
    return made


@pytest.mark.parametrize("headers", [{}, bearer("sk-unknown"), {"helicone-auth": "Bearer unknown"}])
def test_without_a_known_key_nothing_is_told(locked: House, headers: dict[str, str]) -> None:
    """A server that asks for keys answers 401 in Helicone's shape, and tells a browser how to sign in."""
    answer = locked.http.post("/v1/request/query", json=ALL, headers=headers)

    assert (401, {"error", "trace"}) == (answer.status_code, answer.json().keys())
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("path", ["/v1/request/query", "/v1/gateway/oai/v1/chat/completions"])
@pytest.mark.parametrize("name", ["helicone-jwt", "helicone-manual-access-key"])
def test_a_dashboards_session_is_told_what_to_send(locked: House, path: str, name: str) -> None:
    """There is none here; the sentence names the header that is."""
    answer = locked.http.post(path, json=ALL, headers={name: "eyJ.x.y", "helicone-org-id": "one"})

    assert (401, True) == (answer.status_code, "in place of Helicone-JWT" in answer.text)


@pytest.mark.parametrize("path", ["/healthcheck", "/download/swagger.json", "/docs"])
def test_what_needs_no_key(locked: House, path: str) -> None:
    """Health and the description of the API are open."""
    assert 200 == locked.http.get(path).status_code


def test_a_known_key_is_let_in_however_it_comes(locked: House) -> None:
    """As bearer, in Helicone's own header beside a provider's key, or as a browser's password."""
    key = str(locked.ready.key)
    basic = base64.b64encode(f"me:{key}".encode()).decode()
    forms = [
        bearer(key),
        {"authorization": "Bearer sk-provider", "helicone-auth": f"Bearer {key}"},
        {"authorization": f"Bearer sk-provider, Bearer {key}"},
        {"authorization": f"Basic {basic}"},
    ]

    answers = [locked.http.post("/v1/request/query", json=ALL, headers=headers) for headers in forms]

    assert [200] * len(forms) == [answer.status_code for answer in answers]


def test_permissions(locked: House) -> None:
    """A reading key does not write or manage keys, a writing one does not read; neither records nor reads by the other way."""
    reads, writes = make_key(locked, "r")["apiKey"], make_key(locked, "w")["apiKey"]
    call = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}

    def statuses(key: str) -> list[int]:
        helicone = {"authorization": "Bearer sk-provider", "helicone-auth": f"Bearer {key}"}
        missing = "/v1/request/6f1c1f7e-0000-4000-8000-000000000000/feedback"
        return [
            locked.http.post("/v1/request/query", json=ALL, headers=bearer(key)).status_code,
            locked.http.post(missing, json={"rating": True}, headers=bearer(key)).status_code,
            locked.http.post("/v1/api-keys", json={"api_key_name": "more"}, headers=bearer(key)).status_code,
            locked.http.post("/v1/gateway/oai/v1/chat/completions", json=call, headers=helicone).status_code,
        ]

    assert [200, 403, 403, 403] == statuses(reads)
    assert [403, 404, 403, 200] == statuses(writes)


def test_keys_are_listed_without_themselves_and_work_until_deleted(locked: House) -> None:
    """A key is shown once; the list has its hash and end; deleted, it is refused at once."""
    made = make_key(locked, "rw")
    headers = bearer(made["apiKey"])
    first = locked.http.get("/v1/api-keys", headers=headers)
    deleted = locked.http.delete(f"/v1/api-keys/{made['id']}", headers=bearer(locked.ready.key))
    after = locked.http.get("/v1/api-keys", headers=headers)

    [row] = [row for row in first.json()["data"] if str(row["id"]) == made["id"]]
    assert (made["hashedKey"], made["apiKey"][-4:], "rw", "test") == (
        row["api_key_hash"], row["last_four"], row["key_permissions"], row["api_key_name"],
    )  # fmt: skip
    assert made["apiKey"] not in first.text
    assert ({"hashedKey": made["hashedKey"]}, 401) == (deleted.json(), after.status_code)


@pytest.mark.parametrize(
    ("body", "place"),
    [({"api_key_name": ""}, "api_key_name"), ({"api_key_name": "x", "key_permissions": "all"}, "key_permissions")],
)
def test_keys_that_cannot_be_made(house: House, body: Any, place: str) -> None:
    """A name and known permissions are needed."""
    answer = house.http.post("/v1/api-keys", json=body)

    assert (422, [place]) == (answer.status_code, list(answer.json()["details"]))


def test_a_key_that_is_not_there_cannot_be_deleted(house: House) -> None:
    """Deleting what is not there says so."""
    assert 404 == house.http.delete("/v1/api-keys/nobody").status_code


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
)
def test_a_page_of_another_site_changes_nothing(house: House, headers: dict[str, str]) -> None:
    """Where no key is needed, a browser's request from elsewhere is refused, and nothing of it happens."""
    before = len(house.http.get("/v1/api-keys").json()["data"])

    answer = house.http.post("/v1/api-keys", json={"api_key_name": "forged"}, headers=headers)

    assert (403, before) == (answer.status_code, len(house.http.get("/v1/api-keys").json()["data"]))


def test_a_page_of_another_site_with_a_known_key_is_no_forgery(house: House) -> None:
    """Whoever knows a key may send it from where they like."""
    headers = bearer(house.ready.key) | {"origin": "https://tool.example"}

    assert 200 == house.http.post("/v1/request/query", json=ALL, headers=headers).status_code


@pytest.mark.parametrize("path", ["/healthcheck", "/", "/v1/api-keys"])
def test_a_rebound_name_reaches_nothing(house: House, path: str) -> None:
    """Where no key is needed, a Host that is not this machine's is refused on every route, the pages' too."""
    assert 403 == house.http.get(path, headers={"host": "rebound.example"}).status_code


def test_no_other_origin_may_read(house: House) -> None:
    """No answer allows a page of another origin to read it."""
    with httpx2.Client(base_url=house.ready.url, trust_env=False) as http:
        answer = http.get("/healthcheck", headers={"origin": "https://evil.example"})

    assert [] == [name for name in answer.headers if name.startswith("access-control")]

"""Deleting over REST: what goes, who may, and what is told."""

import httpx2

from reenact.client import Client
from tests.api.conftest import House


def made_key(house: House, permissions: str) -> str:
    """Return a new key."""
    asked = {"api_key_name": "test", "key_permissions": permissions}
    return str(house.http.post("/v1/api-keys", json=asked).json()["apiKey"])


def test_a_request(house: House) -> None:
    """One goes, the others of its session stay; the second time there is none."""
    first, second = house.chat("delete-one", "Why?", "How?")
    told = house.http.delete(f"/v1/request/{first}")
    assert {"data": {"requests": 1, "sessions": ["delete-one"], "wiped": False}, "error": None} == told.json()
    assert [second] == [row["request_id"] for row in house.rows("delete-one")]
    again = house.http.delete(f"/v1/request/{first}")
    assert (404, {"data": None, "error": "Request not found"}) == (again.status_code, again.json())


def test_a_session_whose_id_is_a_path(house: House) -> None:
    """Slashes, blanks and marks are part of an id; through the client, which waits until it is wiped."""
    name = "delete/a b?c"
    house.chat(name, "Why?")
    with Client(house.ready.url) as client:
        deleted = client.delete("session", name)
    assert (1, [name], True) == (deleted.requests, deleted.sessions, deleted.wiped)
    assert [] == house.rows(name)


def test_a_user(house: House) -> None:
    """Their calls in whatever session; nobody else's."""
    house.chat("delete-user", "Why?", helicone_user_id="ann@example.com")
    [kept] = house.chat("delete-user", "How?", helicone_user_id="bob")
    assert 1 == house.http.delete("/v1/user/ann%40example.com").json()["data"]["requests"]
    assert [kept] == [row["request_id"] for row in house.rows("delete-user")]


def test_who_may(house: House) -> None:
    """A key that only reads is refused; all goes only with a key that reads and writes, and only one's own."""
    [kept] = house.chat("delete-not", "Why?")
    reads, writes = made_key(house, "r"), made_key(house, "w")
    own = house.http.get("/v1/api-keys").json()["data"][0]["organization_id"]
    with httpx2.Client(base_url=house.ready.url, trust_env=False) as other:
        refused = [
            other.delete(path, headers={"authorization": f"Bearer {key}"}).status_code
            for key, path in (
                (reads, f"/v1/request/{kept}"),
                (reads, "/v1/session/delete-not"),
                (reads, "/v1/user/nobody"),
                (reads, f"/v1/organization/{own}"),
                (writes, f"/v1/organization/{own}"),
                (writes, "/v1/organization/another"),
            )
        ]
    assert [403, 403, 403, 403, 403, 404] == refused
    assert [kept] == [row["request_id"] for row in house.rows("delete-not")]

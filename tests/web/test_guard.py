"""The door: who may see pages where a key is needed."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from reenact.access.keys import KeyRecord, hash_key
from reenact.web.pages.login import COOKIE
from tests.web.house import NOW_US, House, a_house
from tests.web.recordings import a_debate


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[House]:
    """A server of pages that needs a key."""
    with a_house(tmp_path, keyless=False) as served:
        served.calls.save(a_debate())
        yield served


@pytest.fixture
def visitor(locked: House) -> Iterator[httpx2.Client]:
    """A browser, as far as cookies go."""
    with httpx2.Client(base_url=locked.url, trust_env=False) as client:
        yield client


def test_a_visitor_is_shown_the_door(visitor: httpx2.Client) -> None:
    """And comes back to where they wanted to go; the style sheet needs no key."""
    answer = visitor.get("/compare?left=a&right=b")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fcompare%3Fleft%3Da%26right%3Db")
    assert visitor.get("/assets/reenact.css").status_code == 200


def test_a_key_opens_the_door(locked: House, visitor: httpx2.Client) -> None:
    """The cookie is signed, out of reach of scripts and other sites, and holds no key."""
    answer = visitor.post("/login", data={"key": locked.key, "next": "/sessions/debate-1"})
    cookie = answer.headers["set-cookie"]

    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions/debate-1")
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Max-Age=43200", "Path=/"))
    assert locked.key not in cookie
    assert "Sign out" in visitor.get("/sessions/debate-1").text


@pytest.mark.parametrize("key", ["", "sk-helicone-aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa"])
def test_another_key_does_not(visitor: httpx2.Client, key: str) -> None:
    """With a reason."""
    answer = visitor.post("/login", data={"key": key})

    assert (answer.status_code, "This key is not known here" in answer.text) == (401, True)


def test_a_login_leads_to_no_other_site(locked: House, visitor: httpx2.Client) -> None:
    """Whatever the form says."""
    answer = visitor.post("/login", data={"key": locked.key, "next": "https://evil.example/"})

    assert answer.headers["location"] == "/"


def test_a_deleted_key_closes_the_door(locked: House, visitor: httpx2.Client) -> None:
    """At once, though the cookie has not expired."""
    visitor.post("/login", data={"key": locked.key})
    assert visitor.get("/").status_code == 200
    locked.control.delete_key("org", "key-1", NOW_US)

    assert visitor.get("/").status_code == 303


def test_a_forged_cookie_opens_nothing(locked: House, visitor: httpx2.Client) -> None:
    """Neither another text nor another's signature."""
    visitor.cookies.set(COOKIE, "WyJvcmciLCJrZXktMSIsOTk5OTk5OTk5OTk5OTk5OTk5XQ==.00")

    assert visitor.get("/").status_code == 303


def test_signing_out_ends_it(locked: House, visitor: httpx2.Client) -> None:
    """The browser forgets the cookie."""
    visitor.post("/login", data={"key": locked.key})
    visitor.post("/logout")

    assert visitor.get("/").status_code == 303


def test_a_key_that_may_only_read_starts_nothing(locked: House, visitor: httpx2.Client) -> None:
    """It looks; planning and running a replay need the right to write."""
    reader = "sk-helicone-bbbbbbb-bbbbbbb-bbbbbbb-bbbbbbb"
    locked.control.add_key(
        KeyRecord(
            id="key-2", organisation_id="org", name="reader", permissions="r", key_hash=hash_key(reader), last_four="bbbb",
            created_us=NOW_US,
        )
    )  # fmt: skip
    visitor.post("/login", data={"key": reader})

    assert [visitor.get("/").status_code, visitor.post("/replays?session=debate-1", data={}).status_code] == [200, 403]

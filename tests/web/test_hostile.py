"""Everything recorded is untrusted: a page shows it and never runs, loads or follows it."""

import json
import re

import httpx2
import pytest

from reenact.domain.labels import Labels
from tests.store.given import given_exchange, given_reading
from tests.web.house import House
from tests.web.reading import Read
from tests.web.recordings import a_reading, said, user

EVIL = "</script><script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>\"'{{7*7}}\u202egpj.exe\x00"
LINKS = "https://evil.example/ javascript:alert(3) ![x](https://evil.example/pixel.png) data:text/html,<script>"


def hostile(house: House) -> str:
    """Save calls that are hostile in every field, and return their session's id."""
    session = f"../..//{EVIL}?x#y"
    labels = Labels(
        session_id=session, session_name=EVIL, session_path=f"/{EVIL}/{LINKS}", prompt_id=EVIL, user_id=EVIL,
        properties={EVIL: EVIL, "link": LINKS},
    )  # fmt: skip
    body = {
        "model": EVIL, EVIL: EVIL, "tools": [{"type": "function", "function": {"name": EVIL, "description": EVIL}}],
        "messages": [
            {"role": "system", "content": EVIL + LINKS},
            {"role": "user", "name": EVIL, "content": [
                {"type": "text", "text": EVIL}, {"type": "image_url", "image_url": {"url": "https://evil.example/i.png"}},
            ]},
            {"role": "tool", "tool_call_id": EVIL, "content": EVIL},
        ],
    }  # fmt: skip
    tool = {"id": EVIL, "type": "function", "function": {"name": EVIL, "arguments": EVIL}}
    told = {"id": EVIL, "choices": [{"message": {"role": "assistant", "content": EVIL + LINKS, "tool_calls": [tool]}}]}
    readings = [
        given_reading(
            number,
            {
                "organisation_id": "org",
                "labels": labels,
                "request_body": json.dumps(body).encode(),
                "response_body": json.dumps(told).encode(),
                "request_headers": ((b"x-evil", EVIL.encode()),),
                "detail": EVIL,
            },
            model=EVIL, provider=EVIL, stop_reason=EVIL, error=EVIL, detail=EVIL, unreadable=EVIL,
            scores={EVIL: 1.0}, target_url=LINKS,
        )
        for number in (1, 2)
    ]  # fmt: skip
    house.calls.save([type(one)(call=one.call, exchange=one.exchange, answer=told) for one in readings])
    return session


@pytest.mark.parametrize("where", ["list", "calls", "session", "call", "compare", "replay form", "missing"])
def test_nothing_recorded_is_run_loaded_or_followed(house: House, http: httpx2.Client, where: str) -> None:
    """No tag, no attribute and no address comes from a recording, and what is hidden is written out."""
    session = hostile(house)
    front = Read(http.get("/").text)
    links = {href for _, given in front.tags if (href := given.get("href", "")).startswith("/sessions/..%2F")}
    assert len(links) == 1
    call = "00000001-1111-4111-8111-111111111111"
    addresses: dict[str, httpx2.URL | str] = {
        "list": httpx2.URL("/"),
        "calls": httpx2.URL("/calls"),
        "session": next(iter(links)),
        "call": f"/calls/{call}",
        "compare": httpx2.URL("/compare", params={"left": session, "right": session}),
        "replay form": httpx2.URL("/replays", params={"session": session}),
        "missing": httpx2.URL("/compare", params={"left": EVIL, "right": EVIL}),
    }
    answer = http.get(addresses[where])
    page = Read(answer.text)

    assert answer.status_code == (404 if where == "missing" else 200)
    assert page.faults == []
    scripts = [given for tag, given in page.tags if tag in {"script", "img", "iframe", "object", "style"}]
    assert [given.get("src", "").split("?")[0] for given in scripts] == ["/assets/reenact.js"]
    followed = [value for _, given in page.tags for name, value in given.items() if name in {"href", "src", "action"}]
    assert [value for value in followed if not value.startswith(("/", "#"))] == []
    assert [value for value in followed if value.startswith("//")] == []
    assert [name for _, given in page.tags for name in given if name.startswith("on") or name == "style"] == []
    assert "49gpj" not in answer.text
    seen = re.sub(r' value="[^"]*"', "", answer.text)
    assert [character for character in ("\x00", "\u202e") if character in seen] == []
    assert re.search(r"U\+202E|\\u202e", seen)


def test_a_form_sends_a_hostile_id_back_unchanged(house: House, http: httpx2.Client) -> None:
    """What a form holds is escaped but exact, so that the comparison finds the session."""
    session = hostile(house)
    page = Read(http.get(httpx2.URL("/compare", params={"left": session, "right": session})).text)
    compare = page.links["Swap sides"]

    assert http.get(compare).status_code == 200


def test_sessions_named_by_dots_are_found(house: House, http: httpx2.Client) -> None:
    """Browsers take such a path for a way up."""
    house.calls.save([a_reading(60, [user("x")], said("y"), session="..", name="dots")])

    assert "dots" in Read(http.get(Read(http.get("/").text).links["dots"]).text).links or (
        http.get("/sessions?id=..").status_code == 200
    )


def test_another_organisation_sees_nothing(house: House, http: httpx2.Client) -> None:
    """Not in lists, not by id."""
    other = given_reading(9, {"organisation_id": "other", "labels": Labels(session_id="theirs")})
    house.calls.save([other])

    assert "theirs" not in http.get("/").text + http.get("/calls").text
    assert [http.get(path).status_code for path in ("/sessions/theirs", f"/calls/{other.call.id}")] == [404, 404]
    assert given_exchange().organisation_id != "org"

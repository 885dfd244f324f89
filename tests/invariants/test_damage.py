"""A damaged store: what is sound is still read, what is not is named, and agents notice nothing."""

import contextlib
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from reenact.provider.app import create_provider
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.fakes.serving import serving
from tests.journeys.conftest import Running, running


def say(http: httpx2.Client, text: str) -> httpx2.Response:
    """Make one call of a session."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text * 20}]}
    return http.post("/v1/gateway/oai/v1/chat/completions", json=body, headers={"helicone-session-id": text})


def troubles(http: httpx2.Client) -> list[str]:
    """Return what health tells, once it tells something."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if found := http.get("/healthcheck").json().get("troubles"):
            return list(found)
    return []


def test_a_damaged_body_hides_no_other(tmp_path: Path) -> None:
    """Its row is there without the body; health is degraded and says so; the next call goes through and is recorded."""
    with serving(create_provider()) as upstream:
        settings = Settings(data=tmp_path / "data", port=0, fresh_within_s=20, upstreams={"openai": upstream})
        with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False) as http:
            for text in ("first", "second"):
                say(http, text)
            assert 2 == http.post("/v1/request/count/query", json={"filter": "all"}).json()["data"]
            with contextlib.closing(sqlite3.connect(tmp_path / "data" / "calls.sqlite3")) as other, other:
                other.execute("UPDATE bodies SET content = zeroblob(50) WHERE call = 1")
            rows = http.post("/v1/request/query", json={"filter": "all", "sort": {"created_at": "asc"}}).json()["data"]
            found = troubles(http)
            answered = say(http, "third")
            counted = http.post("/v1/request/count/query", json={"filter": "all"}).json()["data"]

    assert [False, True] == ["first" in str(rows[0]["request_body"]), "second" in str(rows[1]["request_body"])]
    assert ["The database is damaged: a recorded body no longer adds up to the bytes that came."] == found
    assert (200, 3) == (answered.status_code, counted)


def test_damaged_pages_are_named_at_the_start(tmp_path: Path) -> None:
    """The table is named; calls go on being recorded and found."""
    with serving(create_provider()) as upstream:
        settings = Settings(data=tmp_path / "data", port=0, fresh_within_s=20, upstreams={"openai": upstream})
        with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False) as http:
            say(http, "first")
            http.post("/v1/request/count/query", json={"filter": "all"})
        file = tmp_path / "data" / "calls.sqlite3"
        with contextlib.closing(sqlite3.connect(file)) as other:
            (page,) = other.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'scores'").fetchone()
            (page_bytes,) = other.execute("PRAGMA page_size").fetchone()
        with file.open("r+b") as raw:
            raw.seek((page - 1) * page_bytes)
            raw.write(b"\xa5" * page_bytes)
        with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False) as http:
            found = troubles(http)
            answered = say(http, "second")
            sessions = http.post("/v1/session/query", json={"filter": "all", "timezoneDifference": 0}).json()["data"]

    assert 200 == answered.status_code
    assert "The database is damaged: the table scores has pages that cannot be read." in found
    assert {"first", "second"} == {one["session_id"] for one in sessions}


def cut_off(part: Path) -> None:
    """Leave half of a file that lists the others, as a disk that loses writes does."""
    content = (part / "checksums.txt").read_bytes()
    (part / "checksums.txt").write_bytes(content[: len(content) // 2])


def flip(part: Path) -> None:
    """Change one bit of the data."""
    content = bytearray((part / "data.bin").read_bytes())
    content[len(content) // 2] ^= 1
    (part / "data.bin").write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (cut_off, r"The part .* of the table call_keys was set aside"),
        (flip, r"The part .* of the table call_keys is damaged"),
    ],
)
def test_damaged_parts_of_the_embedded_engine_are_named(
    provider: Running, tmp_path: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    """Those that the engine sets aside without a word, and those whose bytes are others; calls go on being recorded."""
    upstream = f"openai={provider.url}"
    arguments = ("serve", "--store", "chdb", "--data", str(tmp_path), "--port", "0", "--upstream", upstream)
    with running(*arguments) as server, httpx2.Client(base_url=server.url, trust_env=False, timeout=60) as http:
        say(http, "first")
        assert 1 == http.post("/v1/request/count/query", json={"filter": "all"}).json()["data"]
    (part,) = (tmp_path / "chdb" / "engine" / "data" / "reenact" / "call_keys").glob("all_*")
    damage(part)
    with running(*arguments) as server, httpx2.Client(base_url=server.url, trust_env=False, timeout=60) as http:
        found = troubles(http)
        answered = say(http, "second")
        sessions = http.post("/v1/session/query", json={"filter": "all", "timezoneDifference": 0}).json()["data"]

    assert any(re.search(sentence, one) for one in found), found
    assert 200 == answered.status_code
    assert {"first", "second"} == {one["session_id"] for one in sessions}

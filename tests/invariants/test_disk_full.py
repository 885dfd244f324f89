"""A full disk: agents notice nothing, health says so, nothing is damaged, and all goes on once there is room."""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx2
import pytest

from reenact.store.sqlite.store import SqliteStore
from tests.journeys.conftest import Running, running

Seen = TypeVar("Seen")
LONG = "so it goes on and on " * 2000
BEFORE, DURING, AFTER = range(5), range(100, 130), range(200, 205)
"""The calls that are made before the disk is full, meanwhile, and once there is room again."""
SURE = {f"s{number}" for number in (*BEFORE, *AFTER)}
"""The sessions of calls that no full disk excuses."""


def say(http: httpx2.Client, server: Running, number: int, text: str = LONG) -> httpx2.Response:
    """Make one call whose text no other has."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"{number} {text}{number}"}]}
    headers = {"authorization": "Bearer sk-test", "helicone-session-id": f"s{number}"}
    return http.post(f"{server.url}/v1/gateway/oai/v1/chat/completions", json=body, headers=headers)


def limit_files(server: Running, most_bytes: int) -> None:
    """Let no file of the server grow beyond a size: to it, as if the disk were full."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


def health(http: httpx2.Client, server: Running, status: str) -> dict[str, object]:
    """Return health once it is as wanted, or as it is after a while."""
    return settled(lambda: http.get(f"{server.url}/healthcheck").json(), lambda told: told["status"] == status)


def settled(look: Callable[[], Seen], is_wanted: Callable[[Seen], bool]) -> Seen:
    """Return what is seen once it is as wanted, or as it is after a while."""
    until = time.monotonic() + 60
    while not is_wanted(seen := look()) and time.monotonic() < until:
        pass
    return seen


def count(http: httpx2.Client, server: Running, wanted: int) -> int:
    """Return how many calls are found once so many are, or after a while."""

    def ask() -> int:
        counted: int = http.post(f"{server.url}/v1/request/count/query", json={"filter": "all"}).json()["data"]
        return counted

    return settled(ask, lambda counted: counted >= wanted)


def lost(http: httpx2.Client, server: Running) -> int:
    """Return how many calls health counts as not recorded."""
    told = http.get(f"{server.url}/healthcheck").json()
    return sum(int(one.rpartition(" ")[2].rstrip(".")) for one in told.get("troubles", []) if "could not be" in one)


@contextmanager
def serving(data: Path, *more: str) -> Iterator[tuple[httpx2.Client, Running]]:
    """Run a server on the folder *data* before a scripted provider."""
    with (
        running("provider", "--port", "0") as provider,
        running("serve", "--data", str(data), "--port", "0", "--upstream", f"openai={provider.url}", *more) as server,
        httpx2.Client(trust_env=False, timeout=60) as http,
    ):
        yield http, server


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A disk of 64 MB at *place*."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk(tmp_path: Path) -> None:
    """Calls are answered all the time; what was recorded before and after is there, what was not is a counted gap."""
    data = tmp_path / "data"
    with serving(data, "--gateway-workers", "0") as (http, server):
        answered = [say(http, server, number).status_code for number in BEFORE]
        assert len(BEFORE) == count(http, server, len(BEFORE))
        limit_files(server, 300_000)
        answered += [say(http, server, number).status_code for number in DURING]
        degraded = health(http, server, "degraded")
        limit_files(server, resource.RLIM_INFINITY)
        answered += [say(http, server, number).status_code for number in AFTER]
        found = count(http, server, len(SURE))
        still = health(http, server, "degraded")

    assert [200] * 40 == answered
    assert "degraded" == degraded["status"]
    store = SqliteStore(data / "calls.sqlite3")
    [organisation_id] = store.organisations()
    gaps = sum(gap.count for gap in store.gaps(organisation_id))
    sessions = {one.session_id for one in store.sessions(organisation_id, limit=100)}
    sound = store.damage()
    store.close()
    assert 40 == len(sessions) + gaps
    assert gaps > 0
    assert found <= len(sessions)
    assert sessions >= SURE
    assert [] == sound
    assert [f"Calls that could not be recorded since the server started: {gaps}."] == still["troubles"]


@pytest.mark.parametrize("store", ["sqlite", "chdb"])
def test_a_store_that_cannot_grow(tmp_path: Path, store: str) -> None:
    """Recorded calls wait in the journal, are counted by nobody as lost, and are found once there is room."""
    with serving(tmp_path / "data", "--gateway-workers", "1", "--store", store) as (http, server):
        say(http, server, 1)
        assert 1 == count(http, server, 1)
        limit_files(server, 4096)  # the gateway's process, which writes the journal, is another one
        answered = [say(http, server, number).status_code for number in range(2, 6)]
        degraded = health(http, server, "degraded")
        limit_files(server, resource.RLIM_INFINITY)
        healthy = health(http, server, "healthy :)")
        found = count(http, server, 5)

    assert [200] * 4 == answered
    assert [
        "Recorded calls wait in the spool: the journal cannot be read, or the store cannot be written."
    ] == degraded["troubles"]
    assert ({"status": "healthy :)"}, 5) == (healthy, found)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount the small disk that this fills")
@pytest.mark.parametrize("store", ["sqlite", "chdb"])
def test_a_disk_that_is_full_for_everybody(tmp_path: Path, store: str) -> None:
    """Journal, store and engine on one small disk: each call is answered, and in the end kept or counted as lost."""
    data = tmp_path / "data"
    with small_disk(data):
        with serving(data, "--store", store) as (http, server):
            answered = [say(http, server, number).status_code for number in BEFORE]
            assert len(BEFORE) == count(http, server, len(BEFORE))
            (data / "ballast").write_bytes(b"\0" * (shutil.disk_usage(data).free - 250_000))
            answered += [say(http, server, number).status_code for number in DURING]
            degraded = health(http, server, "degraded")
            (data / "ballast").unlink()
            answered += [say(http, server, number).status_code for number in AFTER]
            kept, gaps = settled(
                lambda: (count(http, server, 0), lost(http, server)), lambda counted: sum(counted) >= len(answered)
            )
            server.kill()
        with serving(data, "--store", store) as (http, again):
            found = count(http, again, kept)
            said = http.post(f"{again.url}/v1/session/query", json={"filter": "all", "timezoneDifference": 0}).json()
            healthy = health(http, again, "healthy :)")

    assert [200] * 40 == answered
    assert "degraded" == degraded["status"]
    assert (40, kept) == (kept + gaps, found)
    assert {one["session_id"] for one in said["data"]} >= SURE
    assert {"status": "healthy :)"} == healthy

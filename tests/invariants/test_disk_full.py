"""A full disk: agents notice nothing, health says so, nothing is damaged, and all goes on once there is room."""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from reenact.store.sqlite.store import SqliteStore
from tests.journeys.conftest import Running, running

LONG = "so it goes on and on " * 2000


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
    until = time.monotonic() + 30
    while True:
        told: dict[str, object] = http.get(f"{server.url}/healthcheck").json()
        if told["status"] == status or time.monotonic() > until:
            return told


def count(http: httpx2.Client, server: Running) -> int:
    """Return how many calls are found."""
    counted: int = http.post(f"{server.url}/v1/request/count/query", json={"filter": "all"}).json()["data"]
    return counted


def lost(http: httpx2.Client, server: Running) -> int:
    """Return how many calls health counts as not recorded."""
    told = http.get(f"{server.url}/healthcheck").json()
    return sum(int(one.rpartition(" ")[2].rstrip(".")) for one in told.get("troubles", []) if "could not be" in one)


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
    with (
        running("provider", "--port", "0") as provider,
        running(
            "serve",
            "--data",
            str(data),
            "--port",
            "0",
            "--upstream",
            f"openai={provider.url}",
            "--gateway-workers",
            "0",
        ) as server,
        httpx2.Client(trust_env=False, timeout=60) as http,
    ):
        before = [say(http, server, number).status_code for number in range(5)]
        assert 5 == count(http, server)
        limit_files(server, 300_000)
        during = [say(http, server, number).status_code for number in range(100, 130)]
        degraded = health(http, server, "degraded")
        limit_files(server, resource.RLIM_INFINITY)
        after = [say(http, server, number).status_code for number in range(200, 205)]
        until = time.monotonic() + 30
        while (found := count(http, server)) < 10 and time.monotonic() < until:
            pass
        settled = health(http, server, "degraded")

    assert [200] * 40 == before + during + after
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
    assert {f"s{number}" for number in (*range(5), *range(200, 205))} <= sessions
    assert [] == sound
    assert [f"Calls that could not be recorded since the server started: {gaps}."] == settled["troubles"]


@pytest.mark.parametrize("store", ["sqlite", "chdb"])
def test_a_store_that_cannot_grow(tmp_path: Path, store: str) -> None:
    """Recorded calls wait in the journal, are counted by nobody as lost, and are found once there is room."""
    data = tmp_path / "data"
    with (
        running("provider", "--port", "0") as provider,
        running(
            "serve",
            "--data",
            str(data),
            "--port",
            "0",
            "--upstream",
            f"openai={provider.url}",
            "--gateway-workers",
            "1",
            "--store",
            store,
        ) as server,  # fmt: skip
        httpx2.Client(trust_env=False, timeout=60) as http,
    ):
        say(http, server, 1)
        assert 1 == count(http, server)
        limit_files(server, 4096)  # the gateway's process, which writes the journal, is another one
        answered = [say(http, server, number).status_code for number in range(2, 6)]
        degraded = health(http, server, "degraded")
        limit_files(server, resource.RLIM_INFINITY)
        healthy = health(http, server, "healthy :)")
        found = count(http, server)

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
    arguments = ("serve", "--data", str(data), "--port", "0", "--store", store)
    with (
        small_disk(data),
        running("provider", "--port", "0") as provider,
        running(*arguments, "--upstream", f"openai={provider.url}") as server,
        httpx2.Client(trust_env=False, timeout=60) as http,
    ):
        before = [say(http, server, number).status_code for number in range(5)]
        assert 5 == count(http, server)
        (data / "ballast").write_bytes(b"\0" * (shutil.disk_usage(data).free - 250_000))
        during = [say(http, server, number).status_code for number in range(100, 130)]
        degraded = health(http, server, "degraded")
        (data / "ballast").unlink()
        after = [say(http, server, number).status_code for number in range(200, 205)]
        until = time.monotonic() + 60
        while (found := count(http, server)) + lost(http, server) < 40 and time.monotonic() < until:
            pass
        settled = (found, lost(http, server))
        server.kill()
        with running(*arguments, "--upstream", f"openai={provider.url}") as again:
            found = count(http, again)
            said = http.post(f"{again.url}/v1/session/query", json={"filter": "all", "timezoneDifference": 0}).json()
            healthy = health(http, again, "healthy :)")

    assert [200] * 40 == before + during + after
    assert "degraded" == degraded["status"]
    assert 40 == sum(settled)
    assert settled[0] == found
    assert {f"s{number}" for number in (*range(5), *range(200, 205))} <= {one["session_id"] for one in said["data"]}
    assert {"status": "healthy :)"} == healthy

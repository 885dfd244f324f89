"""A running server: what it tells, how it starts and stops, and what it does with what a killed one left."""

import contextlib
import shutil
import threading
from pathlib import Path

import httpx2
import pytest

from reenact.domain.exchange import Ending, Exchange
from reenact.domain.labels import Labels
from reenact.errors import FolderInUse, FolderUnusable, InvalidInput, PortUnusable
from reenact.provider.app import create_provider
from reenact.server.listener import listen
from reenact.server.runner import running_server
from reenact.settings import Settings
from reenact.spool.writer import SpoolWriter
from tests.fakes.serving import serving


def count(url: str) -> int:
    """Return how many calls a server knows."""
    with httpx2.Client(base_url=url, trust_env=False) as http:
        counted: int = http.post("/v1/request/count/query", json={"filter": "all"}).json()["data"]
        return counted


def test_a_new_folder_gets_a_key_once(tmp_path: Path) -> None:
    """The key is told when the folder is new, works, and is not in any file; the next start tells none."""
    settings = Settings(data=tmp_path / "data", port=0, require_key=True)
    with running_server(settings) as first, httpx2.Client(base_url=first.url, trust_env=False) as http:
        answer = http.get("/v1/api-keys", headers={"authorization": f"Bearer {first.key}"})
    with running_server(settings) as second:
        pass

    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert (200, None) == (answer.status_code, second.key)
    assert str(first.key).encode() not in kept


def test_the_folder_is_held_while_the_server_runs_and_free_after(tmp_path: Path) -> None:
    """A second server is refused; after the block the folder opens again."""
    settings = Settings(data=tmp_path / "data", port=0)
    with running_server(settings), pytest.raises(FolderInUse), running_server(settings):
        pass

    with running_server(settings):
        pass


def test_nothing_of_a_server_stays_behind(tmp_path: Path) -> None:
    """No thread outlives the block."""
    before = set(threading.enumerate())
    with running_server(Settings(data=tmp_path / "data", port=0)) as ready:
        count(ready.url)

    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert set() == left


def test_a_taken_port(tmp_path: Path) -> None:
    """A port that is taken is told before the folder is touched."""
    with contextlib.closing(listen("127.0.0.1", 0)) as bound:
        bound.listen()
        settings = Settings(data=tmp_path / "data", port=bound.getsockname()[1])
        with pytest.raises(PortUnusable), running_server(settings):
            pass

    assert not (tmp_path / "data").exists()


def test_a_damaged_folder(tmp_path: Path) -> None:
    """A store that is no database is told, and the folder is let go of again."""
    (tmp_path / "calls.sqlite3").write_bytes(b"not a database" * 100)
    for _ in range(2):
        with pytest.raises(FolderUnusable) as raised, running_server(Settings(data=tmp_path, port=0)):
            pass
        assert not isinstance(raised.value, FolderInUse)


def test_an_upstream_that_is_none(tmp_path: Path) -> None:
    """A wrong upstream is told before anything is opened."""
    with pytest.raises(InvalidInput), running_server(Settings(data=tmp_path / "data", upstreams={"openai": "nowhere"})):
        pass

    assert not (tmp_path / "data").exists()


def test_what_a_killed_server_left_is_in_the_first_query(tmp_path: Path) -> None:
    """Calls that stand in the spool only are found by the first query after the next start."""
    settings = Settings(data=tmp_path / "data", port=0)
    with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False) as http:
        organisation_id = http.get("/v1/api-keys").json()["data"][0]["organization_id"]
    spool = SpoolWriter(tmp_path / "data" / "spool", clock=lambda: 1)
    for number in range(200):
        spool.append(exchange(f"00000000-0000-4000-8000-{number:012d}", organisation_id))
    spool.close()

    with running_server(settings) as ready:
        assert 200 == count(ready.url)


def exchange(call_id: str, organisation_id: str) -> Exchange:
    """Return a recorded call."""
    return Exchange(
        id=call_id,
        organisation_id=organisation_id,
        started_us=1_700_000_000_000_000,
        duration_us=1000,
        first_byte_us=500,
        method="POST",
        url="http://127.0.0.1:8585/v1/gateway/oai/v1/chat/completions",
        target_url="https://api.openai.com/v1/chat/completions",
        provider="openai",
        labels=Labels(),
        request_headers=(),
        request_body=b'{"model":"gpt-4o-mini","messages":[]}',
        status=200,
        response_headers=(),
        response_body=b"{}",
        chunks=(),
        ending=Ending.ANSWERED,
    )


def test_a_journal_that_cannot_be_written_degrades_health_and_fails_no_call(tmp_path: Path) -> None:
    """The agent's call is answered; health says that calls are lost, in words that show nothing of them."""
    with serving(create_provider()) as upstream:
        settings = Settings(data=tmp_path / "data", port=0, fresh_within_s=20, upstreams={"openai": upstream})
        with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False) as http:
            shutil.rmtree(tmp_path / "data" / "spool")
            (tmp_path / "data" / "spool").write_text("")
            call = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
            answer = http.post("/v1/gateway/oai/v1/chat/completions", json=call)
            health = http.get("/healthcheck")

    lost = "Calls that could not be recorded since the server started: 1."
    assert (200, 200, "degraded") == (answer.status_code, health.status_code, health.json()["status"])
    assert lost == health.json()["troubles"][0]


def test_rows_lead_to_where_the_server_is_now(tmp_path: Path) -> None:
    """A server started again on another port gives addresses on that port, and they work."""
    with serving(create_provider()) as upstream:
        settings = Settings(data=tmp_path / "data", port=0, fresh_within_s=20, upstreams={"openai": upstream})
        call = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
        with running_server(settings) as first, httpx2.Client(base_url=first.url, trust_env=False) as http:
            answered = http.post("/v1/gateway/oai/v1/chat/completions", json=call)
        with running_server(settings) as second, httpx2.Client(base_url=second.url, trust_env=False) as http:
            [row] = http.post("/v1/request/query", json={"filter": "all"}).json()["data"]
            bodies = http.get(row["signed_body_url"])
            again = http.post(row["request_path"], json=row["body"])

    assert f"{second.url}/v1/gateway/oai/v1/chat/completions" == row["request_path"]
    assert {"request": call, "response": answered.json()} == bodies.json()
    assert answered.content == again.content

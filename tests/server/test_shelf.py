"""Tests of `server.shelf`: servers over the stores that can be chosen, as processes of their own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from reenact.errors import InvalidInput
from reenact.server.folder import Folder
from reenact.server.shelf import as_found, batches, open_store, spool_name
from reenact.settings import Settings
from reenact.store.sqlite.store import SqliteStore
from tests.journeys.conftest import Running, running

ALL = {"filter": "all", "offset": 0, "limit": 10, "sort": {"created_at": "desc"}}


def test_a_server_keeps_calls_in_the_embedded_engine(tmp_path: Path) -> None:
    """Recorded, found, asked for again by another server on the same folder."""
    with running("provider", "--port", "0") as provider:
        serve = (
            "serve",
            "--store",
            "chdb",
            "--data",
            str(tmp_path),
            "--port",
            "0",
            "--upstream",
            f"openai={provider.url}",
        )
        with running(*serve) as server:
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where to?"}]}
            headers = {"authorization": "Bearer sk-test", "helicone-session-id": "s1"}
            url = f"{server.url}/v1/gateway/oai/v1/chat/completions"
            httpx2.post(url, json=body, headers=headers, trust_env=False).raise_for_status()
            assert [row["request_model"] for row in rows(server)] == ["gpt-4o"]
        with running(*serve) as server:
            (row,) = rows(server)
            assert (row["request_model"], row["request_properties"]["Helicone-Session-Id"]) == ("gpt-4o", "s1")
    assert not (tmp_path / "calls.sqlite3").exists()


def rows(server: Running) -> list[dict[str, Any]]:
    """What a query returns."""
    answer = httpx2.post(f"{server.url}/v1/request/query-clickhouse", json=ALL, trust_env=False)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


def test_the_default_store_imports_nothing_of_the_others(tmp_path: Path) -> None:
    """Hundreds of megabytes are neither needed nor loaded by who keeps calls in one file."""
    store = open_store(Settings(data=tmp_path))
    assert isinstance(store, SqliteStore)
    store.close()
    code = "import sys, reenact.server.composer; sys.exit('clickhouse_connect' in sys.modules or 'chdb' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


def test_servers_that_share_a_store_have_cursors_of_their_own(tmp_path: Path) -> None:
    """The spools of all are called the same."""
    shared = Settings(store="clickhouse")
    with Folder(tmp_path / "a") as one, Folder(tmp_path / "b") as other:
        names = {spool_name(shared, one, "spool"), spool_name(shared, other, "spool")}
        assert len(names) == 2
        assert spool_name(shared, one, "spool") in names
        assert spool_name(Settings(), one, "spool") == "spool"
    assert batches(shared).most_records > batches(Settings()).most_records


def test_the_store_that_lies_in_the_folder_is_gone_on_with(tmp_path: Path) -> None:
    """Unless another one is named; where two lie, as after a move, none is chosen for whoever forgot to name one."""
    settings = Settings(data=tmp_path)
    assert settings == as_found(settings, {})
    (tmp_path / "chdb").mkdir()
    assert "chdb" == as_found(settings, {}).store
    assert "sqlite" == as_found(settings, {"REENACT_STORE": "sqlite"}).store
    (tmp_path / "calls.sqlite3").touch()
    with pytest.raises(InvalidInput, match="holds more than one store: sqlite and chdb"):
        as_found(settings, {})


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    """Before anything is recorded that nobody could save."""
    with pytest.raises(InvalidInput, match="http://user"):
        open_store(Settings(store="clickhouse", data=tmp_path))

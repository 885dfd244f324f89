"""Prices of one's own, from the data folder to the cost of a call: in the server, in plans, and when derived again."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from reenact.errors import FolderUnusable
from reenact.provider.app import create_provider
from reenact.server.folder import Folder
from reenact.server.prices import read_tariff
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.cli.test_upkeep import run
from tests.fakes.serving import serving

PATCH = {"changes": [{"edits": [{"edit": "append_system", "text": " Be brief."}]}]}
OURS = {"provider": "openai", "model": "acme-*", "input": 1000, "output": 1000}


def cost_per_token(row: dict[str, Any]) -> float | None:
    """Return what a row says that one of its tokens cost, in millionths of a dollar."""
    return None if row["costUSD"] is None else round(row["costUSD"] / row["total_tokens"] * 1_000_000, 6)


@pytest.fixture(name="upstream", scope="module")
def _upstream() -> Iterator[str]:
    with serving(create_provider()) as origin:
        yield origin


def rows(http: httpx2.Client) -> list[dict[str, Any]]:
    """Return all rows, oldest first."""
    query = {"filter": "all", "limit": 100, "sort": {"created_at": "asc"}}
    found: list[dict[str, Any]] = http.post("/v1/request/query-clickhouse", json=query).json()["data"]
    return found


@pytest.mark.parametrize("workers", [0, 1])
def test_from_the_file_to_the_rows_and_back(workers: int, upstream: str, tmp_path: Path) -> None:
    """A model nobody knows is unknown, priced by the file after a restart, and derived again for calls from before."""
    data = tmp_path / "data"
    settings = Settings(data=data, port=0, upstreams={"openai": upstream}, gateway_workers=workers)

    def ask() -> list[float | None]:
        with (
            running_server(settings) as ready,
            httpx2.Client(base_url=ready.url, trust_env=False, timeout=30) as http,
        ):
            for model in ("acme-large", "unheard-of"):
                body = {"model": model, "messages": [{"role": "user", "content": "Why?"}]}
                headers = {"authorization": "Bearer sk-provider", "helicone-session-id": "prices"}
                assert http.post("/v1/gateway/oai/v1/chat/completions", json=body, headers=headers).is_success
            wanted = {"session_id": "prices", "patch": PATCH, "dry_run": True}
            plan = http.post("/v1/replay", json=wanted).json()["data"]
            planned.append([call["expected_cost_nanodollars"] is None for call in plan["calls"][:2]])
            return [cost_per_token(row) for row in rows(http)]

    planned: list[list[bool]] = []
    assert [None, None] == ask()
    (data / "prices.json").write_text(json.dumps({"prices": [OURS]}))
    assert [None, None, 1000, None] == ask()
    assert [[True, True], [False, True]] == planned
    done = run(tmp_path, "reingest", "--all", "--data", "data", "--json")
    assert (1, 1) == (json.loads(done.stdout)["repriced"], json.loads(done.stdout)["changed"])
    with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False, timeout=30) as http:
        assert [1000, None, 1000, None] == [cost_per_token(row) for row in rows(http)]
        assert "acme" not in http.get("/v1/public/prices").text


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("reingest", "--all")])
def test_a_bad_file_stops_the_start(command: tuple[str, ...], tmp_path: Path) -> None:
    """In one line that names the file and the field."""
    data = tmp_path / "data"
    with running_server(Settings(data=data, port=0)):
        pass
    (data / "prices.json").write_text(json.dumps({"prices": [OURS | {"input": "dear"}]}))
    done = run(tmp_path, *command, "--data", "data")
    assert (2, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert "data/prices.json is not valid: Expected `float`, got `str` - at `$.prices[0].input`" in done.stderr


def test_no_file_says_nothing(tmp_path: Path) -> None:
    """One that is no file is refused."""
    with Folder(tmp_path / "data") as folder:
        assert read_tariff(folder).find("openai", "gpt-4o", dt.date.max) is None
        folder.prices.mkdir()
        with pytest.raises(FolderUnusable, match=r"prices\.json cannot be read"):
            read_tariff(folder)

"""Gateway workers: one port, a spool each, restarted when they die, stopped with their server, and told of keys at once."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest

from reenact.provider.app import create_provider
from tests.fakes.serving import serving

CALL = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
CHAT = "/v1/gateway/oai/v1/chat/completions"


class Server(msgspec.Struct):
    """`reenact serve` as a process."""

    url: str
    key: str
    process: "subprocess.Popen[str]"

    def workers(self) -> list[int]:
        """Return the processes of its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"reenact.server.worker" in _command(int(pid))]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


@contextmanager
def server(data: Path, upstream: str, *more: str) -> Iterator[Server]:
    """Run a server with two workers while the block runs."""
    command = [sys.executable, "-m", "reenact", "serve", "--data", str(data), "--port", "0", "--gateway-workers", "2"]
    with subprocess.Popen(
        [*command, "--upstream", f"openai={upstream}", *more],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if line.startswith("Ready"):
                break
        url, key = re.search(r"http://127\.0\.0\.1:\d+", told), re.search(r"sk-helicone\S+", told)
        assert url is not None
        try:
            yield Server(url.group(), key.group() if key else "", process)
        finally:
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(timeout=30)


@pytest.fixture(name="upstream", scope="module")
def _upstream() -> Iterator[str]:
    with serving(create_provider()) as origin:
        yield origin


def ask(url: str, **headers: str) -> int:
    """Make a call on a connection of its own and return its status."""
    with httpx2.Client(trust_env=False, timeout=30) as http:
        return http.post(url + CHAT, json=CALL, headers=headers).status_code


def count(url: str, key: str = "") -> int:
    """Return how many calls a server knows."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with httpx2.Client(trust_env=False, timeout=30) as http:
        counted: int = http.post(f"{url}/v1/request/count/query", json={"filter": "all"}, headers=headers).json()[
            "data"
        ]
        return counted


def test_calls_through_all_workers_are_found_at_once(tmp_path: Path, upstream: str) -> None:
    """Each worker relays some of sixty calls into a spool of its own, and a query through any of them finds all."""
    with server(tmp_path / "data", upstream) as running:
        with ThreadPoolExecutor(8) as pool:
            assert {200} == set(pool.map(ask, [running.url] * 60))
        counts = [count(running.url) for _ in range(4)]
        spools = [len(list((tmp_path / "data/spool" / number).glob("*.spool"))) for number in ("1", "2")]
        assert 2 == len(running.workers())

    assert ([60] * 4, [1, 1]) == (counts, spools)
    with server(tmp_path / "data", upstream, "--gateway-workers", "0") as again:
        assert ask(again.url) == 200
        assert 61 == count(again.url)


def converse(url: str, agent: int) -> list[str]:
    """Have an agent that names no session make six calls, each on a connection of its own; return their ids."""
    messages: list[dict[str, object]] = [{"role": "user", "content": f"I am agent {agent}. Hello?"}]
    ids = []
    for turn in range(6):
        with httpx2.Client(trust_env=False, timeout=30) as http:
            answer = http.post(url + CHAT, json={"model": "gpt-4o-mini", "messages": messages}).raise_for_status()
        ids.append(answer.headers["helicone-id"])
        messages += [answer.json()["choices"][0]["message"], {"role": "user", "content": f"And {turn}?"}]
    return ids


def test_a_conversation_without_headers_stays_one_session_across_workers(tmp_path: Path, upstream: str) -> None:
    """Each agent's calls lie in both spools, which are read by two threads; all of them are in the first one's session."""
    with server(tmp_path / "data", upstream) as running:
        with ThreadPoolExecutor(8) as pool:
            agents = list(pool.map(lambda agent: converse(running.url, agent), range(40)))
        with httpx2.Client(trust_env=False, timeout=30) as http:
            query = {"filter": "all", "limit": 1000}
            rows = http.post(f"{running.url}/v1/request/query", json=query).json()["data"]
        spools = [len(list((tmp_path / "data/spool" / number).glob("*.spool"))) for number in ("1", "2")]

    sessions = {row["request_id"]: row["properties"]["Helicone-Session-Id"] for row in rows}
    assert ([1, 1], 240) == (spools, len(sessions))
    assert [{f"inferred-{ids[0]}"} for ids in agents] == [{sessions[one] for one in ids} for ids in agents]


def test_a_worker_that_dies_is_replaced(tmp_path: Path, upstream: str) -> None:
    """Calls are answered again, on the same port, and nothing that was answered before is lost."""
    with server(tmp_path / "data", upstream) as running:
        before = running.workers()
        for _ in range(10):
            ask(running.url)
        for pid in before:
            subprocess.run(["kill", "-9", str(pid)], check=True)
        answered = 0
        while answered < 10:  # a connection that the dead one had accepted is cut; later ones wait for the next worker
            try:
                answered += ask(running.url) == 200
            except httpx2.TransportError:
                continue
        found = count(running.url)
        after = running.workers()

    assert 20 == found
    assert (2, set()) == (len(after), set(before) & set(after))


def test_a_revoked_key_works_nowhere_any_more(tmp_path: Path, upstream: str) -> None:
    """As soon as the answer to its revocation is there, every worker refuses it."""
    with server(tmp_path / "data", upstream, "--require-key") as running:
        owner = {"authorization": f"Bearer {running.key}"}
        with httpx2.Client(base_url=running.url, trust_env=False, headers=owner) as http:
            made = http.post("/v1/api-keys", json={"api_key_name": "agent", "key_permissions": "rw"}).json()
            key = next(value for value in _texts(made) if value.startswith("sk-helicone-"))
            used = {ask(running.url, **{"helicone-auth": f"Bearer {key}"}) for _ in range(8)}
            listed = http.get("/v1/api-keys").json()["data"]
            [key_id] = [row["id"] for row in listed if row["api_key_name"] == "agent"]
            http.delete(f"/v1/api-keys/{key_id}").raise_for_status()
        refused = {ask(running.url, **{"helicone-auth": f"Bearer {key}"}) for _ in range(8)}

    assert ({200}, {401}) == (used, refused)


def _texts(found: object) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for value in found.values():
            yield from _texts(value)


def test_workers_end_with_their_server(tmp_path: Path, upstream: str) -> None:
    """Killed, it leaves none behind that would relay what nobody reads."""
    command = [
        sys.executable,
        "-m",
        "reenact",
        "serve",
        "--data",
        str(tmp_path / "data"),
        "--port",
        "0",
        "--gateway-workers",
        "1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Ready"):
                break
        workers = Server("", "", process).workers()
        process.kill()
        process.wait()
        process.stdout.read()  # ends when the last process that holds it has
    assert [b""] == [_command(pid) for pid in workers]

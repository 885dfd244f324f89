"""`reenact run`: an agent with OpenAI's own SDK as a process of its own: recorded, played back, forked; its code unchanged."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reenact.cli.run import run as command
from reenact.client import Client
from reenact.domain.playback import Level, Server
from reenact.domain.replay import Mode, Replay
from reenact.errors import InvalidInput
from tests.fakes import debater
from tests.fakes.house import House, a_house

AGENT = (sys.executable, str(Path(debater.__file__)))
KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "REENACT_URL", "REENACT_KEY", "ASK", "TOUCH")


class Ran(msgspec.Struct, frozen=True):
    """A command that has ended."""

    code: int
    out: str
    told: str


class Bench(msgspec.Struct, frozen=True):
    """A server that asks for a key, and one session of the agent that was recorded on it."""

    house: House
    recorded: Ran

    def run(self, *arguments: str, **environ: str) -> Ran:
        """Run `reenact run ARGUMENTS`."""
        return run(self.house, *arguments, **environ)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One server for all tests."""
    with a_house(tmp_path_factory.mktemp("run") / "data", require_key=True) as house:
        yield Bench(house, run(house, "--record", "--session", "debate", "--", *AGENT, OPENAI_API_KEY="sk-agent"))


def run(house: House, *arguments: str, **environ: str) -> Ran:
    """Run `reenact run ARGUMENTS` as a process."""
    inherited = {name: value for name, value in os.environ.items() if name not in KEYS}
    done = subprocess.run(
        [sys.executable, "-m", "reenact", "run", *arguments], capture_output=True, text=True, check=False, timeout=60,
        env={**inherited, "REENACT_URL": house.url, "REENACT_KEY": house.key, "COLUMNS": "500", **environ},
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def test_an_agent_is_recorded_by_its_base_url_alone(bench: Bench) -> None:
    """It sends no header of ours; its calls, the streamed one too, are those of the session that was named."""
    with Client(bench.house.url, bench.house.key) as client:
        calls = client.session("debate")

    assert (0, "3 calls recorded as session debate\n") == (bench.recorded.code, bench.recorded.told)
    assert bench.recorded.out.splitlines() == [call.response_body["choices"][0]["message"]["content"] for call in calls]


def test_an_agent_is_played_back_without_a_key_for_its_provider(bench: Bench, tmp_path: Path) -> None:
    """Its run id and the time drift; every request is answered as it was, and its tools run in its own process only."""
    report, touch = tmp_path / "report.json", tmp_path / "touched"
    ran = bench.run("--replay", "debate", "--strict", "--report", str(report), "--", *AGENT, TOUCH=str(touch))

    replay = msgspec.json.decode(report.read_bytes(), type=Replay)
    assert (0, bench.recorded.out, "ran\n") == (ran.code, ran.out, touch.read_text())
    assert ran.told.startswith("3 requests: 0 exact, 3 equivalent, 0 missed; 0 asked for real. Session ")
    assert (Mode.PLAYBACK, [(Level.EQUIVALENT, Server.RECORD, index) for index in (1, 2, 3)], ()) == (
        replay.plan.mode,
        [(call.level, call.served, call.index) for call in replay.takes[0].played],
        replay.takes[0].unconsumed,
    )


def test_a_miss_stops_the_agent_and_is_explained(bench: Bench) -> None:
    """Once, since its SDK does not ask again; with the nearest call, what differs in it, and the agent's own exit code."""
    ran = bench.run("--replay", "debate", "--", *AGENT, ASK="Is water wet?")

    assert 3 == ran.code
    assert "refused: 409 " in ran.out
    lines = ran.told.splitlines()
    assert lines[0].startswith("1 request: 0 exact, 0 equivalent, 1 missed; 0 asked for real.")
    assert "  request 1 (/) missed: No recorded call has this request." == lines[1]
    assert lines[2].startswith("    nearest: call 1 (distance 0.")
    assert "      /messages/1/content [-Are cats better than dogs?-]{+Is water wet?+}" == lines[3]
    assert "  3 recorded calls never asked for: 1, 2, 3" == lines[-1]


def test_a_fork_asks_for_real_from_a_call_on_with_the_patch(bench: Bench, tmp_path: Path) -> None:
    """The first answer is the recorded one; the next ones are new, and the patch stands in their requests."""
    report = tmp_path / "report.json"
    arguments = ("--replay", "debate", "--from", "2", "--append-system", " Rhyme.", "--report", str(report))
    ran = bench.run(*arguments, "--", *AGENT, OPENAI_API_KEY="sk-agent")

    take = msgspec.json.decode(report.read_bytes(), type=Replay).takes[0]
    with Client(bench.house.url, bench.house.key) as client:
        systems = [call.body["messages"][0]["content"] for call in client.session(take.session_id)]
    before, after = bench.recorded.out.splitlines(), ran.out.splitlines()
    assert (0, before[0], True) == (ran.code, after[0], before[1] != after[1])
    assert [Server.RECORD, Server.LIVE, Server.LIVE] == [call.served for call in take.played]
    assert [False, True, True] == [system.endswith(" Rhyme.") for system in systems]
    assert "request 2 (/) was patched before it was asked for real:" in ran.told


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_the_exit_code_is_passed_on(bench: Bench, script: str, code: int) -> None:
    """Also that of a command that was killed, as a shell tells it."""
    assert code == bench.run("--replay", "debate", "--", "sh", "-c", script).code


def test_strict_wants_every_recorded_call_to_be_asked_for(bench: Bench) -> None:
    """An agent that ends well and too early is no success then."""
    codes = [bench.run("--replay", "debate", *options, "--", "true").code for options in ((), ("--strict",))]

    assert [0, 1] == codes


def test_nothing_runs_without_a_server(bench: Bench, tmp_path: Path) -> None:
    """Else an agent's calls would be lost."""
    touch = tmp_path / "touched"
    ran = bench.run("--url", "http://127.0.0.1:1", "--", "touch", str(touch))

    assert (2, False) == (ran.code, touch.exists())
    assert "No Reenact server answers at http://127.0.0.1:1" in ran.told


def test_the_agent_is_told_where_to_call(bench: Bench) -> None:
    """By the variables of its SDKs, the server's key in the path; a base URL that led elsewhere is named."""
    script = "import json, os; print(json.dumps(dict(os.environ)))"
    ran = bench.run(
        "--session", "s/1", "--", sys.executable, "-c", script,
        OPENAI_BASE_URL="https://proxy.example/v1", http_proxy="http://10.0.0.1:3128", NO_PROXY="example.com",
    )  # fmt: skip

    environ = json.loads(ran.out)
    base = f"{bench.house.url}/{bench.house.key}/v1/session/s%2F1/gateway"
    assert [base + path for path in ("/oai/v1", "/oai/v1", "/anthropic", "/google")] == [
        environ[name] for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL")
    ]
    assert ("s/1", "example.com,127.0.0.1") == (environ["REENACT_SESSION_ID"], environ["NO_PROXY"])
    assert "AZURE_OPENAI_ENDPOINT" not in environ
    assert "OPENAI_BASE_URL was https://proxy.example/v1: those calls go to the server now" in ran.told


@pytest.mark.parametrize(
    "options",
    [
        {"replay": "s", "record": True},
        {"replay": "s", "take_timing": "soon"},
        {"replay": "s", "take_timing": "-1"},
        {"strict": True},
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, object]) -> None:
    """Before anything runs."""
    with pytest.raises(InvalidInput):
        command(["true"], **options)  # type: ignore[arg-type]

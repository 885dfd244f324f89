"""`reenact replay` shows the plan, runs it, tells what failed and how to go on."""

import json
from pathlib import Path

import pytest

from reenact.client import Client
from reenact.errors import InvalidInput, ServerRefused
from tests.cli.conftest import Run
from tests.fakes.house import House

PERSONA = " Take the persona of a field expert."


def test_a_replay_shows_its_plan_its_results_and_the_way_on(house: House, run: Run) -> None:
    """The printed command names the new session, whose system prompts end in the persona."""
    result = run(
        "replay", "debate", "--append-system", PERSONA, "--prompt-id", "assistant-response", "--name", "Persona"
    )

    assert 0 == result.exit_code
    assert f"You debate.{{+{PERSONA}+}}" in result.stdout
    assert "3 calls to ask, 3 changed, 0 skipped, 1 control take; expected cost $" in result.stdout
    assert "Take 1: 3 answered, 0 failed, 0 skipped." in result.stdout
    assert "Take 2 (control): 3 answered, 0 failed, 0 skipped." in result.stdout
    command, against_control = (line.split() for line in result.stdout.splitlines()[-2:])
    assert ["reenact", "compare", "debate"] == command[:3]
    assert command[3] == against_control[3]
    with Client(house.url) as client:
        replayed = client.session(command[3])
    assert ["You debate." + PERSONA] * 3 == [request.body["messages"][0]["content"] for request in replayed]
    assert {"Persona"} == {request.properties["Helicone-Session-Name"] for request in replayed}


def test_a_dry_run_sends_nothing(house: House, run: Run) -> None:
    """As JSON it is the plan and nothing but the plan."""
    with Client(house.url) as client:
        before = len(client.sessions())
        result = run("replay", "debate", "--set", "model=gpt-4o", "--set", "temperature=0", "--dry-run", "--json")
        after = len(client.sessions())

    plan = json.loads(result.stdout)
    assert (0, before) == (result.exit_code, after)
    assert [["/model", "/temperature"]] * 3 == [
        [change["path"] for change in call["changes"]] for call in plan["calls"]
    ]


def test_json_is_the_replay_alone(run: Run) -> None:
    """For programs: no plan, no bar, no words."""
    result = run("replay", "debate", "--takes", "2", "--json")

    replay = json.loads(result.stdout)
    assert ("done", [3, 3]) == (replay["state"], [len(take["results"]) for take in replay["takes"]])


def test_a_patch_file_says_what_options_cannot(run: Run, tmp_path: Path) -> None:
    """YAML; the options' edits come after it."""
    (tmp_path / "p.yaml").write_text("changes: [{select: {calls: [2]}, edits: [{edit: set_system, text: Judge.}]}]")

    result = run(
        "replay", "debate", "--patch", str(tmp_path / "p.yaml"), "--drop", "temperature", "--dry-run", "--json"
    )

    changed = [[change["path"] for change in call["changes"]] for call in json.loads(result.stdout)["calls"]]
    assert [["/temperature"], ["/messages/0/content", "/temperature"], ["/temperature"]] == [
        sorted(paths) for paths in changed
    ]


def test_a_named_prompt_is_used(house: House, run: Run) -> None:
    """The plan shows what each call says then; a prompt that is not there is told."""
    said = [{"role": "system", "content": "You debate."}, {"role": "user", "content": "{{hc:question:string}}"}]
    brief = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Q: {{hc:question:string}}"}]
    with Client(house.url) as client:
        first = client.create_prompt("debater", {"messages": said})
        client.update_prompt(first, {"messages": brief}, "Brief.", major=True)

    result = run("replay", "debate", "--use-prompt", "debater@1.0", "--dry-run")

    assert 0 == result.exit_code
    assert "3 calls to ask, 3 changed" in result.stdout
    assert "Q:" in result.stdout
    with pytest.raises(ServerRefused, match="has no version in use in moon"):
        run("replay", "debate", "--use-prompt", "debater@moon", "--dry-run")


def test_failed_calls_are_told_and_the_exit_code_is_1(run: Run) -> None:
    """Each with its place and the provider's words."""
    result = run("replay", "debate", "--replace", "two=>[[fault: status=429]]")

    assert 1 == result.exit_code
    assert "Take 1: 2 answered, 1 failed, 0 skipped." in result.stdout
    assert "  call 2 (" in result.stdout
    assert "HTTP 429: " in result.stdout


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (["--path", "/none", "--set", "n=2"], ServerRefused, "matches no call"),
        (["--set", "messages=[]"], ServerRefused, "Call 1: The field messages"),
        (["--set", "n"], InvalidInput, "NAME=VALUE"),
        (["--mode", "fork"], InvalidInput, "reenact run --replay"),
        (["--mode", "playback", "--set", "temperature=0"], ServerRefused, "A playback changes nothing"),
        (["--provider-key", "openai"], InvalidInput, "PROVIDER=KEY"),
        (["--provider-key", "openai=@/no/such/file"], InvalidInput, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_sent(
    run: Run, options: list[str], kind: type[Exception], message: str
) -> None:
    """In one sentence."""
    with pytest.raises(kind, match=message):
        run("replay", "debate", *options)


def test_a_session_is_played_back_by_the_server_alone(run: Run) -> None:
    """The plan says that nobody is asked, and the end that every call was answered as it was."""
    result = run("replay", "debate", "--mode", "playback")

    assert 0 == result.exit_code
    assert "3 calls from the record, 0 calls to ask, 0 changed, 0 skipped; expected cost $0" in result.stdout
    assert "3 requests: 3 exact, 0 equivalent, 0 missed; 0 asked for real. Session " in result.stdout


def test_a_provider_key_is_read_from_a_file_and_never_shown(run: Run, tmp_path: Path) -> None:
    """Neither in words nor in JSON."""
    (tmp_path / "key").write_text("sk-very-secret\n")

    shown = run("replay", "debate", "--provider-key", f"openai=@{tmp_path / 'key'}")
    as_json = run("replay", "debate", "--provider-key", f"openai=@{tmp_path / 'key'}", "--json")

    assert (0, 0) == (shown.exit_code, as_json.exit_code)
    assert "sk-very-secret" not in shown.output + as_json.output

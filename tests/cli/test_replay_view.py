"""Plans and results say everything in plain characters: what changes, what it costs, what failed, how to go on."""

import msgspec

from reenact.cli.replay_view import changes_view, plan_view, replay_view
from reenact.domain.call import Kind
from reenact.domain.patch import AppendSystem, Change, Patch, SetModel
from reenact.domain.replay import CallResult, FieldChange, Mode, Operation, Plan, Replay, State, Take
from reenact.replay.planning import plan
from tests.cli.screen import shown
from tests.replay.recordings import a_call, a_recording, chat


def a_plan(*changes: Change, takes: int = 1) -> Plan:
    """Return the plan of two calls and a tool event."""
    recording = a_recording(chat("one"), chat("two"), (a_call("call-3", kind=Kind.TOOL), chat("x")))
    return plan(recording, Patch(changes=changes), Mode.ANCHORED, takes, lambda *_: 27_000)


def test_a_plan_shows_per_call_what_changes_and_what_it_costs() -> None:
    """Skipped calls with their reason; the sum over all takes; that it is an estimate."""
    view = shown(plan_view(a_plan(Change(edits=(SetModel("gpt-4o"), AppendSystem(" Be brief."))), takes=3)))

    assert "Plan for AI Debate (anchored)" in view
    assert "/model [-gpt-4o-mini-]{+gpt-4o+}" not in view  # what both begin with stands outside of the marks
    assert "/model gpt-4o[--mini-]" in view
    assert "debate assistant.{+ Be brief.+}" in " ".join(view.split())
    assert "skipped: a tool event" in " ".join(view.split())
    assert "2 calls to ask, 2 changed, 1 skipped, 3 takes; expected cost $0.000162 (an estimate)" in view


def test_the_control_is_called_so() -> None:
    """A patch that changes nothing is told before it is paid for."""
    assert "Nothing changes: this is the control." in shown(plan_view(a_plan()))


def test_long_sessions_are_cut_and_the_rest_is_counted() -> None:
    """Nobody reads a thousand lines."""
    whole = plan(a_recording(*[chat(str(n)) for n in range(45)]), Patch(), Mode.ANCHORED, 1, lambda *_: None)

    view = shown(plan_view(whole))

    assert "... and 5 more calls" in view
    assert "45 calls to ask" in view
    assert "+ 45 of unknown price" in view


def test_changes_are_marked_with_signs() -> None:
    """Added, removed, replaced; values that are no text as JSON."""
    view = changes_view(
        [
            FieldChange(path="/temperature", operation=Operation.ADD, after=0),
            FieldChange(path="/seed", operation=Operation.REMOVE, before=7),
            FieldChange(path="/stream", before=True, after=False),
            FieldChange(path="/messages/0/content", before="a cat sat", after="a dog sat"),
        ]
    )

    expected = "/temperature {+0+}\n/seed [-7-]\n/stream [-true-]{+false+}\n/messages/0/content a [-cat-]{+dog+}"
    assert expected == shown(view)


def test_recorded_text_can_neither_mark_nor_move_the_terminal() -> None:
    """Markup is shown as it stands, escape sequences are written out."""
    hostile = "[bold]x[/bold]\x1b]0;owned\x07\u202e"
    recording = a_recording((a_call("call-1", model=hostile), chat(hostile)))
    labels = msgspec.structs.replace(recording.calls[0].labels, session_name=hostile, session_path=hostile)
    recording = msgspec.structs.replace(recording, calls=[msgspec.structs.replace(recording.calls[0], labels=labels)])
    whole = plan(recording, Patch(), Mode.ANCHORED, 1, lambda *_: None)

    view = shown(plan_view(whole), width=300)

    assert 3 == view.count("[bold]x[/bold]")
    assert not {"\x1b", "\x07", "\u202e"} & set(view)


def test_results_tell_each_failure_and_how_to_go_on() -> None:
    """Every take, every failed call, and the command that compares."""
    results = (
        CallResult(index=1, source_call_id="call-1", call_id="new-1", status=200),
        CallResult(index=2, source_call_id="call-2", call_id="new-2", status=429, failure="HTTP 429: Slow down."),
        CallResult(index=3, source_call_id="call-3", call_id=None, status=None, failure="a tool event", skipped=True),
    )
    replay = Replay(
        id="r",
        organisation_id="org",
        created_us=1,
        plan=a_plan(),
        session_name="Replay of AI Debate",
        state=State.CANCELLED,
        takes=(Take(number=1, session_id="take 1", results=results),),
        detail="stopped on request",
    )

    expected = """\
Take 1: 1 answered, 1 failed, 1 skipped. Session take 1
  call 2 (call-2): HTTP 429: Slow down.
The replay is cancelled: stopped on request.
reenact replay resume r
reenact compare debate 'take 1'"""
    assert expected == shown(replay_view(replay))

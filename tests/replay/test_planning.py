"""A plan says for every call what will be done with it, why not, what changes and what it will cost."""

import gzip
from collections.abc import Iterable

import msgspec
import pytest

from reenact.domain.call import Kind
from reenact.domain.exchange import Ending, Handling
from reenact.domain.message import Usage
from reenact.domain.patch import AppendSystem, Change, Patch, ReplaceText, Selector, SetModel, SetParameter
from reenact.domain.policy import Policies
from reenact.domain.replay import Answered, FieldChange, Mode, Plan, PlannedCall, Take
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.chain import chain_of
from reenact.replay.performing import advance, perform
from reenact.replay.planning import plan, without_bodies
from reenact.replay.recording import Recording, recorded_calls
from tests.replay.recordings import SYSTEM, URL, a_call, a_recording, bodies, chat

PERSONA = " Take the persona of a field expert and provide more persuasive arguments."


def price(provider: str, models: Iterable[str | None], usage: Usage, at_us: int) -> int | None:
    """One nanodollar a token of a model that is known."""
    return usage.total_tokens if any(model and model.startswith("gpt-4o") for model in models) else None


def planned(recording: Recording, *changes: Change, takes: int = 1) -> Plan:
    """Return the plan of a patch of *changes*."""
    return plan(recording, Patch(changes=changes), Mode.ANCHORED, takes, price)


def test_the_empty_patch_asks_the_recorded_bytes() -> None:
    """The control sends exactly what was recorded and is expected to cost what its recorded tokens cost."""
    recording = a_recording(chat("one"), b"{not json")

    expected = tuple(
        PlannedCall(
            index=number,
            call_id=f"call-{number}",
            path="/debate/climate-change",
            prompt_id="assistant-response",
            model="gpt-4o-mini",
            provider="openai",
            dialect="openai_chat",
            action="ask",
            url=URL,
            body=recording.bodies[f"call-{number}"].request,
            expected_input_tokens=100,
            expected_output_tokens=20,
            expected_cost_nanodollars=120,
            most_cost_nanodollars=140,
            expected_duration_us=1_000_000,
        )
        for number in (1, 2)
    )
    assert expected == planned(recording).calls
    assert "AI Debate" == planned(recording).session_name


def test_the_guides_patch_changes_the_system_message_alone() -> None:
    """The persona stands at the end of the system message of each call with the prompt id, and nowhere else."""
    other = a_call("call-2", labels=msgspec.structs.replace(a_call("x").labels, prompt_id=None))
    recording = a_recording(chat("one", temperature=0.5), (other, chat("two")))

    first, second = planned(
        recording, Change(select=Selector(prompt_id="assistant-response"), edits=(AppendSystem(PERSONA),))
    ).calls

    assert (FieldChange(path="/messages/0/content", before=SYSTEM, after=SYSTEM + PERSONA),) == first.changes
    assert chat("one", system=SYSTEM + PERSONA, temperature=0.5) == msgspec.json.decode(first.body)
    assert () == second.changes
    assert recording.bodies["call-2"].request == second.body


def test_longer_prompts_are_expected_to_cost_more() -> None:
    """Recorded input tokens scale with the body; output tokens stay as recorded."""
    recording = a_recording(chat("x" * 1000))

    (call,) = planned(recording, Change(edits=(ReplaceText("x", "xx"),))).calls

    assert call.expected_input_tokens is not None
    assert 180 < call.expected_input_tokens < 200
    assert 20 == call.expected_output_tokens
    assert call.expected_input_tokens + 20 == call.expected_cost_nanodollars


def test_costs_add_up_over_calls_and_takes() -> None:
    """A call of an unknown price is counted, not taken for free."""
    recording = a_recording(chat("one"), chat("two"), (a_call("call-3", usage=Usage()), chat("three")))

    whole = planned(recording, Change(select=Selector(calls=(2,)), edits=(SetModel("homemade"),)), takes=3)

    assert 3 * 120 == whole.expected_cost_nanodollars
    assert 2 == whole.unpriced_calls
    assert ["gpt-4o-mini", "homemade", "gpt-4o-mini"] == [call.model for call in whole.calls]


@pytest.mark.parametrize(
    ("given", "body", "reason"),
    [
        ({"kind": Kind.TOOL}, chat("x"), "a tool event: the server never runs an agent's tools"),
        ({"kind": Kind.VECTOR}, chat("x"), "a vector_db event: the server never runs an agent's tools"),
        ({}, None, "its request body was not recorded"),
        ({}, b"", "its request body was not recorded"),
        (
            {},
            chat("<helicone-asset-id key=9f/>"),
            "an image of its request was not recorded: the log that told of it holds a reference only",
        ),
        ({"dialect": "opaque", "kind": Kind.OPAQUE}, chat("x"), "its format is not known"),
        (
            {"unreadable": "`messages` is not a list."},
            chat("x"),
            "its body could not be read: `messages` is not a list.",
        ),
        (
            {"ending": Ending.REFUSED, "detail": "bad key"},
            chat("x"),
            "the gateway refused it when it was recorded: bad key",
        ),
    ],
)
def test_what_cannot_be_asked_is_skipped_with_its_reason(given: dict[str, object], body: object, reason: str) -> None:
    """It is never edited, never counted in the cost, and always told."""
    (call,) = planned(a_recording((a_call("call-1", **given), body))).calls

    assert ("skip", reason, b"", None) == (call.action, call.reason, call.body, call.expected_cost_nanodollars)


@pytest.mark.parametrize("mode", [Mode.ANCHORED, Mode.CHAINED])
def test_what_is_skipped_is_told_in_the_result_too(mode: Mode) -> None:
    """In both modes that ask, beside the calls that are asked."""
    events = [(a_call(f"call-{at}", kind=kind), chat("x")) for at, kind in enumerate((Kind.TOOL, Kind.DATA), start=1)]
    bare = (a_call("call-3"), None)
    foreign = (a_call("call-4", dialect="opaque", kind=Kind.OPAQUE), chat("x"))
    recording = a_recording(*events, bare, foreign, (a_call("call-5"), chat("one")))
    whole = plan(recording, Patch(), mode, 1, price)
    take = Take(number=1, session_id="take")
    chain = chain_of(recorded_calls(recording), whole, Policies())
    performance = perform(whole, take) if mode is Mode.ANCHORED else chain.perform(whole, take)
    (ask,) = tuple(advance(performance))  # type: ignore[arg-type]
    over = advance(performance, Answered(index=ask.index, call_id="new", status=200))

    assert isinstance(over, Take)
    assert [(call.index, call.reason) for call in whole.calls if call.reason] == [
        (result.index, result.failure) for result in over.results if result.skipped
    ]
    assert [1, 2, 3, 4, 5] == [result.index for result in over.results]


def test_a_selector_that_matches_nothing_is_refused() -> None:
    """Also when it matches only what cannot be asked: the patch would do nothing."""
    recording = a_recording(chat("one"), (a_call("call-2", kind=Kind.TOOL), chat("two")))

    with pytest.raises(InvalidPatch, match="matches no call") as caught:
        planned(recording, Change(edits=(SetModel("m"),)), Change(select=Selector(calls=(2,)), edits=(SetModel("m"),)))

    assert "changes[1].select" == caught.value.field


def test_an_edit_that_does_not_fit_names_call_and_place() -> None:
    """The call by its position, the edit by its place in the patch."""
    recording = a_recording(chat("one"), chat("two"))
    wrong = Change(select=Selector(calls=(2,)), edits=(SetModel("m"), SetParameter("messages", [])))

    with pytest.raises(InvalidPatch, match=r"^Call 2: The field messages") as caught:
        planned(recording, wrong)

    assert "changes[0].edits[1].name" == caught.value.field


def test_a_body_that_cannot_be_read_cannot_be_edited() -> None:
    """Only when an edit is to be made in it."""
    with pytest.raises(InvalidPatch, match=r"^Call 1 cannot be edited"):
        planned(a_recording(b"{not json"), Change(edits=(SetModel("m"),)))


def test_a_compressed_body_is_edited_all_the_same() -> None:
    """It is asked uncompressed when it changes, and as it was when it does not."""
    packed = gzip.compress(msgspec.json.encode(chat("one")))
    recording = a_recording(chat("one"))
    held = bodies(packed, (b"content-encoding", b"gzip"))
    recording = msgspec.structs.replace(recording, bodies={"call-1": held})

    (changed,) = planned(recording, Change(edits=(SetModel("gpt-4o"),))).calls
    (same,) = planned(recording, Change(edits=(SetModel("gpt-4o-mini"),))).calls

    assert {**chat("one"), "model": "gpt-4o"} == msgspec.json.decode(changed.body)
    assert packed == same.body
    assert 100 == changed.expected_input_tokens


@pytest.mark.parametrize("mode", [Mode.PLAYBACK, Mode.FORK])
def test_modes_that_the_server_does_not_replay_are_refused(mode: Mode) -> None:
    """Rather than replayed in another mode."""
    with pytest.raises(InvalidInput, match=mode.value):
        plan(a_recording(chat("one")), Patch(), mode, 1, price)


def test_a_plan_is_shown_without_bodies() -> None:
    """All else stays."""
    whole = planned(a_recording(chat("one")), Change(edits=(SetModel("gpt-4o"),)))

    (call,) = without_bodies(whole).calls

    assert msgspec.structs.replace(whole.calls[0], body=b"") == call


def test_a_long_session_is_planned_whole() -> None:
    """500 calls whose history grows to 60 messages and 15 KB, each with both changes."""
    recording = a_recording(*[chat(*["word " * 40] * (number // 8)) for number in range(500)])

    whole = planned(recording, Change(edits=(AppendSystem(PERSONA), SetModel("gpt-4o"))))

    assert 500 == sum(len(call.changes) == 2 for call in whole.calls)


def test_a_model_that_the_address_names_is_never_written_into_the_body() -> None:
    """Not even when it is the recorded one: Gemini refuses a field that it does not know."""
    url = "http://127.0.0.1:8585/v1/gateway/google/v1beta/models/gemini-x:generateContent"
    call = a_call("call-1", provider="google", dialect="gemini", model="gemini-x", url=url)
    recording = a_recording((call, {"contents": [{"role": "user", "parts": [{"text": "one"}]}]}))
    (same,) = planned(recording, Change(edits=(SetModel("gemini-x"),))).calls
    (other,) = planned(recording, Change(edits=(SetModel("gemini-y"),))).calls

    assert ((), url, recording.bodies["call-1"].request) == (same.changes, same.url, same.body)
    assert (url.replace("gemini-x", "gemini-y"), same.body) == (other.url, other.body)


def test_what_a_failed_call_may_cost_is_known_where_it_limits_its_answer() -> None:
    """Every byte of it a token; so that one failure in a session forbids no budget. What it will cost stays unknown."""
    failed = a_call("call-1", status=500, usage=Usage())
    (known,) = planned(a_recording((failed, chat("one", max_tokens=7)))).calls
    (unknown,) = planned(a_recording((failed, chat("one")))).calls

    assert (None, len(known.body) + 7) == (known.expected_cost_nanodollars, known.most_cost_nanodollars)
    assert (None, None) == (unknown.expected_cost_nanodollars, unknown.most_cost_nanodollars)


def test_an_answer_out_of_the_cache_is_expected_to_cost_what_its_words_say() -> None:
    """It cost nothing when it was recorded; its provider will be asked now."""
    recording = a_recording(chat("one"))
    [call] = recording.calls
    cached = msgspec.structs.replace(
        call,
        usage=Usage(input_tokens=0, output_tokens=0),
        cost_nanodollars=0,
        handling=Handling(cache_reference_id="x"),
    )
    said = {"choices": [], "usage": {"prompt_tokens": 70, "completion_tokens": 5}}
    kept = msgspec.structs.replace(recording.bodies[call.id], answer_json=msgspec.json.encode(said))

    [known] = planned(msgspec.structs.replace(recording, calls=[cached], bodies={call.id: kept})).calls
    [unknown] = planned(msgspec.structs.replace(recording, calls=[cached])).calls

    assert (70, 5, 75) == (
        known.expected_input_tokens,
        known.expected_output_tokens,
        known.expected_cost_nanodollars,
    )
    assert (None, None) == (unknown.expected_input_tokens, unknown.expected_cost_nanodollars)

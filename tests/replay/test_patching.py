"""Patches are read strictly, select what they say, and change nothing but what they say."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.dialects.openai_chat import OpenAIChat
from reenact.domain.message import Json
from reenact.domain.patch import (
    AppendSystem,
    Change,
    DropParameter,
    Edit,
    Patch,
    ReplaceText,
    Selector,
    SetModel,
    SetParameter,
    SetSystem,
)
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.patching import patched_body, read_patch, selects
from tests.replay.recordings import a_call, bodies, chat

CHAT = OpenAIChat()


def patched(body: Json, *edits: Edit) -> Json:
    """Return the body after the edits, as JSON."""
    return msgspec.json.decode(patched_body(CHAT, msgspec.json.encode(body), edits))


def test_a_patch_is_read_from_json() -> None:
    """Selectors and edits stand under their names."""
    read = read_patch(
        {
            "changes": [
                {
                    "select": {"prompt_id": "assistant-response", "path": "/debate/*", "calls": [1, 3]},
                    "edits": [
                        {"edit": "append_system", "text": " Hi."},
                        {"edit": "set_parameter", "name": "n", "value": 2},
                    ],
                }
            ]
        }
    )

    select = Selector(prompt_id="assistant-response", path="/debate/*", calls=(1, 3))
    assert Patch(changes=(Change(select=select, edits=(AppendSystem(" Hi."), SetParameter("n", 2))),)) == read


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"changs": []}, ""),
        ({"changes": [{"select": {"pth": "/x"}}]}, "changes[0].select"),
        ({"changes": [{"edits": [{"edit": "set_modle", "model": "x"}]}]}, "changes[0].edits[0].edit"),
        ({"changes": [{}, {"edits": [{"edit": "set_model", "model": 3}]}]}, "changes[1].edits[0].model"),
        ({"changes": [{"edits": [{"edit": "set_model", "model": "x", "mode": "y"}]}]}, "changes[0].edits[0]"),
        ({"changes": [{"select": {"first": 0}}]}, "changes[0].select.first"),
        ({"version": 2}, "version"),
        ("all", ""),
    ],
)
def test_what_a_patch_does_not_know_is_refused_with_its_place(value: Json, field: str) -> None:
    """An unknown key, edit or type is refused and its exact place is named."""
    with pytest.raises(InvalidPatch) as caught:
        read_patch(value)

    assert field == caught.value.field


def test_an_edit_that_there_is_not_is_told_those_that_there_are() -> None:
    """In the words of the patch."""
    with pytest.raises(InvalidPatch, match=r"'use_model'.* Known edits: set_model, set_parameter, .*, use_prompt"):
        read_patch({"changes": [{"edits": [{"edit": "use_model", "model": "gpt-4o"}]}]})


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (Selector(), [1, 2, 3]),
        (Selector(path="/debate/*"), [1, 2]),
        (Selector(prompt_id="judge"), [3]),
        (Selector(calls=(1, 3)), [1, 3]),
        (Selector(first=2), [2, 3]),
        (Selector(first=2, last=2), [2]),
        (Selector(model="gpt-4o*"), [1, 2]),
        (Selector(provider="anthropic"), [3]),
        (Selector(dialect="openai_*"), [1, 2]),
        (Selector(contains="warming"), [2]),
        (Selector(path="/debate/*", contains="nothing of this"), []),
    ],
)
def test_a_selector_means_the_calls_for_which_all_its_conditions_hold(selector: Selector, expected: list[int]) -> None:
    """Each condition narrows; none selects all."""
    labels = a_call("x").labels
    judged = msgspec.structs.replace(labels, session_path="/judge", prompt_id="judge")
    calls = [
        a_call("1"),
        a_call("2"),
        a_call("3", labels=judged, model="claude", provider="anthropic", dialect="anthropic_messages"),
    ]
    prompts = [CHAT.read_prompt(chat(text)) for text in ("hello", "global warming", "who won?")]

    found = [
        position
        for position, (call, prompt) in enumerate(zip(calls, prompts, strict=True), start=1)
        if selects(selector, position, call, lambda prompt=prompt: prompt)  # type: ignore[misc]
    ]

    assert expected == found


def test_no_edit_gives_back_the_very_bytes() -> None:
    """A body that no edit changes keeps its spacing, key order and number spelling, even when it is no JSON."""
    raw = b'{ "model":"m",\n "temperature": 1.00, "messages": [ {"content":"\\u00e9","role":"user"} ] }'

    assert raw == patched_body(CHAT, raw, ())
    assert raw == patched_body(CHAT, raw, [SetModel("m"), SetParameter("temperature", 1.0), ReplaceText("x", "y")])
    assert b"no json" == patched_body(CHAT, b"no json", ())


def test_each_edit_changes_its_field_alone() -> None:
    """Everything that is not named stays as it was, unknown keys and their order among it."""
    body = chat("hi", "hello", "go on", temperature=0.5, seed=7, x_unknown={"a": [1]}, stream=True)

    assert {**body, "model": "gpt-4o"} == patched(body, SetModel("gpt-4o"))
    assert {**body, "temperature": 0} == patched(body, SetParameter("temperature", 0))
    assert {**body, "top_p": 0.1} == patched(body, SetParameter("top_p", 0.1))
    assert {**body, "stream": False} == patched(body, SetParameter("stream", False))
    assert {k: v for k, v in body.items() if k != "seed"} == patched(body, DropParameter("seed"))
    assert list(body) == list(patched(body, SetModel("gpt-4o")))


def test_system_edits_do_as_the_guide_does() -> None:
    """Appending goes to the end of the first system message; setting replaces the first run of them."""
    body = chat("hi", system="Be kind.")
    several = {**body, "messages": [{"role": "system", "content": "Second."}, *body["messages"]]}
    persona = " Take the persona of a field expert."

    assert "Be kind." + persona == patched(body, AppendSystem(persona))["messages"][0]["content"]
    assert [{"role": "system", "content": "New."}, body["messages"][1]] == patched(several, SetSystem("New."))[
        "messages"
    ]
    assert body["messages"][1:] == patched(body, AppendSystem(persona))["messages"][1:]


def test_a_call_without_a_system_message_is_given_one() -> None:
    """Both system edits put one in front of all other messages."""
    body = chat("hi", system=None)
    given = [{"role": "system", "content": "Be brief."}, *body["messages"]]

    assert given == patched(body, SetSystem("Be brief."))["messages"]
    assert given == patched(body, AppendSystem(" Be brief."))["messages"]


def test_a_developer_message_in_parts_keeps_its_role_and_its_other_parts() -> None:
    """The wire's own shape survives: OpenAI's newer role, content in parts and what is marked on them."""
    first = {"role": "developer", "content": [{"type": "text", "text": "A", "mark": 1}, {"type": "text", "text": "B"}]}
    body = {"model": "o1", "messages": [first, {"role": "user", "content": "hi"}]}

    after = patched(body, AppendSystem("!"))

    expected = {
        "role": "developer",
        "content": [{"type": "text", "text": "A", "mark": 1}, {"type": "text", "text": "B!"}],
    }
    assert [expected, body["messages"][1]] == after["messages"]


def test_text_is_replaced_in_one_role_or_in_all() -> None:
    """Tool results count as text of the tool."""
    body = chat("the cat", "the cat", system="the cat")
    body["messages"].append({"role": "tool", "tool_call_id": "1", "content": "the cat"})

    def texts(*edits: Edit) -> list[str]:
        return [message["content"] for message in patched(body, *edits)["messages"]]

    assert ["the dog"] * 4 == texts(ReplaceText("cat", "dog"))
    assert ["the dog", "the cat", "the cat", "the cat"] == texts(ReplaceText("cat", "dog", role="developer"))
    assert ["the cat", "the dog", "the cat", "the cat"] == texts(ReplaceText("cat", "dog", role="user"))
    assert ["the cat", "the cat", "the cat", "the dog"] == texts(ReplaceText("cat", "dog", role="tool"))


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (SetParameter("messages", []), "name"),
        (SetParameter("model", "x"), "name"),
        (DropParameter("tools"), "name"),
        (SetParameter("stream", "yes"), "value"),
        (ReplaceText("a", "b", role="narrator"), "role"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(edit: Edit, field: str) -> None:
    """The field of the edit that is wrong is named."""
    with pytest.raises(InvalidPatch) as caught:
        patched(chat("hi"), edit)

    assert field == caught.value.field


def test_a_body_that_is_no_json_cannot_be_edited() -> None:
    """It is told, not guessed."""
    with pytest.raises(InvalidInput, match="not JSON"):
        patched_body(CHAT, b"--boundary", [SetModel("x")])


names = st.text(min_size=1, max_size=8).filter(
    lambda name: name not in {"model", "messages", "tools", "functions", "stream"}
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
fields = st.dictionaries(names, values, max_size=4)


@settings(deadline=None)
@given(said=st.lists(st.text(), max_size=4), rest=fields)
def test_the_empty_patch_gives_back_the_bytes_of_any_body(said: list[str], rest: dict[str, Json]) -> None:
    """No edits, no difference, whatever the body holds."""
    raw = bodies(chat(*said, **rest)).request

    assert raw is patched_body(CHAT, raw, ())


@settings(deadline=None)
@given(said=st.lists(st.text(), max_size=4), rest=fields, name=names, value=values, text=st.text(min_size=1))
def test_no_edit_touches_what_it_does_not_name(
    said: list[str], rest: dict[str, Json], name: str, value: Json, text: str
) -> None:
    """Model, one parameter and the system message change; all other fields and messages are as they were."""
    body = chat(*said, **rest)

    after = patched(body, SetModel("other"), SetParameter(name, value), AppendSystem(text))

    expected = msgspec.json.decode(msgspec.json.encode({**body, "model": "other", name: value}))
    expected["messages"][0]["content"] += text
    assert expected == after

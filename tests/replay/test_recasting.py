"""A version of a prompt takes the place of what an older template made of a call, in every format."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.dialects.openai_chat import OpenAIChat
from reenact.dialects.registry import dialect_named
from reenact.dialects.translating.translation import translated
from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Tagged
from reenact.domain.message import Json
from reenact.domain.patch import AppendSystem, Change, Patch, Selector, SetModel, UsePrompt
from reenact.domain.replay import Mode, PlannedCall
from reenact.errors import InvalidPatch
from reenact.gateway.prompting import read_tags
from reenact.prompts.rendering import rendered
from reenact.replay.planning import plan
from reenact.replay.recording import Recording
from tests.replay.recordings import a_call, a_recording

FIRST: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "temperature": 0.2,
    "messages": [
        {"role": "system", "content": "You debate {{hc:topic:string}}."},
        {"role": "user", "content": "Say: {{hc:what:string}}"},
    ],
}
SECOND: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be brief on {{hc:topic:string}}."},
        {"role": "user", "content": "Please say {{hc:what:string}}"},
    ],
}
SAID = [
    {"role": "system", "content": "You debate cats."},
    {"role": "user", "content": "Say: hi"},
    {"role": "assistant", "content": "hi"},
    {"role": "user", "content": "Go on."},
]
BRIEF = [{"role": "system", "content": "Be brief on cats."}, {"role": "user", "content": "Please say hi"}, *SAID[2:]]


def use(template: Json = SECOND, *known: Json, **given: Any) -> UsePrompt:
    """Return the edit with its version and the others looked up."""
    return UsePrompt(prompt="debate", template=template, known=known or (FIRST,), **given)


def asking(text: str) -> dict[str, Any]:
    """Return a version of one message of the user's."""
    return {"messages": [{"role": "user", "content": text}]}


def planned(
    recording: Recording, *edits: Any, select: Selector | None = None, mode: Mode = Mode.ANCHORED
) -> list[PlannedCall]:
    """Return the calls of a plan with *edits*."""
    patch = Patch(changes=(Change(select=select or Selector(), edits=edits),))
    return list(plan(recording, patch, mode, 1, lambda *_: 5).calls)


def one(body: Json, *edits: Any, **call: Any) -> tuple[Any, PlannedCall]:
    """Return the request that is sent for *body*, and its plan."""
    [found] = planned(a_recording((a_call("call-1", **call), body)), *edits)
    return msgspec.json.decode(found.body), found


def tagged(call: Call, body: Json) -> Recording:
    """Return a session of one call whose body an agent tagged, as the gateway keeps it."""
    read = read_tags(msgspec.json.encode(body))
    assert read is not None
    sent, tags = read
    kept = Bodies(request=sent, response=b"{}", tagged=Tagged(inputs=tags.inputs, template=tags.template))
    return Recording(session_id="debate", calls=[call], bodies={call.id: kept})


def inp(key: str, text: str) -> str:
    """Return a tagged input."""
    return f'<helicone-prompt-input key="{key}" >{text}</helicone-prompt-input>'


def test_messages_take_the_place_of_the_older_versions_with_its_inputs() -> None:
    """What follows stays; what the older version had set and the new one does not goes, the call's own fields stay."""
    sent, found = one({"model": "gpt-4o-mini", "messages": SAID, "temperature": 0.2, "seed": 7}, use())

    assert {"model": "gpt-4o-mini", "messages": BRIEF, "seed": 7} == sent
    assert {"/temperature", "/messages/0/content", "/messages/1/content"} == {change.path for change in found.changes}
    sent, _ = one({"model": "gpt-4o-mini", "messages": SAID, "temperature": 0.9}, use())
    assert 0.9 == sent["temperature"]


def test_given_inputs_go_before_found_ones() -> None:
    """And an input that is new has to be given."""
    sent, _ = one({"messages": SAID}, use(inputs={"what": "bye"}))
    assert "Please say bye" == sent["messages"][1]["content"]
    more = {
        "messages": [*SECOND["messages"][:1], {"role": "user", "content": "{{hc:what:string}} in {{hc:tongue:string}}"}]
    }

    with pytest.raises(InvalidPatch, match="Call 1: Its input tongue is not in the call") as told:
        one({"messages": SAID}, use(more))
    sent, _ = one({"messages": SAID}, use(more, inputs={"tongue": "Latin"}))

    assert "changes[0].edits[0].inputs.tongue" == told.value.field
    assert "hi in Latin" == sent["messages"][1]["content"]


def test_a_call_that_was_made_with_the_version_stays_as_it_is() -> None:
    """Its very bytes are sent, and may be answered from the record."""
    recording = a_recording({"messages": BRIEF})
    [found] = planned(recording, use())

    assert found.body == recording.bodies["call-1"].request
    assert () == found.changes


def test_fields_of_the_version_are_set() -> None:
    """The model as set_model sets it; tools by name, those of the older version gone; values in answer formats have types."""
    tool = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
    old = {"type": "function", "function": {"name": "old", "parameters": {}}}
    own = {"type": "function", "function": {"name": "own", "parameters": {}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"const": "{{hc:limit:number}}"}}}
    version = {**SECOND, "model": "gpt-4o", "tools": [tool], "response_format": form, "max_tokens": 9, "stream": True}
    body = {"model": "gpt-4o-mini", "messages": SAID, "tools": [old, own], "max_completion_tokens": 5}

    sent, found = one(body, use(version, {**FIRST, "tools": [old]}, inputs={"limit": "5"}))

    assert ("gpt-4o", "gpt-4o", True) == (sent["model"], found.model, found.is_other_model)
    assert [own, tool] == sent["tools"]
    assert {"const": 5} == sent["response_format"]["json_schema"]["schema"]
    assert (9, None, None) == (sent["max_tokens"], sent.get("max_completion_tokens"), sent.get("stream"))
    sent, _ = one(body, use(version, FIRST, messages_only=True))
    assert body | {"messages": BRIEF} == sent


def test_a_model_of_another_maker_is_asked_in_its_own_format() -> None:
    """The version's fields are said in that one, and what of them cannot be said is told; what it says itself is not lost."""
    version = {**SECOND, "model": "claude-sonnet-4-5", "max_tokens": 9, "temperature": 1.5, "seed": 3}

    sent, found = one({"model": "gpt-4o-mini", "messages": SAID}, use(version))

    assert ("anthropic", "anthropic_messages") == (found.provider, found.dialect)
    assert ("Be brief on cats.", 9, 1) == (sent["system"], sent["max_tokens"], sent["temperature"])
    assert [{"role": "user", "content": "Please say hi"}, *SAID[2:]] == sent["messages"]
    assert ["/seed", "/temperature"] == sorted(lost.path for lost in found.lost)


ANTHROPIC = {"model": "claude-haiku-4-5", "max_tokens": 100, "system": "You debate cats.", "messages": SAID[1:]}
GEMINI = {
    "systemInstruction": {"parts": [{"text": "You debate cats."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Say: hi"}]},
        {"role": "model", "parts": [{"text": "hi"}]},
        {"role": "user", "parts": [{"text": "Go on."}]},
    ],
    "generationConfig": {"topK": 3, "temperature": 0.2},
}
RESPONSES = {"model": "gpt-4o-mini", "instructions": "You debate cats.", "input": SAID[1:], "store": False}


@pytest.mark.parametrize(
    ("dialect", "provider", "body", "path"),
    [
        ("anthropic_messages", "anthropic", ANTHROPIC, "/v1/messages"),
        ("gemini", "google", GEMINI, "/v1beta/models/gemini-2.5-flash:generateContent"),
        ("openai_responses", "openai", RESPONSES, "/v1/responses"),
    ],
)
def test_calls_of_every_format(dialect: str, provider: str, body: Json, path: str) -> None:
    """The version is said in the call's own format, and nothing but what it says changes."""
    form = dialect_named(dialect)
    assert form is not None
    sent, found = one(
        body,
        use({**SECOND, "max_tokens": 7}),
        dialect=dialect,
        provider=provider,
        url=f"http://127.0.0.1:8585/v1/gateway/x{path}",
        target_url=f"https://x{path}",
    )

    assert ["Be brief on cats.", "Please say hi", "hi", "Go on."] == [
        one.text for one in form.read_prompt(sent).messages
    ]
    limit = {"anthropic_messages": "/max_tokens", "openai_responses": "/max_output_tokens"}
    paths = {change.path for change in found.changes}
    if dialect == "gemini":
        assert {"topK": 3, "maxOutputTokens": 7} == sent["generationConfig"]
    else:
        assert limit[dialect] in paths
        assert 3 == len(paths)


def test_the_tags_of_a_call_tell_its_template() -> None:
    """Where it stood, and its inputs; whatever had no tag is not the template's, though it reads the same."""
    body = {
        "model": "gpt-4o-mini",
        "messages": [
            {
                "role": "system",
                "content": f"<helicone-prompt-static>Rules of</helicone-prompt-static> {inp('topic', 'cats')}",
            },
            {"role": "user", "content": "So: hi"},
            {"role": "assistant", "content": "hi"},
            {"role": "user", "content": f"So: {inp('what', 'hi')}"},
        ],
    }
    [found] = planned(tagged(a_call("call-1"), body), use(SECOND, SECOND))

    sent = msgspec.json.decode(found.body)
    assert ["Be brief on cats.", "So: hi", "hi", "Please say hi"] == [one["content"] for one in sent["messages"]]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (SECOND, "Be brief on cats."),
        ({"messages": SECOND["messages"][1:]}, "You debate cats."),
    ],
)
def test_a_system_text_without_a_tag_is_the_templates_where_the_version_has_one(version: Json, expected: str) -> None:
    """In Anthropic's format it is no object, so that its tags do not tell."""
    body = ANTHROPIC | {"messages": [{"role": "user", "content": f"So: {inp('what', 'hi')}"}]}
    call = a_call("call-1", dialect="anthropic_messages", provider="anthropic")

    [found] = planned(tagged(call, body), use(version, inputs={"topic": "cats"} if version is SECOND else {}))

    sent = msgspec.json.decode(found.body)
    assert (expected, [{"role": "user", "content": "Please say hi"}]) == (sent["system"], sent["messages"])


def test_tags_hold_in_another_provider_too() -> None:
    """What they mark is found before the request is said in another format."""
    body = {"model": "gpt-4o-mini", "messages": [SAID[0], {"role": "user", "content": f"So: {inp('what', 'hi')}"}]}
    version = {"messages": SECOND["messages"][1:], "model": "claude-sonnet-4-5"}

    [found] = planned(tagged(a_call("call-1"), body), use(version))

    sent = msgspec.json.decode(found.body)
    assert ("You debate cats.", [{"role": "user", "content": "Please say hi"}]) == (sent["system"], sent["messages"])


@pytest.mark.parametrize(
    ("messages", "edit", "field", "words"),
    [
        ([*SAID, SAID[1]], use(), "inputs", r"Message 2 of the template of 'debate' may be its message 2 as well as 5"),
        (
            [{"role": "user", "content": "a, b, c"}],
            use(asking("{{hc:x:string}}!"), asking("{{hc:x:string}}, {{hc:y:string}}")),
            "inputs.x",
            "Its input x could be several texts",
        ),
        (SAID[2:], use(), "prompt", "nothing in it was made from the prompt 'debate'"),
        (SAID, use(inputs={"topik": "dogs"}), "inputs.topik", "no input 'topik'; it has: topic, what"),
        (SAID, UsePrompt(prompt="debate"), "template", "was not looked up"),
        (SAID, use({"messages": "none"}), "template", "cannot be used"),
        (
            SAID,
            use({"messages": [{"role": "system", "content": "{{hc:topic:number}}"}]}),
            "inputs.topic",
            "topic .number.",
        ),
        (
            [SAID[0], SAID[2], SAID[1]],
            use(asking("{{hc:what:string}}")),
            "prompt",
            "it is not sure where they belong",
        ),
    ],
)  # fmt: skip
def test_what_is_not_sure_is_refused(messages: list[Json], edit: UsePrompt, field: str, words: str) -> None:
    """With the call, the field and what to do."""
    with pytest.raises(InvalidPatch, match=words) as told:
        one({"messages": messages}, edit)

    assert f"changes[0].edits[0].{field}" == told.value.field


def test_giving_the_recorded_inputs_says_which_is_meant() -> None:
    """Of two places that fit."""
    sent, _ = one({"messages": [*SAID, {"role": "user", "content": "Say: bye"}]}, use(inputs={"what": "bye"}))

    assert ["Be brief on cats.", "Say: hi", "hi", "Go on.", "Please say bye"] == [
        m["content"] for m in sent["messages"]
    ]


def test_without_an_older_template_a_system_prompt_takes_the_place_of_the_calls() -> None:
    """And of nothing where the call has none; its inputs have to be given."""
    version = {"messages": [{"role": "system", "content": "Judge {{hc:how:string}}."}]}

    for messages in (SAID, SAID[1:]):
        sent, _ = one({"messages": messages}, use(version, version, inputs={"how": "fairly"}))
        assert [{"role": "system", "content": "Judge fairly."}, *SAID[1:]] == sent["messages"]
    with pytest.raises(InvalidPatch, match="Its input how is not in the call"):
        one({"messages": SAID}, use(version, version))


def test_the_version_that_explains_most_is_taken_for_the_older_one() -> None:
    """A version that is nothing but a variable would fit any text."""
    loose = {
        "messages": [
            {"role": "system", "content": "{{hc:topic:string}}"},
            {"role": "user", "content": "{{hc:what:string}}"},
        ]
    }

    sent, _ = one({"messages": SAID[:2]}, use(SECOND, loose, FIRST))

    assert BRIEF[:2] == sent["messages"]


def test_more_messages_than_before_stand_together() -> None:
    """Where the older ones stood; a message that keeps its role keeps its shape."""
    version = {"messages": [*SECOND["messages"], {"role": "assistant", "content": "Sure:"}]}
    said = [
        {
            "role": "system",
            "content": [{"type": "text", "text": "You debate cats.", "cache_control": {"type": "ephemeral"}}],
        }
    ]

    sent, _ = one({"messages": [*said, *SAID[1:]]}, use(version))
    kept, _ = one({"messages": [*said, *SAID[1:]]}, use())

    assert [*BRIEF[:2], {"role": "assistant", "content": "Sure:"}, *SAID[2:]] == sent["messages"]
    assert {"type": "text", "text": "Be brief on cats.", "cache_control": {"type": "ephemeral"}} == kept["messages"][0][
        "content"
    ][0]


def test_it_is_one_edit_among_others() -> None:
    """Those before it are made first; a model that is set later is the one that is asked; selectors say where."""
    recording = a_recording({"messages": SAID}, {"messages": SAID[2:]})
    version = {**SECOND, "model": "gpt-4o"}
    first, second = planned(
        recording, use(version), AppendSystem(" Now."), SetModel("gpt-4.1"), select=Selector(calls=(1,))
    )

    sent = msgspec.json.decode(first.body)
    assert ("gpt-4.1", "Be brief on cats. Now.") == (sent["model"], sent["messages"][0]["content"])
    assert () == second.changes
    with pytest.raises(InvalidPatch, match="matches no call"):
        planned(recording, use(), select=Selector(prompt_id="nobody"))


def test_a_version_without_messages_sets_fields_alone() -> None:
    """What is said stays."""
    sent, _ = one({"model": "gpt-4o-mini", "messages": SAID}, use({"model": "gpt-4o", "top_p": 0.5}))

    assert {"model": "gpt-4o", "top_p": 0.5, "messages": SAID} == sent


def test_a_message_that_is_worded_alike_need_not_be_found() -> None:
    """One that is nothing but a variable fits each of the user's, and one of two variables any split: both stay."""
    loose = [{"role": "user", "content": "{{hc:context:string}}\n\n{{hc:question:string}}"}]
    older = {"messages": [*FIRST["messages"][:1], *loose]}
    newer = {"messages": [*SECOND["messages"][:1], *loose]}
    asked = [{"role": "user", "content": text} for text in ("a\n\nb\n\nc", "d\n\ne")]

    for messages in ([SAID[0], asked[0]], [SAID[0], asked[0], SAID[2], asked[1]]):
        sent, _ = one({"messages": messages}, use(newer, older))
        assert [BRIEF[0], *messages[1:]] == sent["messages"]
    sent, found = one({"messages": [asked[0], SAID[2], asked[1]]}, use({"messages": loose}, {"messages": loose}))
    assert (asked[0], ()) == (sent["messages"][0], found.changes)
    longer = {"messages": [*newer["messages"], {"role": "assistant", "content": "Sure:"}]}
    for edit in (use(newer, older, inputs={"question": "z"}), use(longer, older)):
        with pytest.raises(InvalidPatch, match="may be its message 2 as well as 4"):
            one({"messages": [SAID[0], asked[0], SAID[2], asked[1]]}, edit)
    with pytest.raises(InvalidPatch, match="Its input context could be several texts"):
        one({"messages": [SAID[0], asked[0]]}, use(newer, older, inputs={"question": "z"}))


WORDS = st.text("ab .,", min_size=1, max_size=6).filter(str.strip)
TURNS = st.lists(st.sampled_from(["x", "Say: x", "Say: y", "Please say x"]), max_size=4)


@given(WORDS, WORDS, TURNS, st.sampled_from(["openai_chat", "openai_responses", "anthropic_messages", "gemini"]))
def test_whatever_the_inputs_are_the_version_has_them(topic: str, what: str, turns: list[str], dialect: str) -> None:
    """A call that was made from the older version is the one that the new version makes with the same inputs, or is refused."""
    after = [{"role": role, "content": text} for role, text in zip(["assistant", "user"] * 2, turns, strict=False)]
    form = dialect_named(dialect)
    assert form is not None

    def made(version: Json) -> Json:
        said = rendered(version, {"topic": topic, "what": what})["messages"] + after
        prompt = OpenAIChat().read_prompt({"model": "m", "messages": said})
        if dialect != "openai_chat":
            prompt = translated(prompt, dialect, "m", provider="openai")
        return form.write_prompt(prompt)

    try:
        sent, _ = one(made(FIRST), use(messages_only=True), dialect=dialect)
    except InvalidPatch:
        assert any(text.startswith("Say: ") for text in turns[1::2])
        return
    assert made(SECOND) == sent

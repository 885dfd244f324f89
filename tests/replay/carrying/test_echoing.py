"""A new answer is written back as the agent wrote the recorded one."""

import json

import pytest

from reenact.domain.message import Json, Message, Prompt
from reenact.replay.carrying.echoing import Echo, echo, shape_of
from tests.replay.carrying.tapes import DIALECT, answer, asked, said, use

OSLO, LIMA = ("a", "weather", {"city": "Oslo"}), ("b", "weather", {"city": "Lima"})


def message(body: Json) -> Message:
    """Return an answer's message."""
    found = answer(body).message
    assert found is not None
    return found


def written(recorded: Json, as_turn: Json, new: Json, *others: tuple[Json, Json]) -> Json:
    """Return *new* as an agent writes it that wrote *recorded* as *as_turn*."""
    turns = DIALECT.read_prompt(asked(as_turn)).messages
    known = {
        shape_of("openai_chat", "/", message(one)): Echo(message(one), DIALECT.read_prompt(asked(turn)).messages)
        for one, turn in others
    }
    shape = shape_of("openai_chat", "/", message(new))
    (found,) = echo(shape, Echo(message(recorded), turns), message(new), known)
    return DIALECT.write_prompt(Prompt(dialect="openai_chat", model=None, messages=(found,)))["messages"][0]


@pytest.mark.parametrize(
    ("as_turn", "expected"),
    [
        ({"role": "assistant", "content": "old"}, {"role": "assistant", "content": "new"}),
        (
            {"content": "old", "role": "assistant", "refusal": None},
            {"role": "assistant", "content": "new", "refusal": None},
        ),
        (
            {"role": "assistant", "content": "old", "name": "ada"},
            {"role": "assistant", "content": "new", "name": "ada"},
        ),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "old"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "new"}]},
        ),
    ],
)
def test_a_text_takes_the_place_of_a_text(as_turn: Json, expected: Json) -> None:
    """With the keys that the agent kept and those it added."""
    assert expected == written(said("old"), as_turn, said("new"))


def test_tool_calls_are_written_with_the_keys_that_the_agent_keeps() -> None:
    """It left out what was null; what is not null it writes."""
    assert {"role": "assistant", "tool_calls": [use(*LIMA)]} == written(
        said("old"), {"role": "assistant", "content": "old"}, said(None, LIMA),
        (said(None, OSLO), {"role": "assistant", "tool_calls": [use(*OSLO)]}),
    )  # fmt: skip


def test_arguments_are_spaced_as_the_agent_spaces_them() -> None:
    """It parsed and wrote them compactly."""
    compact = {
        **use(*OSLO),
        "function": {"name": "weather", "arguments": json.dumps({"city": "Oslo"}, separators=(",", ":"))},
    }

    found = written(said(None, OSLO), {"role": "assistant", "content": None, "tool_calls": [compact]}, said(None, LIMA))

    assert '{"city":"Lima"}' == found["tool_calls"][0]["function"]["arguments"]


def test_a_trimmed_turn_stays_trimmed() -> None:
    """As the agent was seen to do."""
    assert "new" == written(said("old\n"), {"role": "assistant", "content": "old"}, said(" new\n"))["content"]


def test_what_did_not_change_is_written_as_it_was() -> None:
    """Odd keys and all."""
    odd = {"role": "assistant", "content": "old", "x": 1}

    assert odd == written(said("old"), odd, said("old"))

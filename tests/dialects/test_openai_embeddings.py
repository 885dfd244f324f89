"""Embeddings: the law of the lens, inputs of every shape, usage."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reenact.dialects.openai_embeddings import OpenAIEmbeddings
from reenact.domain.digesting import canonical
from reenact.domain.message import Answer, Message, Opaque, Prompt, Role, Text, Usage
from tests.dialects.shapes import json_values, objects_of, short
from tests.fakes.recorded import recorded

dialect = OpenAIEmbeddings()
tokens = st.lists(st.integers(0, 9), max_size=3)


def said(*texts: str) -> tuple[Message, ...]:
    """Return a user message for each text."""
    return tuple(Message(role=Role.USER, parts=(Text(text),)) for text in texts)


@given(objects_of(model=short, input=short | st.lists(short, max_size=3) | tokens | st.lists(tokens), dimensions=short))
def test_writing_what_was_read_gives_the_same_json(body: dict[str, Any]) -> None:
    """Whatever stands under `input`."""
    text = msgspec.json.encode(body)
    assert msgspec.json.encode(dialect.write_prompt(dialect.read_prompt(msgspec.json.decode(text)))) == text


@pytest.mark.parametrize(
    ("given_input", "messages"),
    [
        ("a", said("a")),
        (["a", "b"], said("a", "b")),
        ([1, 2], (Message(role=Role.USER, parts=(Opaque("[1,2]"),)),)),
        ([[1], "a"], (Message(role=Role.USER, parts=(Opaque("[1]"),)), *said("a"))),
        (None, ()),
    ],
)
def test_inputs_are_read_as_messages(given_input: Any, messages: tuple[Message, ...]) -> None:
    """One for each text."""
    assert dialect.read_prompt({"input": given_input}).messages == messages


def test_a_changed_text_keeps_the_inputs_form() -> None:
    """A string stays one, a list stays one, tokens stay beside a changed text."""
    for old, new in (("a", "z"), (["a"], ["z"]), ([[1, 2], "a"], [[1, 2], "z"])):
        prompt = dialect.read_prompt({"x": 1, "input": old})
        edited = replace(prompt, messages=(*prompt.messages[:-1], *said("z")), model="m")
        assert dialect.write_prompt(edited) == {"x": 1, "input": new, "model": "m"}
    assert dialect.write_prompt(Prompt(dialect="openai_embeddings", model="m", messages=said("a", "b"))) == {
        "model": "m",
        "input": ["a", "b"],
    }


def test_answers_are_read() -> None:
    """All tokens are input; Voyage counts the total alone."""
    body = {"object": "list", "data": [], "model": "m", "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    assert dialect.read_answer(body) == Answer(model="m", usage=Usage(input_tokens=5), origin=body)
    assert dialect.read_answer({"usage": {"total_tokens": 5}}).usage == Usage(input_tokens=5)
    assert dialect.read_answer({"error": {"message": "No"}}).error == "No"


@given(st.dictionaries(st.sampled_from(["usage", "error", "model", "id", "data"]), json_values))
def test_reading_an_odd_answer_never_raises(body: dict[str, Any]) -> None:
    """Whatever stands under the fields."""
    assert dialect.read_answer(body).origin == body


def test_recorded_exchanges_are_read() -> None:
    """Requests come back as they were; usage equals the body's."""
    for one in recorded("embeddings"):
        assert dialect.reads("any", one.method, one.path)
        assert canonical(dialect.write_prompt(dialect.read_prompt(one.request))) == canonical(one.request)
        body = msgspec.json.decode(one.response_body)
        answer = dialect.read_answer(body)
        assert (answer.error is not None) == (one.status >= 400)
        assert answer.usage.input_tokens == body.get("usage", {}).get("total_tokens")

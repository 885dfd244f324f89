"""Prompt tags are taken out, and what they marked is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.exchange import Tagged
from reenact.gateway.prompting import has_tags, read_tags

ANN = 'Hello <helicone-prompt-input key="name" >Ann</helicone-prompt-input>!'


def chat(*contents: Any) -> bytes:
    """Return a body with one message for each of *contents*."""
    messages = [{"role": "user", "content": content} for content in contents]
    return json.dumps({"model": "gpt-4o", "n": 1, "messages": messages}).encode()


def read(body: bytes) -> tuple[Any, Tagged, Any]:
    """Return what is sent, what was marked, and the template as JSON."""
    found = read_tags(body)
    assert found is not None
    return json.loads(found[0]), found[1], json.loads(found[1].template)


def test_an_input_is_sent_without_its_tag() -> None:
    """Messages without a tag stand in the template by their number."""
    sent, tagged, template = read(chat("Be kind.", ANN, "Bye."))

    assert json.loads(chat("Be kind.", "Hello Ann!", "Bye.")) == sent
    assert {"name": "Ann"} == tagged.inputs
    assert {
        "model": "gpt-4o",
        "n": 1,
        "messages": [
            "<helicone-auto-prompt-input idx=0 />",
            {"role": "user", "content": 'Hello <helicone-prompt-input key="name" />!'},
            "<helicone-auto-prompt-input idx=1 />",
        ],
    } == template


@pytest.mark.parametrize(
    ("text", "sent", "inputs", "template"),
    [
        (
            '<helicone-prompt-input key="a">\n 1 \n</helicone-prompt-input>'
            '<helicone-prompt-input\tkey="b" >2</helicone-prompt-input>',
            "\n 1 \n2",
            {"a": "1", "b": "2"},
            '<helicone-prompt-input key="a" /><helicone-prompt-input key="b" />',
        ),
        ("<helicone-prompt-static>Be kind.</helicone-prompt-static>", "Be kind.", {}, "Be kind."),
        (
            f'{ANN} <helicone-prompt-input key="x">open',
            'Hello Ann! <helicone-prompt-input key="x">open',
            {"name": "Ann"},
            'Hello <helicone-prompt-input key="name" />! <helicone-prompt-input key="x">open',
        ),
    ],
)
def test_what_becomes_of_tags(text: str, sent: str, inputs: dict[str, str], template: str) -> None:
    """Blanks around an input are not its own; static text belongs to the template; an open tag is text."""
    whole, tagged, shown = read(chat(text))

    assert (sent, inputs) == (whole["messages"][0]["content"], tagged.inputs)
    assert template == shown["messages"][0]["content"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"helicone-prompt-input",
        chat("</helicone-prompt-input>"),
        chat("<helicone-prompt-input key=name>A</>"),
        b'"[',
    ],
)
def test_bodies_without_tags_are_left_alone(body: bytes) -> None:
    """So are those that are no JSON."""
    assert read_tags(body) is None


def test_many_open_tags_cost_no_more_than_their_length() -> None:
    """A quarter of a million of them, none closed, are read before any test gives up."""
    body = chat('<helicone-prompt-input key="a">' * 250_000)

    assert has_tags(body)
    assert read_tags(body) is None


@given(
    st.lists(
        st.tuples(st.text("ab <>\n\"'&é日"), st.text("xyz", min_size=1)), min_size=1, unique_by=lambda pair: pair[1]
    )
)
def test_inputs_put_into_the_template_give_what_was_sent(pairs: list[tuple[str, str]]) -> None:
    """Once for every key, whatever the inputs hold."""
    tags = [f'<helicone-prompt-input key="{key}">{text}</helicone-prompt-input>' for text, key in pairs]
    sent, tagged, template = read(chat(" ".join(tags)))

    rebuilt = template["messages"][0]["content"]
    for text, key in pairs:
        rebuilt = rebuilt.replace(f'<helicone-prompt-input key="{key}" />', text)
    assert {key: text.strip() for text, key in pairs} == tagged.inputs
    assert sent["messages"][0]["content"] == " ".join(text for text, _ in pairs)
    assert rebuilt == sent["messages"][0]["content"]

"""The variables of a version are filled in by the rules of surface 5.7."""

from typing import Any

import pytest

from reenact.errors import InvalidInput
from reenact.prompts.rendering import rendered, variables_of


def said(text: str, **inputs: Any) -> Any:
    """Return what a message of *text* says with *inputs*."""
    return rendered({"messages": [{"role": "user", "content": text}]}, inputs)["messages"][0]["content"]


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("Hi {{hc:name:string}}!", {"name": "Ann"}, "Hi Ann!"),
        ("Hi {{ hc : name : string }}!", {"name": "Ann"}, "Hi Ann!"),
        ("{{hc:a:string}}{{hc:a:string}}", {"a": "x"}, "xx"),
        ("{{hc:a-b_c:any}}", {"a-b_c": {"k": [1]}}, '{"k":[1]}'),
        ("{{hc:n:number}} {{hc:m:number}}", {"n": 5, "m": "2.50"}, "5 2.50"),
        ("{{hc:b:boolean}} {{hc:c:boolean}}", {"b": True, "c": "yes"}, "true yes"),
        ("{{hc:gone:string}} stays", {}, "{{hc:gone:string}} stays"),
        ("{{hc:1a:string}} {{hc:a}} {{x}} {{{hc:a:s}}}", {"a": "!"}, "{{hc:1a:string}} {{hc:a}} {{x}} {!}"),
        ("{{hc:a:string}}", {"a": "{{hc:b:string}}", "b": "never"}, "{{hc:b:string}}"),
    ],
)
def test_in_texts_a_variable_becomes_the_text_of_its_value(text: str, inputs: dict[str, Any], expected: str) -> None:
    """Blanks may stand in the mark; what is no input, and no mark, stays; a value is not looked at again."""
    assert expected == said(text, **inputs)


def test_in_tools_and_answer_formats_it_becomes_the_value() -> None:
    """Where it is all of a text; keys are texts; other fields are let alone."""
    body: dict[str, Any] = {
        "model": "{{hc:n:number}}",
        "tools": [{"function": {"name": "f_{{hc:s:string}}", "parameters": {"{{hc:s:string}}": "{{hc:o:schema}}"}}}],
        "response_format": {"n": " {{hc:n:number}} ", "b": "{{hc:b:boolean}}", "t": "n={{hc:n:number}}"},
    }

    filled = rendered(body, {"s": "x", "o": {"type": "object"}, "n": "5", "b": "no"})

    assert {
        "model": "{{hc:n:number}}",
        "tools": [{"function": {"name": "f_x", "parameters": {"x": {"type": "object"}}}}],
        "response_format": {"n": 5, "b": False, "t": "n=5"},
    } == filled


@pytest.mark.parametrize(
    ("body", "inputs", "field"),
    [
        ({"response_format": {"a": "{{hc:n:number}}"}}, {}, "inputs.n"),
        ({"tools": [{"{{hc:k:string}}": 1}]}, {}, "inputs.k"),
        ({"messages": [{"content": "{{hc:n:number}}"}]}, {"n": "many"}, "inputs.n"),
        ({"messages": [{"content": "{{hc:n:number}}"}]}, {"n": True}, "inputs.n"),
        ({"messages": [{"content": "{{hc:b:boolean}}"}]}, {"b": "perhaps"}, "inputs.b"),
        ({"messages": [{"content": "{{hc:s:string}}"}]}, {"s": {}}, "inputs.s"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(body: dict[str, Any], inputs: dict[str, Any], field: str) -> None:
    """A value of another type, and in JSON a value that is missing."""
    with pytest.raises(InvalidInput) as told:
        rendered(body, inputs)

    assert field == told.value.field


def test_a_text_cannot_grow_beyond_all_bounds() -> None:
    """However often a long value is wanted."""
    with pytest.raises(InvalidInput, match="characters"):
        said("{{hc:a:string}}" * 1000, a="x" * 100_000)


def test_variables_are_those_of_messages_tools_and_answer_formats() -> None:
    """Each once, of the first type that is one of the three known."""
    body = {
        "messages": [{"content": [{"type": "text", "text": "{{hc:a:any}}{{hc:a:number}}{{hc:b:string}}"}]}],
        "tools": [{"{{hc:c:string}}": "{{hc:a:string}}"}],
        "metadata": {"x": "{{hc:d:string}}"},
    }

    assert {"a": "number", "b": "string", "c": "string"} == {one.name: one.kind for one in variables_of(body).values()}

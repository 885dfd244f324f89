"""What a template made is recognised, its inputs are read back, and what could be meant in two ways is told."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.domain.message import Media, Message, Role, Text
from reenact.prompts.recognising import Ambiguous, Found, Located, located, read_back
from reenact.prompts.rendering import put_together
from reenact.prompts.shaping import template_of
from reenact.prompts.wording import Variable, Wording, worded

LITERALS = st.text(string.ascii_lowercase + " ", max_size=4)
WORDINGS = st.lists(st.tuples(st.sampled_from("ABC"), LITERALS), max_size=4).flatmap(
    lambda pairs: LITERALS.map(
        lambda first: Wording(
            (first, *(literal for _, literal in pairs)), tuple(Variable(name, "any") for name, _ in pairs)
        )
    )
)
INPUTS = st.fixed_dictionaries({name: st.text(string.ascii_lowercase + " ", max_size=4) for name in "ABC"})


@given(WORDINGS, INPUTS)
def test_what_is_put_together_is_read_back(wording: Wording, inputs: dict[str, str]) -> None:
    """Each input is found as it was, or said to be unsure; never as another one."""
    found = read_back(wording, put_together(wording, inputs))

    names = {variable.name for variable in wording.variables}
    if found is None:  # one variable twice, read in a way that tells two values
        assert len(wording.variables) > len(names)
        return
    assert names == found.values.keys() | found.unsure
    assert {name: inputs[name] for name in found.values} == found.values


@given(WORDINGS, st.text(string.ascii_lowercase + " ", max_size=12))
def test_what_is_read_back_explains_the_text(wording: Wording, text: str) -> None:
    """Any text that is taken for one of the template comes out of it again."""
    found = read_back(wording, text)

    if found is not None and not found.unsure:
        assert text == put_together(wording, found.values)


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("Hi {{hc:a:string}}!", "Hi Ann!", Found(values={"a": "Ann"})),
        ("Hi {{hc:a:string}}!", "Hi !", Found(values={"a": ""})),
        ("Hi {{hc:a:string}}!", "Ho Ann!", None),
        ("Hi", "Hi", Found()),
        ("Hi", "Hi ", None),
        ("aba{{hc:a:string}}aba", "ababa", None),
        ("{{hc:a:string}}, {{hc:b:string}}", "x, y", Found(values={"a": "x", "b": "y"})),
        ("{{hc:a:string}}, {{hc:b:string}}", "x, y, z", Found(unsure=frozenset("ab"))),
        ("{{hc:a:string}}{{hc:b:string}}", "xy", Found(unsure=frozenset("ab"))),
        ("{{hc:a:string}} and {{hc:a:string}}", "x and x", Found(values={"a": "x"})),
        ("{{hc:a:string}} and {{hc:a:string}}", "x and y", None),
        ("{{hc:a:number}} apples", "5 apples", Found(values={"a": "5"})),
        ("{{hc:a:number}} apples", "some apples", None),
    ],
)
def test_one_text(template: str, text: str, expected: Found | None) -> None:
    """The rules one by one."""
    assert expected == read_back(worded(template), text)


def say(role: Role, *texts: str) -> Message:
    """Return a message."""
    return Message(role=role, parts=tuple(Text(text) for text in texts))


SYSTEM = say(Role.SYSTEM, "You debate {{hc:topic:string}}.")
ASK = say(Role.USER, "Say: {{hc:what:string}}")
TALK = [
    say(Role.SYSTEM, "You debate cats."),
    say(Role.USER, "Say: hi"),
    say(Role.ASSISTANT, "Say: hi"),
    say(Role.USER, "And now?"),
]


@pytest.mark.parametrize(
    ("template", "messages", "expected"),
    [
        ((SYSTEM, ASK), TALK, ((0, 1), {"topic": "cats", "what": "hi"})),
        ((ASK,), TALK, ((1,), {"what": "hi"})),
        ((ASK, SYSTEM), TALK, None),
        ((SYSTEM, ASK), TALK[1:], None),
        ((SYSTEM, ASK), [TALK[0], TALK[3], TALK[1]], ((0, 2), {"topic": "cats", "what": "hi"})),
    ],
)
def test_messages_are_found_in_order_whatever_stands_between(
    template: tuple[Message, ...], messages: list[Message], expected: Any
) -> None:
    """And in no other order; the assistant's words are not the user's."""
    found = located(template_of(template), messages, {})

    told = (found.places, found.said.values) if isinstance(found, Located) else found
    assert expected == told


def test_several_places_are_told_unless_the_given_inputs_stand_at_one() -> None:
    """A conversation in which the template was used twice."""
    twice = [*TALK, say(Role.USER, "Say: more")]
    template = template_of((SYSTEM, ASK))

    assert Ambiguous(first=(0, 1), last=(0, 4)) == located(template, twice, {})
    for what, place in (("hi", 1), ("more", 4)):
        found = located(template, twice, {"what": what})
        assert isinstance(found, Located)
        assert ((0, place), what) == (found.places, found.said.values["what"])
    assert isinstance(located(template, twice, {"what": "other"}), Ambiguous)


def test_what_is_no_text_has_to_be_the_same() -> None:
    """An image of the template."""
    image, other = Media(kind="image", url="https://x/a.png"), Media(kind="image", url="https://x/b.png")
    template = template_of((Message(role=Role.USER, parts=(Text("{{hc:q:string}}"), image)),))

    assert located(template, [Message(role=Role.USER, parts=(Text("what?"), image))], {}) is not None
    assert located(template, [Message(role=Role.USER, parts=(Text("what?"), other))], {}) is None
    assert located(template, [say(Role.USER, "what?")], {}) is None


def test_odd_templates_take_no_longer_than_they_are_long() -> None:
    """A mark that never ends, and many literals that stand everywhere: a way that looks at all ways would never be through."""
    worded("{{" * 200_000 + "{{hc:" + "a" * 400_000)
    many = worded("".join(f"{{{{hc:v{number}:string}}}}a" for number in range(2_000)))
    found = read_back(many, "a" * 100_000)

    assert found is not None
    assert len(found.unsure) > 1_990

"""What SDKs change when they write an answer into the next request makes no difference."""

import pytest

from reenact.domain.message import Json, Message, Reasoning, Role, Text, ToolResult, ToolUse
from reenact.replay.carrying.matching import canonical_arguments, key_of, last_turn, said
from tests.replay.carrying.tapes import DIALECT, answer, asked, use
from tests.replay.carrying.tapes import said as body

ANSWERED = answer(body("Well. ", ("a", "weather", {"city": "Oslo"}))).message


@pytest.mark.parametrize(
    "echo",
    [
        {"role": "assistant", "content": "Well. ", "tool_calls": [use("a", "weather", {"city": "Oslo"})]},
        {"role": "assistant", "content": "Well.", "refusal": None, "annotations": [], "audio": None,
         "tool_calls": [use("b", "weather", {"city": "Oslo"})]},
        {"role": "assistant", "content": [{"type": "text", "text": "Well."}],
         "tool_calls": [{"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{ "city":"Oslo" }'}}]},
    ],
)  # fmt: skip
def test_an_answer_is_known_again_however_it_is_written_back(echo: Json) -> None:
    """Null fields, link ids, space and spacing of arguments say nothing."""
    assert ANSWERED is not None

    (message,) = DIALECT.read_prompt(asked(echo)).messages

    assert said(ANSWERED.parts) == said(message.parts)


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_nothing_said_is_nothing_said(content: str | None) -> None:
    """Whether as null, as an empty text or as space."""
    (message,) = DIALECT.read_prompt(asked({"role": "assistant", "content": content})).messages

    assert () == said(message.parts)


def test_another_argument_is_another_action() -> None:
    """And so is another tool."""
    one, other = ToolUse("a", "weather", '{"city": "Oslo"}'), ToolUse("a", "weather", '{"city": "Lima"}')

    assert said((one,)) != said((other,))


def test_texts_that_follow_one_another_are_one() -> None:
    """However a format cuts them."""
    assert said((Text("One. "), Text("Two."))) == said((Text("One. Two."),))


def test_thoughts_are_left_out() -> None:
    """Agents drop them as they like."""
    assert ("text:So.",) == said((Reasoning("hm"), Text("So.")))


def test_the_role_belongs_to_what_a_message_says() -> None:
    """A user who repeats the assistant is not the assistant."""
    one, other = (Message(role=role, parts=(Text("Yes."),)) for role in (Role.USER, Role.ASSISTANT))

    assert key_of(one) != key_of(other)


def test_arguments_that_are_no_json_are_their_text() -> None:
    """Nothing is made of them."""
    assert ("not json", "{}") == (canonical_arguments(" not json "), canonical_arguments(""))


def test_the_last_turn_is_the_last_run_of_the_assistant() -> None:
    """However many messages it is, and whatever follows it."""
    roles = (Role.USER, Role.ASSISTANT, Role.USER, Role.ASSISTANT, Role.ASSISTANT, Role.TOOL)
    messages = [Message(role=role, parts=(ToolResult("a", "x"),)) for role in roles]

    assert ((3, 5), None) == (last_turn(messages), last_turn(messages[:1]))

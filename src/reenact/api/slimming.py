"""Slimming: a comparison without the wire objects its values were read from; the values say the same, once."""

import msgspec

from reenact.domain.comparison import Comparison, Pair, Turn
from reenact.domain.message import Answer, Message, Prompt

_replace = msgspec.structs.replace


def slim(comparison: Comparison) -> Comparison:
    """Return *comparison* with every `origin` left out."""
    return _replace(comparison, pairs=tuple(_pair(pair) for pair in comparison.pairs))


def _pair(pair: Pair) -> Pair:
    return _replace(pair, left=_turn(pair.left), right=_turn(pair.right))


def _turn(turn: Turn | None) -> Turn | None:
    if turn is None:
        return None
    prompt = None if turn.prompt is None else _prompt(turn.prompt)
    return _replace(turn, prompt=prompt, answer=None if turn.answer is None else _answer(turn.answer))


def _prompt(prompt: Prompt) -> Prompt:
    tools = tuple(_replace(tool, origin=None) for tool in prompt.tools)
    return _replace(prompt, origin=None, messages=_messages(prompt.messages), tools=tools)


def _answer(answer: Answer) -> Answer:
    message = None if answer.message is None else _replace(answer.message, origin=None)
    return _replace(answer, origin=None, message=message, alternatives=_messages(answer.alternatives))


def _messages(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(_replace(message, origin=None) for message in messages)

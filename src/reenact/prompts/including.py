"""Put messages of other prompts into a version's body, where `{{hcp:PROMPT:INDEX:ENVIRONMENT}}` stands (surface 5.7)."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from reenact.domain.message import Json
from reenact.errors import InvalidInput

_BLANKS = r"\s{0,32}"
_PARTIAL = re.compile(
    rf"\{{\{{{_BLANKS}hcp{_BLANKS}:{_BLANKS}(?P<prompt>[A-Za-z0-9]{{6}}){_BLANKS}:{_BLANKS}(?P<index>\d{{1,4}}){_BLANKS}"
    rf"(?::{_BLANKS}(?P<environment>[A-Za-z_-][A-Za-z0-9_-]{{0,127}}){_BLANKS})?\}}\}}"
)


class Partial(msgspec.Struct, frozen=True):
    """A message of another prompt that stands for its text."""

    prompt_id: str
    index: int
    """Of the message, counted from 0."""
    environment: str | None = None
    """None: the production version's."""


def partials_in(value: Json) -> Counter[Partial]:
    """Return the parts that *value* names, and how often."""
    return Counter(_partials(value))


def included(value: Json, texts: Mapping[Partial, str]) -> Json:
    """Return *value* with *texts* in place of the parts that it names; one that is not among them stays."""
    if isinstance(value, str):
        return _PARTIAL.sub(lambda found: texts.get(_partial(found), found[0]), value)
    if isinstance(value, list):
        return [included(one, texts) for one in value]
    if isinstance(value, dict):
        return {key: included(one, texts) for key, one in value.items()}
    return value


def message_text(body: Mapping[str, Json], index: int) -> str:
    """Return the text of a message of *body*.

    Raises:
        InvalidInput: there is no such message.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or index >= len(messages):
        raise InvalidInput(f"There is no message {index}, counted from 0.", "messages")
    content = messages[index].get("content")
    parts = content if isinstance(content, list) else [content]
    said = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "".join(text for text in said if isinstance(text, str))


def _partials(value: Json) -> Iterator[Partial]:
    if isinstance(value, str):
        yield from map(_partial, _PARTIAL.finditer(value))
    elif isinstance(value, list | dict):
        for one in value if isinstance(value, list) else value.values():
            yield from _partials(one)


def _partial(found: re.Match[str]) -> Partial:
    return Partial(found["prompt"], int(found["index"]), found["environment"])

"""The bare inputs of embeddings and text completions: a string, several strings, or tokens in place of strings."""

from collections.abc import Sequence

from msgspec import UNSET

from reenact.dialects.wire import from_json_text
from reenact.domain.digesting import canonical
from reenact.domain.message import Json, Message, Opaque, Role, Text


def read_input(value: Json) -> tuple[Message, ...]:
    """Return one message for each text; an input of tokens is one Opaque part."""
    texts = value if _is_several(value) else [] if value is None or value is UNSET else [value]
    return tuple(_read(text) for text in texts)


def write_input(messages: Sequence[Message], value: Json) -> Json:
    """Return *messages* as an input; *value* itself (UNSET for none) while they say what it does, else in its form."""
    if tuple(messages) == read_input(value):
        return value
    texts = [_write(message) for message in messages]
    return texts if _is_several(value) or len(texts) != 1 else texts[0]


def _is_several(value: Json) -> bool:
    """Return whether *value* is a list of inputs, not the tokens of one."""
    return isinstance(value, list) and all(isinstance(item, str | list) for item in value)


def _read(value: Json) -> Message:
    part = Text(value) if isinstance(value, str) else Opaque(canonical(value).decode())
    return Message(role=Role.USER, parts=(part,), origin=value)


def _write(message: Message) -> Json:
    if len(message.parts) == 1 and isinstance(part := message.parts[0], Opaque):
        return from_json_text(part.json)
    return message.text

"""Say what a prompt and its versions may be: bounded, and of the shape that everything which reads them takes for granted."""

from collections.abc import Iterable

import msgspec

from reenact.domain.message import Json
from reenact.errors import InvalidInput, TooLarge
from reenact.prompts.shaping import read_body

MOST_BODY_BYTES = 1024 * 1024
MOST_TAGS = 100
_MOST_DEPTH = 64


def checked_body(body: Json, field: str) -> dict[str, Json]:
    """Return *body* when it can be a version's.

    Raises:
        InvalidInput: it is no chat request, or nested too deeply; *field* is the place of the body.
        TooLarge: it is longer than a body may be.
    """
    if not isinstance(body, dict):
        raise InvalidInput("Expected a chat request: an object.", field)
    if _is_deep(body, _MOST_DEPTH):
        raise InvalidInput(f"It is nested more than {_MOST_DEPTH} deep.", field)
    try:
        read_body(body)
    except InvalidInput as error:
        raise InvalidInput(f"It is no chat request: {error.message}", field) from error
    size = len(msgspec.json.encode(body))
    if size > MOST_BODY_BYTES:
        raise TooLarge(f"A prompt's body may have {MOST_BODY_BYTES:,} bytes; this one has {size:,}.")
    return body


def checked_tags(tags: Iterable[str], field: str = "tags") -> tuple[str, ...]:
    """Return *tags* without blanks around them, each once, empty ones left out, in their order.

    Raises:
        InvalidInput: there are too many.
    """
    found = tuple(dict.fromkeys(name for tag in tags if (name := tag.strip())))
    if len(found) > MOST_TAGS:
        raise InvalidInput(f"A prompt may have {MOST_TAGS} tags.", field)
    return found


def _is_deep(value: Json, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_is_deep(one, depth - 1) for one in inner)

"""Read patches, say which calls they mean, and write request bodies so that nothing but the patch changes."""

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial, reduce
from typing import get_args

import msgspec

from reenact.dialects.dialect import Dialect
from reenact.dialects.registry import dialect_named
from reenact.domain.call import Call
from reenact.domain.message import Json, Prompt, Text, ToolResult
from reenact.domain.patch import (
    Edit,
    Patch,
    Selector,
)
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.differing import same
from reenact.replay.editing import edited
from reenact.replay.patterning import matches

_EDITS = [kind.__struct_config__.tag for kind in get_args(Edit)]
_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def read_patch(value: Json) -> Patch:
    """Return the patch that *value*, decoded JSON, says.

    Raises:
        InvalidPatch: an unknown key or edit, or a value of the wrong type; `field` is its exact place.
    """
    try:
        patch = msgspec.convert(value, Patch)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        field = place["path"] if place else ""
        known = f" Known edits: {', '.join(_EDITS)}." if field.endswith(".edit") else ""
        raise InvalidPatch(f"The patch is not valid: {str(error).replace('`$.', '`')}.{known}", field) from error
    if patch.version != 1:
        raise InvalidPatch(f"The patch is of version {patch.version}; this server reads version 1.", "version")
    return patch


def selects(selector: Selector, position: int, call: Call, prompt: Callable[[], Prompt | None]) -> bool:
    """Return whether *selector* means the call at *position*, counted from 1; *prompt* is asked for only when needed."""
    return (
        _matches(selector.path, call.labels.path)
        and (selector.prompt_id is None or selector.prompt_id == call.labels.prompt_id)
        and (selector.calls is None or position in selector.calls)
        and (selector.first is None or position >= selector.first)
        and (selector.last is None or position <= selector.last)
        and _matches(selector.model, call.model)
        and (selector.provider is None or selector.provider == call.provider)
        and _matches(selector.dialect, call.dialect)
        and (selector.contains is None or _says(prompt(), lambda text: (selector.contains or "") in text))
        and (selector.matches is None or _says(prompt(), partial(matches, selector.matches)))
    )


def patched_body(dialect: Dialect, body: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the request *body* after *edits*; the very bytes of *body* when they change nothing in it.

    Raises:
        InvalidInput: the body cannot be read as its format.
        InvalidPatch: an edit does not fit this format.
    """
    if not edits:
        return body
    before = decoded(body)
    prompt = dialect.read_prompt(before)
    after = reduce(edited, edits, prompt)
    return body if is_unchanged(prompt, after) else msgspec.json.encode(written(after))


def is_unchanged(before: Prompt, after: Prompt) -> bool:
    """Return whether two prompts say the same, where a parameter of `1` is not one of `true` though Python says so."""
    return before == after and same(before.parameters, after.parameters)


def decoded(body: bytes) -> Json:
    """Return *body* as JSON.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The request body is not JSON: {error}") from error


def written(prompt: Prompt) -> Json:
    """Return *prompt* as a request body of its dialect.

    Raises:
        InvalidPatch: the format has no place for what the prompt says, such as a system message for embeddings.
    """
    dialect = dialect_named(prompt.dialect)
    assert dialect is not None, "a prompt is of a dialect"
    try:
        body = dialect.write_prompt(prompt)
        is_kept = (
            prompt.origin is None  # translated: made for the format
            or all(message.origin for message in prompt.messages)
            or dialect.read_prompt(body).messages == prompt.messages
        )
    except InvalidInput as error:
        raise InvalidPatch(f"The format {prompt.dialect} cannot say this: {error.message}") from error
    if not is_kept:
        raise InvalidPatch(f"The format {prompt.dialect} has no place for a new message.")
    return body


def _matches(pattern: str | None, text: str) -> bool:
    return pattern is None or fnmatchcase(text, pattern)


def _says(prompt: Prompt | None, is_meant: Callable[[str], bool]) -> bool:
    """Return whether some message's text is meant, tool results included."""
    return prompt is not None and any(
        is_meant(part.text)
        for message in prompt.messages
        for part in message.parts
        if isinstance(part, Text | ToolResult)
    )

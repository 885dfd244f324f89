"""Looking into JSON of unknown shape without raising, and putting a changed body together again."""

from collections.abc import Mapping
from typing import Any, TypeGuard

import msgspec

from reenact.domain.digesting import canonical
from reenact.domain.message import Json
from reenact.errors import InvalidInput

Object = dict[str, Any]
"""A JSON object."""


def is_object(value: Json) -> TypeGuard[Object]:
    """Return whether *value* is a JSON object."""
    return isinstance(value, dict)


def is_objects(value: Json) -> TypeGuard[list[Object]]:
    """Return whether *value* is a list of nothing but objects."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def need_object(body: Json) -> Object:
    """Return *body*, an object.

    Raises:
        InvalidInput: it is something else.
    """
    if is_object(body):
        return body
    raise InvalidInput("The body is not a JSON object.")


def need_objects(body: Object, key: str) -> list[Object]:
    """Return the list of objects under *key*; empty when there is no such key.

    Raises:
        InvalidInput: it is something else; `field` names the place.
    """
    value = body.get(key, [])
    if not isinstance(value, list):
        raise InvalidInput(f"`{key}` is not a list.", key)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise InvalidInput(f"`{key}.{index}` is not an object.", f"{key}.{index}")
    return value


def text(value: Json, key: str) -> str:
    """Return the string under *key*; empty when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def optional_text(value: Json, key: str) -> str | None:
    """Return the string under *key*, None when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def whole(value: Json, *keys: str) -> int | None:
    """Return the whole number at the path *keys*, None when there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def inner(value: Json, key: str) -> Object:
    """Return the object under *key*; empty when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def items(value: Json, key: str) -> list[Json]:
    """Return the list under *key*; empty when there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def objects(value: Json, key: str) -> list[Object]:
    """Return the objects of the list under *key*."""
    return [item for item in items(value, key) if isinstance(item, dict)]


def is_same(one: Json, other: Json) -> bool:
    """Return whether two JSON values are the same text; `==` takes true for 1 and 1 for 1.0."""
    return canonical(one) == canonical(other)


def as_json_text(value: Json) -> str:
    """Return *value* as JSON text; a string is taken for JSON text already."""
    return value if isinstance(value, str) else canonical(value).decode()


def from_json_text(value: str) -> Json:
    """Return the JSON in *value*, or the text itself where it is none."""
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def compose(origin: Json, fields: Mapping[str, Json]) -> Object:
    """Return an object of *fields* in the order of *origin*, new ones at its end; UNSET fields are left out."""
    order = origin if isinstance(origin, dict) else {}
    keys = [*(key for key in order if key in fields), *(key for key in fields if key not in order)]
    return {key: fields[key] for key in keys if fields[key] is not msgspec.UNSET}


def kept(origin: Object, key: str, value: Json, before: Json) -> Json:
    """Return the field of *origin* when its meaning is as it was *before*, else its new *value*; None removes it."""
    if value == before:
        return origin.get(key, msgspec.UNSET)
    return msgspec.UNSET if value is None else value

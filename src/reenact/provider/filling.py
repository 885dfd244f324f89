"""Filling a JSON Schema with values that fit the conversation: names and numbers that it mentions come first."""

import math
from typing import Any

from reenact.dialects.wire import inner, is_object, items, objects, text
from reenact.domain.message import Json
from reenact.provider.choosing import Chooser
from reenact.provider.phrasing import names, numbers, topics

_DEEPEST = 8
_LONGEST = 10_000
_FORMATS = {
    "date-time": "2026-01-15T09:30:00Z",
    "date": "2026-01-15",
    "time": "09:30:00Z",
    "duration": "PT1H",
    "email": "ann@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
}


class Filler:
    """Makes values for one schema out of one conversation."""

    def __init__(self, schema: Json, said: str, chooser: Chooser) -> None:
        self._root = schema if is_object(schema) else {}
        self._chooser = chooser
        self._names = [*names(said), *topics(said)] or ["example"]
        self._numbers = numbers(said)
        self._spoken = said.lower()
        self._taken = 0

    def fill(self) -> Json:
        """Return a value that the schema allows."""
        return self._fill(self._root, 0)

    def _fill(self, schema: Json, depth: int) -> Json:
        if not is_object(schema):
            return self._string({})
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return self._known(schema["enum"])
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind in ("integer", "number"):
            return self._number(schema, kind == "integer")
        if kind == "boolean":
            return self._chooser.number(2) == 0
        return None if kind == "null" else self._string(schema)

    def _resolved(self, schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Return the schema behind `$ref`, of the first branch of `anyOf` or `oneOf`, and of all of `allOf`."""
        if depth > _DEEPEST:
            return {}
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            target: Json = self._root
            for key in reference.split("/")[1:]:
                target = inner(target, key.replace("~1", "/").replace("~0", "~"))
            return self._resolved(target, depth + 1)
        for key in ("anyOf", "oneOf"):
            branches = objects(schema, key)
            if branches:
                first = next((one for one in branches if one.get("type") != "null"), branches[0])
                return self._resolved(first, depth + 1)
        for branch in objects(schema, "allOf"):
            more = self._resolved(branch, depth + 1)
            properties = inner(schema, "properties") | inner(more, "properties")
            required = [*items(schema, "required"), *items(more, "required")]
            schema = {**schema, **more, "properties": properties, "required": required}
        return schema

    def _object(self, schema: dict[str, Any], depth: int) -> Json:
        properties = inner(schema, "properties")
        required = [key for key in properties if key in items(schema, "required")]
        keys = required if required or depth > _DEEPEST else list(properties)
        return {key: self._fill(properties[key], depth + 1) for key in keys}

    def _array(self, schema: dict[str, Any], depth: int) -> Json:
        least = min(int(_number_at(schema, "minItems", 0)), _LONGEST)
        most = _number_at(schema, "maxItems", max(least, 2))
        count = least if depth > _DEEPEST else int(max(least, min(most, 1 + self._chooser.number(2))))
        return [self._fill(schema.get("items", {}), depth + 1) for _ in range(count)]

    def _number(self, schema: dict[str, Any], whole: bool) -> Json:
        step = abs(_number_at(schema, "multipleOf", 0)) or (1 if whole else 0.5)
        high = _number_at(schema, "maximum", _number_at(schema, "exclusiveMaximum", math.inf) - step)
        low = _number_at(schema, "minimum", _number_at(schema, "exclusiveMinimum", min(0, high) - step) + step)
        high = min(high, low + 100 * step)
        said = [number for number in self._numbers if low <= number <= high and (number / step).is_integer()]
        if said:
            self._numbers.remove(said[0])
            return int(said[0]) if whole else said[0]
        first = -(-low // step)
        value = (first + self._chooser.number(max(1, int(high // step - first) + 1))) * step
        return int(value) if whole else value

    def _string(self, schema: dict[str, Any]) -> str:
        if text(schema, "format") in _FORMATS:
            return _FORMATS[schema["format"]]
        said = self._names[self._taken % len(self._names)]
        self._taken += 1
        while len(said) < min(_number_at(schema, "minLength", 0), _LONGEST):
            said += f" {said}"
        return said[: int(_number_at(schema, "maxLength", _LONGEST))]

    def _known(self, values: list[Json]) -> Json:
        """Return the one that the conversation names, else one of them."""
        named = [value for value in values if isinstance(value, str) and value and value.lower() in self._spoken]
        return named[0] if named else self._chooser.pick(values)


def _kind(schema: dict[str, Any]) -> str:
    """Return the type, the first of several that is not null; Gemini writes them in capitals."""
    given = schema.get("type")
    kinds = [kind.lower() for kind in (given if isinstance(given, list) else [given]) if isinstance(kind, str)]
    guess = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return next((kind for kind in kinds if kind != "null"), "null" if kinds else guess)


def _number_at(schema: dict[str, Any], key: str, default: float) -> float:
    """Return the number under *key*, *default* when there is none."""
    found = schema.get(key)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else default

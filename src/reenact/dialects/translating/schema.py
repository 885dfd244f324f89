"""Gemini's own schemas as JSON Schema: its types are upper-case and it says `nullable` (ai.google.dev, 2026-11)."""

from reenact.domain.message import Json

_NAMED = frozenset({"properties", "$defs", "definitions"})
"""Keys under which names stand, and not the words of the format."""
_VALUES = frozenset({"enum", "const", "default", "example", "examples", "required", "propertyOrdering"})


def json_schema(value: Json) -> Json:
    """Return *value* as JSON Schema; what is JSON Schema already comes back as it is."""
    if isinstance(value, list):
        return [json_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    schema = {key: _inside(key, one) for key, one in value.items() if key not in ("nullable", "propertyOrdering")}
    kind = schema.get("type")
    if isinstance(kind, str):
        lowered = "null" if kind == "TYPE_UNSPECIFIED" else kind.lower()
        schema["type"] = [lowered, "null"] if value.get("nullable") is True else lowered
    return schema


def _inside(key: str, value: Json) -> Json:
    if key in _NAMED and isinstance(value, dict):
        return {name: json_schema(one) for name, one in value.items()}
    return value if key in _VALUES else json_schema(value)

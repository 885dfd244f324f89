"""Find the places of a request body that a JSONPath (RFC 9535) names, in time that is bounded whoever wrote the path.

Each step takes one selector, and one step at most looks at every depth: so no path visits a value more often than the body is
deep. Filters, and with them the functions that match patterns, are refused: a patch selects calls by what they say elsewhere.
"""

import importlib
from typing import Any

from reenact.domain.message import Json
from reenact.errors import InvalidPatch

_SELECTORS = frozenset({"NameSelector", "IndexSelector", "SliceSelector", "WildcardSelector"})
_DESCENT = "JSONPathRecursiveDescentSegment"


def places(body: Json, path: str) -> list[str]:
    """Return the JSON Pointers (RFC 6901) of what *path* selects in *body*, what lies deepest first.

    Raises:
        InvalidPatch: it is no path that is taken here, or selects nothing; `field` is `path`.
    """
    jsonpath: Any = importlib.import_module("jsonpath")  # here alone: most servers never read a path
    try:
        query = jsonpath.JSONPathEnvironment(strict=True).compile(path)
        _must_be_bounded(query)
        found = list(dict.fromkeys(tuple(node.parts) for node in query.finditer(body)))
    except jsonpath.JSONPathError as error:
        raise InvalidPatch(f"{path!r} is no JSONPath that can be followed: {error.args[0]}.", "path") from None
    if not found:
        raise InvalidPatch(f"The path {path} selects nothing in the body of this call.", "path")
    return [_pointer(parts) for parts in sorted(found, key=len, reverse=True)]


def _must_be_bounded(query: Any) -> None:
    descents = 0
    for segment in query.segments:
        descents += type(segment).__name__ == _DESCENT
        kinds = [type(selector).__name__ for selector in segment.selectors]
        if len(kinds) > 1 or descents > 1 or not _SELECTORS.issuperset(kinds):
            message = "A path takes names, positions, ranges, * and one .. at most: no filters, no lists of selectors."
            raise InvalidPatch(message, "path")


def _pointer(parts: tuple[str | int, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)

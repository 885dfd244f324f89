"""Say where two JSON bodies differ."""

from collections.abc import Iterator
from typing import Any

from reenact.domain.digesting import canonical
from reenact.domain.message import Json
from reenact.domain.replay import FieldChange, Operation


def changes(before: Json, after: Json) -> tuple[FieldChange, ...]:
    """Return every place in which *before* and *after* differ, in reading order of *before*, then what was added.

    Lists that grew or shrank are compared from both ends, so that one inserted message is one change.
    """
    return tuple(_changes("", before, after))


def same(left: Json, right: Json) -> bool:
    """Return whether two values are equal as JSON, where `1` is not `true` though Python says so."""
    return left is right or canonical(left) == canonical(right)


def pointer(path: str, token: str | int) -> str:
    """Return the JSON Pointer *path* one step further (RFC 6901 section 3)."""
    return f"{path}/{str(token).replace('~', '~0').replace('/', '~1')}"


def _changes(path: str, before: Json, after: Json) -> Iterator[FieldChange]:
    if before is after:  # what an edit left alone is most often the very object
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(path, before, after)
    elif not same(before, after):
        yield FieldChange(path=path, before=before, after=after)


def _of_objects(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[FieldChange]:
    for key, value in before.items():
        place = pointer(path, key)
        if key in after:
            yield from _changes(place, value, after[key])
        else:
            yield FieldChange(path=place, operation=Operation.REMOVE, before=value)
    for key, value in after.items():
        if key not in before:
            yield FieldChange(path=pointer(path, key), operation=Operation.ADD, after=value)


def _of_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[FieldChange]:
    if len(before) == len(after):
        start, end_before, end_after = 0, len(before), len(after)
    else:
        start = _shared(before, after)
        shared_end = _shared(before[start:][::-1], after[start:][::-1])
        end_before, end_after = len(before) - shared_end, len(after) - shared_end
    both = min(end_before, end_after)
    for position in range(start, both):
        yield from _changes(pointer(path, position), before[position], after[position])
    for position in range(both, end_before):
        yield FieldChange(path=pointer(path, position), operation=Operation.REMOVE, before=before[position])
    for position in range(both, end_after):
        yield FieldChange(path=pointer(path, position), operation=Operation.ADD, after=after[position])


def _shared(before: list[Any], after: list[Any]) -> int:
    """Return how many items at the beginning are the same."""
    for position, (left, right) in enumerate(zip(before, after, strict=False)):
        if not same(left, right):
            return position
    return min(len(before), len(after))

"""Sorting: Helicone's `sort` and the guide's `sort_by` as a domain Sort (surface 3.2, 3.4)."""

from reenact.api.columns import SORT_MAPS, SORTS
from reenact.domain.filter import RANDOM, Sort
from reenact.domain.message import Json
from reenact.errors import InvalidFilter


def read_sort(sort: Json, sort_by: Json) -> Sort:
    """Return the order that Helicone's `sort` or the guide's `sort_by` names; newest first when neither does.

    Raises:
        InvalidFilter: an unknown key or direction, or more than one key.
    """
    if sort_by is not None:
        if not isinstance(sort_by, dict) or not isinstance(key := sort_by.get("key"), str):
            raise InvalidFilter("Expected an object with `key` and `direction`.", "sort_by", sort_by)
        return _sort(key, sort_by.get("direction", "desc"), "sort_by.key", "sort_by.direction")
    if sort is None or sort == {}:
        return Sort()
    if not isinstance(sort, dict) or len(sort) != 1:
        raise InvalidFilter("Expected an object with one key, such as {'created_at': 'desc'}.", "sort", sort)
    ((key, direction),) = sort.items()
    if key == RANDOM:
        return _random(direction)
    if key not in SORT_MAPS:
        return _sort(key, direction, f"sort.{key}", f"sort.{key}")
    if not isinstance(direction, dict) or len(direction) != 1:
        raise InvalidFilter("Expected an object with the name of one property.", f"sort.{key}", direction)
    ((name, way),) = direction.items()
    return Sort(column="properties", key=name, ascending=_ascending(way, f"sort.{key}.{name}"))


def _random(wanted: Json) -> Sort:
    if wanted is not True:
        raise InvalidFilter("Expected `true`.", "sort.random", wanted)
    return Sort(column=RANDOM)


def _sort(key: str, direction: Json, key_path: str, direction_path: str) -> Sort:
    if key not in SORTS:
        raise InvalidFilter(f"Unknown sort key; known: {', '.join(sorted(SORTS))}.", key_path, key)
    return Sort(column=SORTS[key], ascending=_ascending(direction, direction_path))


def _ascending(direction: Json, path: str) -> bool:
    if direction not in ("asc", "desc"):
        raise InvalidFilter("Expected `asc` or `desc`.", path, direction)
    return bool(direction == "asc")

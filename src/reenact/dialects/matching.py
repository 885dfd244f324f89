"""Finding, for each part of an edited message, the wire object it was read from."""

from collections.abc import Callable, Sequence

from reenact.domain.message import Json, Part


def match_parts(
    parts: Sequence[Part], wires: Sequence[Json], read: Callable[[Json], Part], write: Callable[[Part, Json], Json]
) -> list[Json]:
    """Return *parts* as wire objects, each put into the one it was read from.

    That is one which says the same, else the one at the same place; *write* is given None where there is neither.
    """
    free = dict(enumerate(wires))
    chosen: dict[int, Json] = {}
    for place, part in enumerate(parts):
        equal = next((index for index, wire in free.items() if read(wire) == part), None)
        if equal is not None:
            chosen[place] = free.pop(equal)
    return [chosen[place] if place in chosen else write(part, free.get(place)) for place, part in enumerate(parts)]

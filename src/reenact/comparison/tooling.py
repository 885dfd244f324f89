"""Which tool calls of two answers belong together, and how their arguments differ."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from reenact.comparison.differing import json_changes
from reenact.domain.comparison import ToolPair
from reenact.domain.message import Json, ToolUse


def pair_tools(left: Sequence[ToolUse], right: Sequence[ToolUse]) -> tuple[ToolPair, ...]:
    """Pair tool calls by name: equal arguments first, then in order; the rest stand alone.

    Parallel tool calls have no order that means anything, so two answers that ask the same in another order are alike.

    Returns:
        Left order, then what only the right side asks.
    """
    partners = _partners(left, right)
    taken = set(partners.values())
    rows = [_pair(use, right[partners[at]] if at in partners else None) for at, use in enumerate(left)]
    return (*rows, *(_pair(None, use) for at, use in enumerate(right) if at not in taken))


def _partners(left: Sequence[ToolUse], right: Sequence[ToolUse]) -> dict[int, int]:
    """Return the right position for each left position that has one."""
    partners: dict[int, int] = {}
    for is_exact in (True, False):
        waiting: dict[object, list[int]] = defaultdict(list)
        taken = set(partners.values())
        for at, use in enumerate(right):
            if at not in taken:
                waiting[_key(use, is_exact)].append(at)
        for at, use in enumerate(left):
            if at not in partners and (found := waiting[_key(use, is_exact)]):
                partners[at] = found.pop(0)
    return partners


def _key(use: ToolUse, is_exact: bool) -> object:
    return (use.name, msgspec.json.encode(arguments(use), order="sorted")) if is_exact else use.name


def _pair(left: ToolUse | None, right: ToolUse | None) -> ToolPair:
    return ToolPair(
        left_name=left.name if left else None,
        right_name=right.name if right else None,
        changes=json_changes(arguments(left), arguments(right)) if left and right else (),
        left_arguments=left.arguments if left else None,
        right_arguments=right.arguments if right else None,
    )


def arguments(use: ToolUse) -> Json:
    """Return the arguments as JSON; the text itself when it is not JSON."""
    try:
        return msgspec.json.decode(use.arguments)
    except (msgspec.DecodeError, RecursionError):
        return use.arguments

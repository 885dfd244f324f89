"""Make one turn of all attempts at the same call of a take: the one that was answered stands for it."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from reenact.comparison.totalling import is_failed
from reenact.domain.comparison import Turn


def fold(turns: Sequence[Turn]) -> list[Turn]:
    """Return *turns* with each call of a take once, at the place of the attempt that stands for it.

    That is the last answered one, else the last one. Calls of agents stay as they are, as do those that stand for no other.
    """
    attempts: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, turn in enumerate(turns):
        attempts[_step(turn)].append(at)
    standing = {_standing(turns, places): places for places in attempts.values()}
    return [_with_attempts(turns, at, standing[at]) for at in range(len(turns)) if at in standing]


def _step(turn: Turn) -> tuple[object, ...]:
    """Return which step of which take a call is; its own id for any other."""
    link = turn.call.labels.replay
    return (link.replay_id, link.take, link.source_call_id) if link else (turn.call.id,)


def _standing(turns: Sequence[Turn], places: Sequence[int]) -> int:
    return next((at for at in reversed(places) if not is_failed(turns[at].call)), places[-1])


def _with_attempts(turns: Sequence[Turn], at: int, places: Sequence[int]) -> Turn:
    others = tuple(turns[place].call for place in places if place != at)
    return msgspec.structs.replace(turns[at], attempts=others) if others else turns[at]

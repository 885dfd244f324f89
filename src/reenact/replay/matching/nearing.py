"""What came nearest to a request that no recorded call answers, how far it is, and where the two differ."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from heapq import nlargest
from urllib.parse import urlsplit

from rapidfuzz.distance import Indel

from reenact.domain.digesting import canonical
from reenact.domain.message import Json
from reenact.domain.playback import Difference
from reenact.domain.replay import FieldChange, Operation
from reenact.replay.differing import changes
from reenact.replay.matching.assigning import Card, Deck
from reenact.replay.matching.fingerprinting import Asked, Fingerprint
from reenact.replay.matching.normalising import Normaliser
from reenact.replay.matching.parting import meaning

MOST_DIFFERENCES = 20
"""How many differences are listed."""
_CANDIDATES = 12
"""How many calls are looked at closely."""
_COMMON = 500
"""A piece that stands in more calls than this tells little about which is nearest."""
_MOST_COMPARED = 4_000
"""How many characters of two texts are compared, after what they begin and end with alike."""
_CONTEXT = 20
_SHOWN = 160


class Neighbourhood:
    """Which recorded calls share most with a request."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._cards = cards
        self._holders: dict[bytes, list[int]] = defaultdict(list)
        for place, card in enumerate(cards):
            for piece in {piece.digest for piece in (card.print.normal.pieces if card.print.normal else ())}:
                self._holders[piece].append(place)

    def candidates(self, asked: Fingerprint, deck: Deck) -> list[Card]:
        """Return a few recorded calls that may be the nearest, likely ones first."""
        shared: dict[int, int] = defaultdict(int)
        for piece in asked.normal.pieces if asked.normal else ():
            holders = self._holders.get(piece.digest, ())
            for place in holders if len(holders) <= _COMMON else ():
                shared[place] += piece.body_bytes
        places = shared or range(len(self._cards))

        def preference(place: int) -> tuple[int, ...]:
            card = self._cards[place]
            return (
                card.print.place == asked.place,
                shared.get(place, 0),
                deck.may_have(asked, card),
                card.print.path == asked.path,
                card.print.prompt_id == asked.prompt_id,
                -abs(card.print.body_bytes - asked.body_bytes),
            )

        return [self._cards[place] for place in nlargest(_CANDIDATES, places, key=preference)]


def distance(old: Asked, new: Asked) -> float:
    """Return how far two requests are from one another, from 0 (they say the same) to 1 (nothing alike).

    It is what has to be put in and taken out to make one of the other, in relation to both together.
    """
    before, after = meaning(old.body, old.headers), meaning(new.body, new.headers)
    if before is None or after is None:
        return _apart(old.body.decode("latin-1"), new.body.decode("latin-1")) / max(len(old.body) + len(new.body), 1)
    whole = len(canonical(before)) + len(canonical(after))
    moved = sum(_apart(*_sides(change)) for change in changes(before, after))
    return min(moved / whole, 1.0)


def differences(old: Asked, new: Asked, normaliser: Normaliser) -> tuple[tuple[Difference, ...], int]:
    """Return where two requests differ, the first places, and how many places are left out.

    What only drifts comes last: it is not why the two do not match.
    """
    found = list(_differences(old, new, normaliser))
    return tuple(found[:MOST_DIFFERENCES]), max(len(found) - MOST_DIFFERENCES, 0)


def shortened(change: FieldChange) -> Difference:
    """Return a change of a body as it is shown: long texts cut to where they differ."""
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str) and change.operation is Operation.REPLACE:
        before, after = _cut(before, after)
    return Difference(path=change.path, before=_short(before), after=_short(after))


def _differences(old: Asked, new: Asked, normaliser: Normaliser) -> Iterator[Difference]:
    for name, before, after in (
        ("method", old.method, new.method),
        ("provider", old.provider, new.provider),
        ("address", urlsplit(old.target).path, urlsplit(new.target).path),
        ("query", urlsplit(old.target).query, urlsplit(new.target).query),
        ("session path", old.labels.path, new.labels.path),
        ("prompt id", old.labels.prompt_id, new.labels.prompt_id),
    ):
        if before != after:
            yield Difference(path=name, before=before, after=after)
    before, after = meaning(old.body, old.headers), meaning(new.body, new.headers)
    if before is not None and after is not None:
        found = changes(before, after)
        drifts = {place for place, one in enumerate(found) if normaliser.says_the_same(one.before, one.after)}
        yield from (shortened(one) for place, one in enumerate(found) if place not in drifts)
        yield from (shortened(one) for place, one in enumerate(found) if place in drifts)
    elif old.body != new.body:
        yield Difference(path="body", before=f"{len(old.body)} bytes", after=f"{len(new.body)} other bytes")


def _sides(change: FieldChange) -> tuple[str, str]:
    return (
        "" if change.operation is Operation.ADD else _text(change.before),
        "" if change.operation is Operation.REMOVE else _text(change.after),
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value).decode()


def _apart(before: str, after: str) -> int:
    """Return how many characters have to be put in and taken out; of long texts about."""
    start = _alike(before, after)
    before, after = before[start:], after[start:]
    end = _alike(before[::-1], after[::-1])
    before, after = before[: len(before) - end], after[: len(after) - end]
    rest = max(len(before) - _MOST_COMPARED, 0) + max(len(after) - _MOST_COMPARED, 0)
    return rest + Indel.distance(before[:_MOST_COMPARED], after[:_MOST_COMPARED])


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # by halves: comparing slices is much faster than comparing characters
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _cut(before: str, after: str) -> tuple[str, str]:
    """Return two long texts from a little before where they begin to differ."""
    start = max(_alike(before, after) - _CONTEXT, 0)
    return ("…" + before[start:], "…" + after[start:]) if start else (before, after)


def _short(value: Json) -> Json:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _text(value)
    if len(text) <= _SHOWN:
        return value
    return f"{text[:_SHOWN]}… ({len(text)} characters)"

"""Give each request the recorded call that it stands for, and each recorded call to one request only.

Equal requests are told apart by what their agent says of them: a session path or a prompt id that the record knows names a
chain of calls, and a request of one chain is never given what another chain was told. Within a chain equal requests are
answered in the order in which they were recorded.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from reenact.domain.playback import Level
from reenact.replay.matching.fingerprinting import Fingerprint

_TELLING = 12
"""How many characters a value has that names one thing only; a shorter one, such as `call_1`, is made again by every run."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded call that may be given to a request."""

    index: int
    """Position in the session, counted from 1."""
    call_id: str
    print: Fingerprint
    hindrance: str = ""
    """Why it cannot be given, such as that its answer was not kept; empty when it can."""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The recorded call that a request stands for."""

    level: Level
    card: Card
    distance: float = 0


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """No recorded call is left that a request stands for."""

    reason: str
    """In words."""
    candidates: tuple[Card, ...] = ()
    """Recorded calls with the same request that it cannot be given."""


class Deck:
    """The recorded calls of a session as one take uses them up. Finding a call costs the same however many there are."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self.cards = tuple(cards)
        self._exact = _grouped((card.print.exact, card) for card in cards)
        self._equivalent = _grouped((card.print.equivalent, card) for card in cards)
        self._given: dict[int, Card] = {}
        self._paths = {card.print.path for card in cards}
        self._prompt_ids = {card.print.prompt_id for card in cards}
        self._values = {
            value for card in cards if card.print.normal for value in card.print.normal.values if len(value) >= _TELLING
        }

    @property
    def left(self) -> tuple[Card, ...]:
        """What was given to no request yet."""
        return tuple(card for card in self.cards if card.index not in self._given)

    def is_given(self, card: Card) -> bool:
        """Return whether a request has it."""
        return card.index in self._given

    def draw(self, asked: Fingerprint) -> Match | Miss:
        """Give a request the call that it stands for, if one is left."""
        equal = self._exact.get(asked.exact, ())
        like = () if asked.equivalent is None else self._equivalent.get(asked.equivalent, ())
        for level, cards in ((Level.EXACT, equal), (Level.EQUIVALENT, like)):
            if (card := self._best(asked, cards)) is not None:
                return self.give(Match(level=level, card=card))
        given = [card for card in self._given.values() if _is_same(asked, card)]
        same = sorted((*(equal or like), *given), key=lambda card: card.index)
        return Miss(reason=self._reason(asked, same), candidates=tuple(same))

    def give(self, match: Match) -> Match:
        """Note that a request has what it matched."""
        self._given[match.card.index] = match.card
        for group in self._groups(match.card):
            group.remove(match.card)
        return match

    def take_back(self, card: Card) -> None:
        """Note that a request whose agent left did not get it after all."""
        if self._given.pop(card.index, None) is not None:
            for group in self._groups(card):
                insort(group, card, key=lambda one: one.index)

    def may_have(self, asked: Fingerprint, card: Card) -> bool:
        """Return whether *card* is left, and of the same place and chain."""
        return (
            not self.is_given(card)
            and not card.hindrance
            and card.print.place == asked.place
            and (card.print.path == asked.path or asked.path not in self._paths)
            and (card.print.prompt_id == asked.prompt_id or asked.prompt_id not in self._prompt_ids)
        )

    def _groups(self, card: Card) -> list[list[Card]]:
        groups = [self._exact[card.print.exact]]
        if card.print.equivalent is not None:
            groups.append(self._equivalent[card.print.equivalent])
        return groups

    def _best(self, asked: Fingerprint, cards: Sequence[Card]) -> Card | None:
        """Return the first of the best; *cards* are in the order of the session."""
        best, most = None, (-1, -1, -1)
        for card in cards:
            if not self.may_have(asked, card) or not self._says_the_same(asked, card):
                continue
            likeness = _likeness(asked, card)
            if likeness > most:
                best, most = card, likeness
            if likeness == _likeness(asked, None):
                break
        return best

    def _says_the_same(self, asked: Fingerprint, card: Card) -> bool:
        """Return whether every value that differs is one that the record does not know: it has drifted, and names nothing."""
        if asked.normal is None or card.print.normal is None or asked.exact == card.print.exact:
            return True
        pairs = zip(asked.normal.values, card.print.normal.values, strict=True)
        return all(new == old or new not in self._values for new, old in pairs)

    def _reason(self, asked: Fingerprint, same: Sequence[Card]) -> str:
        """Return why none of the recorded calls with the *same* request can be given."""
        if not same:
            return "No recorded call has this request."
        if hindrance := next((card.hindrance for card in same if card.hindrance), ""):
            return f"The recorded call cannot be given again: {hindrance}."
        own = [card for card in same if self._says_the_same(asked, card)]
        if not own:
            return "Recorded calls differ from it only in ids or times, but in ones that stand in the record elsewhere."
        left = [card for card in own if not self.is_given(card)]
        if not left:
            times = "once" if len(own) == 1 else f"{len(own)} times"
            return f"This request was recorded {times} and is asked more often."
        return "This request was recorded under another session path or prompt id only, which may be given to no other."


def _likeness(asked: Fingerprint, card: Card | None) -> tuple[int, int, int]:
    """Return how much of what surrounds two requests is the same; with None the most that it can be."""
    other = asked if card is None else card.print
    same_labels = (other.path == asked.path) + (other.prompt_id == asked.prompt_id)
    values = 0
    if asked.normal is not None and other.normal is not None:
        values = sum(new == old for new, old in zip(asked.normal.values, other.normal.values, strict=False))
    return same_labels, len(asked.traits & other.traits), values


def _is_same(asked: Fingerprint, card: Card) -> bool:
    """Return whether two requests are exact or equivalent."""
    return card.print.exact == asked.exact or (
        asked.equivalent is not None and card.print.equivalent == asked.equivalent
    )


def _grouped(pairs: Iterable[tuple[bytes | None, Card]]) -> dict[bytes, list[Card]]:
    groups: dict[bytes, list[Card]] = defaultdict(list)
    for key, card in pairs:
        if key is not None:
            groups[key].append(card)
    return dict(groups)

"""OpenTake: a take whose requests are being answered, as it stands from moment to moment."""

from collections.abc import Callable, Sequence

import msgspec

from reenact.domain.exchange import Ending, Exchange
from reenact.domain.playback import Level, Nearest, PlayedCall, Server
from reenact.domain.replay import CallResult, Plan, Take
from reenact.gateway.ask import Ask
from reenact.replay.matching.assigning import Card, Deck, Match


class OpenTake:
    """Counts requests as they come and keeps what became of each. Everything happens on the event loop, in one step each."""

    def __init__(self, take: Take, plan: Plan, cards: Sequence[Card], on_change: Callable[[], None]) -> None:
        self._take = take
        self._on_change = on_change
        self._played: dict[int, PlayedCall] = {}
        self._numbers: dict[str, int] = {}
        self._under_way: set[int] = set()
        self.deck = Deck(cards)
        self.live = frozenset(call.index for call in plan.asked)
        """Positions of the recorded calls that are asked for real."""
        self._servable = {call.index: call.call_id for call in plan.calls if call.action != "skip"}
        self.has_forked = False
        self.has_missed = False

    @property
    def number(self) -> int:
        """Of the take."""
        return self._take.number

    @property
    def session_id(self) -> str:
        """Of the take."""
        return self._take.session_id

    @property
    def arm(self) -> str:
        """Of the take."""
        return self._take.arm

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return not self._under_way

    @property
    def requests(self) -> int:
        """How many have come."""
        return len(self._played)

    def begin(self, ask: Ask) -> int:
        """Count a request that has come and return its number."""
        number = len(self._played) + 1
        self._under_way.add(number)
        self._numbers[ask.id] = number
        self._played[number] = PlayedCall(
            number=number,
            call_id=ask.id,
            level=Level.NONE,
            served=Server.NOBODY,
            path=ask.labels.path,
            prompt_id=ask.labels.prompt_id,
        )
        return number

    def decide(self, number: int, found: Match | None, served: Server) -> None:
        """Note who answers a request, and what it matches."""
        self.has_forked |= served is Server.LIVE
        self.has_missed |= found is None
        if found is not None:
            card = found.card
            self.note(
                number,
                level=found.level,
                index=card.index,
                source_call_id=card.call_id,
                distance=round(found.distance, 4),
                reason="",
                nearest=None,
            )
        self.note(number, served=served)

    def note(self, number: int, **changes: object) -> None:
        """Note what became of a request."""
        self._played[number] = msgspec.structs.replace(self._played[number], **changes)
        self._on_change()

    def miss(self, number: int, reason: str, nearest: Nearest | None) -> None:
        """Note why no recorded call answers a request."""
        self.note(number, reason=reason, nearest=nearest)

    def fail(self, call_id: str, fault: str) -> None:
        """Note that a call was not answered as it should have been."""
        number = self._numbers.get(call_id)
        if number is not None and self._played[number].failure is None:
            self.note(number, failure=fault)

    def settle(self, number: int, exchange: Exchange, card: Card | None) -> None:
        """Take that a request's exchange was recorded, for the last time with all of it."""
        self._under_way.discard(number)
        if exchange.ending is Ending.CLIENT_LEFT and card is not None and self._played[number].served is Server.RECORD:
            self.deck.take_back(card)  # an SDK that gave up asks again
        self.note(number, status=exchange.status or None, failure=self._failure(number, exchange))

    def snapshot(self) -> Take:
        """Return the take as it stands."""
        played = tuple(self._played.values())
        given = {card.index for card in self.deck.cards if self.deck.is_given(card)}
        results = sorted((_result(call) for call in played if call.index is not None), key=lambda one: one.index)
        unconsumed = tuple(index for index in self._servable if index not in given)
        return msgspec.structs.replace(self._take, played=played, results=tuple(results), unconsumed=unconsumed)

    def _failure(self, number: int, exchange: Exchange) -> str | None:
        """Return why a request was not answered as it should have been; what the record holds is as it should be."""
        call = self._played[number]
        if call.served is Server.NOBODY:
            return call.reason or exchange.detail
        if exchange.ending is Ending.CLIENT_LEFT:
            return exchange.detail
        if call.served is Server.RECORD:
            return call.failure
        if exchange.ending is not Ending.ANSWERED:
            return exchange.detail or exchange.ending.value
        return f"HTTP {exchange.status}" if exchange.status >= 400 else None


def _result(call: PlayedCall) -> CallResult:
    return CallResult(
        index=call.index or 0,
        source_call_id=call.source_call_id or "",
        call_id=call.call_id,
        status=call.status,
        failure=call.failure,
    )

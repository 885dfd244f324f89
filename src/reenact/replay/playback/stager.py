"""Stager: answers the calls of open takes inside the gateway, from the record or by letting them through to the provider."""

import asyncio
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from reenact.domain.exchange import Exchange
from reenact.domain.labels import ReplayLink
from reenact.domain.patch import Fault
from reenact.domain.playback import Level, Nearest, Server
from reenact.errors import InvalidPatch
from reenact.gateway.addressing import TakeName
from reenact.gateway.ask import Ask
from reenact.gateway.course import Course
from reenact.gateway.redacting import redact_target
from reenact.gateway.refusing import Refusal
from reenact.gateway.source import UpstreamAnswer
from reenact.replay.faulting import asks_nobody, faulted
from reenact.replay.matching.assigning import Card, Match, Miss
from reenact.replay.matching.fingerprinting import Asked, Fingerprint, fingerprint, recorded
from reenact.replay.matching.nearing import differences, distance
from reenact.replay.playback.answer import play
from reenact.replay.playback.deciding import Situation, server_of
from reenact.replay.playback.missing import refusal, sentence
from reenact.replay.playback.openreplay import OpenReplay
from reenact.replay.playback.opentake import OpenTake
from reenact.replay.playback.overriding import conversation_asked, fault_of, override

_GONE = "No such take is open here: its replay is over, or was never begun under this key."


_WRITES = (
    "It would be asked for real in the conversation {}, which the provider holds for the recorded session. Have the agent "
    "begin a conversation of its own, or fork no later than where it does. Nothing was sent to the provider."
)


class Archive(Protocol):
    """Where recorded exchanges are read; the call store. It may wait for a disk: used in threads."""

    def exchanges(self, organisation_id: str, call_ids: list[str]) -> list[Exchange]:
        """Return these exchanges in the order asked; unknown ids are left out."""
        ...


class Stager:
    """Knows the open takes. See gateway.stage.Stage."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._open: dict[str, OpenReplay] = {}

    def admit(self, replay: OpenReplay) -> None:
        """Answer the calls of *replay* from now on."""
        self._open[replay.id] = replay

    def dismiss(self, replay_id: str) -> None:
        """Answer no more calls of a replay."""
        self._open.pop(replay_id, None)

    def find(self, organisation_id: str, replay_id: str) -> OpenReplay | None:
        """Return an open replay of an organisation; None when it has none of this id."""
        found = self._open.get(replay_id)
        return found if found is not None and found.organisation_id == organisation_id else None

    async def open(self, course: Course) -> UpstreamAnswer | Refusal | None:
        """Return the recorded answer to a call, or a refusal; None when it is to be asked for real, as *course* then has it."""
        began_s = asyncio.get_running_loop().time()
        ask = course.ask
        name = ask.take or TakeName("", 0)
        replay = self.find(ask.organisation_id, name.replay_id)
        take = replay.takes.get(name.number) if replay is not None else None
        if replay is None or take is None:
            return _refused(ask, _GONE, 404, "no_such_take")
        return await _Scene(self._archive, replay, take, course, began_s).play()


class _Scene:
    """One call of a take."""

    def __init__(self, archive: Archive, replay: OpenReplay, take: OpenTake, course: Course, began_s: float) -> None:
        self._archive = archive
        self._replay = replay
        self._take = take
        self._course = course
        self._began_s = began_s
        self._number = take.begin(course.ask)
        self._card: Card | None = None
        course.afterwards(lambda exchange: take.settle(self._number, exchange, self._card))
        self._belong(course.ask.id)

    async def play(self) -> UpstreamAnswer | Refusal | None:
        """See Stager.open."""
        asked = _asked(self._course.ask)
        print_ = fingerprint(asked, self._replay.normaliser)
        drawn = self._take.deck.draw(print_)
        if isinstance(drawn, Miss):
            drawn = await self._nearest(asked, print_, drawn)
        found = drawn if isinstance(drawn, Match) else None
        served = self._served(found)
        self._take.decide(self._number, found, served)
        if found is not None:
            self._card = found.card
            self._belong(found.card.call_id)
        self._tell(found)
        if served is Server.RECORD and found is not None:
            return await self._serve(found)
        if served is Server.LIVE:
            return await self._let_through(found)
        reason = drawn.reason if isinstance(drawn, Miss) else ""
        return _refused(self._course.ask, reason)

    def _served(self, found: Match | None) -> Server:
        return server_of(
            Situation(
                playback=self._replay.playback,
                live=self._take.live,
                index=found.card.index if found else None,
                level=found.level if found else Level.NONE,
                has_forked=self._take.has_forked,
                has_missed=self._take.has_missed,
            )
        )

    async def _serve(self, found: Match) -> UpstreamAnswer | Refusal:
        """Return the recorded answer."""
        exchange = await self._exchange(found.card)
        if exchange is None:
            self._take.note(self._number, failure="The recorded call is gone.")
            return _refused(self._course.ask, "The recorded call is gone.", 410, "recording_gone")
        self._course.handle(played_from=found.card.call_id)
        if exchange.handling.asked is not None:
            self._wrap(exchange)
        return await play(exchange, self._replay.playback.pace, self._began_s)

    def _wrap(self, exchange: Exchange) -> None:
        """Have the call recorded as what was sent of the recorded one: its answer is in the format of whoever answered."""
        parts = urlsplit(exchange.target_url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._course.send(
            url=exchange.url,
            provider=exchange.provider,
            origin=f"{parts.scheme}://{parts.netloc}",
            target=target.encode("latin-1", "replace"),
            body=exchange.request_body,
        )
        self._course.handle(asked=exchange.handling.asked, changed_by=exchange.handling.changed_by)

    async def _let_through(self, found: Match | None) -> UpstreamAnswer | Refusal | None:
        """Have the call asked for real, with the patch's edits; or late, failing or cut, where the patch says so."""
        ask, patch = self._course.ask, self._replay.plan.patch
        if (conversation := conversation_asked(ask)) in self._replay.conversations:
            message = _WRITES.format(conversation)
            self._take.note(self._number, served=Server.NOBODY, reason=message)
            return _refused(ask, message, 422, "recorded_conversation")
        position = found.card.index if found else self._number
        fault = fault_of(ask, patch, position, self._replay.like)
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            if asks_nobody(fault):
                return await self._fail(fault, found)
        try:
            overridden = override(ask, self._replay.patched, position, self._replay.like, self._course.tagged)
        except InvalidPatch as error:
            message = f"The patch cannot be made in this request: {error.message}"
            self._take.note(self._number, served=Server.NOBODY, reason=message)
            return _refused(ask, message, 422, "invalid_patch")
        if overridden is not None:
            self._course.send(
                body=overridden.body,
                target=overridden.target,
                headers=tuple(header for header in ask.headers if header[0] != b"content-encoding"),
            )
            changed_by = self._course.handling.changed_by
            self._course.handle(changed_by=(*changed_by, "Reenact-Take"))
            self._take.note(self._number, overrides=overridden.differences)
        return None

    async def _fail(self, fault: Fault, found: Match | None) -> UpstreamAnswer | Refusal:
        """Return an answer that fails or breaks off; nobody is asked."""
        ask = self._course.ask
        path = ask.target.partition(b"?")[0].decode("latin-1")
        source = await self._exchange(found.card if found else self._take.deck.cards[0])
        is_whole = source is not None and (found is not None or fault.status is not None)
        if source is None or not is_whole:
            message = "No recorded call answers this request, so that there is no answer to cut."
            self._take.note(self._number, served=Server.NOBODY, reason=message)
            return _refused(ask, message, 422, "invalid_patch")
        exchange = faulted(source, fault, ask.provider, path)
        self._course.handle(played_from=exchange.handling.played_from)
        self._take.note(self._number, served=Server.NOBODY, reason=exchange.detail)
        return await play(exchange, 0, self._began_s)

    async def _nearest(self, asked: Asked, print_: Fingerprint, miss: Miss) -> Match | Miss:
        """Return an approximate match where one is allowed, else the miss, with what comes nearest noted."""
        deck = self._take.deck
        cards = (*miss.candidates, *self._replay.neighbourhood.candidates(print_, deck))
        measured: list[tuple[float, Card, Exchange]] = []
        for exchange, card in await self._exchanges(tuple(dict.fromkeys(cards))):
            measured.append((distance(recorded(exchange), asked), card, exchange))
        measured.sort(key=lambda one: (one[0], deck.is_given(one[1]), one[1].index))
        most = self._replay.playback.matching.approximate
        for far, card, _ in measured:
            if far <= most and most > 0 and deck.may_have(print_, card):
                return deck.give(Match(level=Level.APPROXIMATE, card=card, distance=far))
        nearest = None
        if measured:
            far, card, exchange = measured[0]
            listed, left_out = differences(recorded(exchange), asked, self._replay.normaliser)
            nearest = Nearest(
                index=card.index,
                call_id=card.call_id,
                distance=round(far, 4),
                is_asked=deck.is_given(card),
                differences=listed,
                left_out=left_out,
            )
        self._take.miss(self._number, miss.reason, nearest)
        return Miss(reason=sentence(miss.reason, nearest), candidates=miss.candidates)

    async def _exchange(self, card: Card) -> Exchange | None:
        return next((exchange for exchange, _ in await self._exchanges((card,))), None)

    async def _exchanges(self, cards: tuple[Card, ...]) -> list[tuple[Exchange, Card]]:
        by_id = {card.call_id: card for card in cards}
        found = await asyncio.to_thread(self._archive.exchanges, self._replay.organisation_id, list(by_id))
        return [(exchange, by_id[exchange.id]) for exchange in found]

    def _belong(self, source_call_id: str) -> None:
        """Make the call one of the take's session."""
        link = ReplayLink(
            replay_id=self._replay.id,
            take=self._take.number,
            source_session_id=self._replay.plan.session_id,
            source_call_id=source_call_id,
            arm=self._take.arm,
        )
        labels = msgspec.structs.replace(
            self._course.ask.labels,
            session_id=self._take.session_id,
            session_name=self._replay.session_name,
            replay=link,
        )
        self._course.send(labels=labels)

    def _tell(self, found: Match | None) -> None:
        """Tell the agent what its call was matched with."""
        told = self._course.told
        told.append((b"reenact-match", (found.level if found else Level.NONE).value.encode()))
        if found is not None:
            told.append((b"reenact-source-call", b"%d" % found.card.index))
            told.append((b"reenact-source-id", found.card.call_id.encode("latin-1", "replace")))


def _asked(ask: Ask) -> Asked:
    return Asked(
        method=ask.method,
        provider=ask.provider,
        target=redact_target(ask.target).decode("latin-1"),
        headers=ask.headers,
        body=ask.body,
        labels=ask.labels,
    )


def _refused(ask: Ask, message: str, status: int = 409, kind: str = "replay_miss") -> Refusal:
    path = ask.target.partition(b"?")[0].decode("latin-1")
    return refusal(ask.provider, ask.method, path, message, status, kind)

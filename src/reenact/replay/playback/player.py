"""Player: makes every recorded request of a session again and checks that each is answered as it was; nobody's code runs."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from reenact.domain.exchange import Exchange, Header
from reenact.gateway.addressing import TakeName
from reenact.gateway.ask import Ask, Sink
from reenact.gateway.collector import Collector
from reenact.gateway.labelling import label
from reenact.gateway.redacting import MARK
from reenact.replay.matching.fingerprinting import recorded
from reenact.replay.playback.answer import pause
from reenact.replay.playback.openreplay import OpenReplay
from reenact.replay.playback.opentake import OpenTake
from reenact.replay.playback.stager import Archive

_TOGETHER = 16
"""How many requests are under way at once, where they are not made at the pace of the recording."""
_READ_TOGETHER = 64


class Relaying(Protocol):
    """The relay, as far as it is used here."""

    async def relay(self, ask: Ask, sink: Sink) -> Exchange:
        """Send *ask*, hand the answer to *sink* as it comes, record it and return it."""
        ...


class Player:
    """Plays whole takes through a relay, as their agents would."""

    def __init__(
        self, relay: Relaying, archive: Archive, *, clock: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        """Take the parts; *clock* gives microseconds since the epoch, *new_id* UUIDs."""
        self._relay = relay
        self._archive = archive
        self._clock = clock
        self._new_id = new_id

    async def play(self, replay: OpenReplay, take: OpenTake) -> None:
        """Make every request that the record can answer, in the order of the session, at the pace of the replay."""
        began_s = asyncio.get_running_loop().time()
        first_us: int | None = None
        gate = asyncio.Semaphore(_TOGETHER if replay.playback.pace == 0 else 10_000)
        async with asyncio.TaskGroup() as group:
            for ids in _batches([call.call_id for call in replay.plan.served]):
                recorded = await asyncio.to_thread(self._archive.exchanges, replay.organisation_id, ids)
                for exchange in recorded:
                    first_us = exchange.started_us if first_us is None else first_us
                    await pause(began_s, exchange.started_us - first_us, replay.playback.pace)
                    await gate.acquire()
                    group.create_task(self._ask(replay, take, exchange, gate))

    async def _ask(self, replay: OpenReplay, take: OpenTake, source: Exchange, gate: asyncio.Semaphore) -> None:
        try:
            ask = self._again(replay, take, source)
            exchange = await self._relay.relay(ask, Collector())
            if (fault := _fault(source, exchange)) is not None:
                take.fail(ask.id, fault)
        finally:
            gate.release()

    def _again(self, replay: OpenReplay, take: OpenTake, source: Exchange) -> Ask:
        parts = urlsplit(source.target_url)
        asked = recorded(source)
        return Ask(
            id=self._new_id(),
            organisation_id=replay.organisation_id,
            method=source.method,
            url=source.url,
            provider=asked.provider,
            origin=f"{parts.scheme}://{parts.netloc}",
            target=asked.target.encode("latin-1", "replace"),
            labels=source.labels,
            headers=_headers(source),
            body=asked.body,
            started_us=self._clock(),
            take=TakeName(replay.id, take.number),
        )


def _headers(source: Exchange) -> tuple[Header, ...]:
    """Return the recorded headers without ours and without those whose secrets are gone."""
    return tuple(header for header in label(source.request_headers).headers if MARK not in header[1])


def _fault(source: Exchange, answered: Exchange) -> str | None:
    """Return in what an answer is not the recorded one, in words."""
    if answered.status != source.status:
        return f"It was answered with status {answered.status}, recorded {source.status}."
    if answered.response_body != source.response_body:
        pairs = zip(answered.response_body, source.response_body, strict=False)
        shorter = min(len(answered.response_body), len(source.response_body))
        at = next((place for place, (new, old) in enumerate(pairs) if new != old), shorter)
        return f"Its answer differs from the recorded one from byte {at} on."
    return None


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _READ_TOGETHER):
        yield list(ids[start : start + _READ_TOGETHER])

"""OpenReplay: a playback or fork whose takes may be called."""

import asyncio
from collections.abc import Collection, Sequence

import msgspec

from reenact.domain.call import Call
from reenact.domain.replay import Progress, Replay, State
from reenact.gateway.addressing import TakeName, take_path
from reenact.replay.matching.assigning import Card
from reenact.replay.matching.nearing import Neighbourhood
from reenact.replay.matching.normalising import Normaliser
from reenact.replay.playback.opentake import OpenTake
from reenact.replay.playback.overriding import Patched


class OpenReplay:
    """A replay under way, and what all its takes share."""

    def __init__(
        self,
        replay: Replay,
        cards: Sequence[Card],
        normaliser: Normaliser,
        like: Call,
        conversations: Collection[str] = (),
    ) -> None:
        """Take the replay, whose takes were not called yet.

        Args:
            replay: as it begins.
            cards: what its requests may match.
            normaliser: what made them.
            like: one of the recorded calls.
            conversations: what the provider holds of the recorded session, by its ids: nothing may be written into them.
        """
        plan = replay.plan
        assert plan.playback is not None
        self._replay = replay
        self.plan = plan
        self.playback = plan.playback
        self.normaliser = normaliser
        self.neighbourhood = Neighbourhood(cards)
        self.like = like
        self.patched = Patched(plan.patch)
        self.conversations = frozenset(conversations)
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, whenever something changes."""
        self.is_over = False
        self.takes = {take.number: OpenTake(take, plan, cards, self.change) for take in replay.takes}

    @property
    def id(self) -> str:
        """Of the replay."""
        return self._replay.id

    @property
    def organisation_id(self) -> str:
        """Whose it is."""
        return self._replay.organisation_id

    @property
    def session_name(self) -> str:
        """Of its takes' sessions."""
        return self._replay.session_name

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return all(take.is_idle for take in self.takes.values())

    @property
    def replay(self) -> Replay:
        """The replay as it stands."""
        takes = tuple(self.takes[take.number].snapshot() for take in self._replay.takes)
        return msgspec.structs.replace(self._replay, takes=takes)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self.replay.progress

    def change(self) -> None:
        """Wake whoever watches."""
        self.changed.set()
        self.changed = asyncio.Event()

    def end(self, state: State, detail: str) -> None:
        """Say how it ended; no more requests are answered."""
        self._replay = msgspec.structs.replace(self._replay, state=state, detail=detail)
        self.is_over = True
        self.change()


def with_base_paths(replay: Replay) -> Replay:
    """Return *replay* with the addresses of its takes."""
    takes = tuple(
        msgspec.structs.replace(take, base_path=take_path(TakeName(replay.id, take.number))) for take in replay.takes
    )
    return msgspec.structs.replace(replay, takes=takes)

"""Cohort, Batch: a frozen list of sessions, and one replay of each."""

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import Patch
from reenact.domain.replay import Limits, Mode, Spent, State


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions as they were chosen at one time. It never changes: choosing again under its name makes another version."""

    id: str
    organisation_id: str
    name: str
    version: int
    """Of the name, counted from 1."""
    created_us: int
    source: Json
    """The filter it was chosen by, as `POST /v1/request/query` takes it; None for sessions that were named."""
    session_ids: tuple[str, ...]


class BatchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with every session of a cohort."""

    patch: Patch = Patch()
    mode: Mode = Mode.ANCHORED
    takes: int = 1
    control: bool = True
    reuse: bool = False
    limits: Limits = msgspec.field(default_factory=Limits)
    """Of all replays together."""


class BatchItem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one session of a batch. One that failed stays among the others."""

    session_id: str
    replay_id: str
    state: State
    detail: str = ""
    calls: int = 0
    answered: int = 0
    failed: int = 0
    cost_nanodollars: int = 0


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A replay of each session of a cohort."""

    id: str
    organisation_id: str
    created_us: int
    name: str
    cohort_id: str
    order: BatchOrder
    state: State
    detail: str = ""
    items: tuple[BatchItem, ...] = ()
    """One for each session, in the cohort's order; left out where batches are listed."""
    spent: Spent = Spent()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will be asked any more, unless it is resumed."""
        return self.state not in {State.PLANNED, State.RUNNING}

"""SessionReader: pages of sessions out of the store, or all of them one page after the other."""

import math
from collections.abc import Iterator
from typing import Annotated

import msgspec

from reenact.domain.call import SessionSummary
from reenact.domain.filter import Filter
from reenact.store.calls import CallStore

MAX_PAGE = 1000


Milliseconds = Annotated[float, msgspec.Meta(ge=-8.64e15, le=8.64e15)]
"""Since the epoch; the bounds are those of JavaScript's dates."""


class TimeFilter(msgspec.Struct, frozen=True, rename="camel"):
    """A span of time, milliseconds since the epoch."""

    start_time_unix_ms: Milliseconds
    end_time_unix_ms: Milliseconds


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions, beside what their calls must match."""

    search: str = ""
    """A part of the id or the name."""
    name: str | None = None
    span: TimeFilter | None = None


class Sessions(msgspec.Struct, frozen=True):
    """The sessions of an organisation that are wanted, newest first. Reads the store: for threads."""

    calls: CallStore
    organisation_id: str
    where: Filter
    wanted: Wanted

    def page(self, offset: int, limit: int) -> list[SessionSummary]:
        """Return one page."""
        span = self.wanted.span
        return self.calls.sessions(
            self.organisation_id,
            search=self.wanted.search,
            name=self.wanted.name,
            after_us=None if span is None else _us(math.floor(span.start_time_unix_ms * 1000)),
            before_us=None if span is None else _us(math.ceil(span.end_time_unix_ms * 1000)),
            where=self.where,
            offset=offset,
            limit=limit,
        )

    def all(self) -> Iterator[SessionSummary]:
        """Yield every one."""
        offset = 0
        while page := self.page(offset, MAX_PAGE):
            yield from page
            offset += len(page)


def _us(time_us: int) -> int:
    """Return a time that a database can hold."""
    return max(-(2**62), min(2**62, time_us))

"""Decide who answers one request of a take: the record, the provider, or nobody."""

import msgspec

from reenact.domain.playback import Level, OnMiss, Playback, Server


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a request has come."""

    playback: Playback
    live: frozenset[int]
    """Positions of the recorded calls that are asked for real."""
    index: int | None
    """Of the recorded call that the request matches."""
    level: Level
    has_forked: bool
    """Whether something was asked for real already."""
    has_missed: bool
    """Whether the record had no answer to an earlier request."""


def server_of(now: Situation) -> Server:
    """Return who answers."""
    fork = now.playback.fork
    if now.index is not None and not (fork.first_miss and now.has_missed):
        return Server.LIVE if now.index in now.live else Server.RECORD
    if now.index is not None or fork.first_miss or now.has_forked or now.playback.on_miss is OnMiss.LIVE:
        return Server.LIVE
    return Server.NOBODY

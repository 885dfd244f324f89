"""Disk: what a writer expects of the disk below it, and what it counts of it."""

import os
from collections.abc import Callable, Sequence

import msgspec

_sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer expects of the disk below it, and does while it is slower."""

    slow_sync_s: float = 0.25
    """While a sync takes longer, whoever appends does not touch the disk: a write could take long, too."""
    slow_write_s: float = 0.05
    """After a write that took longer, neither: whoever appends is the event loop that agents wait on."""
    hold_s: float = 1.0
    """How long one write may keep agents from the ends of their answers: over ten times as long as any took (decision 2)."""
    queue_bytes: int = 64 * 1024 * 1024
    """How much may wait for a slow one; what comes after is a gap."""
    write: Callable[[int, Sequence[bytes]], int] = os.writev
    """Hands parts to the kernel behind what a file holds; returns how many bytes it took."""
    sync: Callable[[int], None] = _sync_data
    """Makes what was written to a descriptor durable."""


class Counters(msgspec.Struct):
    """What a writer has done since it was made."""

    records: int = 0
    """Exchanges and gaps together."""
    bytes: int = 0
    syncs: int = 0
    failed_syncs: int = 0
    gaps: int = 0
    """Exchanges that could not be kept."""
    queued_bytes: int = 0
    """Of records that are yet to be written; a killed process loses them."""
    let_go: int = 0
    """Exchanges whose agents were given the end of the answer before they were written: the disk took too long."""

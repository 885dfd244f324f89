"""Gaps: counted losses that are yet to be written, one for each organisation and reason."""

from collections.abc import Iterator

import msgspec

from reenact.domain.exchange import Gap


class Gaps:
    """Whoever takes a gap to write it and cannot adds it again. Its caller's lock guards it."""

    def __init__(self) -> None:
        self._gaps: dict[tuple[str, str], Gap] = {}

    def __len__(self) -> int:
        return len(self._gaps)

    def __iter__(self) -> Iterator[Gap]:
        return iter(self._gaps.values())

    def add(self, gap: Gap) -> bool:
        """Count *gap* with what is known of its organisation and reason; return whether nothing was."""
        key = gap.organisation_id, gap.reason
        known = self._gaps.get(key)
        self._gaps[key] = gap if known is None else _together(known, gap)
        return known is None

    def take(self) -> Gap | None:
        """Take the one that has been known longest; None when there is none."""
        return self._gaps.pop(next(iter(self._gaps))) if self._gaps else None


def _together(one: Gap, other: Gap) -> Gap:
    return msgspec.structs.replace(
        one,
        first_us=min(one.first_us, other.first_us),
        last_us=max(one.last_us, other.last_us),
        count=one.count + other.count,
    )

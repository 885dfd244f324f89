"""Tests of `api.pager`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from reenact.api.pager import Pager
from reenact.domain.call import Bodies, Reading
from reenact.store.sqlite.store import SqliteStore
from tests.store.given import given_reading


class NotingStore(SqliteStore):
    """A store that notes how many bytes and calls were read at once."""

    read: list[tuple[int, int]]

    def bodies(self, organisation_id: str, call_ids: Sequence[str]) -> Mapping[str, Bodies]:
        """Return bodies, noted."""
        found = super().bodies(organisation_id, call_ids)
        self.read.append((len(found), sum(len(one.request) + len(one.response) for one in found.values())))
        return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[NotingStore]:
    """Return an empty store."""
    opened = NotingStore(tmp_path / "calls.sqlite3")
    opened.read = []
    yield opened
    opened.close()


def a_reading(number: int, body_bytes: int) -> Reading:
    """Return a call whose bodies have about so many bytes."""
    body = msgspec.json.encode(
        {"model": "m", "messages": [{"role": "user", "content": f"{number} " + "x" * body_bytes}]}
    )
    return given_reading(number, exchange={"request_body": body}, request_body_bytes=len(body))


def test_a_page_is_read_a_few_calls_at_a_time(store: NotingStore) -> None:
    """Rows stand in the order asked with their own bodies, and neither many calls nor many bytes are in memory at once."""
    readings = [a_reading(number, 700_000 if number % 20 == 0 else 100) for number in range(1, 101)]
    store.save(readings)
    pager = Pager(calls=store, organisation_id="one", secret=b"s", origin="http://here", now_s=0)

    pieces = list(pager.page([reading.call for reading in readings]))

    shown = [(row["request_id"], row["request_body"]) for row in msgspec.json.decode(b"".join(pieces))["data"]]
    assert [(one.call.id, msgspec.json.decode(one.exchange.request_body)) for one in readings] == shown
    assert (True, True, 100) == (
        max(calls for calls, _ in store.read) <= 25,
        max(read_bytes for _, read_bytes in store.read) < 1_100_000,
        sum(calls for calls, _ in store.read),
    )

"""A process to be killed: saves batch after batch into the embedded store, each with the spool's cursor.

First it checks what the processes before it left: each call that the cursor has passed is there once and whole, and nothing
else but calls of the one batch that was under way.
"""

import sys
from pathlib import Path

from reenact.domain.call import Reading
from reenact.domain.exchange import Cursor
from reenact.domain.filter import EVERYTHING, Sort
from reenact.store.clickhouse.opener import Embedded
from reenact.store.clickhouse.store import ClickHouseStore
from tests.store.given import given_reading

BATCH = 20


def reading(number: int) -> Reading:
    """The call of this number, in a session of ten."""
    said = ", ".join(f'{{"role": "user", "content": "{str(turn) * 70}"}}' for turn in range(number % 10 + 1))
    return given_reading(
        number + 1, {"request_body": f'{{"messages": [{said}]}}'.encode()}, scores={"n": float(number)}
    )


def check(store: ClickHouseStore, saved: int) -> None:
    """Fail unless the first *saved* calls are there, and no more than one batch besides."""
    calls = store.find("one", EVERYTHING, Sort(ascending=True), offset=0, limit=100_000)
    assert saved <= len(calls) <= saved + BATCH, f"{len(calls)} calls where {saved} were acknowledged"
    expected = [reading(number) for number in range(len(calls))]
    assert [one.call for one in expected] == calls
    assert store.count("one", EVERYTHING) == len(calls)
    ids = [call.id for call in calls]
    assert [one.exchange for one in expected] == store.exchanges("one", ids)
    assert store.damage() == []


def main(folder: Path) -> None:
    """Check, then save until killed; tell of each batch once it is acknowledged."""
    embedded = Embedded(folder)
    left = len(list((folder / "tmp").iterdir()))
    assert left == 0, f"{left} temporary files of a killed process are left"
    store = ClickHouseStore(embedded.connector())
    saved = store.cursor("spool").offset_bytes
    check(store, saved)
    print("checked", saved, flush=True)
    while True:
        batch = [reading(number) for number in range(saved, saved + BATCH)]
        saved += BATCH
        store.save(batch, spool="spool", cursor=Cursor(1, saved))
        print("saved", saved, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Makes the data folder of this version that later versions must open: `python -m tests.golden.make`.

Run it when the tables, the frames of the journal or the stored form of an exchange have changed, and commit the new folder
beside the old ones: `tests/golden/test_golden.py` opens each of them for ever.
"""

import shutil
import sqlite3
from pathlib import Path

import msgspec

from reenact.access.keys import KeyRecord
from reenact.domain.call import Reading
from reenact.domain.exchange import Cursor, Exchange, Gap, Unreadable
from reenact.domain.labels import Labels
from reenact.ingest.decoding import decode
from reenact.spool.writer import SpoolWriter
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.schema import MIGRATIONS
from reenact.store.sqlite.store import SqliteStore

HERE = Path(__file__).parent
FIRST_US = 1_763_800_000_000_000


def exchange(number: int) -> Exchange:
    """Return one call of a short session."""
    talk = [
        {"role": "user" if turn % 2 == 0 else "assistant", "content": f"Turn {turn}. " * 9} for turn in range(number)
    ]
    answer = {
        "id": f"r{number}",
        "model": "gpt-4o-2024-05-13",
        "choices": [{"message": {"role": "assistant", "content": "Yes."}}],
        "usage": {"prompt_tokens": 10 * number, "completion_tokens": 2},
    }
    return msgspec.convert(
        {
            "id": f"{number:08d}-0000-4000-8000-000000000000",
            "organisation_id": "0e9a6f0e-0000-4000-8000-000000000001",
            "started_us": FIRST_US + number * 1_000_000,
            "duration_us": 900_000,
            "first_byte_us": 300_000,
            "method": "POST",
            "url": "http://127.0.0.1:8585/v1/gateway/oai/v1/chat/completions",
            "target_url": "https://api.openai.com/v1/chat/completions",
            "provider": "openai",
            "labels": Labels(
                session_id="golden", session_name="Golden", session_path="/", user_id="ann", properties={"App": "test"}
            ),
            "request_headers": ((b"content-type", b"application/json"),),
            "request_body": msgspec.json.encode({"model": "gpt-4o", "messages": talk}),
            "status": 200,
            "response_headers": ((b"content-type", b"application/json"),),
            "response_body": msgspec.json.encode(answer),
            "chunks": ((100, 300_000),),
            "ending": "answered",
        },
        Exchange,
    )


def stored() -> list[Reading]:
    """Return the calls that stand in the store."""
    return [decode(exchange(number)) for number in range(1, 5)]


def waiting() -> list[Exchange]:
    """Return the calls that stand in the journal only."""
    return [exchange(number) for number in range(5, 7)]


def make(folder: Path) -> None:
    """Make a data folder."""
    readings = stored()
    (folder / "spool").mkdir(parents=True)
    calls = SqliteStore(folder / "calls.sqlite3")
    organisation_id = readings[0].call.organisation_id
    gap = Gap(
        organisation_id=organisation_id,
        first_us=FIRST_US,
        last_us=FIRST_US + 1,
        count=2,
        reason="No space left on device",
    )
    calls.save(
        readings,
        gaps=[gap],
        unreadables=[Unreadable(raw=b"odd", reason="the record is damaged")],
        spool="spool",
        cursor=Cursor(),
    )
    calls.set_scores(organisation_id, readings[0].call.id, {"quality": 0.75})
    calls.set_property(organisation_id, readings[1].call.id, "Reviewed", "yes")
    calls.set_feedback(organisation_id, readings[2].call.id, rating=True)
    calls.close()
    control = ControlStore(folder / "control.sqlite3")
    control.first_start(organisation_id, "Default", FIRST_US)
    control.add_key(
        KeyRecord(
            id="k1", organisation_id=organisation_id, name="First key", permissions="rw", key_hash=b"\1" * 32,
            last_four="abcd", created_us=FIRST_US,
        )
    )  # fmt: skip
    control.close()
    spool = SpoolWriter(folder / "spool", clock=lambda: FIRST_US)
    for one in waiting():
        spool.append(one)
    spool.close()


def main() -> None:
    """Make the folder that is named for the version of the tables."""
    folder = HERE / f"tables-{len(MIGRATIONS)}"
    shutil.rmtree(folder, ignore_errors=True)
    make(folder)
    for name in ("calls.sqlite3", "control.sqlite3"):
        with sqlite3.connect(folder / name) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # one file each
        connection.close()
    print(folder)


if __name__ == "__main__":
    main()

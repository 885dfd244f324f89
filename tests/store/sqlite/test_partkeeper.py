"""Tests of `store.sqlite.partkeeper`."""

import contextlib
import json
from pathlib import Path

from reenact.store.packing import compressor
from reenact.store.splitting import join, split
from reenact.store.sqlite.opener import open_writer
from reenact.store.sqlite.partkeeper import PartKeeper

MESSAGES = 20


def a_body(session: int) -> bytes:
    """Return a body of very many messages, all of them other ones than another session's."""
    return json.dumps({"messages": [f"{session} {number} ".ljust(70, "x") for number in range(MESSAGES)]}).encode()


def test_sessions_of_very_many_parts_are_not_all_remembered(tmp_path: Path) -> None:
    """What is remembered is bounded by parts, too; a session that was forgotten is read again, and kept once."""
    with contextlib.closing(open_writer(tmp_path / "calls.sqlite3")) as connection:
        keeper = PartKeeper(connection, compressor(), most_digests=50)
        read: list[str] = []
        kept = [keeper.keep(session, a_body(session)) for session in (1, 2, 3)]
        connection.set_trace_callback(lambda text: read.append(text) if text.startswith("SELECT digest") else None)

        again = [keeper.keep(session, a_body(session)) for session in (3, 1)]
        (rows,) = connection.execute("SELECT count(*) FROM parts").fetchone()

    assert ([kept[2], kept[0]], 1, 3 * MESSAGES) == (again, len(read), rows)
    assert a_body(1) == join(kept[0][0], split(a_body(1)).parts)

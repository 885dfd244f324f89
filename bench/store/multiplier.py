"""Multiplier: copies of calls that were saved, made inside of the engine, with ids, sessions and times of their own.

Saving five million calls takes most of an hour; copying the rows of two hundred thousand takes minutes, and the tables are
then as long, as wide and as unordered as if all had been saved. Copies lie evenly over the time that the calls are of.
"""

import sys

from generator import DAY_US, DAYS, START_US

from reenact.store.clickhouse.connector import Connector

_NEW = "toString(reinterpretAsUUID(MD5(concat({name}, '/', toString({{copy:UInt32}})))))"
_ID, _CALL_ID = (f"{_NEW.format(name=name)} AS {name}" for name in ("id", "call_id"))
_SESSION_KEY, _SESSION_ID = (f"{_NEW.format(name=name)} AS {name}" for name in ("session_key", "session_id"))
_TIME = "{start} + ({name} - {start} + {{shift:Int64}}) % {span} AS {name}"
_CREATED, _FIRST = (_TIME.format(name=name, start=START_US, span=DAYS * DAY_US) for name in ("created_us", "first_us"))
_COLUMNS = {
    "call_keys": (_ID, _SESSION_KEY, _CREATED),
    "annotations": (_CALL_ID, _SESSION_KEY, _CREATED),
    "calls": (_ID, _SESSION_KEY, _SESSION_ID, _CREATED),
    "bodies": (_ID, _SESSION_KEY, _CREATED),
    "parts": (_SESSION_KEY, _FIRST),
}
_COPY = "INSERT INTO {table} SELECT * REPLACE ({columns}) FROM (SELECT * FROM {table} WHERE {first})"
_NOTE = "INSERT INTO hour_changes SELECT organisation_id, intDiv(created_us, 3600000000) AS hour, 1, 0 FROM calls GROUP BY ALL"


def multiply(connector: Connector, copies: int) -> None:
    """Add so many copies of all calls that are there, which must each have been saved once."""
    version = connector.query("SELECT max(version) FROM calls")[0][0]
    for copy in range(1, copies + 1):
        values = {"copy": copy, "shift": DAYS * DAY_US * copy // (copies + 1), "version": version}
        for table, columns in _COLUMNS.items():
            # A copy has a later version than what it is of; parts have none, and a copied one has a session of its own.
            named = columns if table == "parts" else (*columns, "{version:UInt64} + {copy:UInt32} AS version")
            first = "version <= {version:UInt64}"
            if table == "parts":
                first = f"session_key IN (SELECT session_key FROM bodies WHERE {first})"
            connector.command(_COPY.format(table=table, columns=", ".join(named), first=first), values)
        print(f"  copy {copy} of {copies}", file=sys.stderr, flush=True)
    connector.command(_NOTE)

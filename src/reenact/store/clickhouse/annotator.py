"""Annotator: what is said of a call after it was recorded: properties, scores, feedback."""

from collections.abc import Mapping
from typing import Any

from reenact.domain.filtering import LABEL_KEYS
from reenact.errors import NotFound
from reenact.store.clickhouse.connector import Connector
from reenact.store.clickhouse.settler import Settler
from reenact.store.clickhouse.ticker import Ticker
from reenact.store.clickhouse.writer import Place, read_places

# The inner query is there because an alias with the name of a column would be meant by WHERE too.
_RELABEL = """
INSERT INTO calls SELECT * REPLACE ({{value:String}} AS {label}, {{version:UInt64}} AS version{named}) FROM (
  SELECT * FROM calls FINAL
  WHERE organisation_id = {{organisation:String}} AND created_us = {{created:Int64}} AND id = {{call:String}}
)
"""


class Annotator:
    """Sets single things of single calls: a row each, and a new row of the call itself when it moves."""

    def __init__(self, connector: Connector, ticker: Ticker, settler: Settler) -> None:
        self._connector = connector
        self._settler = settler
        self._ticker = ticker

    def set_property(self, organisation_id: str, call_id: str, key: str, value: str) -> None:
        """Set or replace a property, whatever the case of its key; a session header's key moves the call."""
        place = self._locate(organisation_id, call_id)
        said = {"kind": "property", "key_lower": key.lower(), "key": key, "number": 0.0, "text": value}
        self._insert(organisation_id, call_id, place, [said])
        label = LABEL_KEYS.get(key.lower())
        if label is not None:
            asked = {"organisation": organisation_id, "created": place.created_us, "call": call_id}
            changed = {"value": value, "version": self._ticker()}
            named = ", false AS session_inferred" if label == "session_id" else ""
            with self._settler.changing([(organisation_id, place.created_us)]):
                self._connector.command(_RELABEL.format(label=label, named=named), asked | changed)

    def set_scores(self, organisation_id: str, call_id: str, scores: Mapping[str, float]) -> None:
        """Set scores by name; the last write of a name wins, other names stay."""
        place = self._locate(organisation_id, call_id)
        said = [
            {"kind": "score", "key_lower": name.lower(), "key": name, "number": float(value), "text": ""}
            for name, value in scores.items()
        ]
        self._insert(organisation_id, call_id, place, said)

    def set_feedback(self, organisation_id: str, call_id: str, rating: bool) -> None:
        """Set the feedback of a call."""
        place = self._locate(organisation_id, call_id)
        said = {"kind": "feedback", "key_lower": "", "key": "", "number": float(rating), "text": ""}
        self._insert(organisation_id, call_id, place, [said])

    def _locate(self, organisation_id: str, call_id: str) -> Place:
        """Return where a call's rows stand.

        Raises:
            NotFound: the organisation has no such call.
        """
        place = read_places(self._connector, organisation_id, [call_id]).get(call_id)
        if place is None:
            raise NotFound(f"There is no call {call_id}")
        return place

    def _insert(self, organisation_id: str, call_id: str, place: Place, said: list[dict[str, Any]]) -> None:
        """Insert annotations of one call."""
        call = {
            "organisation_id": organisation_id,
            "call_id": call_id,
            "created_us": place.created_us,
            "session_key": place.session_key,
        }
        rows = [call | one | {"version": self._ticker()} for one in said]
        if rows:
            columns = {name: [row[name] for row in rows] for name in rows[0]}
            self._connector.insert("annotations", columns)

"""Connector: clients of one ClickHouse, handed to one thread at a time, and its failures told as ours."""

import contextlib
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError
from urllib3.exceptions import HTTPError

from reenact.errors import StoreFailed
from reenact.store.clickhouse.schema import quoted

_KEPT_OPEN = 4
"""Clients that are kept; more are opened when more threads ask at once, and closed again. An embedded engine answers one
question at a time on each."""
_BYTES: dict[str, str | dict[str, str]] = {"content": "bytes", "raw": "bytes"}
"""Columns that hold bytes and not text."""

_OF_DAMAGE = frozenset({32, 33, 40, 228, 246, 271})
"""Codes of errors that tell of files which are not what was written: cut short, wrong checksum, corrupted."""

Rows = Sequence[Sequence[Any]]


class Connector:
    """Opens clients when they are needed, each for one thread at a time."""

    def __init__(self, connect: Callable[[], Client], cluster: str = "", *, is_exclusive: bool = False) -> None:
        """Take what makes a client.

        Args:
            connect: makes one.
            cluster: the name of the cluster that its server is of; empty for a single node.
            is_exclusive: whether no other process can reach the tables.
        """
        self.is_exclusive = is_exclusive
        self._connect = connect
        self.noticed: set[str] = set()
        """What was met that is damaged, in words that show nothing of any call."""
        self._cluster = cluster
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue(_KEPT_OPEN)
        self._closed = False

    def query(self, text: str, values: Mapping[str, Any] | None = None) -> Rows:
        """Return the rows of *text*, whose placeholders `{name:Type}` the server fills with *values*.

        Raises:
            StoreFailed: the database could not be read.
        """
        with self._lent("read") as client:
            return client.query(text, parameters=dict(values or {}), column_formats=_BYTES).result_rows

    def command(self, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing.

        Raises:
            StoreFailed: the database refused it.
        """
        with self._lent("changed") as client:
            client.command(text, parameters=dict(values or {}))

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert rows given as columns.

        Raises:
            StoreFailed: the database could not be written. Whether the rows were inserted is not known then.
        """
        if not all(columns.values()):
            return
        with self._lent("written") as client:
            client.insert(table, list(columns.values()), column_names=list(columns), column_oriented=True)

    def check(self, table: str) -> Rows:
        """Read all of a table on the server that answers; return each part's name, whether it is sound, and why not.

        Raises:
            StoreFailed: the database could not be read.
        """
        with self._lent("read") as client:
            text = f"CHECK TABLE {self.local(table)} SETTINGS check_query_single_value_result = 0"
            return msgspec.json.Decoder(tuple[str, bool | int, str]).decode_lines(
                client.raw_query(text, fmt="JSONCompactEachRow")
            )

    def delete(self, table: str, condition: str, values: Mapping[str, Any]) -> None:
        """Delete rows out of the files, and wait until it is done. It takes as long as writing what holds them anew.

        Raises:
            StoreFailed: the database could not be written; it may be tried again.
        """
        on = f" ON CLUSTER {quoted(self._cluster)}" if self._cluster else ""
        settings = "mutations_sync = 2, allow_nondeterministic_mutations = 1"
        self.command(f"ALTER TABLE {self.local(table)}{on} DELETE WHERE {condition} SETTINGS {settings}", values)

    @property
    def is_of_cluster(self) -> bool:
        """Whether there may be several servers behind it."""
        return bool(self._cluster)

    def local(self, table: str) -> str:
        """Return the name of the table that holds the rows on each server."""
        return f"{table}_local" if self._cluster else table

    def everywhere(self, table: str) -> str:
        """Return a system table of every server."""
        return f"clusterAllReplicas({quoted(self._cluster)}, {table})" if self._cluster else table

    def close(self) -> None:
        """Close what is idle now, and what is lent as soon as it comes back."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    @contextmanager
    def _lent(self, done: str) -> Iterator[Client]:
        """Lend a client; a failed one is not used again."""
        try:
            client = self._take()
            try:
                yield client
            except BaseException:
                client.close()
                raise
            self._give_back(client)
        except DataError:
            raise  # the values are at fault, and not the database
        except (ClickHouseError, HTTPError, OSError) as error:
            if getattr(error, "code", None) in _OF_DAMAGE:
                self.noticed.add("Data of the store cannot be read: it is damaged.")
            raise StoreFailed(f"The database could not be {done}: {error}") from error

    def _take(self) -> Client:
        """Return an idle client or a new one."""
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._connect()

    def _give_back(self, client: Client) -> None:
        """Keep a client for the next question, if there is room."""
        try:
            if self._closed:
                raise queue.Full
            self._idle.put_nowait(client)
        except queue.Full:
            client.close()

"""Connector: clients of one ClickHouse, handed to one thread at a time, and its failures told as ours."""

import contextlib
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError
from urllib3.exceptions import HTTPError

from reenact.errors import StoreFailed

_KEPT_OPEN = 4
"""Clients that are kept; more are opened when more threads ask at once, and closed again. An embedded engine answers one
question at a time on each."""
_BYTES: dict[str, str | dict[str, str]] = {"content": "bytes", "raw": "bytes"}
"""Columns that hold bytes and not text."""

Rows = Sequence[Sequence[Any]]


class Connector:
    """Opens clients when they are needed, each for one thread at a time."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
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

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], token: str) -> None:
        """Insert rows given as columns; the same *token* for the same table inserts nothing a second time.

        Raises:
            StoreFailed: the database could not be written. Whether the rows were inserted is not known then.
        """
        if not all(columns.values()):
            return
        with self._lent("written") as client:
            client.insert(
                table,
                list(columns.values()),
                column_names=list(columns),
                column_oriented=True,
                settings={"insert_deduplication_token": token},
            )

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

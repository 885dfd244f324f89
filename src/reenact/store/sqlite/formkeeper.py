"""FormKeeper: keeps what many calls have in common once, and numbers it."""

import sqlite3
from collections.abc import Sequence

from reenact.domain.call import Call
from reenact.store.sqlite.rows import FORM_COLUMNS, to_form

_MOST = 10_000
"""Forms that are remembered."""
_FIND = f"SELECT form FROM forms WHERE {' AND '.join(f'{name} IS ?' for name in FORM_COLUMNS)}"
_ADD = f"INSERT INTO forms ({', '.join(FORM_COLUMNS)}) VALUES ({', '.join('?' * len(FORM_COLUMNS))}) RETURNING form"


class FormKeeper:
    """Knows which forms its database holds. Used under the writer's lock, inside its transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str | None, ...], int] = {}
        self._forgotten = 0
        """How often everything was forgotten."""

    def keep(self, call: Call) -> int:
        """Return the number of the form of a call, kept first when it is new."""
        form = to_form(call)
        number = self._known.get(form)
        if number is None:
            row = self._connection.execute(_FIND, form).fetchone() or self._connection.execute(_ADD, form).fetchone()
            if len(self._known) >= _MOST:
                self.forget()
            number = self._known[form] = int(row[0])
        return number

    def watch(self) -> int:
        """Begin to remember every form that a call is given; return what `free` is told."""
        self.forget()
        return self._forgotten

    def free(self, unused: Sequence[int], watched: int) -> bool:
        """Delete forms that no call had at a moment after *watched* was given, but those that one was given since.

        Return False, and delete nothing, when it is not known any more which were given: look again then.
        """
        if watched != self._forgotten:
            return False
        given = set(self._known.values())
        rows = [(form,) for form in unused if form not in given]
        self._connection.executemany("DELETE FROM forms WHERE form = ?", rows)
        return True

    def forget(self) -> None:
        """Look everything up anew: what seemed kept may not be."""
        self._known.clear()
        self._forgotten += 1

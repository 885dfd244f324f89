"""Sessioner: puts calls that name no session into one, by what they continue of earlier calls.

It remembers the newest of those calls by digests, and after a start learns of them from the store, so that a conversation goes
on where a stopped server left it. Calls that name their session are not looked at.

A server may have several journals, each read by a thread of its own: calls are placed as if all were one journal, in the order
they ended. Several servers may share a store: one that does not know what a call goes on from looks into it.
"""

import heapq
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from itertools import count, islice

from reenact.domain.call import Call, Reading
from reenact.domain.exchange import Exchange
from reenact.domain.filter import All, Condition, Filter, Operator, Sort
from reenact.errors import ReenactError
from reenact.ingest.continuing import (
    PREFIX,
    Thread,
    Turn,
    continued,
    in_session,
    may_continue,
    retried,
    thread,
    within,
)
from reenact.ingest.decoding import Understood, leave_unread, understand
from reenact.ingest.forereader import Forereader
from reenact.ingest.tariff import LISTED, Tariff
from reenact.store.calls import CallStore

_log = logging.getLogger(__name__)

MOST_TURNS = 20_000
"""That are remembered, of all organisations: some 50 MB."""
_MOST_ALIKE = 64
"""Of calls with one prompt, the newest that are looked at."""
_MOST_ROWS, _MOST_OF_SESSION, _MOST_READ, _AT_ONCE = 5000, 3, 1000, 50
"""After a start: rows that are looked at for each organisation, newest calls that are read of a session and in all, and how
many of them at once."""
_MOST_WAITING_BYTES = 64 * 1024 * 1024
"""Of prompts in other journals that ended later than what is placed now."""
_SAVED_WITHIN_US, _SAVED_LATE_US = 2_000_000, 60_000_000
"""How soon another server usually saves a call that ended, and how late it may: what is looked for again in the store."""
_REST = 4
"""How many times as long as a look in vain took nobody looks again."""

_INFERRED = Condition(column="session_id", operator=Operator.LIKE, value=f"{PREFIX}%")


class Sessioner:
    """One for a store; any thread may use it."""

    def __init__(
        self,
        store: CallStore,
        *,
        idle_us: int,
        tariff: Tariff = LISTED,
        most_turns: int = MOST_TURNS,
        is_shared: bool = False,
    ) -> None:
        """Take the store, and what calls are priced by; a session that was idle for *idle_us* is not continued any more.

        *is_shared* says that others save into the store, too.
        """
        self._store = store
        self._is_shared = is_shared
        self.journals = Forereader()
        """The journals that calls come from, where there are several."""
        self._idle_us = idle_us
        self._tariff = tariff
        self._most_turns = most_turns
        self._lock = threading.Lock()
        self._learnt: dict[str, int] = {}
        """When the call ended that an organisation's calls were looked for in the store for."""
        self._rests_until_s = 0.0
        self._waiting: list[tuple[int, int, int, str, Thread]] = []
        """A heap of calls in other journals that it is not the turn of: when they ended, their number, bytes, organisation."""
        self._waiting_bytes = 0
        self._numbers = count()
        self._turns: OrderedDict[tuple[str, str], Turn] = OrderedDict()
        self._named: dict[bytes, deque[Turn]] = {}

    def decode(self, exchange: Exchange, spool: str = "") -> Reading:
        """Return what *exchange* out of the journal *spool* means, in a session. The same call once more is in the same.

        Raises:
            StoreFailed: the store could not be read. It is asked once for each organisation; more often when it is shared.
        """
        understood = understand(exchange, self._tariff)
        tied = thread(understood)
        if tied is None:
            return understood.reading
        organisation_id = exchange.organisation_id
        with self._lock:
            self._place_earlier(tied, spool)
            self._learn(organisation_id, tied)
            if self._is_shared and may_continue(tied):
                self._learn_again(organisation_id, tied)
            return in_session(understood.reading, self._place(organisation_id, tied))

    def _place_earlier(self, tied: Thread, spool: str) -> None:
        """Place the calls of other journals that ended before *tied* did, in the order they ended."""
        for exchanges in self.journals.others(spool):
            for exchange in exchanges:
                self._await(exchange)
            if self._waiting_bytes > _MOST_WAITING_BYTES:
                break
        while self._waiting and self._waiting[0][0] <= tied.ended_us:
            *_, size, organisation_id, earlier = self._waiting[0]
            self._learn(organisation_id, earlier)
            self._place(organisation_id, earlier)
            heapq.heappop(self._waiting)
            self._waiting_bytes -= size

    def _await(self, exchange: Exchange) -> None:
        """Keep a call of another journal until it is its turn; one that names its session ties nothing."""
        other = None if exchange.labels.session_id else thread(_understood(exchange))
        if other is not None:
            size = len(exchange.request_body)
            self._waiting_bytes += size
            heapq.heappush(self._waiting, (other.ended_us, next(self._numbers), size, exchange.organisation_id, other))

    def _place(self, organisation_id: str, tied: Thread, session_id: str | None = None) -> str:
        """Return the session of a call, *session_id* when it is known, and remember it there."""
        known = self._turns.get((organisation_id, tied.call_id))
        if known is not None:
            return known.session_id
        before = self._before(tied)
        if before is not None and session_id in (None, before.session_id):
            session_id = before.session_id
            if tied.answer is not None or before.answer is None:
                before.followers.append(tied.whole)
        session_id = session_id or PREFIX + tied.call_id
        self._remember(organisation_id, tied, session_id)
        return session_id

    def _before(self, tied: Thread) -> Turn | None:
        """Return the call that *tied* continues."""
        again = retried(tied, self._alike(tied, tied.whole))
        if again is not None:
            return again
        if tied.follows is not None:
            return next(reversed(self._alike(tied, tied.follows)), None)
        linked = self._alike(tied, tied.answers)
        is_sure = len(linked) == 1 and linked[0].admits(tied.whole)
        return self._continued(tied) or (linked[0] if is_sure else None)

    def _continued(self, tied: Thread) -> Turn | None:
        """Return the call whose prompt and answer *tied* repeats: one with the longest prompt that it begins with."""
        for name, length in tied.prefixes:
            begun = self._alike(tied, name)
            if begun:
                return continued(tied, length, begun)
        return None

    def _alike(self, tied: Thread, name: bytes | None) -> list[Turn]:
        """Return the newest calls that go by *name* and that *tied* may follow, oldest first."""
        turns = self._named.get(name, ()) if name is not None else ()
        newest = list(islice(reversed(turns), _MOST_ALIKE))
        return within(tied, newest[::-1], self._idle_us)

    def _remember(self, organisation_id: str, tied: Thread, session_id: str) -> None:
        """Remember a call, and forget the oldest when there are too many."""
        turn = Turn(
            call_id=tied.call_id,
            session_id=session_id,
            started_us=tied.started_us,
            ended_us=tied.ended_us,
            answer=tied.answer,
            names=tied.names,
            is_deep=tied.is_deep,
        )
        self._turns[organisation_id, tied.call_id] = turn
        for name in turn.names:
            self._named.setdefault(name, deque()).append(turn)
        while len(self._turns) > self._most_turns:
            self._forget(self._turns.popitem(last=False)[1])

    def _forget(self, turn: Turn) -> None:
        """Forget the oldest call, which stands first under each of its names."""
        for name in turn.names:
            turns = self._named[name]
            turns.popleft()
            if not turns:
                del self._named[name]

    def _learn(self, organisation_id: str, tied: Thread) -> None:
        """Learn what the store knows of an organisation's calls that *tied*, the first one since the start, may continue."""
        if organisation_id in self._learnt:
            return
        # A call may have taken as long as a session may be idle behind it.
        since_us = tied.started_us - 2 * self._idle_us
        self._look(organisation_id, Condition(column="created_us", operator=Operator.GTE, value=since_us))
        self._learnt[organisation_id] = tied.ended_us

    def _learn_again(self, organisation_id: str, tied: Thread) -> None:
        """Learn what others have saved since the last look, where nothing is known that *tied* alone may continue.

        After a look in vain nobody looks for a while: agents that begin with answers of their own making cost little so.
        """
        looked_us, begun_s = self._learnt[organisation_id], time.monotonic()
        is_covered = tied.started_us + _SAVED_WITHIN_US <= looked_us
        before = self._before(tied)
        if is_covered or begun_s < self._rests_until_s or (before is not None and not before.followers):
            return
        ended = Condition(column="completed_us", operator=Operator.GTE, value=looked_us - _SAVED_LATE_US)
        self._look(organisation_id, All((ended, _INFERRED)))
        self._learnt[organisation_id] = max(looked_us, tied.ended_us)
        if self._before(tied) is before:
            ended_s = time.monotonic()
            self._rests_until_s = ended_s + _REST * (ended_s - begun_s)

    def _look(self, organisation_id: str, where: Filter) -> None:
        """Place the newest calls of each inferred session among those of the store that match and are not known."""
        found = self._store.find(organisation_id, where, Sort(ascending=False), offset=0, limit=_MOST_ROWS)
        rows = [row for row in found if (organisation_id, row.id) not in self._turns]
        wanted = list(islice(_newest(rows), _MOST_READ))[::-1]
        sessions = {row.id: row.labels.session_id for row in wanted}
        for start in range(0, len(wanted), _AT_ONCE):
            ids = [row.id for row in wanted[start : start + _AT_ONCE]]
            for exchange in self._exchanges(organisation_id, ids):
                tied = thread(_understood(exchange))
                if tied is not None:
                    self._place(organisation_id, tied, sessions[exchange.id])

    def _exchanges(self, organisation_id: str, ids: Sequence[str]) -> Iterator[Exchange]:
        """Yield the exchanges that can be read; the others are tied to nothing, and hold up no new call."""
        try:
            yield from self._store.exchanges(organisation_id, ids)
        except ReenactError as error:
            if len(ids) == 1:
                _log.warning("The call %s cannot be read, nothing can continue it: %s", ids[0], error)
                return
            for one in ids:
                yield from self._exchanges(organisation_id, [one])


def _newest(rows: Sequence[Call]) -> Iterator[Call]:
    """Yield of each inferred session the newest calls; *rows* are newest first."""
    met: dict[str | None, int] = {}
    for row in rows:
        if row.session_inferred:
            met[row.labels.session_id] = met.get(row.labels.session_id, 0) + 1
            if met[row.labels.session_id] <= _MOST_OF_SESSION:
                yield row


def _understood(exchange: Exchange) -> Understood:
    """Return what a kept exchange means; one that cannot be read ties nothing and holds up no other."""
    try:
        return understand(exchange)
    except Exception as error:  # noqa: BLE001 - a fault of ours in reading one call must not hold up the others
        return Understood(leave_unread(exchange, type(error).__name__))

"""TextSorter: lists calls by what was said, over any store: the texts of all calls that match are read and sorted here."""

from collections.abc import Iterator, Sequence

import msgspec

from reenact.comparison.reader import read_calls
from reenact.domain.call import Call
from reenact.domain.comparison import Turn
from reenact.domain.filter import ANSWERED_TEXT, ASKED_TEXT, Filter, Sort
from reenact.domain.message import Role
from reenact.errors import FolderUnusable, InvalidFilter, StoreFailed
from reenact.store.calls import CallStore

MOST_CALLS = 10_000
"""Whose texts are sorted."""
MOST_BYTES = 1024 * 1024 * 1024
"""Of their bodies, all of which are read."""
_BATCH_CALLS, _BATCH_BYTES = 100, 32 * 1024 * 1024
"""Whose bodies are in memory at once; a single call may have more."""
_HOW = "read to sort by what was said. Narrow the filter, by time for instance."


class Page(msgspec.Struct, frozen=True):
    """Which calls, in which order, which page of them."""

    where: Filter
    sort: Sort
    offset: int
    limit: int


def find_sorted(
    calls: CallStore, organisation_id: str, page: Page, *, most_calls: int = MOST_CALLS, most_bytes: int = MOST_BYTES
) -> list[Call]:
    """Return a page of calls in any order that a Sort has; texts by their code points, ties as in any list.

    Raises:
        InvalidFilter: as `CallStore.find`; or the order is one of texts and too many calls match to read them all.
    """
    where, sort = page.where, page.sort
    if sort.column not in {ASKED_TEXT, ANSWERED_TEXT}:
        return calls.find(organisation_id, where, sort, offset=page.offset, limit=page.limit)
    found = _found(calls, organisation_id, where, most_calls, most_bytes)
    texts = dict(_texts(calls, organisation_id, found, sort.column))
    ordered = sorted(found, key=lambda call: (texts[call.id], call.created_us, call.id), reverse=not sort.ascending)
    return ordered[page.offset : page.offset + page.limit]


def _found(calls: CallStore, organisation_id: str, where: Filter, most_calls: int, most_bytes: int) -> list[Call]:
    """Return the calls that match, when they are few enough to be read."""
    matching = calls.count(organisation_id, where)
    if matching > most_calls:
        raise InvalidFilter(f"{matching} calls match; at most {most_calls} are {_HOW}", "sort")
    found = calls.find(organisation_id, where, Sort(), offset=0, limit=most_calls)
    said_bytes = sum(map(_bytes_of, found))
    if said_bytes > most_bytes:
        told = f"{matching} calls match, with bodies of {said_bytes} bytes; at most {most_bytes} bytes are {_HOW}"
        raise InvalidFilter(told, "sort")
    return found


def _texts(calls: CallStore, organisation_id: str, found: Sequence[Call], column: str) -> Iterator[tuple[str, str]]:
    """Yield the ids and texts of *found*, session by session: its calls are made of the same parts."""
    of_sessions = sorted(found, key=lambda call: (call.labels.session_id or "", call.created_us))
    for batch in _batches(of_sessions):
        for turn in _turns(calls, organisation_id, batch):
            yield turn.call.id, _asked(turn) if column == ASKED_TEXT else _answered(turn)


def _batches(calls: Sequence[Call]) -> Iterator[list[Call]]:
    """Yield *calls* in pieces that are small enough to be held in memory."""
    batch: list[Call] = []
    batch_bytes = 0
    for call in calls:
        call_bytes = _bytes_of(call)
        if batch and (len(batch) == _BATCH_CALLS or batch_bytes + call_bytes > _BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(call)
        batch_bytes += call_bytes
    if batch:
        yield batch


def _bytes_of(call: Call) -> int:
    return call.request_body_bytes + call.response_body_bytes


def _turns(calls: CallStore, organisation_id: str, batch: Sequence[Call]) -> list[Turn]:
    """Return what calls say; one whose body is damaged says nothing, and hides no other."""
    try:
        return list(read_calls(calls, organisation_id, batch))
    except (FolderUnusable, StoreFailed):
        if len(batch) == 1:
            return [Turn(call=batch[0], prompt=None, answer=None)]
        return [turn for call in batch for turn in _turns(calls, organisation_id, [call])]


def _asked(turn: Turn) -> str:
    """Return what the newest message of the user says; nothing when there is none."""
    messages = turn.prompt.messages if turn.prompt else ()
    return next((message.text for message in reversed(messages) if message.role is Role.USER), "")


def _answered(turn: Turn) -> str:
    """Return what the answer says in words, and the error it tells."""
    if turn.answer is None:
        return ""
    said = turn.answer.message.text if turn.answer.message else ""
    return "\n".join(filter(None, (said, turn.answer.error)))

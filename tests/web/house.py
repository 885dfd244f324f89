"""The pages on a real socket, over real stores, for tests."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from litestar import Litestar

from reenact.access.keys import KeyRecord, hash_key, issue_key, principal_of
from reenact.access.principal import Principal
from reenact.domain.replay import Answered, Plan
from reenact.errors import InvalidInput
from reenact.replay.orderer import Orderer
from reenact.replay.question import Question
from reenact.replay.recording import Recording
from reenact.replay.service import Replays
from reenact.store.control.store import ControlStore
from reenact.store.sqlite.store import SqliteStore
from reenact.web.parts import Parts
from reenact.web.routes import router
from tests.fakes.replaying import FreshAsker, a_runner, some_playbacks
from tests.fakes.serving import serving
from tests.web.recordings import a_reading, said, user

NOW_US = 1_770_000_000_000_000


class Asker(FreshAsker):
    """Answers every question of a replay by recording a call in the store, as the relay and ingest would."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._numbers = itertools.count(900)
        self.keys: list[Mapping[str, str]] = []

    def check(self, plan: Plan, recording: Recording, provider_keys: Mapping[str, str]) -> None:
        """Refuse a key that is known to be wrong."""
        if provider_keys.get("openai") == "wrong":
            raise InvalidInput("The key for openai is wrong.", "provider_keys.openai")

    async def ask(self, question: Question, provider_keys: Mapping[str, str]) -> Answered:
        """Record an answer; the second call of a session fails."""
        self.keys.append(provider_keys)
        number = next(self._numbers)
        index = question.ask.index
        status = 500 if index == 2 else 200
        reading = a_reading(
            number, [user("again")], said("Again."), session=question.session_id, name=question.session_name,
            link=question.link, status=status,
        )  # fmt: skip
        self._store.save([reading])
        return Answered(
            index=index, call_id=reading.call.id, status=status, failure="HTTP 500" if status == 500 else None
        )


@dataclass(frozen=True, kw_only=True)
class House:
    """A running server of pages, and what it works with."""

    url: str
    key: str
    calls: SqliteStore
    control: ControlStore
    asker: Asker
    parts: Parts


@contextmanager
def a_house(folder: Path, *, keyless: bool = True) -> Iterator[House]:
    """Serve the pages over new stores in *folder* while the block runs."""
    calls, control = SqliteStore(folder / "calls.sqlite3"), ControlStore(folder / "control.sqlite3")
    control.first_start("org", "Test", NOW_US)
    key = issue_key(bytes(range(32)))
    control.add_key(
        KeyRecord(
            id="key-1", organisation_id="org", name="first", permissions="rw", key_hash=hash_key(key), last_four=key[-4:],
            created_us=NOW_US,
        )
    )  # fmt: skip
    asker, ids = Asker(calls), itertools.count(1)
    runner = a_runner(asker, control, calls, clock=lambda: NOW_US, new_id=lambda: f"id-{next(ids)}")
    playbacks = some_playbacks(control, calls, clock=lambda: NOW_US, new_id=lambda: f"id-{next(ids)}")
    parts = Parts(
        calls=calls,
        control=control,
        replays=Replays(
            Orderer(calls, runner, lambda provider, models, usage, at_us: 1_000_000, lambda _, patch: patch),
            control,
            runner,
            playbacks,
        ),
        secret=b"s" * 32,
        public_url="",
        principal_of=lambda given: principal_of(given, control.find_key(hash_key(given))),
        local=Principal(organisation_id="org", key_id=None, permissions="rw"),
        keyless=keyless,
        settle=_nothing,
        clock=lambda: NOW_US,
    )
    try:
        with serving(Litestar([router(parts)], on_shutdown=[runner.close], openapi_config=None)) as url:
            yield House(url=url, key=key, calls=calls, control=control, asker=asker, parts=parts)
    finally:
        calls.close()
        control.close()


async def _nothing() -> None:
    """Everything is settled: the tests write into the store themselves."""

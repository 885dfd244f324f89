"""Several servers on one control database: keys, replays, leases and cohorts, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import msgspec
import pytest

from reenact.access.keys import KeyRecord, hash_key
from reenact.domain.batch import Batch, BatchOrder, Cohort
from reenact.domain.patch import Patch
from reenact.domain.replay import CallResult, Mode, Plan, Replay, State, Take
from reenact.errors import FolderUnusable, NotFound
from reenact.store.control.store import ControlStore

Pair = tuple[ControlStore, ControlStore]


def a_replay(replay_id: str) -> Replay:
    """Return a replay that has just begun."""
    plan = Plan(session_id="s", session_name="Trip", mode=Mode.ANCHORED, patch=Patch(), takes=1, calls=())
    return Replay(
        id=replay_id, organisation_id="org", created_us=1, plan=plan, session_name="Again", state=State.RUNNING
    )


def a_cohort(name: str) -> Cohort:
    """Return sessions that were chosen."""
    return Cohort(
        id=str(uuid4()), organisation_id="org", name=name, version=0, created_us=7,
        source={"request": {"model": {"equals": "m"}}}, session_ids=("b", "a"),
    )  # fmt: skip


def test_what_one_server_keeps_the_other_reads(shared: Pair) -> None:
    """Keys, and replays as they go."""
    one, other = shared
    one.first_start("org", "Default", 5)
    secret, replay_id = str(uuid4()), str(uuid4())
    key = KeyRecord(
        id=secret, organisation_id=one.first_organisation(), name="k", permissions="rw", key_hash=hash_key(secret),
        last_four="abcd", created_us=1,
    )  # fmt: skip
    one.add_key(key)
    assert key == other.find_key(hash_key(secret))

    one.save_replay(a_replay(replay_id))
    result = CallResult(index=1, source_call_id="c", call_id="n", status=200)
    done = msgspec.structs.replace(
        a_replay(replay_id), state=State.DONE, takes=(Take(number=1, session_id="t", results=(result,)),)
    )
    other.save_replay(done)
    assert done == one.get_replay("org", replay_id)


def test_only_one_of_many_servers_makes_the_first_organisation(shared: Pair) -> None:
    """However they race."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda at: shared[at % 2].first_start(f"org-{at}", "Default", at), range(16)))

    assert sum(made) <= 1
    assert shared[0].first_organisation() == shared[1].first_organisation()


def test_only_one_of_many_workers_gets_a_replay(shared: Pair) -> None:
    """However they race; it keeps it as long as it renews in time, and another may take it after that."""
    replay_id = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        claims = pool.map(
            lambda at: shared[at % 2].leases.claim(replay_id, f"worker-{at}", now_us=100, until_us=200), range(16)
        )
        [winner] = [f"worker-{at}" for at, has_it in enumerate(claims) if has_it]
    leases = shared[0].leases

    assert leases.claim(replay_id, winner, now_us=150, until_us=250)
    assert not leases.claim(replay_id, "late", now_us=249, until_us=300)
    assert leases.renew([replay_id, "none"], winner, until_us=300) == {replay_id: None}
    assert not leases.claim(replay_id, "late", now_us=299, until_us=400)
    assert leases.claim(replay_id, "late", now_us=300, until_us=400)
    assert leases.renew([replay_id], winner, until_us=900) == {}

    leases.release(replay_id, winner)
    assert not leases.claim(replay_id, "third", now_us=350, until_us=500)
    leases.release(replay_id, "late")
    assert leases.claim(replay_id, "third", now_us=350, until_us=500)


def test_a_wish_reaches_whoever_performs_a_replay(shared: Pair) -> None:
    """Until somebody else takes it."""
    one, other = shared
    replay_id = str(uuid4())
    assert not other.leases.wish(replay_id, "cancelled")

    one.leases.claim(replay_id, "worker", now_us=1, until_us=2)
    assert other.leases.wish(replay_id, "cancelled")
    assert one.leases.renew([replay_id], "worker", until_us=3) == {replay_id: "cancelled"}
    other.leases.claim(replay_id, "next", now_us=3, until_us=4)
    assert other.leases.renew([replay_id], "next", until_us=5) == {replay_id: None}


def test_cohorts_are_frozen_and_versioned(shared: Pair) -> None:
    """Choosing again under a name makes its next version; the first stays as it was."""
    name = str(uuid4())
    first, second = shared[0].batches.freeze(a_cohort(name)), shared[1].batches.freeze(a_cohort(name))

    assert (1, 2) == (first.version, second.version)
    assert first == shared[1].batches.cohort("org", first.id)
    with pytest.raises(NotFound):
        shared[0].batches.cohort("other", first.id)


def test_batches_are_kept_as_they_go(shared: Pair) -> None:
    """Unfinished ones are found by whoever comes next; nobody else's are seen."""
    one, other = shared
    organisation, batch_id = str(uuid4()), str(uuid4())
    batch = Batch(
        id=batch_id, organisation_id=organisation, created_us=1, name="Again", cohort_id="c", order=BatchOrder(),
        state=State.RUNNING,
    )  # fmt: skip
    one.batches.save(batch)
    assert (organisation, batch_id) in other.batches.unfinished()

    done = msgspec.structs.replace(batch, state=State.DONE)
    other.batches.save(done)
    assert (done, [done]) == (one.batches.get(organisation, batch_id), one.batches.all(organisation))
    assert (organisation, batch_id) not in other.batches.unfinished()
    with pytest.raises(NotFound):
        one.batches.get("other", batch_id)


def test_a_database_that_cannot_be_opened_is_told_without_its_password() -> None:
    """Nothing answers there; or the address is none."""
    with pytest.raises(FolderUnusable) as told:
        ControlStore("postgresql+psycopg://reenact:hunter2@127.0.0.1:1/reenact")
    assert "hunter2" not in told.value.message
    with pytest.raises(FolderUnusable):
        ControlStore("no address")

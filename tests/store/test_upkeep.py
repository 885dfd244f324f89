"""What every call store does to keep its data in order: the conformance suite of `store.upkeep.Upkeep`."""

import random
from typing import Any

import msgspec

from reenact.domain.call import Reading
from reenact.domain.exchange import Gap
from reenact.domain.filter import Condition, Everything, Operator, Sort
from reenact.domain.labels import Labels, ReplayLink
from reenact.store.upkeep import Place, Removal, Removed, Scope, Upkeep
from tests.store.given import CREATED_US, given_reading


def labelled(number: int, session_id: str | None = None, **more: Any) -> Reading:
    """Return a reading of a session, or of none."""
    return given_reading(number, {"labels": Labels(session_id=session_id, **more)})


def save(store: Upkeep, *readings: Reading) -> None:
    """Save readings in one batch."""
    store.save(readings)


def left(store: Upkeep, organisation_id: str = "one") -> list[str]:
    """The numbers of the calls that are there, oldest first."""
    calls = store.find(organisation_id, Everything(), Sort(), offset=0, limit=1000)
    return [call.id[:8].lstrip("0") for call in reversed(calls)]


def test_all_calls_are_walked_through_in_order(store: Upkeep) -> None:
    """Page by page, each call once, of one organisation."""
    save(store, *(given_reading(number) for number in (3, 1, 2)), given_reading(4, {"organisation_id": "two"}))
    pages, after = [], Place()
    while page := store.places("one", after, 2):
        pages.append([place.call_id[7] for place in page])
        after = page[-1]
    assert [["1", "2"], ["3"]] == pages
    assert ["one", "two"] == store.organisations()


def test_a_session_expires_with_its_newest_call(store: Upkeep) -> None:
    """Half a session could not be replayed."""
    save(
        store,
        *(labelled(number, "long") for number in (1, 9)),
        *(labelled(number, "short") for number in (2, 3)),
        *(labelled(number) for number in (4, 8)),
    )
    found = store.expired("one", CREATED_US + 5_000_000, 10)
    assert ["2", "3", "4"] == [one[7] for one in found]
    assert ["2"] == [one[7] for one in store.expired("one", CREATED_US + 5_000_000, 1)]


def test_a_call_is_removed_with_all_that_was_said_of_it(store: Upkeep) -> None:
    """Others of its session stay whole; the session is listed with what is left of it."""
    readings = [given_reading(number) for number in (1, 2, 3)]
    save(store, *readings)
    store.set_scores("one", readings[1].call.id, {"good": 1})
    assert Removed(1, ("s1",)) == store.remove("one", Removal(Scope.CALL, readings[1].call.id))
    store.wipe()
    [session] = store.sessions("one")
    kept = [readings[0], readings[2]]
    assert ["1", "3"] == left(store)
    assert (2, kept[0].call.created_us, kept[1].call.created_us) == (
        session.calls,
        session.created_us,
        session.latest_us,
    )
    assert [one.exchange for one in kept] == store.exchanges("one", [one.call.id for one in readings])
    assert [] == store.score_totals("one")
    assert [] == store.removed()


def test_a_session_goes_with_its_takes(store: Upkeep) -> None:
    """A take repeats what its source said; so does the take of a take."""
    first = ReplayLink(replay_id="r1", take=1, source_session_id="s", source_call_id="c")
    second = ReplayLink(replay_id="r2", take=1, source_session_id="take", source_call_id="c")
    save(
        store,
        labelled(1, "s"),
        labelled(2, "take", replay=first),
        labelled(3, "again", replay=second),
        labelled(4, "other"),
    )
    assert Removed(3, ("again", "s", "take")) == store.remove("one", Removal(Scope.SESSION, "s"))
    assert ["4"] == left(store)


def test_a_user_goes_with_the_takes_of_their_sessions(store: Upkeep) -> None:
    """Other users' calls stay, in the same session too."""
    take = ReplayLink(replay_id="r1", take=1, source_session_id="s", source_call_id="c")
    save(
        store,
        labelled(1, "s", user_id="ann"),
        labelled(2, "s", user_id="bob"),
        labelled(3, None, user_id="ann"),
        labelled(4, "take", replay=take),
    )
    assert Removed(3, ("s", "take")) == store.remove("one", Removal(Scope.USER, "ann"))
    assert ["2"] == left(store)


def test_an_organisation_goes_alone(store: Upkeep) -> None:
    """Its calls and gaps go; another's calls of the same ids stay."""
    save(store, given_reading(1), given_reading(1, {"organisation_id": "two"}))
    gap = Gap(organisation_id="one", first_us=1, last_us=2, count=1, reason="full")
    store.save([], gaps=[gap])
    assert 1 == store.remove("one", Removal(Scope.ORGANISATION)).calls
    store.wipe()
    assert ([], [], ["1"]) == (left(store), store.gaps("one"), left(store, "two"))


def test_another_organisations_calls_cannot_be_removed(store: Upkeep) -> None:
    """Neither by id, session nor user."""
    save(store, labelled(1, "s", user_id="ann"))
    for scope, name in ((Scope.CALL, left(store)[0]), (Scope.SESSION, "s"), (Scope.USER, "ann")):
        assert Removed(0) == store.remove("two", Removal(scope, name))
    assert ["1"] == left(store)


def test_what_is_saved_after_a_removal_is_whole(store: Upkeep) -> None:
    """A session that lost calls takes new ones, whose parts are numbered anew."""
    talk = [f'{{"role": "user", "content": "{str(turn) * 80}"}}' for turn in range(9)]
    bodies = [f'{{"messages": [{", ".join(talk[first:last])}]}}'.encode() for first, last in ((0, 4), (2, 6), (5, 9))]
    readings = [given_reading(number, {"request_body": body}) for number, body in enumerate(bodies, 1)]
    save(store, *readings[:2])
    store.remove("one", Removal(Scope.CALL, readings[0].call.id))
    store.sweep()
    save(store, readings[2])
    store.wipe()
    save(store, readings[0])
    ids = [one.call.id for one in readings]
    assert [one.exchange for one in readings] == store.exchanges("one", ids)


def test_removed_words_are_not_found_and_others_are(store: Upkeep) -> None:
    """Search knows what is left, before and after the index is swept."""

    def found(word: str) -> list[str]:
        asked = Condition(column="request_body", operator=Operator.CONTAINS, value=word)
        return [call.id[7] for call in store.find("one", asked, Sort(), offset=0, limit=9)]

    said = [given_reading(1), given_reading(2)]
    save(store, *(msgspec.structs.replace(one, search_text=f"hello word{one.call.id[7]}") for one in said))
    store.remove("one", Removal(Scope.CALL, said[0].call.id))
    before = (found("hello"), found("word1"), found("word2"))
    store.wipe()
    assert before == (found("hello"), found("word1"), found("word2")) == (["2"], [], ["2"])


def test_discarding_is_no_wiping(store: Upkeep) -> None:
    """What age removes is gone for every query, its room is given back, and nobody waits for its last byte."""
    save(store, given_reading(1, {"response_body": random.Random(1).randbytes(200_000)}), given_reading(2))
    full = store.used_bytes()
    store.discard("one", [given_reading(1).call.id, "unknown"])
    store.sweep()
    assert (["2"], []) == (left(store), store.removed())
    assert store.used_bytes() < full - 150_000


def test_a_sound_store_tells_no_damage(store: Upkeep) -> None:
    """All is well with it, empty or not."""
    save(store, given_reading(1))
    assert [] == store.damage()

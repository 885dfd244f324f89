"""What is large stands outside the rows, once for an organisation: the conformance suite of a store's objects."""

import base64
import os
from pathlib import Path

import pytest

from reenact.domain.call import Asset
from reenact.domain.digesting import digest
from reenact.domain.labels import Labels
from reenact.errors import StoreFailed
from reenact.store.objects.objects import folder_of
from reenact.store.upkeep import Removal, Scope, Upkeep
from tests.store.given import given_reading
from tests.store.pictures import asking, picture, showing

FIRST, SECOND = picture(1), picture(2)
KEY = digest(FIRST).hex()


def test_pictures_are_kept_once_and_bodies_come_back_byte_for_byte(store: Upkeep) -> None:
    """In two sessions, in each call's history, in requests and answers."""
    answer = b'{"data": [{"b64_json": "' + base64.b64encode(FIRST) + b'"}]}'
    readings = [
        showing(1, FIRST),
        showing(2, FIRST, SECOND, response_body=answer),
        showing(3, FIRST, labels=Labels(session_id="another")),
        showing(4, SECOND, labels=Labels()),
    ]
    before = store.used_bytes()
    store.save(readings)
    ids = [one.call.id for one in readings]
    assert [one.exchange for one in readings] == store.exchanges("one", ids)
    assert store.used_bytes() - before < len(FIRST) + len(SECOND) + 100_000
    shown = store.bodies("one", ids)
    first, second = (
        Asset(id=digest(one).hex(), media_type="image/png", asset_bytes=len(one)) for one in (FIRST, SECOND)
    )
    assert [(first,), (first, second), (first,), (second,)] == [shown[call_id].assets for call_id in ids]
    assert FIRST == store.object("one", KEY)
    assert [] == store.damage()


def test_long_values_and_bodies_come_back_byte_for_byte(store: Upkeep) -> None:
    """A document in a message, a body that is no JSON, an answer that is long."""
    document = '{"role": "user", "content": "' + "Ünïcode and words. " * 9_000 + '"}'
    body = (
        '{"messages":[ ' + document + ' , {"role":"user","content":"' + "short " * 50 + '"}], "model":"m"}'
    ).encode()
    noise = picture(3, 200_000)
    readings = [
        given_reading(1, {"request_body": body, "response_body": noise}),
        given_reading(2, {"request_body": body.replace(b"short", b"other")}),
        given_reading(3, {"request_body": noise, "labels": Labels()}),
    ]
    store.save(readings)
    ids = [one.call.id for one in readings]
    assert [one.exchange for one in readings] == store.exchanges("one", ids)
    assert ((), ()) == (store.bodies("one", ids)[ids[0]].assets, store.bodies("one", ids)[ids[0]].lost)


def test_another_organisation_has_objects_of_its_own(store: Upkeep) -> None:
    """It can neither read one by its digest nor lose its own with somebody else's."""
    store.save([showing(1, FIRST)])
    assert store.object("two", KEY) is None
    store.save([showing(2, FIRST, organisation_id="two")])
    store.remove("one", Removal(Scope.ORGANISATION))
    store.wipe()
    assert (None, FIRST) == (store.object("one", KEY), store.object("two", KEY))


def test_an_object_goes_with_the_last_call_that_needs_it(store: Upkeep) -> None:
    """By deletion and by age alike; what comes again is there again."""
    store.save([showing(1, FIRST, SECOND), showing(2, FIRST, labels=Labels(session_id="another"))])
    store.remove("one", Removal(Scope.SESSION, "s1"))
    store.wipe()
    assert (FIRST, None) == (store.object("one", KEY), store.object("one", digest(SECOND).hex()))
    store.discard("one", [showing(2).call.id])
    store.sweep()
    assert store.object("one", KEY) is None
    again = showing(1, FIRST, SECOND)
    store.save([again])
    assert [again.exchange] == store.exchanges("one", [again.call.id])
    assert [] == store.damage()


def test_a_call_that_is_saved_again_needs_what_it_needs_now(store: Upkeep) -> None:
    """Reading it anew neither doubles nor loses its objects."""
    store.save([showing(1, FIRST)])
    store.save([showing(1, FIRST)])
    store.save([showing(1, SECOND)])
    store.sweep()
    assert SECOND == store.object("one", digest(SECOND).hex())
    assert [asking(SECOND)] == [one.request_body for one in store.exchanges("one", [showing(1).call.id])]


@pytest.mark.parametrize("is_missing", [True, False], ids=["missing", "damaged"])
def test_a_lost_object_is_named_and_hides_nothing_else(store: Upkeep, is_missing: bool) -> None:
    """The query answers with a marker, the store tells, the exchange is not passed off as what was recorded."""
    whole = showing(2, SECOND)
    store.save([showing(1, FIRST), whole])
    [path] = _files_of(store, "one", KEY)
    path.unlink() if is_missing else path.write_bytes(FIRST[:-1] + b"?")
    call_id = showing(1).call.id
    shown = store.bodies("one", [call_id, whole.call.id])
    told = f"The object {KEY} is {'missing' if is_missing else 'damaged'}: a piece of recorded bodies."
    marked = asking(FIRST).replace(base64.b64encode(FIRST), f"reenact: the object {KEY} cannot be read".encode())
    assert (marked, (KEY,)) == (shown[call_id].request, shown[call_id].lost)
    assert whole.exchange.request_body == shown[whole.call.id].request
    assert [told] == store.noticed() == store.damage()
    with pytest.raises(StoreFailed, match=KEY):
        store.exchanges("one", [call_id])


def test_what_a_killed_process_left_is_collected(store: Upkeep) -> None:
    """Only what no row names, and only when it has been there for long."""
    store.save([showing(1, FIRST)])
    [path] = _files_of(store, "one", KEY)
    old, fresh = (path.parent.parent / name[:2] / name for name in ("0" * 32, "1" * 32))
    for one in (old, fresh):
        one.parent.mkdir(exist_ok=True)
        one.write_bytes(b"left")
    for one in (old, path):
        os.utime(one, (1, 1))
    assert 1 == store.collect()
    assert (False, True, True) == (old.exists(), fresh.exists(), path.exists())
    assert FIRST == store.object("one", KEY)


def _files_of(store: Upkeep, organisation_id: str, key: str) -> list[Path]:
    root: Path = store._objects.objects._root  # type: ignore[attr-defined]
    return list(root.glob(f"{folder_of(organisation_id)}/*/{key}"))

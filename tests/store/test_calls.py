"""What every call store does: the conformance suite of `store.calls.CallStore`."""

import json
import threading

import msgspec
import pytest

from reenact.domain.call import Bodies, Call, Reading, SessionSummary
from reenact.domain.exchange import Chunk, Cursor, Ending, Gap, Handling, Metrics, Unreadable
from reenact.domain.filter import Condition, Everything, Operator, Sort
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Usage
from reenact.errors import InvalidInput, NotFound
from reenact.ingest.continuing import in_session
from reenact.ingest.decoding import decode
from reenact.ingest.sessioner import Sessioner
from reenact.store.calls import CallStore
from tests.store.given import CREATED_US, given_exchange, given_reading

NEWEST = Sort()


def everything(store: CallStore, organisation_id: str = "one") -> list[Call]:
    """All calls of an organisation, newest first."""
    return store.find(organisation_id, Everything(), NEWEST, offset=0, limit=1000)


HANDLING = Handling(
    attempts=3,
    cache_enabled=True,
    cache_reference_id="c0",
    fallback_index=1,
    changed_by=("Helicone-Stream-Usage",),
    omitted_response=True,
    metrics=Metrics(response_model="m", usage=Usage(input_tokens=1)),
    notes=("odd",),
)
FULL = given_reading(
    7,
    exchange={
        "request_headers": ((b"content-type", b"application/json"), (b"x-odd", b"\xff")),
        "chunks": (Chunk(body_bytes=20, after_us=5), Chunk(body_bytes=7, after_us=9)),
        "handling": HANDLING,
        "ending": Ending.PROVIDER_CUT,
        "detail": "broke off",
        "labels": Labels(
            session_id="s1",
            session_name="Trip",
            session_path="/plan",
            prompt_id="p",
            user_id="u",
            model_override="priced-as",
            properties={"App": "demo", "tier": ""},
            replay=ReplayLink(replay_id="r", take=2, source_session_id="s0", source_call_id="c0", arm="control"),
        ),
    },
    first_token_us=12,
    response_model="gpt-4o-2024-08-06",
    response_id="r1",
    streamed=True,
    stop_reason="stop",
    error="odd",
    session_inferred=True,
    usage=Usage(
        input_tokens=1,
        output_tokens=2,
        cache_read_tokens=3,
        cache_write_tokens=4,
        input_audio_tokens=5,
        output_audio_tokens=6,
        reasoning_tokens=7,
    ),
    cost_nanodollars=123,
    unreadable="odd",
    scores={"Quality": 0.5},
    feedback=True,
    handling=HANDLING,
)
FULL = msgspec.structs.replace(FULL, answer={"id": "r1", "choices": [{"text": "merged"}]})


def test_a_call_comes_back_whole(store: CallStore) -> None:
    """Every field of a call is what was saved."""
    store.save([FULL])
    assert everything(store) == [FULL.call]


def test_bodies_come_back_byte_for_byte(store: CallStore) -> None:
    """Bodies, headers, timing and the merged answer are what was saved."""
    store.save([FULL])
    exchange = FULL.exchange
    assert store.bodies("one", [FULL.call.id, "unknown"]) == {
        FULL.call.id: Bodies(
            request=exchange.request_body,
            response=exchange.response_body,
            answer_json=msgspec.json.encode(FULL.answer),
            request_headers=exchange.request_headers,
            response_headers=exchange.response_headers,
            chunks=exchange.chunks,
        )
    }


def test_exchanges_come_back_as_they_were_recorded(store: CallStore) -> None:
    """Reading them again starts from what crossed, whatever was made of it and set since."""
    changed = msgspec.structs.replace(FULL.call, status=-2, labels=Labels(user_id="from the body"))
    store.save([msgspec.structs.replace(FULL, call=changed)])
    store.set_property("one", FULL.call.id, "Helicone-Session-Id", "moved")
    assert store.exchanges("one", ["unknown", FULL.call.id]) == [FULL.exchange]


@pytest.mark.parametrize("body", [b"", b"\xff\x00binary" * 20, b'{"a": "\xff"}', b"[1, 2]"])
@pytest.mark.parametrize("session_id", [None, "s"])
def test_odd_bodies_come_back(store: CallStore, body: bytes, session_id: str | None) -> None:
    """A body need not be JSON, nor belong to a session."""
    reading = given_reading(
        exchange={"request_body": body, "response_body": body, "labels": Labels(session_id=session_id)}
    )
    store.save([reading])
    assert store.exchanges("one", [reading.call.id]) == [reading.exchange]
    assert store.bodies("one", [reading.call.id])[reading.call.id].answer is None


def session_of(turns: int) -> list[Reading]:
    """A session whose requests each repeat the one before."""
    messages = [{"role": "user", "content": f"message {number} " + "word " * 30} for number in range(turns)]
    bodies = [json.dumps({"model": "m", "messages": messages[: turn + 1]}).encode() for turn in range(turns)]
    return [given_reading(number, exchange={"request_body": body}) for number, body in enumerate(bodies, 1)]


def test_a_session_of_growing_bodies_comes_back(store: CallStore) -> None:
    """Bodies that share parts, saved in several batches, are each what was sent."""
    readings = session_of(12)
    for reading in readings:
        store.save([reading])
    ids = [reading.call.id for reading in readings]
    assert store.exchanges("one", ids) == [reading.exchange for reading in readings]


def test_saving_twice_leaves_one_row_and_the_later_wins(store: CallStore) -> None:
    """The spool may be read again: the same id is the same call."""
    store.save([FULL, given_reading(8)])
    later = msgspec.structs.replace(FULL, call=msgspec.structs.replace(FULL.call, status=500))
    store.save([later])
    assert everything(store) == [given_reading(8).call, later.call]
    assert store.count("one", Everything()) == 2


def test_a_later_exchange_replaces_bodies_and_words(store: CallStore) -> None:
    """What an earlier, shorter recording of a call said is neither shown nor found any more."""
    said = Condition(column="request_body", operator=Operator.CONTAINS, value="early")
    store.save([msgspec.structs.replace(given_reading(), search_text="early words")])
    assert store.count("one", said) == 1
    later = given_reading(exchange={"request_body": b"{}", "labels": Labels()})
    store.save([msgspec.structs.replace(later, search_text="late words")])
    assert store.count("one", said) == 0
    assert store.bodies("one", [later.call.id])[later.call.id].request == b"{}"
    assert everything(store) == [later.call]


def test_a_batch_may_hold_a_call_twice(store: CallStore) -> None:
    """As a spool does that was written to again; the later one wins, its words and properties too."""
    labels = [Labels(session_id="s1", properties={key: "x"}) for key in ("first", "second")]
    first, second = (
        msgspec.structs.replace(given_reading(exchange={"labels": one}), search_text=text)
        for one, text in zip(labels, ("alpha", "beta"), strict=True)
    )
    store.save([first, second])
    assert store.get("one", [first.call.id]) == [second.call]
    found = [
        store.count("one", Condition(column="request_body", operator=Operator.CONTAINS, value=word))
        for word in ("alpha", "beta")
    ]
    assert (found, store.property_keys("one"), store.totals("one")[0].calls) == ([0, 1], ["second"], 1)


def test_what_was_set_outlives_saving_again(store: CallStore) -> None:
    """A person's property, score and feedback are not undone when the spool is read again."""
    reading = given_reading()
    store.save([reading])
    store.set_property("one", reading.call.id, "APP", "better")
    store.set_property("one", reading.call.id, "Helicone-Session-Name", "Renamed")
    store.set_scores("one", reading.call.id, {"quality": 0.25})
    store.set_feedback("one", reading.call.id, False)
    after = everything(store)
    store.save([reading])
    labels = msgspec.structs.replace(reading.call.labels, session_name="Renamed", properties={"APP": "better"})
    expected = msgspec.structs.replace(reading.call, labels=labels, scores={"quality": 0.25}, feedback=False)
    assert (after, everything(store)) == ([expected], [expected])


def test_scores_and_properties_are_replaced_by_name(store: CallStore) -> None:
    """The last write of a name wins, whatever its case; other names stay."""
    reading = given_reading()
    store.save([reading])
    store.set_scores("one", reading.call.id, {"quality": 1, "speed": 2.5})
    store.set_scores("one", reading.call.id, {"Quality": 3})
    store.set_property("one", reading.call.id, "new", "value")
    store.set_property("one", reading.call.id, "new", "newer")
    (call,) = everything(store)
    assert call.scores == {"Quality": 3.0, "speed": 2.5}
    assert call.labels.properties == {"app": "demo", "new": "newer"}


def test_what_is_not_there_cannot_be_annotated(store: CallStore) -> None:
    """An unknown call, and another organisation's, are told apart from nobody's by nothing."""
    reading = given_reading()
    store.save([reading])
    for organisation_id, call_id in (("one", "unknown"), ("two", reading.call.id)):
        with pytest.raises(NotFound):
            store.set_property(organisation_id, call_id, "k", "v")
        with pytest.raises(NotFound):
            store.set_scores(organisation_id, call_id, {"k": 1})
        with pytest.raises(NotFound):
            store.set_feedback(organisation_id, call_id, True)
    with pytest.raises(InvalidInput, match="not a number"):
        store.set_scores("one", reading.call.id, {"k": float("nan")})
    assert everything(store) == [reading.call]


def test_organisations_see_only_their_own(store: CallStore) -> None:
    """The same id and session in two organisations are two calls in two sessions."""
    mine = given_reading()
    theirs = given_reading(exchange={"organisation_id": "two", "request_body": b'{"theirs": 1}'}, model="their-model")
    store.save([mine, theirs])
    ids = [mine.call.id]
    assert everything(store, "one") == store.get("one", ids) == store.session("one", "s1") == [mine.call]
    assert everything(store, "two") == store.get("two", ids) == store.session("two", "s1") == [theirs.call]
    assert store.exchanges("one", ids) == [mine.exchange]
    assert store.exchanges("two", ids) == [theirs.exchange]
    assert [summary.models for summary in store.sessions("two")] == [("their-model",)]
    assert (store.count("three", Everything()), everything(store, "three"), store.sessions("three")) == (0, [], [])
    assert (store.get("three", ids), store.bodies("three", ids), store.session("three", "s1")) == ([], {}, [])


def test_get_returns_calls_in_the_order_asked(store: CallStore) -> None:
    """Unknown ids are left out, repeated ones come back repeated."""
    readings = [given_reading(number) for number in (1, 2, 3)]
    store.save(readings)
    first, second, third = (reading.call for reading in readings)
    assert store.get("one", [third.id, "unknown", first.id, third.id, second.id]) == [third, first, third, second]


def test_pages_do_not_overlap_when_all_sort_the_same(store: CallStore) -> None:
    """Ties are broken by creation and id, in both directions."""
    readings = [given_reading(number, created_us=CREATED_US + number // 3) for number in range(10)]
    store.save(readings[::2])
    store.save(readings[1::2])
    ids = [reading.call.id for reading in readings]
    for column in ("created_us", "model", "latency_ms", "feedback"):
        for ascending, expected in ((True, ids), (False, ids[::-1])):
            sort = Sort(column=column, ascending=ascending)
            pages = [store.find("one", Everything(), sort, offset=offset, limit=3) for offset in range(0, 12, 3)]
            assert [call.id for page in pages for call in page] == expected


def test_a_session_is_its_calls_oldest_first(store: CallStore) -> None:
    """Calls of other sessions and of none are not among them."""
    readings = [given_reading(number) for number in (3, 1, 2)]
    other = given_reading(4, exchange={"labels": Labels(session_id="s2")})
    alone = given_reading(5, exchange={"labels": Labels()})
    store.save([*readings, other, alone])
    assert store.session("one", "s1") == [readings[1].call, readings[2].call, readings[0].call]
    assert store.session("one", "unknown") == []


def test_sessions_are_summed_by_id_and_name(store: CallStore) -> None:
    """Failed and unpriced calls are counted, absent tokens count nothing, a take tells its source."""
    link = ReplayLink(replay_id="r", take=1, source_session_id="s0", source_call_id="c0")
    named = {"labels": Labels(session_id="s1", session_name="Trip", user_id="u2", replay=link)}
    store.save(
        [
            given_reading(1, named, usage=Usage(input_tokens=5, output_tokens=7), cost_nanodollars=10, model="b"),
            given_reading(2, named, status=500, model="a", duration_us=500_000),
            given_reading(3, named, status=-2, cost_nanodollars=5),
            given_reading(4, {"labels": Labels(session_id="s1")}),
        ]
    )
    unnamed = SessionSummary(
        session_id="s1",
        session_name="",
        created_us=CREATED_US + 4_000_000,
        latest_us=CREATED_US + 4_000_000,
        calls=1,
        failed_calls=0,
        input_tokens=0,
        output_tokens=0,
        cost_nanodollars=0,
        unpriced_calls=1,
        mean_duration_us=1_500_000,
        models=("gpt-4o",),
        user_ids=(),
    )
    trip = SessionSummary(
        session_id="s1",
        session_name="Trip",
        created_us=CREATED_US + 1_000_000,
        latest_us=CREATED_US + 3_000_000,
        calls=3,
        failed_calls=2,
        input_tokens=5,
        output_tokens=7,
        cost_nanodollars=15,
        unpriced_calls=1,
        mean_duration_us=1_166_667,
        models=("a", "b", "gpt-4o"),
        user_ids=("u2",),
        replay_id="r",
        source_session_id="s0",
    )
    assert store.sessions("one") == [unnamed, trip]


def test_sessions_are_searched_and_paged(store: CallStore) -> None:
    """By part of id or name, by name, by time, newest activity first."""
    for number in range(1, 6):
        labels = Labels(session_id=f"id-{number}", session_name="Odd" if number % 2 else "Even%")
        store.save([given_reading(number, {"labels": labels}), given_reading(number + 5, {"labels": labels})])

    def ids(**asked: object) -> list[str]:
        return [summary.session_id for summary in store.sessions("one", **asked)]  # type: ignore[arg-type]

    assert ids() == ["id-5", "id-4", "id-3", "id-2", "id-1"]
    assert ids(search="EVEN%") == ids(name="Even%") == ["id-4", "id-2"]
    assert ids(name="even%") == ids(search="id_4") == []
    assert ids(search="ID-4") == ["id-4"]
    assert ids(offset=1, limit=2) == ["id-4", "id-3"]
    assert ids(after_us=CREATED_US + 9_000_000) == ["id-5", "id-4"]
    assert ids(before_us=CREATED_US + 3_000_000) == ["id-2", "id-1"]


def test_a_page_of_sessions_is_found_among_many_calls(store: CallStore) -> None:
    """One session goes on for long, others end before it began: pages have what one long list has."""
    readings = [
        given_reading(number, {"labels": Labels(session_id="long" if number > 20 else f"short-{number % 9}")})
        for number in range(1, 330)
    ]
    store.save(readings)
    names = [summary.session_id for summary in store.sessions("one")]
    pages = [store.sessions("one", offset=offset, limit=limit) for offset, limit in ((0, 1), (1, 1), (1, 2), (0, 3))]
    early = store.sessions("one", before_us=CREATED_US + 19_000_000, limit=1)
    assert ["long", *(f"short-{number % 9}" for number in range(20, 11, -1))] == names
    assert [[names[0]], [names[1]], names[1:3], names[:3]] == [[one.session_id for one in page] for page in pages]
    assert [("short-2", 3)] == [(one.session_id, one.calls) for one in early]
    assert 309 == pages[0][0].calls


def test_sessions_are_grouped_from_the_calls_that_match(store: CallStore) -> None:
    """A filter keeps sessions with a call that matches, and sums those calls alone, whatever drives the query."""
    for number in range(1, 7):
        labels = Labels(
            session_id=f"id-{number % 3}", session_name="Odd?" * (number % 2), properties={"n": str(number % 2)}
        )
        store.save([given_reading(number, {"labels": labels}, status=200 if number > 2 else 500)])
    store.save([given_reading(9, {"labels": Labels(properties={"n": "1"})})])
    failed = Condition(column="status", operator=Operator.EQUALS, value=500)
    odd = Condition(column="properties", key="N", operator=Operator.EQUALS, value="1")

    def found(**asked: object) -> list[tuple[str, str, int]]:
        listed = store.sessions("one", **asked)  # type: ignore[arg-type]
        return [(summary.session_id, summary.session_name, summary.calls) for summary in listed]

    assert found(where=failed) == [("id-2", "", 1), ("id-1", "Odd?", 1)]
    assert found(where=odd) == [("id-2", "Odd?", 1), ("id-0", "Odd?", 1), ("id-1", "Odd?", 1)]
    assert found(where=odd, search="ID-2", name="Odd?") == [("id-2", "Odd?", 1)]
    assert found(where=odd, after_us=CREATED_US + 2_000_000, before_us=CREATED_US + 5_000_000) == [("id-0", "Odd?", 1)]
    assert found(where=odd, offset=1, limit=1) == [("id-0", "Odd?", 1)]


def test_a_moved_call_moves_its_session(store: CallStore) -> None:
    """Setting a session header as a property lists the call under its new session alone."""
    reading = given_reading()
    store.save([reading])
    store.set_property("one", reading.call.id, "helicone-session-id", "s2")
    assert [(summary.session_id, summary.calls) for summary in store.sessions("one", limit=1)] == [("s2", 1)]
    assert store.sessions("one", offset=1) == []
    assert store.session("one", "s1") == []
    assert [call.labels.session_id for call in store.session("one", "s2")] == ["s2"]
    assert store.exchanges("one", [reading.call.id]) == [reading.exchange]


def test_gaps_and_unreadables_are_kept_once(store: CallStore) -> None:
    """What was lost is shown, newest first, however often the spool is read."""
    old = Gap(organisation_id="one", first_us=1, last_us=2, count=3, reason="No space left on device")
    new = Gap(organisation_id="one", first_us=5, last_us=6, count=1, reason="No space left on device")
    theirs = Gap(organisation_id="two", first_us=1, last_us=2, count=9, reason="odd")
    raw = Unreadable(raw=b"\x00odd" * 9, reason="the record is damaged")
    for _ in range(2):
        store.save([], gaps=[old, theirs, new], unreadables=[raw])
    assert (store.gaps("one"), store.gaps("two"), store.gaps("three")) == ([new, old], [theirs], [])
    assert store.unreadables() == [raw]


def test_the_cursor_moves_with_the_batch(store: CallStore) -> None:
    """Each spool has its own; a batch that cannot be saved leaves neither rows nor cursor."""
    assert store.cursor("a") == Cursor()
    store.save([given_reading()], spool="a", cursor=Cursor(1, 10))
    broken = msgspec.structs.replace(given_reading(3).call, model=object())
    with pytest.raises(Exception, match="object"):
        store.save([given_reading(2), Reading(call=broken, exchange=given_exchange())], spool="a", cursor=Cursor(1, 20))
    assert (store.cursor("a"), store.cursor("b")) == (Cursor(1, 10), Cursor())
    assert everything(store) == [given_reading().call]
    store.save([given_reading(2)], spool="a", cursor=Cursor(2, 0))
    assert store.cursor("a") == Cursor(2, 0)
    assert store.exchanges("one", [given_reading(2).call.id]) == [given_reading(2).exchange]


def test_a_call_that_is_moved_is_in_no_inferred_session(store: CallStore) -> None:
    """Though it is saved once more as it was recorded; the others stay, and bodies come back."""
    exchanges = [given_reading(number, {"labels": Labels()}).exchange for number in (1, 2)]
    ids = [exchange.id for exchange in exchanges]
    readings = [in_session(decode(exchange), "inferred-x") for exchange in exchanges]
    store.save(readings)
    assert [reading.call for reading in readings] == store.session("one", "inferred-x") == store.get("one", ids)
    store.set_property("one", ids[1], "Helicone-Session-Id", "mine")
    for _ in range(2):
        [stays, moved] = store.get("one", ids)
        assert readings[0].call == stays
        assert ("mine", False) == (moved.labels.session_id, moved.session_inferred)
        assert exchanges == store.exchanges("one", ids)
        assert [ids[:1], ids[1:]] == [[one.id for one in store.session("one", of)] for of in ("inferred-x", "mine")]
        store.save(readings)


def test_inferred_sessions_are_learnt_from_the_store(store: CallStore) -> None:
    """By whoever starts next on it, for the organisation that they are of."""
    hi, hello = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
    answer = msgspec.json.encode({"id": "r1", "choices": [{"index": 0, "message": hello}]})
    for number, messages in enumerate(([hi], [hi, hello, hi], [hi, hello, hi, hello, hi]), 1):
        body = msgspec.json.encode({"model": "gpt-4o", "messages": messages})
        told = {"labels": Labels(), "request_body": body, "response_body": answer}
        sessioner = Sessioner(store, idle_us=1_800_000_000)
        store.save([sessioner.decode(given_reading(number, told).exchange)])
    session_id = f"inferred-{given_reading(1).call.id}"
    assert [given_reading(number).call.id for number in (1, 2, 3)] == [
        call.id for call in store.session("one", session_id)
    ]


def test_many_threads_read_while_one_writes(store: CallStore) -> None:
    """Readers see whole batches: a call that is listed has its body."""
    readings = session_of(12)
    errors: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                ids = [call.id for call in everything(store)]
                assert set(store.bodies("one", ids)) == set(ids)
        except BaseException as error:  # noqa: BLE001 - told by the test below
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for reading in readings:
        store.save([reading])
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert everything(store) == [reading.call for reading in reversed(readings)]

"""Requests are given recorded calls by what they say: at named levels, each call once, equal ones in their recorded order."""

import random
import time

import pytest

from reenact.domain.playback import Level, Matching
from reenact.replay.matching.assigning import Match
from reenact.replay.matching.fingerprinting import Asked, fingerprint
from reenact.replay.matching.normalising import Normaliser
from tests.replay.matching.asks import RULES, a_card, a_deck, an_asked, drawn

EXACT, EQUIVALENT = Level.EXACT, Level.EQUIVALENT
UUIDS = ("0b9f8a2e-4c55-4c0e-9a53-6c2b8a1de001", "0b9f8a2e-4c55-4c0e-9a53-6c2b8a1de002")
NEW_UUID = "77777777-4c55-4c0e-9a53-6c2b8a1de003"


def test_equal_bytes_are_exact() -> None:
    """Whatever the order in which they come."""
    deck = a_deck(an_asked("one"), an_asked("two"), an_asked("three"))

    assert [(EXACT, 2), (EXACT, 3), (EXACT, 1)] == [drawn(deck, an_asked(text)) for text in ("two", "three", "one")]
    assert () == deck.left


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ({"body": b'{"model": "m", "messages": []}'}, {"body": b'{"messages":[],"model":"m"}'}),
        ({"seed": 1, "metadata": {"run": "a"}}, {"seed": 1, "metadata": {"run": "b"}}),
        ({"user": "ann"}, {"user": "bob"}),
        ({"prompt_cache_key": "a"}, {}),
        ({"messages": [{"role": "user", "content": "It is 2026-11-22T14:04:08Z."}]},
         {"messages": [{"role": "user", "content": "It is 2026-12-01T09:00:00.123Z."}]}),
        ({"messages": [{"role": "user", "content": "a\n2026-11-22 14:04:08 b"}]},
         {"messages": [{"role": "user", "content": "a\n2026-11-23 15:04:08 b"}]}),
        ({"messages": [{"role": "user", "content": "Sun Nov 22 14:04:08 2026"}]},
         {"messages": [{"role": "user", "content": "Mon Nov 23 04:00:18 2026"}]}),
        ({"messages": [{"role": "user", "content": f"[{UUIDS[0]}] hello"}]},
         {"messages": [{"role": "user", "content": f"[{NEW_UUID}] hello"}]}),
        ({"messages": [{"role": "user", "content": "at 1763820248.91"}]},
         {"messages": [{"role": "user", "content": "at 1763999999.02"}]}),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "call_a1", "type": "function", "function": {}}]},
                       {"role": "tool", "tool_call_id": "call_a1", "content": "x"}]},
         {"messages": [{"role": "assistant", "tool_calls": [{"id": "call_b7", "type": "function", "function": {}}]},
                       {"role": "tool", "tool_call_id": "call_b7", "content": "x"}]}),
    ],
)  # fmt: skip
def test_what_drifts_is_no_difference(recorded: dict[str, object], asked: dict[str, object]) -> None:
    """Spacing, order of keys, bookkeeping, times, ids that a run makes for itself."""
    assert (EQUIVALENT, 1) == drawn(a_deck(an_asked("x", **recorded)), an_asked("x", **asked))


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ({"temperature": 0}, {"temperature": 1}),
        ({"seed": 1}, {"seed": True}),
        ({"target": "/v1/chat/completions"}, {"target": "/v1/completions"}),
        ({"messages": [{"role": "user", "content": "order 1"}]}, {"messages": [{"role": "user", "content": "order 2"}]}),
        ({"messages": [{"role": "user", "content": "on 2026-11-22"}]},
         {"messages": [{"role": "user", "content": "on 2026-11-23"}]}),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}, {"id": "b", "type": "function"}]},
                       {"role": "tool", "tool_call_id": "a", "content": "x"}]},
         {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function"}, {"id": "d", "type": "function"}]},
                       {"role": "tool", "tool_call_id": "d", "content": "x"}]}),
    ],
)  # fmt: skip
def test_what_is_meant_is_a_difference(recorded: dict[str, object], asked: dict[str, object]) -> None:
    """Parameters, places, words, dates, and which tool call a result answers."""
    missed = drawn(a_deck(an_asked("x", **recorded)), an_asked("x", **asked))

    assert "No recorded call has this request." == missed


def test_an_id_that_the_record_knows_has_not_drifted() -> None:
    """A question about one order is never given what was said of another, and an unknown order's id is taken for drift."""
    deck = a_deck(*(an_asked(f"Where is {one}?") for one in UUIDS))

    assert (EXACT, 2) == drawn(deck, an_asked(f"Where is {UUIDS[1]}?"))
    assert "This request was recorded once and is asked more often." == drawn(deck, an_asked(f"Where is {UUIDS[1]}?"))
    assert (EQUIVALENT, 1) == drawn(deck, an_asked(f"Where is {NEW_UUID}?"))


def test_equal_requests_are_answered_in_their_recorded_order() -> None:
    """And asked once more than recorded, not at all."""
    deck = a_deck(*[an_asked("again")] * 3)

    assert [(EXACT, 1), (EXACT, 2), (EXACT, 3)] == [drawn(deck, an_asked("again")) for _ in range(3)]
    assert "This request was recorded 3 times and is asked more often." == drawn(deck, an_asked("again"))


@pytest.mark.parametrize("label", ["path", "prompt_id"])
def test_two_sub_agents_that_ask_the_same_twice_each_get_their_own(label: str) -> None:
    """Recorded interleaved, asked in any order: what names a chain decides, and within it the recorded order."""
    chains = ["a", "b", "b", "a"]
    deck = a_deck(*(an_asked("same", **{label: chain}) for chain in chains))
    order = ["b", "a", "a", "b"]

    assert [(EXACT, 2), (EXACT, 1), (EXACT, 4), (EXACT, 3)] == [
        drawn(deck, an_asked("same", **{label: chain})) for chain in order
    ]


def test_two_sub_agents_are_told_apart_by_their_histories() -> None:
    """Without any label, and with times that drift: what each was told before stands in what it asks."""
    recorded = [
        an_asked("plan", "Told: left", "2026-11-22T10:00:00Z same"),
        an_asked("plan", "Told: right", "2026-11-22T10:00:00Z same"),
        an_asked("plan", "Told: right", "2026-11-22T10:00:01Z same"),
        an_asked("plan", "Told: left", "2026-11-22T10:00:01Z same"),
    ]
    deck = a_deck(*recorded)
    asked = [an_asked("plan", f"Told: {side}", f"2027-01-01T08:00:0{n}Z same")
             for n, side in enumerate(("right", "left", "right", "left"))]  # fmt: skip

    assert [(EQUIVALENT, 2), (EQUIVALENT, 1), (EQUIVALENT, 3), (EQUIVALENT, 4)] == [drawn(deck, one) for one in asked]


def test_a_chain_is_not_given_what_another_was_told() -> None:
    """A path that the record knows asks only for its own; one that it does not know may have any."""
    deck = a_deck(an_asked("same", path="/a"), an_asked("same", path="/b"))

    assert (EXACT, 1) == drawn(deck, an_asked("same", path="/a"))
    assert "This request was recorded under another session path" in str(drawn(deck, an_asked("same", path="/a")))
    assert (EXACT, 2) == drawn(deck, an_asked("same", path="/renamed"))


def test_users_and_properties_are_preferred() -> None:
    """They may change from run to run, so they decide only between equal requests."""
    deck = a_deck(*(an_asked("same", properties={"worker": worker}) for worker in ("1", "2")))

    assert (EXACT, 2) == drawn(deck, an_asked("same", properties={"worker": "2"}))
    assert (EXACT, 1) == drawn(deck, an_asked("same", properties={"worker": "3"}))


@pytest.mark.parametrize("seed", range(5))
def test_thirty_shuffled_requests_each_get_their_own_answer(seed: int) -> None:
    """One instruction, thirty items, width ten, times and run ids that drift: no request is given another's call."""
    chance = random.Random(seed)

    def request(item: int, second: int, run: str) -> Asked:
        return an_asked(
            f"You label reviews. Run {run}, now 2026-11-{20 + second % 9}T10:{second:02}:07Z.", f"Review {item}: fine."
        )

    deck = a_deck(*(request(item, item, UUIDS[0]) for item in range(30)))
    items = list(range(30))
    for start in range(0, 30, 10):
        window = items[start : start + 10]
        chance.shuffle(window)
        items[start : start + 10] = window
    given = [drawn(deck, request(item, 59 - item, NEW_UUID)) for item in items]

    assert [(EQUIVALENT, item + 1) for item in items] == given


def test_declared_places_and_texts_do_not_matter() -> None:
    """By JSON Pointer, also into every item of a list, and by regular expression."""
    rules = Normaliser(Matching(ignore=("/seed", "/messages/*/name"), volatile=(r"run-\d+",)))
    recorded = an_asked("", seed=1, messages=[{"role": "user", "content": "run-7 go", "name": "x"}])
    asked = an_asked("", seed=2, messages=[{"role": "user", "content": "run-81 go", "name": "y"}])

    assert (EQUIVALENT, 1) == drawn(a_deck(recorded, rules=rules), asked, rules)
    assert "No recorded call has this request." == drawn(a_deck(recorded), asked)


def test_bodies_that_are_no_json_match_byte_for_byte() -> None:
    """Such as uploads."""
    deck = a_deck(an_asked(body=b"\x00\x01"), an_asked(body=b"\x00\x02"))

    assert [(EXACT, 2), "No recorded call has this request."] == [
        drawn(deck, an_asked(body=body)) for body in (b"\x00\x02", b"\x00\x03")
    ]


def test_what_cannot_be_given_says_why() -> None:
    """A call whose answer was not kept."""
    deck = type(a_deck())([a_card(1, an_asked("one"), hindrance="its answer was not recorded")])

    assert "The recorded call cannot be given again: its answer was not recorded." == drawn(deck, an_asked("one"))


def test_what_was_taken_back_is_given_again() -> None:
    """To whoever asks next, in its old place."""
    deck = a_deck(*[an_asked("again")] * 2)
    first = deck.draw(fingerprint(an_asked("again"), RULES))
    assert isinstance(first, Match)
    deck.take_back(first.card)

    assert [(EXACT, 1), (EXACT, 2)] == [drawn(deck, an_asked("again")) for _ in range(2)]


def test_ten_thousand_calls_are_matched_in_a_few_milliseconds_each() -> None:
    """Long histories, equal requests among them, every one drifted: none is slower than the others."""
    history = [f"Turn {turn}: " + "words " * 100 for turn in range(20)]

    def request(number: int, day: int) -> Asked:
        return an_asked(*history, f"2026-11-{day}T10:00:00Z item {number // 10}")

    deck = a_deck(*(request(number, 10) for number in range(10_000)))
    prints = [fingerprint(request(number, 11), RULES) for number in range(0, 10_000, 50)]
    started_s = time.perf_counter()
    found = [deck.draw(one) for one in prints]
    each_ms = (time.perf_counter() - started_s) * 1000 / len(found)

    assert {EQUIVALENT} == {one.level for one in found if isinstance(one, Match)}
    assert each_ms < 3

"""A miss names what comes nearest, how far it is and where the two differ."""

from reenact.domain.playback import Difference
from reenact.replay.matching.fingerprinting import fingerprint
from reenact.replay.matching.nearing import Neighbourhood, differences, distance
from tests.replay.matching.asks import RULES, a_deck, an_asked


def test_the_distance_of_equals_is_nothing_and_of_strangers_nearly_all() -> None:
    """And symmetric between."""
    one, other = an_asked("The cat sat on the mat."), an_asked("The cat sat on a mat.")

    assert 0 == distance(one, one)
    assert 0 < distance(one, other) == distance(other, one) < 0.1
    assert distance(an_asked("a" * 500), an_asked("b" * 500)) > 0.85


def test_differences_name_places_and_leave_drift_for_last() -> None:
    """Session path and prompt id first, then the body as JSON Pointers; each row differs in exactly one respect."""
    old = an_asked("2026-11-22T10:00:00Z", "two", temperature=0)
    new = an_asked("2026-11-23T10:00:00Z", "too", temperature=0, path="/x", seed=1)

    assert (
        (
            Difference(path="session path", before="/", after="/x"),
            Difference(path="/messages/1/content", before="two", after="too"),
            Difference(path="/seed", after=1),
            Difference(path="/messages/0/content", before="2026-11-22T10:00:00Z", after="2026-11-23T10:00:00Z"),
        ),
        0,
    ) == differences(old, new, RULES)


def test_long_texts_are_cut_to_where_they_differ() -> None:
    """A little of what is alike is left before it."""
    listed, _ = differences(an_asked("x" * 500 + "old"), an_asked("x" * 500 + "new"), RULES)

    assert (Difference(path="/messages/0/content", before=f"…{'x' * 20}old", after=f"…{'x' * 20}new"),) == listed


def test_many_differences_are_counted() -> None:
    """Twenty are listed."""
    listed, left_out = differences(
        an_asked("", **{f"field{n}": 1 for n in range(30)}), an_asked("", **{f"field{n}": 2 for n in range(30)}), RULES
    )

    assert (20, 10) == (len(listed), left_out)


def test_what_shares_most_comes_first() -> None:
    """By whole messages, the larger the better; with nothing shared, by size and labels."""
    deck = a_deck(
        an_asked("a short one"),
        an_asked("a long history " * 50, "and a question"),
        an_asked("a long history " * 50, "and another", path="/b"),
    )
    near = Neighbourhood(deck.cards)

    def first(*texts: str, **labels: str) -> int:
        return near.candidates(fingerprint(an_asked(*texts, **labels), RULES), deck)[0].index

    assert 2 == first("a long history " * 50, "and a qeustion")
    assert 3 == first("a long history " * 50, "and one more", path="/b")
    assert 1 == first("a shorter one")

"""Each request continues the answer that stands in its history, not the one that came before it in time."""

from reenact.replay.carrying.linking import links_of
from tests.replay.carrying.tapes import a_tape, asked, back, said, system


def parents(*calls: tuple[object, object], at_once: bool = False) -> dict[int, int]:
    """Return the parent of each call that has one."""
    return {index: link.parent for index, link in links_of(a_tape(*calls, at_once=at_once)).items()}


def test_a_conversation_is_a_chain() -> None:
    """Each turn continues the one before."""
    chat = [
        (asked("one"), said("first answer")),
        (asked("one", back("first answer"), "two"), said("second answer")),
        (asked("one", back("first answer"), "two", back("second answer"), "three"), said("third answer")),
    ]

    assert {2: 1, 3: 2} == parents(*chat)


def test_interleaved_branches_keep_to_themselves() -> None:
    """Though the other branch's answer came later."""
    calls = [
        (asked(system("A"), "one"), said("answer of A")),
        (asked(system("B"), "one"), said("answer of B")),
        (asked(system("A"), "one", back("answer of A"), "two"), said("more of A")),
        (asked(system("B"), "one", back("answer of B"), "two"), said("more of B")),
    ]

    assert {3: 1, 4: 2} == parents(*calls)


def test_the_same_question_asked_twice_and_answered_alike_is_continued_once_each() -> None:
    """In the order asked: no answer is continued twice while another was not."""
    first = (asked("same"), said("same answer"))
    calls = [
        first,
        first,
        (asked("same", back("same answer"), "x"), said("1")),
        (asked("same", back("same answer"), "y"), said("2")),
    ]

    assert {3: 1, 4: 2} == parents(*calls)


def test_the_history_tells_which_of_two_like_answers_is_meant() -> None:
    """Two agents said the same; each continuation has its own history."""
    calls = [
        (asked(system("A"), "q"), said("Yes.")),
        (asked(system("B"), "q"), said("Yes.")),
        (asked(system("B"), "q", back("Yes."), "go on"), said("1")),
        (asked(system("A"), "q", back("Yes."), "go on"), said("2")),
    ]

    assert {3: 2, 4: 1} == parents(*calls)


def test_an_answer_that_had_not_come_yet_is_no_parent() -> None:
    """Calls that were under way at once know nothing of each other."""
    calls = [(asked("one"), said("answer")), (asked("one", back("answer"), "two"), said("more"))]

    assert {} == links_of(a_tape((calls[0][0], calls[0][1]), (calls[1][0], calls[1][1]), at_once=True))


def test_a_trimmed_history_keeps_the_system_prompt_and_its_end() -> None:
    """What lies between was left out."""
    full = asked(system("S"), "one", back("a1"), "two", back("a2"), "three")
    calls = [
        (asked(system("S"), "one"), said("a1")),
        (asked(system("S"), "one", back("a1"), "two"), said("a2")),
        (full, said("a3")),
        (asked(system("S"), "two", back("a2"), "three", back("a3"), "four"), said("a4")),
    ]

    link = links_of(a_tape(*calls))[4]

    assert (3, 1, 1, 3, False) == (link.parent, link.front, link.back, link.kept_from, link.is_whole)


def test_the_providers_own_id_of_an_answer_links_too() -> None:
    """The history is held by the provider then."""
    calls = [
        (asked("one"), said("a1", id="resp-1")),
        (asked("two", previous_response_id="resp-1"), said("a2", id="resp-2")),
    ]

    link = links_of(a_tape(*calls))[2]

    assert (1, True) == (link.parent, link.is_held)

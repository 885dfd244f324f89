"""What stands beside copies of answers and in no template: found by other sessions, doubted when the answer is another one."""

from reenact.domain.divergence import Unknown
from reenact.domain.message import Json
from reenact.replay.carrying.fabric import Fabric
from reenact.replay.carrying.tape import Tape
from tests.replay.carrying.tapes import a_tape, asked, said, system
from tests.replay.test_chaining import Driven

FAMILIES = ("/write", "/ship")


def a_session(subject: str, text: str, beside: str) -> Tape:
    """Return a text that is written and then shipped, with something that its program put beside it."""
    shipped = f"Ship this, due on {beside}:\n\n{text}\n\nWho does it?"
    return a_tape(
        (asked(system("You write."), subject), said(text)),
        (asked(system("You ship."), shipped), said("Ann does it.")),
        families=FAMILIES,
    )


OTHERS = [
    a_session("On bees", "Bees dance to tell where flowers are.", "4 March"),
    a_session("On tides", "The moon pulls the sea up and lets it go.", "9 April"),
]
SESSION = a_session("On salt", "Salt was money once, and is cheap today.", "17 May")


def foreign(tape: Tape, kin: list[Tape]) -> dict[int, list[str]]:
    """Return the words that are found in each request."""
    return {index: [one.text for one in found] for index, found in Fabric(tape, kin).foreign.items()}


def test_words_that_no_template_holds_are_found() -> None:
    """Where other sessions of the agent show the template."""
    assert {2: ["17 May"]} == foreign(SESSION, OTHERS)


def test_without_other_sessions_nothing_is_known_of_templates() -> None:
    """A text seen once may be all template."""
    assert {} == foreign(SESSION, [])


def test_a_template_that_most_sessions_share_is_enough() -> None:
    """One that says it otherwise is outvoted; a kind of call that no other session has tells nothing."""
    odd = a_tape((asked("Hello"), said("Hi")), families=("/write",))

    assert {2: ["17 May"]} == foreign(SESSION, [*OTHERS, odd])
    assert {} == foreign(SESSION, [odd])


def test_what_somebody_said_by_itself_follows_from_nothing() -> None:
    """A question that was asked before stands beside an answer as it was asked."""

    def session(question: str, text: str) -> Tape:
        return a_tape(
            (asked(system("You answer."), question), said(text)),
            (asked(system("You check."), f"Question: {question}\nAnswer: {text}\nIs it right?"), said("Yes, it is.")),
            families=("/answer", "/check"),
        )

    kin = [session("Who found radium?", "Two people in a shed in Paris did.")]
    assert {} == foreign(session("How far is Mars?", "It is further than anybody has been."), kin)


def test_what_stands_alike_beside_different_answers_follows_from_none() -> None:
    """One wish in the prompts of two workers' results."""

    def session(wish: str, *texts: str) -> Tape:
        workers: list[tuple[Json, Json]] = [(asked(f"Part {number}"), said(text)) for number, text in enumerate(texts)]
        merges: list[tuple[Json, Json]] = [(asked(f"Merge for {wish}:\n{text}"), said("Merged.")) for text in texts]
        return a_tape(*workers, *merges, families=("/work", "/work", "/merge", "/merge"))

    kin = [session("a school", "Rivers run down to the sea.", "Hills stand where they stood.")]
    one = session("old sailors", "Winds blow from the west here.", "Ships lie in the harbour now.")
    assert {} == foreign(one, kin)
    assert {} == foreign(one, [])


def test_a_take_doubts_such_words_only_beside_another_answer() -> None:
    """The control repeats the session without a doubt; another text leaves its date doubtful, and is sent all the same."""
    same = [said("Salt was money once, and is cheap today."), said("Ann does it.")]
    other = [said("Salt is what the sea leaves behind."), said("Bob does it.")]
    control = Driven(SESSION, lambda ask: same[ask.index - 1], kin=OTHERS)
    changed = Driven(SESSION, lambda ask: other[ask.index - 1], kin=OTHERS)

    assert () == control.results[2, 0].doubts
    assert [Unknown.DERIVED] == [doubt.unknown for doubt in changed.results[2, 0].doubts]
    assert "17 May" in changed.results[2, 0].doubts[0].detail
    assert "Salt is what the sea leaves behind." in changed.sent[2, 0]["messages"][1]["content"]


def test_what_is_announced_as_asked_is_not_made_of_answers() -> None:
    """Nor is what counts: a question that first stands beside the answers, and lists that are longer than elsewhere."""

    def session(question: str, *texts: str) -> Tape:
        listed = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, start=1))
        last = "".join(f"\nResult {number}: {text}" for number, text in enumerate(texts, start=1))
        asked_last = asked(f"Question: {question}\n\nFound:\n{listed}\n{last}\n\nAnswer now.")
        searches = [(asked(f"Search {number}"), said(text)) for number, text in enumerate(texts, start=1)]
        return a_tape(*searches, (asked_last, said("So it is.")), families=(*("/search" for _ in searches), "/answer"))

    found = ("Bees dance to tell the way.", "The moon pulls the sea up.", "Salt was money once.")
    others = [session("why do tides turn", *found[:2]), session("who keeps bees now", *found[1:])]

    assert {} == foreign(session("what was salt worth", *found), others)

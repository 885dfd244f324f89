"""What chained takes are worth, on a terminal."""

from reenact.cli.worth_view import carried_words, worth_view
from reenact.domain.divergence import Departure, Divergence, Doubt, Unknown, Validity
from reenact.domain.replay import CallResult, PlannedCall, Take


def a_result(index: int, validity: Validity | None, **fields: object) -> CallResult:
    """Return a result."""
    given = {"index": index, "source_call_id": "c", "call_id": "n", "status": 200, "validity": validity} | fields
    return CallResult(**given)  # type: ignore[arg-type]


def test_carried_words() -> None:
    """What is sure, and what may be."""
    call = PlannedCall(
        index=3, call_id="c", path="/", prompt_id=None, model="m", provider="p", action="ask",
        carried_from=(1, 2), maybe_from=(2,),
    )  # fmt: skip

    assert "carries calls 1, 2, may depend on call 2" == carried_words(call)


def test_a_chained_take_is_summed_up() -> None:
    """Counts, departures, doubts, stops."""
    left = Divergence(departure=Departure.OTHER_TOOL, detail="It asks for another tool than the source did.")
    doubt = Doubt(unknown=Unknown.DECISION, detail="A verdict changed.")
    stop = Doubt(unknown=Unknown.TOOL_RESULT, detail="No record says.")
    results = (
        a_result(1, Validity.ON_TAPE, divergence=left),
        a_result(2, Validity.AFTER_DIVERGENCE, doubts=(doubt,)),
        a_result(2, Validity.AFTER_DIVERGENCE, round=1, stop=stop),
        a_result(3, Validity.DROPPED),
    )

    lines = [str(line) for line in worth_view(Take(number=1, session_id="t", results=results))]

    assert [
        "  1 on tape, 2 after divergence, 1 dropped",
        "  call 1 leaves the source: It asks for another tool than the source did.",
        "  call 2 is in doubt: A verdict changed.",
        "  after call 2, extra 1: No record says.",
    ] == lines


def test_other_takes_say_nothing_of_it() -> None:
    """Anchored ones have no such thing."""
    assert [] == worth_view(Take(number=1, session_id="t", results=(a_result(1, None),)))

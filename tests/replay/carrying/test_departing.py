"""What an answer does is compared, not how it words it."""

import pytest

from reenact.domain.divergence import Departure
from reenact.domain.message import Answer, Json
from reenact.replay.carrying.departing import departure
from tests.replay.carrying.tapes import answer, said

OSLO, LIMA = ("a", "weather", {"city": "Oslo"}), ("b", "weather", {"city": "Lima"})
TRAIN = ("c", "trains", {"day": "today"})


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (said("one"), said("another"), None),
        (said("a", OSLO), said("b", ("z", "weather", {"city": "Oslo"})), None),
        (said(None, OSLO, LIMA), said(None, LIMA, OSLO), None),
        (said(None, OSLO), said(None, LIMA), Departure.OTHER_ARGUMENTS),
        (said(None, OSLO), said(None, TRAIN), Departure.OTHER_TOOL),
        (said("done"), said(None, OSLO), Departure.EXTRA_CALL),
        (said(None, OSLO, LIMA), said(None, OSLO), Departure.MISSING_CALL),
        (said(None, OSLO), None, Departure.FAILURE),
        (None, said("one"), Departure.FAILURE),
        (None, None, None),
    ],
)
def test_departures(before: Json, after: Json, kind: Departure | None) -> None:
    """Rewording is none, nor another order of tools asked for at once."""
    left, right = (None if one is None else answer(one) for one in (before, after))

    found = departure(left, right)

    assert kind == (found.departure if found else None)


def test_the_ends_of_answers_are_compared_across_formats() -> None:
    """`end_turn` is `stop`; `length` is something else."""
    assert departure(Answer(stop_reason="stop"), Answer(stop_reason="end_turn")) is None

    found = departure(Answer(stop_reason="stop"), Answer(stop_reason="length"))

    assert found is not None
    assert (Departure.STOP_REASON, "stop", "length") == (found.departure, found.before, found.after)

"""ScoreReader: scores out of the store, thumbs up and down among them."""

from collections import defaultdict

from reenact.api.rating import FEEDBACK, RATED, SCORED
from reenact.domain.filter import All, Filter, Sort
from reenact.domain.total import Grouping, ScoreTotal, Step
from reenact.store.calls import CallStore

_PAGE = 1000
_ALL_PIECES = 2**31


def score_totals(
    calls: CallStore, organisation_id: str, where: Filter, *, step: Step | None = None, offset_minutes: int = 0
) -> list[ScoreTotal]:
    """Return the sums of scores by name, and by *step* where it is given, the oldest first. Reads: call it in a thread."""
    found = calls.score_totals(organisation_id, where, step=step, offset_minutes=offset_minutes)
    counted: dict[int | None, dict[float, int]] = defaultdict(dict)
    grouping = Grouping(step=step, offset_minutes=offset_minutes)
    for number, condition in RATED.items():
        for one in calls.totals(organisation_id, All((where, condition)), grouping, limit=_ALL_PIECES):
            if one.calls:
                counted[one.start_us][number] = one.calls
    feedback = [
        ScoreTotal(start_us=start_us, name=FEEDBACK, count=sum(counts.values()), sum=float(counts.get(1.0, 0)))
        for start_us, counts in counted.items()
    ]
    return sorted([*found, *feedback], key=lambda one: (one.start_us or 0, one.name.lower()))


def score_values(calls: CallStore, organisation_id: str, where: Filter) -> dict[str, list[float]]:
    """Return every score of the calls that match, by lower-cased name. Reads: call it in a thread."""
    values: dict[str, list[float]] = defaultdict(list)
    scored, offset = All((where, SCORED)), 0
    while page := calls.find(organisation_id, scored, Sort(), offset=offset, limit=_PAGE):
        for call in page:
            for name, value in call.scores.items():
                values[name.lower()].append(value)
            if call.feedback is not None:
                values[FEEDBACK].append(float(call.feedback))
        offset += len(page)
    return values

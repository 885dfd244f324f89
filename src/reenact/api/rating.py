"""Rating: a thumb up or down as what it is at Helicone, the score `helicone-score-feedback`, 1 or 0 (surface 5.8)."""

from reenact.domain.filter import All, AnyOf, Condition, Filter, Operator
from reenact.domain.filtering import ARITHMETIC

FEEDBACK = "helicone-score-feedback"
_WITH_SCORES = Condition(column="scored", operator=Operator.EQUALS, value=True)
RATED = {
    1.0: Condition(column="feedback", operator=Operator.EQUALS, value=True),
    0.0: Condition(column="feedback", operator=Operator.EQUALS, value=False),
}
_UNRATED = Condition(column="feedback", operator=Operator.EQUALS, value=None)

SCORED = AnyOf((_WITH_SCORES, *RATED.values()))
"""The filter for calls that have scores."""
UNSCORED = All((Condition(column="scored", operator=Operator.EQUALS, value=False), _UNRATED))
"""The filter for all others."""


def rated(operator: Operator, value: float | None) -> Filter:
    """Return the filter for calls whose feedback, as a number, passes; None for *value* asks whether there is none."""
    if value is None:
        return _UNRATED if operator is Operator.EQUALS else AnyOf(tuple(RATED.values()))
    return AnyOf(tuple(one for number, one in RATED.items() if ARITHMETIC[operator](number, value)))

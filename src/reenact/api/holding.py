"""Holding: whether a column that is the same in every row passes a condition; decided here, without asking the store."""

from reenact.api.columns import Constant, Value
from reenact.domain.filter import Kind, Operator
from reenact.domain.filtering import POSITIVE, text_holds


def holds(constant: Constant, operator: Operator, value: Value) -> bool:
    """Return whether every row passes (else none does), by the rules of domain.filtering."""
    if constant.kind is Kind.TEXT:
        positive = POSITIVE.get(operator, operator)
        return text_holds(str(constant.value or ""), positive, str(value or "")) == (positive is operator)
    if value is None:
        return (constant.value is None) == (operator is Operator.EQUALS)
    return constant.value == value and operator is Operator.EQUALS

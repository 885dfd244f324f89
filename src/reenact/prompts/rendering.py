"""Fill in the variables of a version's body, by the rules of surface 5.7.

In messages a variable is replaced by its value as text, and one without a value stays. In tools and answer formats a text that
is nothing but a variable becomes the value itself, and one without a value is an error.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, repeat

import msgspec

from reenact.domain.message import Json
from reenact.errors import InvalidInput
from reenact.prompts.wording import Variable, Wording, worded

MESSAGES = "messages"
TYPED = ("tools", "response_format")
"""The fields of a body whose variables become values."""
MOST_RENDERED = 64 * 1024 * 1024
"""Characters that the texts of one body may come to."""
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
_KINDS = ("string", "number", "boolean")

Inputs = Mapping[str, Json]


def rendered(body: Mapping[str, Json], inputs: Inputs) -> dict[str, Json]:
    """Return *body* with its variables filled in; fields other than messages, tools and answer format stay as they are.

    Raises:
        InvalidInput: an input is not of its variable's type or missing where there has to be one, or all of it would be too
            long; `field` is `inputs.NAME`.
    """
    check(variables_of(body), inputs)
    filling = _Filling(inputs)
    return {
        field: filling.text_in(value) if field == MESSAGES else filling.value_in(value) if field in TYPED else value
        for field, value in body.items()
    }


def check(variables: Mapping[str, Variable], inputs: Inputs) -> None:
    """Make sure that each of *inputs* is of the type of its variable.

    Raises:
        InvalidInput: names all that are not, as Helicone does; `field` is the first of them.
    """
    wrong = [one for one in variables.values() if one.name in inputs and not is_of_kind(inputs[one.name], one.kind)]
    if wrong:
        told = ", ".join(f"{one.name} ({one.kind})" for one in wrong)
        raise InvalidInput(
            f"These inputs are not of the type that their variables have: {told}.", f"inputs.{wrong[0].name}"
        )


def variables_of(body: Mapping[str, Json]) -> dict[str, Variable]:
    """Return the variables of *body* by name; a name that stands with several types is held to the first that is known."""
    found: dict[str, Variable] = {}
    for variable in chain.from_iterable(_variables(body.get(field)) for field in (MESSAGES, *TYPED)):
        if variable.name not in found or found[variable.name].kind not in _KINDS:
            found[variable.name] = variable
    return found


def is_of_kind(value: Json, kind: str) -> bool:
    """Return whether *value* is what a variable of *kind* takes."""
    if kind == "string":
        return isinstance(value, str | int | float)
    if kind == "number":
        return not isinstance(value, bool) and _number(value) is not None
    if kind == "boolean":
        return isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in _BOOLEANS)
    return True


def as_text(value: Json) -> str:
    """Return *value* as it stands in a text."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def put_together(wording: Wording, inputs: Inputs) -> str:
    """Return the text that *wording* comes to; a variable without an input stays."""
    said = (as_text(inputs[one.name]) if one.name in inputs else one.mark for one in wording.variables)
    return "".join(chain.from_iterable(zip(wording.literals, chain(said, repeat("")), strict=False)))


class _Filling:
    """One filling in of a body."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._left = MOST_RENDERED

    def text_in(self, value: Json) -> Json:
        """Return *value* with the texts in it filled in."""
        if isinstance(value, str):
            return self._text(worded(value))
        if isinstance(value, list):
            return [self.text_in(one) for one in value]
        if isinstance(value, dict):
            return {key: self.text_in(one) for key, one in value.items()}
        return value

    def value_in(self, value: Json) -> Json:
        """Return *value* with the values in it filled in, keys too.

        Raises:
            InvalidInput: one is missing.
        """
        if isinstance(value, str):
            wording = worded(value)
            self._must_have(wording)
            if len(wording.variables) == 1 and not "".join(wording.literals).strip():
                [variable] = wording.variables
                return _typed(self._inputs[variable.name], variable.kind)
            return self._text(wording)
        if isinstance(value, list):
            return [self.value_in(one) for one in value]
        if isinstance(value, dict):
            return {self._key(key): self.value_in(one) for key, one in value.items()}
        return value

    def _key(self, key: str) -> str:
        wording = worded(key)
        self._must_have(wording)
        return self._text(wording)

    def _must_have(self, wording: Wording) -> None:
        for variable in wording.variables:
            if variable.name not in self._inputs:
                raise InvalidInput(f"The input {variable.name} is missing.", f"inputs.{variable.name}")

    def _text(self, wording: Wording) -> str:
        if not wording.variables:
            return wording.literals[0]
        self._left -= sum(len(as_text(self._inputs.get(one.name, ""))) for one in wording.variables)
        if self._left < 0:
            raise InvalidInput(f"With these inputs it would have more than {MOST_RENDERED:,} characters.", "inputs")
        return put_together(wording, self._inputs)


def _typed(value: Json, kind: str) -> Json:
    """Return *value*, which is of *kind*, as JSON of that kind."""
    if kind == "string":
        return as_text(value)
    if kind == "number":
        return _number(value)
    if kind == "boolean" and isinstance(value, str):
        return _BOOLEANS[value.strip().lower()]
    return value


def _number(value: Json) -> int | float | None:
    """Return the number that *value* says; None for none."""
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    try:
        said = msgspec.json.decode(value.strip())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return said if isinstance(said, int | float) and not isinstance(said, bool) else None


def _variables(value: Json) -> Iterator[Variable]:
    if isinstance(value, str):
        yield from worded(value).variables
    elif isinstance(value, list):
        for one in value:
            yield from _variables(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from worded(key).variables
            yield from _variables(one)

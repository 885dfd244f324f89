"""Take the texts of templates apart: what stands in them as it is, and the variables between.

Two kinds of marks say what is a variable: those of versions, `{{hc:name:type}}`, and those of what the gateway keeps of tagged
prompts, `<helicone-prompt-input key="name" />` (surface 5.6, 5.7).
"""

import re

import msgspec

_BLANKS = r"\s{0,32}"
_WORD = r"[A-Za-z_-][A-Za-z0-9_-]{0,127}"
_VARIABLE = re.compile(
    rf"\{{\{{{_BLANKS}hc{_BLANKS}:{_BLANKS}(?P<name>{_WORD}){_BLANKS}:{_BLANKS}(?P<kind>{_WORD}){_BLANKS}\}}\}}"
)
_INPUT = re.compile(r'<helicone-prompt-input key="(?P<name>[^"]{0,256})" />')
"""Both bounded, so that looking for them takes no longer than the text is long."""


class Variable(msgspec.Struct, frozen=True):
    """What a template leaves open."""

    name: str
    kind: str = "string"
    """`string`, `number` or `boolean`; any other word takes any value."""
    mark: str = ""
    """As it stands in the text."""


class Wording(msgspec.Struct, frozen=True):
    """A text of a template: the first literal, a variable, the next literal, and so on; literals may be empty."""

    literals: tuple[str, ...]
    """One more than there are variables."""
    variables: tuple[Variable, ...] = ()

    @property
    def literal_length(self) -> int:
        """How many characters of it stand as they are."""
        return sum(map(len, self.literals))


def worded(text: str) -> Wording:
    """Return what *text*, of a version, says and leaves open."""
    return _taken_apart(text, _VARIABLE)


def worded_in_tags(text: str) -> Wording:
    """Return what *text*, of the template that the gateway keeps of a tagged prompt, says and leaves open."""
    return _taken_apart(text, _INPUT)


def _taken_apart(text: str, mark: re.Pattern[str]) -> Wording:
    literals: list[str] = []
    variables: list[Variable] = []
    end = 0
    for found in mark.finditer(text):
        literals.append(text[end : found.start()])
        variables.append(Variable(found["name"], found.groupdict().get("kind") or "any", found[0]))
        end = found.end()
    return Wording((*literals, text[end:]), tuple(variables))

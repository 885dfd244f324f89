"""Prompt tags: what of a prompt its agent marked as inputs, and the template that is left (surface 5.6).

`Hello <helicone-prompt-input key="name" >Ann</helicone-prompt-input>` is sent as `Hello Ann`; `name` is kept as an input.
`<helicone-prompt-static>` marks what belongs to the template. A tag that is not closed stays where it is, as text.
"""

import re

import msgspec

from reenact.domain.exchange import Tagged
from reenact.domain.message import Json

_MARK = b"helicone-prompt-"
_OPENING = re.compile(r'<helicone-prompt-(?:input\s{0,32}key="(?P<key>[^"]{0,256})"\s{0,32}|static)>')
"""Bounded, so that looking for it takes no longer than the text is long."""
_INPUT_END, _STATIC_END = "</helicone-prompt-input>", "</helicone-prompt-static>"


def has_tags(body: bytes) -> bool:
    """Return whether there may be tags in *body*."""
    return _MARK in body


def read_tags(body: bytes) -> tuple[bytes, Tagged] | None:
    """Return a JSON *body* without its tags, and what they said; None when it is no JSON, or holds none."""
    try:
        value = msgspec.json.decode(body)
        reading = _Reading(value)
        sent, template = reading.strip(value), reading.template(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not reading.is_tagged:
        return None
    return msgspec.json.encode(sent), Tagged(inputs=reading.inputs, template=msgspec.json.encode(template).decode())


class _Reading:
    """One reading of a body."""

    def __init__(self, body: Json) -> None:
        self.inputs: dict[str, str] = {}
        self.is_tagged = False
        self._body = body
        self._tagged: set[int] = set()
        """Which objects and lists have a tag inside, by their identity."""
        self._autos = 0

    def strip(self, value: Json) -> Json:
        """Return *value* without tags; what they said is in `inputs` then."""
        if isinstance(value, str):
            return self._strip_text(value)[0]
        if not isinstance(value, dict | list):
            return value
        before, self.is_tagged = self.is_tagged, False
        stripped: Json = (
            [self.strip(one) for one in value]
            if isinstance(value, list)
            else {key: self.strip(one) for key, one in value.items()}
        )
        if self.is_tagged:
            self._tagged.add(id(value))
        self.is_tagged = self.is_tagged or before
        return stripped

    def template(self, value: Json) -> Json:
        """Return the template of *value*, once it was stripped: objects without a tag stand for themselves, by number."""
        if isinstance(value, str):
            return self._strip_text(value)[1]
        if isinstance(value, list):
            return [self.template(one) for one in value]
        if not isinstance(value, dict):
            return value
        if value is not self._body and id(value) not in self._tagged:
            self._autos += 1
            return f"<helicone-auto-prompt-input idx={self._autos - 1} />"
        return {key: self.template(one) for key, one in value.items()}

    def _strip_text(self, text: str) -> tuple[str, str]:
        """Return *text* as it is sent and as it stands in the template."""
        sent: list[str] = []
        kept: list[str] = []
        at = 0
        unclosed: set[str] = set()
        while (opening := _OPENING.search(text, at)) is not None:
            key = opening["key"]
            ending = _STATIC_END if key is None else _INPUT_END
            end = -1 if ending in unclosed else text.find(ending, opening.end())
            before = text[at : opening.start()]
            if end < 0:  # nor is any later one of its kind closed: nobody looks again
                unclosed.add(ending)
                at, piece, shown = opening.end(), opening[0], opening[0]
            else:
                self.is_tagged = True
                at, piece = end + len(ending), text[opening.end() : end]
                shown = piece if key is None else f'<helicone-prompt-input key="{key}" />'
                if key is not None:
                    self.inputs[key] = piece.strip()
            sent += (before, piece)
            kept += (before, shown)
        return "".join([*sent, text[at:]]), "".join([*kept, text[at:]])

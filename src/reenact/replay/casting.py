"""Casting: a version of a prompt to be used, understood once for all calls, with the templates it may replace."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import msgspec

from reenact.dialects.dialect import Dialect
from reenact.domain.message import Json, Prompt, Role
from reenact.domain.patch import UsePrompt
from reenact.errors import InvalidInput, InvalidPatch, TooLarge
from reenact.prompts.checking import checked_body
from reenact.prompts.recognising import Found, Shape, Template, is_alike, names_in
from reenact.prompts.rendering import rendered, variables_of
from reenact.prompts.shaping import read_body, said_in, tagged_template, template_of


class Older(msgspec.Struct, frozen=True):
    """A template that a version takes the place of."""

    template: Template
    said: Prompt | None = None
    """All of it, where it is a version itself."""


class Casting:
    """What an edit `use_prompt` says, whatever the call."""

    def __init__(self, edit: UsePrompt) -> None:
        """Understand *edit*.

        Raises:
            InvalidPatch: its version was not looked up, or its body cannot be read; an input is none of any version.
        """
        if edit.template is None:
            raise InvalidPatch(f"The prompt {edit.prompt!r} was not looked up, and no template is given.", "template")
        self.edit = edit
        self._body: Mapping[str, Json] = edit.template
        try:
            self._known = [read_body(checked_body(body, "template")) for body in (edit.template, *edit.known)]
        except (InvalidInput, TooLarge) as error:
            raise InvalidPatch(f"A version of the prompt cannot be used: {error.message}", "template") from error
        self.version = self._known[0]
        self._older: dict[str, list[Older]] = {}
        self._shapes: dict[str, tuple[Shape, ...]] = {}
        self._check_inputs()

    @property
    def model(self) -> str | None:
        """The model that is set; None when the call's stays."""
        return None if self.edit.messages_only else self.version.model or None

    @cached_property
    def roles(self) -> frozenset[Role]:
        """Of the version's messages."""
        return frozenset(message.role for message in self.version.messages)

    def tagged(self, dialect: Dialect, template: bytes | str, body: Json) -> Template | None:
        """Return what the tags of a request left of its template, given what was kept of them and the body as it was sent."""
        try:
            return tagged_template(dialect, msgspec.json.decode(template), body, self.roles)
        except (msgspec.DecodeError, RecursionError):  # masked, or nested without end
            return None

    def older(self, dialect: str) -> Sequence[Older]:
        """Return the versions in the words of *dialect*, those that explain most first, and of equals the newest."""
        if dialect not in self._older:
            said = [(one, said_in(one.messages, dialect)) for one in self._known]
            found = [Older(template_of(messages), one) for one, messages in said if messages]
            self._older[dialect] = sorted(found, key=lambda one: one.template.weight, reverse=True)
        return self._older[dialect]

    def unchanged(self, template: Template, dialect: str) -> frozenset[int]:
        """Return which messages of *template* the version words alike: unless an input of theirs is given, they stay."""
        if dialect not in self._shapes:
            self._shapes[dialect] = template_of(said_in(self.version.messages, dialect)).shapes
        own, given = self._shapes[dialect], self.edit.inputs.keys()
        if not len(own) == len(template.shapes) == len(self.version.messages):
            return frozenset()
        pairs = list(zip(own, template.shapes, strict=True))
        if any(one.role is not other.role for one, other in pairs):
            return frozenset()
        return frozenset(
            at for at, (one, other) in enumerate(pairs) if is_alike(one, other) and not names_in(one) & given
        )

    def read(self, found: Found, without: Collection[int] = ()) -> Prompt:
        """Return the version with its variables filled in: by what is given, else by what was found in the call.

        Args:
            found: what the call says in place of the variables of an older template.
            without: messages that are left out, counted from 0.

        Raises:
            InvalidPatch: an input is missing or of another type.
        """
        edit, body = self.edit, dict(self._body)
        if without:
            body["messages"] = [one for at, one in enumerate(body["messages"]) if at not in without]
        if edit.messages_only:
            body = {"messages": body.get("messages", [])}
        for name in variables_of(body):
            if name not in edit.inputs and name not in found.values:
                raise InvalidPatch(_missing(name, found), f"inputs.{name}")
        try:
            return read_body(rendered(body, {**found.values, **edit.inputs}))
        except InvalidInput as error:
            raise InvalidPatch(error.message, error.field or "inputs") from error

    def _check_inputs(self) -> None:
        """Make sure that each input that is given is one that some version knows.

        Raises:
            InvalidPatch: one is not.
        """
        known = {name for one in (self._body, *self.edit.known) for name in variables_of(one)}
        for name in self.edit.inputs:
            if name not in known:
                told = ", ".join(sorted(known)) or "none"
                raise InvalidPatch(f"The prompt has no input {name!r}; it has: {told}.", f"inputs.{name}")


def _missing(name: str, found: Found) -> str:
    if name in found.unsure:
        return f"Its input {name} could be several texts of the call. Give it in `inputs`, or tag the prompt."
    return f"Its input {name} is not in the call. Give it in `inputs`."

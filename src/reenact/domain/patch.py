"""Patch = Selector + Edit: which calls of a session, and what to change in them. Data, so that it can be kept and shared.

An empty patch is legal: it is the control. Unknown keys are refused where patches are read (`read_patch`).
"""

from typing import Annotated

import msgspec

from reenact.domain.message import Json

MOST_PATTERN = 2000
"""Characters of a pattern."""
MOST_PATH = 500
"""Characters of a JSONPath."""
MOST_KNOWN = 50
"""Versions of a prompt that are looked at to find what a call was made from."""


class Selector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls: all conditions given must hold; none given selects every call."""

    path: str | None = None
    """Session path, as a glob: `/debate/*`."""
    prompt_id: str | None = None
    calls: tuple[int, ...] | None = None
    """Positions in the session, counted from 1 in order of creation."""
    first: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The first call of a range, counted from 1."""
    last: Annotated[int, msgspec.Meta(ge=1)] | None = None
    model: str | None = None
    """As a glob: `gpt-4o*`."""
    provider: str | None = None
    dialect: str | None = None
    """Wire format, as a glob: `openai_chat`."""
    contains: str | None = None
    """Text that stands in some message of the prompt."""
    matches: Annotated[str, msgspec.Meta(max_length=MOST_PATTERN)] | None = None
    """A pattern that the text of some message matches somewhere, as `replace_pattern` takes it."""


class SetModel(
    msgspec.Struct, frozen=True, tag="set_model", tag_field="edit", forbid_unknown_fields=True, omit_defaults=True
):
    """Ask another model, of another provider in its own format when that is who has it; later edits are made in that format."""

    model: str
    provider: str | None = None
    """Whom to ask, by the name in the gateway's table. When left out: the recorded one, unless both it and the model's maker
    offer nothing but their own models."""
    dialect: str | None = None
    """The format to ask in, such as `anthropic_messages`; the provider's own when left out."""


class SetParameter(msgspec.Struct, frozen=True, tag="set_parameter", tag_field="edit", forbid_unknown_fields=True):
    """Set a top-level field of the body, such as `temperature`."""

    name: str
    value: Json


class DropParameter(msgspec.Struct, frozen=True, tag="drop_parameter", tag_field="edit", forbid_unknown_fields=True):
    """Remove a top-level field of the body."""

    name: str


class SetSystem(msgspec.Struct, frozen=True, tag="set_system", tag_field="edit", forbid_unknown_fields=True):
    """Replace the whole system prompt; a call that has none is given one."""

    text: str


class AppendSystem(msgspec.Struct, frozen=True, tag="append_system", tag_field="edit", forbid_unknown_fields=True):
    """Add text to the end of the first system message, as the guide does; a call that has none is given one."""

    text: str


class ReplaceText(msgspec.Struct, frozen=True, tag="replace_text", tag_field="edit", forbid_unknown_fields=True):
    """Replace every occurrence of a text in the messages of a role (in all when no role is named)."""

    find: Annotated[str, msgspec.Meta(min_length=1)]
    replace: str
    role: str | None = None


class ReplacePattern(msgspec.Struct, frozen=True, tag="replace_pattern", tag_field="edit", forbid_unknown_fields=True):
    """Replace whatever matches a pattern in the messages of a role (in all when no role is named)."""

    find: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_PATTERN)]
    """A regular expression as RE2 knows it: no look-around and no back-references, in time that is linear in the text."""
    replace: str
    r"""What takes its place; `\1` is what the first group matched, `\0` all of it."""
    role: str | None = None


class InsertMessage(msgspec.Struct, frozen=True, tag="insert_message", tag_field="edit", forbid_unknown_fields=True):
    """Put a message of one text before another; at the end when no place is named."""

    role: str
    text: str
    before: int | None = None
    """Which message, counted from 1, or from the end when negative; system messages count."""


class ReplaceMessage(msgspec.Struct, frozen=True, tag="replace_message", tag_field="edit", forbid_unknown_fields=True):
    """Replace what a message says by one text; its role stays."""

    message: int
    """Counted from 1, or from the end when negative; system messages count."""
    text: str


class DropMessage(msgspec.Struct, frozen=True, tag="drop_message", tag_field="edit", forbid_unknown_fields=True):
    """Leave a message out."""

    message: int
    """Counted from 1, or from the end when negative; system messages count."""


class SetToolResult(msgspec.Struct, frozen=True, tag="set_tool_result", tag_field="edit", forbid_unknown_fields=True):
    """Have every recorded result of a tool say something else."""

    tool: str
    """Its name."""
    text: str
    is_error: bool = False


class SetTool(msgspec.Struct, frozen=True, tag="set_tool", tag_field="edit", forbid_unknown_fields=True):
    """Describe a tool otherwise, where it is offered; what is left out stays."""

    name: str
    description: str | None = None
    schema: Json = None
    """JSON Schema of its arguments."""


class DropTool(msgspec.Struct, frozen=True, tag="drop_tool", tag_field="edit", forbid_unknown_fields=True):
    """Offer a tool no more."""

    name: str


class PatchJson(msgspec.Struct, frozen=True, tag="patch_json", tag_field="edit", forbid_unknown_fields=True):
    """Change the request body as it stands on the wire, by JSON Patch (RFC 6902): for what no other edit says."""

    operations: tuple[dict[str, Json], ...]
    """Such as `{"op": "replace", "path": "/generationConfig/temperature", "value": 0}`."""


class SetAt(msgspec.Struct, frozen=True, tag="set_at", tag_field="edit", forbid_unknown_fields=True):
    """Set every value of the request body that a JSONPath selects, as the body stands on the wire."""

    path: Annotated[str, msgspec.Meta(max_length=MOST_PATH)]
    """JSONPath (RFC 9535) without filters: `$.tools[*].function.strict`. It has to select something in each call."""
    value: Json


class Fault(msgspec.Struct, frozen=True, kw_only=True, tag="fault", tag_field="edit", forbid_unknown_fields=True):
    """Have a call answered late, fail, or break off, as a provider's calls do at times; what is asked stays as it is.

    A call that is to fail or to break off is asked of nobody and costs nothing.
    """

    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 0
    """How much later it is answered."""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    """The HTTP status that it fails with, in the words of its provider."""
    retry_after_s: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """With a status: when it may be asked again, as the header `retry-after` says."""
    cut_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """The recorded answer breaks off after so many of its events; after so many bytes where it is not streamed."""


class UsePrompt(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag="use_prompt",
    tag_field="edit",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """Say what a version of a named prompt says in place of what an older template of it says, with the same inputs.

    The messages that were made from the older template are found by its text: the template that the call's tags left, else
    the other versions of the prompt. The rest of the conversation stays.
    """

    prompt: Annotated[str, msgspec.Meta(min_length=1)]
    """Its id, or its name."""
    version: str | None = None
    """The version's id, or its number such as `2.1`."""
    environment: str | None = None
    """Or where the version is in use; neither: `production`, else the newest."""
    inputs: dict[str, Json] = {}
    """Values of variables; those that are not here are found in the call."""
    messages_only: bool = False
    """Leave the model and all other fields of the call as they are."""
    template: dict[str, Json] | None = None
    """The version's body. Filled in by the server, so that the patch can be made again when the prompt is gone."""
    known: Annotated[tuple[dict[str, Json], ...], msgspec.Meta(max_length=MOST_KNOWN)] = ()
    """The bodies of the other versions, newest first; filled in by the server together with `template`."""


Edit = (
    SetModel
    | SetParameter
    | DropParameter
    | SetSystem
    | AppendSystem
    | ReplaceText
    | ReplacePattern
    | InsertMessage
    | ReplaceMessage
    | DropMessage
    | SetToolResult
    | SetTool
    | DropTool
    | PatchJson
    | SetAt
    | Fault
    | UsePrompt
)


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One selector and the edits for the calls that it selects, made in order."""

    select: Selector = Selector()
    edits: tuple[Edit, ...] = ()


class Patch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change in a session."""

    version: int = 1
    """Of this format."""
    changes: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing: the control."""
        return not any(change.edits for change in self.changes)

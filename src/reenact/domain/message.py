"""Prompt, Answer, Message and their parts: one vocabulary for what every dialect says.

A value read from the wire keeps the wire object it was read from as `origin`, so that writing an unchanged value gives
back the very JSON, unknown fields and all; a value made anew has none. `origin` takes no part in equality or digests.
"""

import enum
from typing import Any

import msgspec

Json = Any
"""A value as `json.loads` gives it: None, bool, int, float, str, list or dict of these."""


class Role(enum.Enum):
    """Who speaks. Wire roles outside this list are read as the nearest and kept in `origin`."""

    SYSTEM = "system"
    """Also OpenAI's `developer`, Anthropic's and Gemini's system field."""
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """A tool's result given back to the model."""


class Text(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """Plain text."""

    text: str
    signature: str | None = None
    """Opaque state that only the same provider and model accept; Gemini signs texts and tool calls, others thoughts."""


class Media(msgspec.Struct, frozen=True, tag="media"):
    """An image, a sound or a file, by address or inline."""

    kind: str
    """`image`, `audio` or `file`."""
    url: str | None = None
    """Where it is; a `data:` URL counts as inline and is split into the two below."""
    media_type: str | None = None
    data_base64: str | None = None


class ToolUse(msgspec.Struct, frozen=True, tag="tool_use"):
    """The model asks for a tool."""

    id: str
    """The link id that its result names; ids are renamed by replays and take no part in digests."""
    name: str
    arguments: str
    """JSON text as the model wrote it; may be invalid JSON."""
    signature: str | None = None
    """As in Text."""


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result"):
    """What a tool gave back."""

    id: str
    """The link id of the ToolUse it answers."""
    text: str
    is_error: bool = False


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning"):
    """What the model thought aloud; `signature` is opaque state that only the same provider and model accept."""

    text: str
    signature: str | None = None


class Opaque(msgspec.Struct, frozen=True, tag="opaque"):
    """A part this vocabulary has no word for, as JSON text with sorted keys."""

    json: str


Part = Text | Media | ToolUse | ToolResult | Reasoning | Opaque


class Message(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One turn. Two are equal when role and parts are, whatever wire object they were read from."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    origin: Json = None

    @property
    def text(self) -> str:
        """The text parts joined; empty when there are none."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_uses(self) -> tuple[ToolUse, ...]:
        """The tools it asks for, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolUse))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return (self.role, self.name, self.parts) == (other.role, other.name, other.parts)

    def __hash__(self) -> int:
        return hash((self.role, self.name, self.parts))


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool the model may ask for."""

    name: str
    description: str = ""
    schema: Json = None
    """JSON Schema of its arguments."""
    origin: Json = None


class Lost(msgspec.Struct, frozen=True):
    """What of a request is not in the one that is sent in its place to another model or provider."""

    path: str
    """A JSON Pointer (RFC 6901) into the request as its agent sends it, such as `/messages/2`."""
    why: str
    """In words."""


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What the model was given: one request's body, understood."""

    dialect: str
    """The wire format it was read from and can be written to, such as `openai_chat`."""
    model: str | None
    messages: tuple[Message, ...] = ()
    """System messages first where the format keeps them apart."""
    tools: tuple[Tool, ...] = ()
    stream: bool = False
    parameters: dict[str, Json] = {}
    """Every other top-level field of the body, under its wire name: temperature, response_format, seed, ..."""
    lost: tuple[Lost, ...] = ()
    """What it says less than the prompt of another dialect that it was translated from."""
    origin: Json = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the provider counted them; None where it did not say."""

    input_tokens: int | None = None
    """All tokens of the prompt, cached ones included."""
    output_tokens: int | None = None
    """All tokens of the answer, reasoning included."""
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    reasoning_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Input and output together; None unless both are known."""
        if self.input_tokens is None or self.output_tokens is None:
            return self.input_tokens if self.output_tokens is None else self.output_tokens
        return self.input_tokens + self.output_tokens


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the model said: one response's body, streams merged."""

    model: str | None = None
    message: Message | None = None
    """The first choice; None for answers without a message, such as embeddings and errors."""
    alternatives: tuple[Message, ...] = ()
    """Further choices when `n` was over 1."""
    stop_reason: str | None = None
    """In the provider's own word: `stop`, `tool_calls`, `end_turn`, ..."""
    usage: Usage = Usage()
    error: str | None = None
    """The provider's error message when it refused."""
    response_id: str | None = None
    origin: Json = None
    """The answer's body as JSON; a merged stream in the shape of the unstreamed answer."""

"""Reply: what the scripted provider says to one request, before a format gives it its shape."""

import enum

import msgspec

from reenact.domain.message import ToolUse


class Stop(enum.Enum):
    """Why a choice ended."""

    END = "end"
    LENGTH = "length"
    TOOLS = "tools"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers that were asked for."""

    text: str = ""
    tool_uses: tuple[ToolUse, ...] = ()
    stop: Stop = Stop.END


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """All that the answer's body is written from."""

    id: str
    """Hex digits that are the request's own: ids are made of them."""
    created_seconds: int
    """Derived from the request, no time: since the epoch."""
    model: str
    choices: tuple[Choice, ...]
    input_tokens: int
    output_tokens: int

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

"""Settings: what the parameters of a request mean, in no format's own words."""

from typing import Any, Literal

import msgspec

from reenact.domain.message import Json


class Choice(msgspec.Struct, frozen=True):
    """Whether the model has to ask for a tool, and for which."""

    mode: Literal["auto", "none", "required"]
    name: str | None = None
    """With `required`: the one tool that it has to ask for."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer has to look like."""

    kind: Literal["text", "json", "schema"]
    schema: Json = None
    """JSON Schema."""
    name: str | None = None
    description: str | None = None
    is_strict: bool | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of a request; None where it does not say."""

    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    candidates: int | None = None
    """How many answers are wanted."""
    choice: Choice | None = None
    parallel_tools: bool | None = None
    form: Form | None = None
    effort: str | None = None
    """How hard OpenAI's models are to think; others count it otherwise."""
    user: str | None = None
    """Whom the call is made for, as the provider is told."""

    @property
    def said(self) -> dict[str, Any]:
        """What it does say, by field."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}

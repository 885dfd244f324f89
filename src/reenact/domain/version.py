"""NamedPrompt and Version: templates of requests that are kept under a name, each with a history (surface 5.7)."""

import msgspec

from reenact.domain.message import Json

PRODUCTION = "production"
"""The environment whose version is meant where none is named."""


class NamedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """What all versions of a prompt have in common."""

    id: str
    """Six letters and digits, as Helicone's: short enough to stand in a body."""
    organisation_id: str
    name: str
    """For people; several prompts may have the same."""
    tags: tuple[str, ...] = ()
    created_us: int


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a prompt; only its environments change once it is kept."""

    id: str
    """A UUID."""
    organisation_id: str
    prompt_id: str
    major: int
    minor: int
    commit_message: str
    environments: tuple[str, ...] = ()
    """Where it is in use, such as `production`; each environment has one version of a prompt at most."""
    created_us: int
    body: dict[str, Json] = {}
    """A request of OpenAI's chat format with variables in its texts; empty where it was not asked for."""

    @property
    def number(self) -> str:
        """Its number, such as `2.1`."""
        return f"{self.major}.{self.minor}"

    @property
    def model(self) -> str:
        """The model that it names; empty for none."""
        named = self.body.get("model")
        return named if isinstance(named, str) else ""

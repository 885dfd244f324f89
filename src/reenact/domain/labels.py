"""Labels: what the agent says of a call, in its `Helicone-*` and `Reenact-*` headers."""

import msgspec


class ReplayLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a take's call comes from; set by the runner, never by an agent."""

    replay_id: str
    take: int
    """Counted from 1."""
    source_session_id: str
    source_call_id: str
    """The recorded call this one re-asks; its own id when it stands for none."""
    arm: str = "changed"
    """`changed`, or `control` for the unchanged session asked again."""


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent says of a call. A header that is missing, empty, `undefined` or `null` is absent (surface 1.2)."""

    session_id: str | None = None
    session_name: str | None = None
    session_path: str | None = None
    """As sent, such as `/debate/climate-change`. Read `path` for the value with its default."""
    prompt_id: str | None = None
    """The `Helicone-Prompt-Id` header's value."""
    user_id: str | None = None
    model_override: str | None = None
    """The `Helicone-Model-Override` header's value: the model to price and show the call under (surface 1.4)."""
    properties: dict[str, str] = {}
    """Custom properties under the names they came with (`Helicone-Property-<Name>`), the session ones not among them."""
    replay: ReplayLink | None = None

    @property
    def path(self) -> str:
        """The session path, `/` when none was sent."""
        return self.session_path or "/"

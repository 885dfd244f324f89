"""ReplayRequest: what one asks for when asking for a replay, the body of `POST /v1/replay`.

```json
{
  "session_id": "5f0d...",                    the session to run again; the only field that must be given
  "patch": {"version": 1, "changes": [        what to change; left out or empty: the control
    {"select": {"prompt_id": "assistant-response", "path": "/debate/*"},
     "edits": [{"edit": "append_system", "text": " Be brief."}, {"edit": "set_model", "model": "gpt-4o"}]}
  ]},
  "mode": "anchored",
  "policies": {                               for mode chained (domain.policy): who answers the tools that the model asks for
    "tools": [{"tool": "search_*", "policies": [{"answer": "recorded"}, {"answer": "static", "result": "none"}]},
              {"tool": "book", "policies": [{"answer": "callback", "url": "https://tools.example/run"}]}],
    "user_turns": "keep",                     "stop": user turns after a divergence are not said
    "extra_rounds": 16,                       how far a tool loop may go on beyond the record
    "stop_in_doubt": false                    true: calls whose request is in doubt are left out, not marked
  },
  "takes": 1,                                 how often, 1 to 100
  "session_name": "Shorter",                  of the new sessions; "Replay of <name>" when left out
  "control": true,                            as many takes of the unchanged session beside them; not for an empty patch
  "reuse": false,                             true: calls that the patch leaves as they are get their recorded answers
  "concurrency": 16,                          how many calls may be under way at once, 1 to 256
  "budget": {"cost_nanodollars": 10000000, "calls": 100, "seconds": 60},    where it pauses; each may be left out
  "rates": {"openai": {"requests_per_minute": 500, "tokens_per_minute": 30000, "concurrency": 8}},
  "retries": 3,                               how often a call is asked again that failed in passing, 0 to 10
  "playback": {                               for modes playback and fork, where each of these may be left out:
    "driver": "agent",                        "server": the server makes the recorded requests again, for playback only
    "on_miss": "stop",                        "live": what the record cannot answer is asked for real
    "fork": {"call": 3},                      where the record is left: call, select, changed or first_miss (domain.playback)
    "matching": {"ignore": ["/seed"], "volatile": ["run-[0-9]+"], "approximate": 0.05},
    "pace": 0                                 how long recorded answers take: 1 as recorded, 0 at once
  },
  "dry_run": false,                           true: only the plan is made and nothing is sent
  "provider_keys": {"openai": "sk-..."}       used for this replay, kept in memory only; else the server's environment;
                                            "tools": for callbacks with "is_keyed": true
}
```
"""

import re
from typing import Annotated, Any, TypeVar

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import Patch
from reenact.domain.playback import Playback
from reenact.domain.policy import Policies
from reenact.domain.replay import Budget, Limits, Mode, Rate
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.patching import read_patch

T = TypeVar("T")

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class Manner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much and how fast somebody wants to have asked."""

    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] = 16
    budget: Budget = Budget()
    rates: dict[str, Rate] = {}
    """By provider."""
    retries: Annotated[int, msgspec.Meta(ge=0, le=10)] = 3
    provider_keys: dict[str, str] = {}
    """Key by provider name. Never written, logged or shown."""

    @property
    def limits(self) -> Limits:
        """The limits among it."""
        return Limits(concurrency=self.concurrency, budget=self.budget, rates=self.rates, retries=self.retries)


class ReplayRequest(Manner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A replay that somebody asks for."""

    session_id: str
    patch: Patch = Patch()
    mode: Mode = Mode.ANCHORED
    policies: Policies = Policies()
    """For mode chained."""
    takes: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    session_name: str | None = None
    playback: Playback = Playback()
    """For modes playback and fork."""
    control: bool = True
    reuse: bool = False
    dry_run: bool = False

    def __repr__(self) -> str:
        return f"ReplayRequest(session_id={self.session_id!r}, mode={self.mode}, takes={self.takes})"


def read_request(value: Json) -> ReplayRequest:
    """Return the request that *value*, decoded JSON, says.

    Raises:
        InvalidInput: an unknown field or a value of the wrong type; `field` is its exact place.
        InvalidPatch: the same inside `patch`.
    """
    patch = read_patch_field(value)
    rest: Any = {key: value[key] for key in value if key != "patch"} if isinstance(value, dict) else value
    return msgspec.structs.replace(understood(rest, ReplayRequest), patch=patch)


def understood(value: Json, kind: type[T]) -> T:
    """Return *value*, decoded JSON, as a *kind* of request.

    Raises:
        InvalidInput: an unknown field or a value of the wrong type; `field` is its exact place.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise InvalidInput(f"The replay cannot be understood: {error}.", place["path"] if place else "") from None


def read_patch_field(request: Json) -> Patch:
    """Return the `patch` of a request; the empty one for none.

    Raises:
        InvalidPatch: it is no patch; `field` is the exact place.
    """
    value = request.get("patch") if isinstance(request, dict) else None
    if value is None:
        return Patch()
    try:
        return read_patch(value)
    except InvalidPatch as error:
        raise InvalidPatch(error.message, f"patch.{error.field}".rstrip(".")) from None


class ResumeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise when a replay goes on: what is left out stays as it was."""

    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] | None = None
    budget: Budget | None = None
    rates: dict[str, Rate] | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=10)] | None = None
    provider_keys: dict[str, str] = {}
    """Key by provider name. Never written, logged or shown."""

    def __repr__(self) -> str:
        return "ResumeRequest()"

    def limits(self, before: Limits) -> Limits:
        """Return the limits to go on with."""
        named = {name: getattr(self, name) for name in before.__struct_fields__}
        return msgspec.structs.replace(before, **{name: value for name, value in named.items() if value is not None})

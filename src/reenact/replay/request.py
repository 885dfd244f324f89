"""ReplayRequest: what one asks for when asking for a replay, the body of `POST /v1/replay`.

```json
{
  "session_id": "5f0d...",                    the session to run again; the only field that must be given
  "patch": {"version": 1, "changes": [        what to change; left out or empty: the control
    {"select": {"prompt_id": "assistant-response", "path": "/debate/*"},
     "edits": [{"edit": "append_system", "text": " Be brief."}, {"edit": "set_model", "model": "gpt-4o"}]}
  ]},
  "mode": "anchored",
  "takes": 1,                                 how often, 1 to 100
  "session_name": "Shorter",                  of the new sessions; "Replay of <name>" when left out
  "concurrency": 16,                          how many calls may be under way at once, 1 to 256
  "dry_run": false,                           true: only the plan is made and nothing is sent
  "provider_keys": {"openai": "sk-..."}       used for this replay, kept in memory only; else the server's environment
}
```
"""

import re
from typing import Annotated, Any

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import Patch
from reenact.domain.replay import Mode
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.patching import read_patch

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A replay that somebody asks for."""

    session_id: str
    patch: Patch = Patch()
    mode: Mode = Mode.ANCHORED
    takes: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    session_name: str | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] = 16
    dry_run: bool = False
    provider_keys: dict[str, str] = {}
    """Key by provider name. Never written, logged or shown."""

    def __repr__(self) -> str:
        return f"ReplayRequest(session_id={self.session_id!r}, mode={self.mode}, takes={self.takes})"


def read_request(value: Json) -> ReplayRequest:
    """Return the request that *value*, decoded JSON, says.

    Raises:
        InvalidInput: an unknown field or a value of the wrong type; `field` is its exact place.
        InvalidPatch: the same inside `patch`.
    """
    patch = _patch(value.get("patch")) if isinstance(value, dict) else Patch()
    rest: Any = {key: value[key] for key in value if key != "patch"} if isinstance(value, dict) else value
    try:
        request = msgspec.convert(rest, ReplayRequest)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise InvalidInput(f"The replay cannot be understood: {error}.", place["path"] if place else "") from None
    return msgspec.structs.replace(request, patch=patch)


def _patch(value: Json) -> Patch:
    """Return the patch; the empty one for none."""
    if value is None:
        return Patch()
    try:
        return read_patch(value)
    except InvalidPatch as error:
        raise InvalidPatch(error.message, f"patch.{error.field}".rstrip(".")) from None

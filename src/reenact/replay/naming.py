"""Name the calls and replays to be made, so that one that was made before a crash is known again after it.

The relay records every call of a take under its id before its answer ends. An id that says which step of which replay it is
makes the recording itself the journal of the replay: a step whose id is recorded was asked, and its answer is there.
"""

import uuid

from reenact.domain.replay import AskCall, AskTool, Take

_STEPS = uuid.UUID("6a2f1c1e-31cf-5b0e-9d55-6f0f5f1f8a11")
_ITEMS = uuid.UUID("d1a4f4f2-9c5b-5d0a-8f0e-3f6f0c9f7b22")


def step_id(replay_id: str, take: Take, ask: AskCall | AskTool, attempt: int) -> str:
    """Return the id of the call that is made for *ask* in *take*, a UUID; *attempt* is counted from 1."""
    step = f"{replay_id}/{take.arm}/{take.number}/{ask.source_call_id}/{ask.round}/{ask.tool}/{attempt}"
    return str(uuid.uuid5(_STEPS, step))


def item_id(batch_id: str, session_id: str) -> str:
    """Return the id of the replay that a batch makes of a session, a UUID."""
    return str(uuid.uuid5(_ITEMS, f"{batch_id}/{session_id}"))

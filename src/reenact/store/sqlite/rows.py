"""Rows: a Call as the columns of the tables `calls` and `forms`, and back."""

import sqlite3
from operator import attrgetter
from typing import Any

import msgspec

from reenact.domain.call import Call, Kind
from reenact.domain.exchange import NOTHING_SPECIAL, Ending, Handling, Told
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Usage

_FORM = ("url", "target_url", "method", "dialect", "request_model", "response_model", "stop_reason")
_PLAIN = (
    "id", "created_us", "duration_us", "first_token_us", "provider", "model", "response_id", "status", "detail", "error",
    "cost_nanodollars", "request_body_bytes", "response_body_bytes", "unreadable",
)  # fmt: skip
_LABELS = ("session_id", "session_name", "session_path", "prompt_id", "user_id", "model_override")
_USAGE = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "input_audio_tokens",
    "output_audio_tokens", "reasoning_tokens",
)  # fmt: skip
_REPLAY = ("replay_id", "replay_take", "source_session_id", "source_call_id", "replay_arm")

CALL_COLUMNS = (
    *_PLAIN,
    *_LABELS,
    *_USAGE,
    *_REPLAY,
    "kind",
    "streamed",
    "session_inferred",
    "feedback",
    "handling",
    "told",
)
"""Every column of `calls` that a Call is made of, in the order of `to_row`."""

FORM_COLUMNS = (*_FORM, "ending")
"""Every column of `forms` that a Call is made of, in the order of `to_form`."""

_plain, _labels, _usage = attrgetter(*_PLAIN), attrgetter(*_LABELS), attrgetter(*_USAGE)
_handling = msgspec.json.Decoder(Handling)
_told = msgspec.json.Decoder(Told)
_form = attrgetter(*_FORM)


def to_form(call: Call) -> tuple[str | None, ...]:
    """Return the values of FORM_COLUMNS: what many calls have in common."""
    return (*_form(call), call.ending.value)


def to_row(call: Call) -> tuple[Any, ...]:
    """Return the values of CALL_COLUMNS; properties and scores have tables of their own."""
    replay = call.labels.replay
    return (
        *_plain(call),
        *_labels(call.labels),
        *_usage(call.usage),
        *(
            (None,) * len(_REPLAY)
            if replay is None
            else (replay.replay_id, replay.take, replay.source_session_id, replay.source_call_id, replay.arm)
        ),
        call.kind.value,
        call.streamed,
        call.session_inferred,
        call.feedback,
        None if call.handling == NOTHING_SPECIAL else msgspec.json.encode(call.handling).decode(),
        None if call.told is None else msgspec.json.encode(call.told).decode(),
    )


def to_call(row: sqlite3.Row, organisation_id: str, properties: dict[str, str], scores: dict[str, float]) -> Call:
    """Return the Call that *row*, holding CALL_COLUMNS and FORM_COLUMNS by name, and the rows beside it stand for."""
    return Call(
        organisation_id=organisation_id,
        **{name: row[name] for name in (*_FORM, *_PLAIN)},
        labels=Labels(**{name: row[name] for name in _LABELS}, properties=properties, replay=_replay(row)),
        usage=Usage(**{name: row[name] for name in _USAGE}),
        kind=Kind(row["kind"]),
        ending=Ending(row["ending"]),
        streamed=bool(row["streamed"]),
        session_inferred=bool(row["session_inferred"]),
        feedback=None if row["feedback"] is None else bool(row["feedback"]),
        scores=scores,
        handling=NOTHING_SPECIAL if row["handling"] is None else _handling.decode(row["handling"]),
        told=None if row["told"] is None else _told.decode(row["told"]),
    )


def _replay(row: sqlite3.Row) -> ReplayLink | None:
    """Return where the call comes from when it belongs to a take."""
    if row["replay_id"] is None:
        return None
    return ReplayLink(
        replay_id=row["replay_id"],
        take=row["replay_take"],
        source_session_id=row["source_session_id"],
        source_call_id=row["source_call_id"],
        arm=row["replay_arm"],
    )

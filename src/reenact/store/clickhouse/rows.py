"""Rows: a Call as the columns of the table `calls`, and back."""

from collections.abc import Mapping
from typing import Any

import msgspec

from reenact.domain.call import Call, Kind, Reading
from reenact.domain.exchange import NOTHING_SPECIAL, Ending, Handling, Told
from reenact.domain.filtering import LABEL_KEYS, words
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Usage

_PLAIN = (
    "id", "created_us", "duration_us", "first_token_us", "dialect", "provider", "model", "request_model",
    "response_model", "response_id", "status", "detail", "stop_reason", "error", "cost_nanodollars", "url", "target_url",
    "method", "request_body_bytes", "response_body_bytes", "unreadable", "streamed",
)  # fmt: skip
_LABELS = ("session_id", "session_name", "session_path", "prompt_id", "user_id", "model_override")
_USAGE = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "input_audio_tokens",
    "output_audio_tokens", "reasoning_tokens",
)  # fmt: skip
_REPLAY = ("replay_id", "replay_take", "source_session_id", "source_call_id", "replay_arm")
READ_COLUMNS = (
    *_PLAIN, "session_inferred", *_LABELS, *_USAGE, *_REPLAY, "kind", "ending", "handling", "told", "properties", "spellings",
)  # fmt: skip
"""What a Call is made of, in the order of `to_call`."""
CALL_COLUMNS = (
    "organisation_id",
    "session_key",
    *READ_COLUMNS,
    "is_cached",
    "is_threat",
    "request_words",
    "answer_words",
)
"""What `to_row` fills, in its order; `version` and `is_deleted` stand beside."""

_handling = msgspec.json.Decoder(Handling)
_told = msgspec.json.Decoder(Told)


class Annotations(msgspec.Struct, frozen=True):
    """What was said of one call: properties by lower-cased key, as key and value; scores by name; feedback."""

    properties: dict[str, tuple[str, str]] = {}
    scores: dict[str, float] = {}
    feedback: bool | None = None


NOTHING_SAID = Annotations()


def to_row(reading: Reading, labels: Mapping[str, str]) -> tuple[Any, ...]:
    """Return the values of CALL_COLUMNS, *labels* (by name) over the recorded ones; scores and feedback stand apart."""
    call = reading.call
    replay = call.labels.replay
    spoken = {key.lower(): key for key in call.labels.properties}
    return (
        call.organisation_id,
        session_key(reading),
        *(getattr(call, name) for name in _PLAIN),
        call.session_inferred and "session_id" not in labels,
        *(labels.get(name, getattr(call.labels, name)) for name in _LABELS),
        *(getattr(call.usage, name) for name in _USAGE),
        *(
            (None,) * len(_REPLAY)
            if replay is None
            else (replay.replay_id, replay.take, replay.source_session_id, replay.source_call_id, replay.arm)
        ),
        call.kind.value,
        call.ending.value,
        "" if call.handling == NOTHING_SPECIAL else msgspec.json.encode(call.handling).decode(),
        "" if call.told is None else msgspec.json.encode(call.told).decode(),
        {low: call.labels.properties[key] for low, key in spoken.items()},
        {low: key for low, key in spoken.items() if low != key},
        call.handling.cache_reference_id is not None,
        call.handling.is_threat,
        distinct_words(reading.search_text),
        distinct_words(reading.answer_text),
    )


def session_key(reading: Reading) -> str:
    """Return the session that the call was recorded under; the empty string for none.

    An inferred one is none: the call can be moved out of it, which the exchange does not know when it is read again.
    """
    return "" if reading.call.session_inferred else reading.call.labels.session_id or ""


def distinct_words(text: str) -> str:
    """Return the words of *text* once each, ordered, with blanks: all that a search asks for, in the least space."""
    return " ".join(sorted(set(words(text))))


def to_call(row: tuple[Any, ...], organisation_id: str, said: Annotations) -> Call:
    """Return the Call that *row*, holding READ_COLUMNS, and what was said of it stand for."""
    given = dict(zip(READ_COLUMNS, row, strict=True))
    recorded = {low: (given["spellings"].get(low, low), value) for low, value in given["properties"].items()}
    shown = {key: value for low, (key, value) in (recorded | said.properties).items() if low not in LABEL_KEYS}
    return Call(
        organisation_id=organisation_id,
        **{name: given[name] for name in _PLAIN},
        session_inferred=given["session_inferred"],
        labels=Labels(**{name: given[name] for name in _LABELS}, properties=shown, replay=_replay(given)),
        usage=Usage(**{name: given[name] for name in _USAGE}),
        kind=Kind(given["kind"]),
        ending=Ending(given["ending"]),
        scores=said.scores,
        feedback=said.feedback,
        handling=_handling.decode(given["handling"]) if given["handling"] else NOTHING_SPECIAL,
        told=_told.decode(given["told"]) if given["told"] else None,
    )


def _replay(given: Mapping[str, Any]) -> ReplayLink | None:
    """Return where the call comes from when it belongs to a take."""
    if given["replay_id"] is None:
        return None
    return ReplayLink(
        replay_id=given["replay_id"],
        take=given["replay_take"],
        source_session_id=given["source_session_id"],
        source_call_id=given["source_call_id"],
        arm=given["replay_arm"],
    )

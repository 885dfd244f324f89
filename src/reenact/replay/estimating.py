"""Estimate what a planned call will use and cost, and what it may cost at most."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from reenact.domain.call import Call
from reenact.domain.exchange import Header
from reenact.domain.message import Json, Usage
from reenact.domain.replay import PlannedCall
from reenact.ingest.unpacking import unpack
from reenact.replay.faulting import asks_nobody

Price = Callable[[str, Iterable[str | None], Usage, int], int | None]
"""What a provider takes in nanodollars for a usage of the first of some models that it has a price for at a time
(microseconds since the epoch); None when none has one. `ingest.pricing.price` is it."""

_FINER_TOKENS = 1.5
"""How many tokens another model may make of what is one token of the recorded model, at most."""
_LONGER_ANSWER = 2
"""How many times as long as the recorded one an answer may be that nothing limits."""


class Said(Protocol):
    """A recorded call and its request."""

    @property
    def call(self) -> Call:
        """The call."""
        ...

    @property
    def body(self) -> bytes:
        """Its request's body as recorded."""
        ...

    @property
    def headers(self) -> Sequence[Header]:
        """That request's headers."""
        ...

    @property
    def usage(self) -> Usage:
        """What its answer took of the provider that gave it."""
        ...

    @property
    def json(self) -> Json:
        """The body, out of its content encoding."""
        ...

    @property
    def whole_bytes(self) -> int | None:
        """How long the body is with the history that the provider holds; None where it holds none."""
        ...


def expecting(planned: PlannedCall, one: Said, price: Price) -> PlannedCall:
    """Return *planned* with an estimate: recorded tokens, those of the prompt scaled by how its body grew or shrank.

    Priced at the time of the recording, as if the provider had nothing of it in its cache: it errs to the dear side.
    """
    late_us = 0 if planned.fault is None else planned.fault.delay_ms * 1000
    if asks_nobody(planned.fault):
        return msgspec.structs.replace(
            planned, expected_duration_us=late_us, expected_cost_nanodollars=0, most_cost_nanodollars=0
        )
    planned = msgspec.structs.replace(planned, expected_duration_us=one.call.duration_us + late_us)
    recorded = one.usage
    grown = 1.0 if planned.body is one.body else _size(planned.body, planned) / _recorded_size(one)
    inputs = None if recorded.input_tokens is None else round(recorded.input_tokens * grown)
    expected = Usage(input_tokens=inputs, output_tokens=recorded.output_tokens)
    models = (planned.model, one.call.response_model if planned.model == one.call.model else None)

    def priced(usage: Usage) -> int | None:
        known = usage.input_tokens is not None
        return price(planned.provider, models, usage, one.call.created_us) if known else None

    return msgspec.structs.replace(
        planned,
        expected_input_tokens=expected.input_tokens,
        expected_output_tokens=expected.output_tokens,
        expected_cost_nanodollars=priced(expected),
        most_cost_nanodollars=priced(_most(planned, one)),
    )


def _most(planned: PlannedCall, one: Said) -> Usage:
    """Return the most tokens that a call may use; unknown ones for a recorded failure whose request limits no answer.

    No byte makes more than one token. Another model's tokens may be smaller. Without a limit of its own, an answer may be twice
    as long as the recorded one.
    """
    recorded = one.usage
    is_same = planned.body is one.body
    added = 0 if is_same else max(0, len(planned.body) - (one.whole_bytes or one.call.request_body_bytes))
    finer = 1.0 if planned.model == one.call.model else _FINER_TOKENS
    stated = output_limit(unpack(one.body, one.headers) if is_same else planned.body)
    if recorded.input_tokens is None:
        return Usage() if stated is None else Usage(input_tokens=len(planned.body), output_tokens=stated)
    usual = _LONGER_ANSWER * (recorded.output_tokens or 0)
    return Usage(
        input_tokens=round((recorded.input_tokens + added) * finer),
        output_tokens=round(usual * finer) if stated is None else stated,
    )


class _GenerationConfig(msgspec.Struct):
    maxOutputTokens: Any = None  # noqa: N815 - the wire's own name
    candidateCount: Any = None  # noqa: N815 - the wire's own name


class _Output(msgspec.Struct):
    """The fields of a request body that limit its answer, in all formats."""

    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    n: Any = None
    generationConfig: _GenerationConfig | None = None  # noqa: N815 - the wire's own name


def output_limit(body: bytes) -> int | None:
    """Return how many tokens all answers to *body* may have together; None when it does not say."""
    try:
        said = msgspec.json.decode(body, type=_Output)
    except msgspec.DecodeError:
        return None
    nested = said.generationConfig or _GenerationConfig()
    stated = (said.max_completion_tokens, said.max_tokens, said.max_output_tokens, nested.maxOutputTokens)
    limit = next((one for one in stated if isinstance(one, int)), None)
    count = next((one for one in (said.n, nested.candidateCount) if isinstance(one, int)), 1)
    return None if limit is None else limit * count


def _recorded_size(one: Said) -> int:
    """Return how much the recorded request says; what its provider held for it counted among its tokens."""
    return one.whole_bytes or _size(msgspec.json.encode(one.json), one.call)


def _size(body: bytes, asked: PlannedCall | Call) -> int:
    """Return how much a body says; the name of its model says nothing to the model."""
    return len(body) - len(asked.model) if asked.model.encode() in body else len(body)

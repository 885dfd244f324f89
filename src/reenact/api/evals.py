"""Evals: scores by name: their means, their range, how they are spread, over time (surface 3.8; signatures of Evals)."""

import asyncio
import math
from collections import defaultdict
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from reenact.api.envelope import answer, described
from reenact.api.filtering import every
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.api.rows import iso
from reenact.api.scorereader import score_totals, score_values
from reenact.api.selector import select
from reenact.api.spans import STEPS, Count, Increment, Minutes, TimeSpan, ahead_minutes, within
from reenact.domain.filter import EVERYTHING
from reenact.domain.message import Json
from reenact.domain.total import ScoreTotal, Step
from reenact.errors import InvalidInput

MAX_NAMES = 1000
_BARS = 10


class NewEval(msgspec.Struct, frozen=True):
    """A score to set."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    score: float


class EvalQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of which calls, and which page of names."""

    filter: Json
    time_filter: TimeSpan | None = None
    offset: Count = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=MAX_NAMES)] = MAX_NAMES
    time_zone_difference: Minutes = 0


class ScoresQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of which calls, and in which pieces of time."""

    time_filter: TimeSpan
    user_filter: Json = "all"
    db_increment: Increment = "hour"
    time_zone_difference: Minutes = 0


class CountAt(msgspec.Struct, frozen=True):
    """How many on a day."""

    date: str
    count: int


class ValueAt(msgspec.Struct, frozen=True):
    """The mean on a day."""

    date: str
    value: float


class Eval(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All scores of one name."""

    name: str
    average_score: float
    min_score: float
    max_score: float
    count: int
    over_time: list[CountAt]
    average_over_time: list[ValueAt]


class Range(msgspec.Struct, frozen=True):
    """How many scores lie in a range."""

    lower: float
    upper: float
    value: int


class Distribution(msgspec.Struct, frozen=True):
    """How the scores of one name are spread."""

    name: str
    distribution: list[Range]


class ScorePoint(msgspec.Struct, frozen=True):
    """The sum of one name's scores in one piece of time."""

    created_at_trunc: str
    score_key: str
    score_sum: float


@get("/v1/evals/scores", responses=described(list[str]))
async def list_names(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List the names that scores have."""
    await parts.settle()
    found = await asyncio.to_thread(score_totals, parts.calls, principal.organisation_id, EVERYTHING)
    return answer([one.name for one in found])


@post("/v1/evals/query", status_code=200, responses=described(list[Eval]))
async def query_evals(data: JSONBody[EvalQuery], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Sum scores by name and by day."""
    organisation_id = principal.organisation_id
    where = every([await select(data.filter, parts, organisation_id), *within(data.time_filter)])
    ahead = ahead_minutes(data.time_zone_difference)

    def read() -> list[Eval]:
        days: dict[str, list[ScoreTotal]] = defaultdict(list)
        for one in score_totals(parts.calls, organisation_id, where, step=Step.DAY, offset_minutes=ahead):
            days[one.name.lower()].append(one)
        values = score_values(parts.calls, organisation_id, where)
        return [_eval(days[name], values[name]) for name in sorted(days)][data.offset : data.offset + data.limit]

    return answer(await asyncio.to_thread(read))


@post("/v1/evals/score-distributions/query", status_code=200, responses=described(list[Distribution]))
async def query_distributions(
    data: JSONBody[EvalQuery], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Say how scores are spread, in ten ranges for each name."""
    organisation_id = principal.organisation_id
    where = every([await select(data.filter, parts, organisation_id), *within(data.time_filter)])

    def read() -> list[Distribution]:
        names = {one.name.lower(): one.name for one in score_totals(parts.calls, organisation_id, where)}
        values = score_values(parts.calls, organisation_id, where)
        found = [Distribution(names[key], _ranges(sorted(values[key]))) for key in sorted(names)]
        return found[data.offset : data.offset + data.limit]

    return answer(await asyncio.to_thread(read))


@post("/v1/evals/{request_id:str}", status_code=200, opt=WRITES, responses=described(None))
async def add_eval(
    request_id: FromPath[str], data: JSONBody[NewEval], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Set one score of a request."""
    if not math.isfinite(data.score):
        raise InvalidInput("Expected a finite number.", "score")
    await parts.settle()
    await asyncio.to_thread(parts.calls.set_scores, principal.organisation_id, request_id, {data.name: data.score})
    return answer(None)


@post("/v1/dashboard/scores/query", status_code=200, responses=described(list[ScorePoint]))
async def query_scores(data: JSONBody[ScoresQuery], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Sum scores by name over time."""
    organisation_id = principal.organisation_id
    where = every([await select(data.user_filter, parts, organisation_id, "userFilter"), *within(data.time_filter)])
    step, ahead = STEPS[data.db_increment], ahead_minutes(data.time_zone_difference)
    found = await asyncio.to_thread(
        lambda: score_totals(parts.calls, organisation_id, where, step=step, offset_minutes=ahead)
    )
    return answer([ScorePoint(iso(one.start_us or 0), one.name, one.sum) for one in found])


ROUTES: list[HTTPRouteHandler] = [list_names, query_evals, query_distributions, add_eval, query_scores]


def _eval(days: list[ScoreTotal], values: list[float]) -> Eval:
    count = sum(one.count for one in days)
    return Eval(
        name=days[0].name,
        average_score=sum(one.sum for one in days) / count,
        min_score=min(values, default=0.0),
        max_score=max(values, default=0.0),
        count=count,
        over_time=[CountAt(iso(one.start_us or 0), one.count) for one in days],
        average_over_time=[ValueAt(iso(one.start_us or 0), one.sum / one.count) for one in days],
    )


def _ranges(ascending: list[float]) -> list[Range]:
    if not ascending:
        return []
    low, high = ascending[0], ascending[-1]
    width = (high - low) / _BARS
    if width == 0:
        return [Range(low, high, len(ascending))]
    counts = [0] * _BARS
    for value in ascending:
        counts[min(_BARS - 1, int((value - low) / width))] += 1
    return [Range(low + width * at, low + width * (at + 1), count) for at, count in enumerate(counts)]

"""Prompt versions: Helicone's `/v1/prompt-2025` and `/v2/prompt-2025` routes about the versions of a prompt (surface 5.7).

A version says where its body can be had (`s3_url`), which needs no key for a day, since Helicone's own clients fetch it there.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from reenact.api.envelope import answer, described, encoded
from reenact.api.guard import PUBLIC, WRITES, GivenPager, GivenParts, GivenPrincipal
from reenact.api.pager import Pager
from reenact.api.parts import Parts
from reenact.api.rows import iso
from reenact.api.signing import LIFETIME_S, is_good, signature
from reenact.domain.message import Json
from reenact.domain.version import PRODUCTION, Version
from reenact.errors import Forbidden, NotFound
from reenact.prompts.shaping import inputs_in
from reenact.replay.expanding import NOTHING_EARLIER
from reenact.replay.recording import Recorded

_LISTED = 50
"""Versions in one answer, the newest, as at Helicone."""
_BODY = "prompt-version"
"""What is signed beside the version's id, so that no address of a call's bodies is good for a version."""

Environment = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Prompt2025Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version, as Helicone shows it."""

    id: str
    model: str
    prompt_id: str
    major_version: int
    minor_version: int
    commit_message: str
    environments: Sequence[str]
    created_at: str
    s3_url: str | msgspec.UnsetType = msgspec.UNSET
    """Where the body can be had; not in lists."""
    prompt_body: Json | msgspec.UnsetType = msgspec.UNSET
    """Not in lists."""


class NewVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A version to keep."""

    prompt_id: str
    prompt_version_id: str
    """The one that it goes on from, whose major version it is of."""
    prompt_body: dict[str, Json]
    commit_message: Annotated[str, msgspec.Meta(max_length=10_000)]
    new_major_version: bool = False
    environment: Environment | None = None
    """Where it is in use from now on."""


class MadeVersion(msgspec.Struct, frozen=True):
    """A new version."""

    id: str


class VersionInUse(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A version, and where it is in use."""

    prompt_id: str
    prompt_version_id: str
    environment: Environment


class VersionQuery(msgspec.Struct, frozen=True, rename="camel"):
    """Which version."""

    prompt_version_id: str


class EnvironmentQuery(msgspec.Struct, frozen=True, rename="camel"):
    """The version of which prompt, in use where."""

    prompt_id: str
    environment: str


class PromptVersionsQuery(msgspec.Struct, frozen=True, rename="camel"):
    """The versions of which prompt."""

    prompt_id: str
    major_version: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None


class PromptIdQuery(msgspec.Struct, frozen=True, rename="camel"):
    """Which prompt."""

    prompt_id: str


class VersionCounts(msgspec.Struct, frozen=True, rename="camel"):
    """How many versions a prompt has."""

    total_versions: int
    major_versions: int
    """The number of the newest major version, as at Helicone."""


class VersionInputs(msgspec.Struct, frozen=True):
    """What a request says in place of a version's variables."""

    request_id: str
    version_id: str
    inputs: dict[str, str]


@post("/v1/prompt-2025/update", status_code=200, opt=WRITES, responses=described(MadeVersion))
async def update_prompt(data: JSONBody[NewVersion], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Keep another version of a prompt."""

    def write() -> Version:
        return parts.prompts.update(
            principal.organisation_id,
            data.prompt_id,
            data.prompt_version_id,
            data.prompt_body,
            commit_message=data.commit_message,
            is_major=data.new_major_version,
            environment=data.environment,
        )

    return answer(MadeVersion((await asyncio.to_thread(write)).id))


@post("/v1/prompt-2025/update/environment", status_code=200, opt=WRITES, responses=described(None))
async def set_environment(
    data: JSONBody[VersionInUse], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Have a version in use in an environment, in place of the one that was."""
    named = (principal.organisation_id, data.prompt_id, data.prompt_version_id, data.environment)
    await asyncio.to_thread(parts.prompts.book.use, *named)
    return answer(None)


@post("/v1/prompt-2025/remove/environment", status_code=200, opt=WRITES, responses=described(None))
async def remove_environment(
    data: JSONBody[VersionInUse], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Have a version no more in use in an environment."""
    named = (principal.organisation_id, data.prompt_id, data.prompt_version_id, data.environment)
    await asyncio.to_thread(parts.prompts.book.stop_using, *named)
    return answer(None)


@delete("/v1/prompt-2025/{prompt_id:str}/{version_id:str}", status_code=200, opt=WRITES, responses=described(None))
async def delete_version(
    prompt_id: FromPath[str], version_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Delete a version; it is in use nowhere then."""
    await asyncio.to_thread(parts.prompts.book.delete_version, principal.organisation_id, prompt_id, version_id)
    return answer(None)


@post(
    ["/v1/prompt-2025/query/version", "/v2/prompt-2025/query/version"],
    status_code=200,
    responses=described(Prompt2025Version),
)
async def get_version(data: JSONBody[VersionQuery], parts: GivenParts, pager: GivenPager) -> Response[bytes]:
    """Get a version."""
    found = await asyncio.to_thread(parts.prompts.book.version, pager.organisation_id, data.prompt_version_id)
    return answer(_whole(found, pager))


@post(
    ["/v1/prompt-2025/query/environment-version", "/v2/prompt-2025/query/environment-version"],
    status_code=200,
    responses=described(Prompt2025Version),
)
async def get_version_in_use(data: JSONBody[EnvironmentQuery], parts: GivenParts, pager: GivenPager) -> Response[bytes]:
    """Get the version of a prompt that is in use in an environment."""
    return await _in_use(parts, pager, data.prompt_id, data.environment)


@post(
    ["/v1/prompt-2025/query/production-version", "/v2/prompt-2025/query/production-version"],
    status_code=200,
    responses=described(Prompt2025Version),
)
async def get_production_version(
    data: JSONBody[PromptIdQuery], parts: GivenParts, pager: GivenPager
) -> Response[bytes]:
    """Get the version of a prompt that is in use in production."""
    return await _in_use(parts, pager, data.prompt_id, PRODUCTION)


@post("/v1/prompt-2025/query/versions", status_code=200, responses=described(list[Prompt2025Version]))
async def list_versions(
    data: JSONBody[PromptVersionsQuery], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """List the versions of a prompt, or of one of its major versions, newest first."""
    read = partial(parts.prompts.book.versions, limit=_LISTED, major=data.major_version)
    return answer([_shown(one) for one in await asyncio.to_thread(read, principal.organisation_id, data.prompt_id)])


@post("/v1/prompt-2025/query/total-versions", status_code=200, responses=described(VersionCounts))
async def count_versions(
    data: JSONBody[PromptIdQuery], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Count the versions of a prompt."""
    counts = await asyncio.to_thread(parts.prompts.book.count, principal.organisation_id, data.prompt_id)
    return answer(VersionCounts(*counts))


@get("/v1/prompt-2025/{version_id:str}/prompt-body", responses=described(Json))
async def get_body(version_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Get the body of a version."""
    found = await asyncio.to_thread(parts.prompts.book.version, principal.organisation_id, version_id)
    return answer(found.body)


@get("/v1/public/prompt-2025/{version_id:str}/body", opt=PUBLIC)
async def send_body(
    version_id: FromPath[str],
    organisation: FromQuery[str],
    expires: FromQuery[int],
    signature: FromQuery[str],
    parts: GivenParts,
) -> Response[bytes]:
    """Get the body of a version by the address that it gave (`s3_url`)."""
    now_s = parts.clock() / 1_000_000
    if not is_good(parts.secret, organisation, version_id, expires, signature, now_s=now_s, asset_id=_BODY):
        raise Forbidden("This address is not valid, or no longer: ask for the version again to get a new one.")
    found = await asyncio.to_thread(parts.prompts.book.version, organisation, version_id)
    return encoded(msgspec.json.encode(found.body))


@get("/v1/prompt-2025/id/{prompt_id:str}/{version_id:str}/inputs", responses=described(VersionInputs | None))
async def get_inputs(
    prompt_id: FromPath[str],
    version_id: FromPath[str],
    request_id: Annotated[str, QueryParameter(name="requestId")],
    parts: GivenParts,
    principal: GivenPrincipal,
) -> Response[bytes]:
    """Get what a request says in place of a version's variables; null when it was not made from it, or that is not sure."""
    await parts.settle()

    def read() -> VersionInputs | None:
        version = parts.prompts.book.version(principal.organisation_id, version_id)
        calls = parts.calls.get(principal.organisation_id, [request_id])
        if version.prompt_id != prompt_id or not calls:
            raise NotFound("Request not found" if not calls else f"The prompt {prompt_id} has no version {version_id}")
        bodies = parts.calls.bodies(principal.organisation_id, [request_id]).get(request_id)
        recorded = Recorded(1, calls[0], bodies, NOTHING_EARLIER)
        prompt = None if recorded.hindrance else recorded.readable()
        inputs = None if prompt is None else inputs_in(parts.prompts.whole(version), prompt)
        return None if inputs is None else VersionInputs(request_id, version_id, inputs)

    return answer(await asyncio.to_thread(read))


ROUTES: list[HTTPRouteHandler] = [
    update_prompt, set_environment, remove_environment, delete_version, get_version, get_version_in_use,
    get_production_version, list_versions, count_versions, get_body, send_body, get_inputs,
]  # fmt: skip


async def _in_use(parts: Parts, pager: Pager, prompt_id: str, environment: str) -> Response[bytes]:
    found = await asyncio.to_thread(parts.prompts.in_use, pager.organisation_id, prompt_id, environment)
    return answer(_whole(found, pager))


def _whole(version: Version, pager: Pager) -> Prompt2025Version:
    """Return a version as it is shown by itself."""
    expires = int(pager.now_s) + LIFETIME_S
    proof = signature(pager.secret, pager.organisation_id, version.id, expires, asset_id=_BODY)
    query = urlencode({"organisation": pager.organisation_id, "expires": expires, "signature": proof})
    address = f"{pager.origin}/v1/public/prompt-2025/{version.id}/body?{query}"
    return msgspec.structs.replace(_shown(version), s3_url=address, prompt_body=version.body)


def _shown(version: Version) -> Prompt2025Version:
    return Prompt2025Version(
        id=version.id,
        model=version.model,
        prompt_id=version.prompt_id,
        major_version=version.major,
        minor_version=version.minor,
        commit_message=version.commit_message,
        environments=version.environments,
        created_at=iso(version.created_us),
    )

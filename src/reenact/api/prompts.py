"""Prompts: Helicone's `/v1/prompt-2025` routes about named prompts as wholes (surface 5.7)."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from reenact.api.envelope import answer, described
from reenact.api.guard import WRITES, GivenParts, GivenPrincipal
from reenact.api.rows import iso
from reenact.domain.message import Json
from reenact.domain.version import NamedPrompt
from reenact.prompts.checking import checked_tags

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Prompt2025(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt, as Helicone shows it."""

    id: str
    name: str
    tags: Sequence[str]
    created_at: str


class NewPrompt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A prompt to keep."""

    name: Name
    prompt_body: dict[str, Json]
    """A request of OpenAI's chat format, with `{{hc:name:type}}` where it is left open."""
    tags: list[Name] = []


class MadePrompt(msgspec.Struct, frozen=True, rename="camel"):
    """A new prompt and its first version, which is in use in production."""

    id: str
    version_id: str


class NewName(msgspec.Struct, frozen=True):
    """A prompt's new name."""

    name: Name


class NewTags(msgspec.Struct, frozen=True):
    """A prompt's new tags, in place of those that it has."""

    tags: list[Annotated[str, msgspec.Meta(max_length=200)]]


class PromptQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which prompts."""

    search: str = ""
    """Part of the name."""
    tags_filter: list[str] = []
    """One of them is enough."""
    page: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 0
    """Counted from 0."""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50


@post("/v1/prompt-2025", status_code=200, opt=WRITES, responses=described(MadePrompt))
async def create_prompt(data: JSONBody[NewPrompt], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Keep a new prompt with its first version, 0.0."""
    prompt, version = await asyncio.to_thread(
        parts.prompts.create, principal.organisation_id, data.name, data.tags, data.prompt_body
    )
    return answer(MadePrompt(prompt.id, version.id))


@get("/v1/prompt-2025/id/{prompt_id:str}", responses=described(Prompt2025))
async def get_prompt(prompt_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Get a prompt."""
    return answer(_shown(await asyncio.to_thread(parts.prompts.book.get, principal.organisation_id, prompt_id)))


@post("/v1/prompt-2025/id/{prompt_id:str}/rename", status_code=200, opt=WRITES, responses=described(None))
async def rename_prompt(
    prompt_id: FromPath[str], data: JSONBody[NewName], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Give a prompt another name."""
    await asyncio.to_thread(parts.prompts.book.rename, principal.organisation_id, prompt_id, data.name)
    return answer(None)


@patch("/v1/prompt-2025/id/{prompt_id:str}/tags", opt=WRITES, responses=described(list[str]))
async def tag_prompt(
    prompt_id: FromPath[str], data: JSONBody[NewTags], parts: GivenParts, principal: GivenPrincipal
) -> Response[bytes]:
    """Give a prompt tags in place of those that it has; they are told back without blanks around them, each once."""
    tags = checked_tags(data.tags)
    await asyncio.to_thread(parts.prompts.book.tag, principal.organisation_id, prompt_id, tags)
    return answer(tags)


@delete("/v1/prompt-2025/{prompt_id:str}", status_code=200, opt=WRITES, responses=described(None))
async def delete_prompt(prompt_id: FromPath[str], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Delete a prompt with all its versions. Replays that used one keep what it said."""
    await asyncio.to_thread(parts.prompts.book.delete, principal.organisation_id, prompt_id)
    return answer(None)


@get("/v1/prompt-2025/tags", responses=described(list[str]))
async def list_tags(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List the tags that some prompt has."""
    return answer(await asyncio.to_thread(parts.prompts.tags, principal.organisation_id))


@get("/v1/prompt-2025/environments", responses=described(list[str]))
async def list_environments(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """List the environments that some version is in use in."""
    return answer(await asyncio.to_thread(parts.prompts.book.environments, principal.organisation_id))


@get("/v1/prompt-2025/count", responses=described(int))
async def count_prompts(parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Count the prompts."""
    return answer(len(await asyncio.to_thread(parts.prompts.book.all, principal.organisation_id)))


@post("/v1/prompt-2025/query", status_code=200, responses=described(list[Prompt2025]))
async def query_prompts(data: JSONBody[PromptQuery], parts: GivenParts, principal: GivenPrincipal) -> Response[bytes]:
    """Find prompts by a part of their name and by tags, newest first."""
    found = await asyncio.to_thread(parts.prompts.query, principal.organisation_id, data.search, data.tags_filter)
    start = data.page * data.page_size
    return answer([_shown(prompt) for prompt in found[start : start + data.page_size]])


ROUTES: list[HTTPRouteHandler] = [
    create_prompt, get_prompt, rename_prompt, tag_prompt, delete_prompt, list_tags, list_environments, count_prompts,
    query_prompts,
]  # fmt: skip


def _shown(prompt: NamedPrompt) -> Prompt2025:
    return Prompt2025(id=prompt.id, name=prompt.name, tags=prompt.tags, created_at=iso(prompt.created_us))

"""Reading a request: its prompt in whatever format, the rule it falls under, how it is to be answered."""

import re
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from reenact.dialects.dialect import Dialect
from reenact.dialects.registry import find_dialect
from reenact.domain.message import Prompt
from reenact.errors import InvalidInput, NotFound
from reenact.provider.fault import Fault
from reenact.provider.faulting import marked_fault, read_fault
from reenact.provider.script import Rule, Script
from reenact.provider.scripting import find_rule, system_text, user_text

_MODEL_IN_PATH = re.compile(r"/(?:models|deployments|engines)/([^/:]+)")
_NEEDED = {
    "openai_chat": "messages",
    "openai_completions": "prompt",
    "openai_embeddings": "input",
    "openai_responses": "input",
    "anthropic_messages": "messages",
    "gemini": "contents",
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, understood."""

    prompt: Prompt
    """Model and stream from the path where the format keeps them there."""
    rule: Rule | None
    fault: Fault
    counts_only: bool
    """Anthropic's `count_tokens`: no answer, only the prompt's tokens."""
    as_array: bool
    """Gemini's stream without `alt=sse`."""


def read_request(
    dialect: Dialect, path: str, query: str, headers: Iterable[tuple[bytes, bytes]], body: bytes, script: Script
) -> Asked:
    """Return what a request asks for.

    Raises:
        InvalidInput: its body is no JSON or not of the format, a needed field is missing, or the fault is unknown.
    """
    prompt = _read_prompt(dialect, path, body)
    rule = find_rule(script, prompt)
    return Asked(
        prompt=prompt,
        rule=rule,
        fault=read_fault(_wished_fault(prompt, headers, rule)),
        counts_only=path.rstrip("/").endswith("/count_tokens"),
        as_array=prompt.dialect == "gemini" and "alt=sse" not in query.split("&"),
    )


def dialect_of(method: str, path: str) -> Dialect:
    """Return the format that requests to *path* speak.

    Raises:
        NotFound: none that this provider knows.
    """
    dialect = find_dialect("", method, path)
    if dialect is None:
        raise NotFound(f"Unknown request URL: {method} {path}.")
    return dialect


def _read_prompt(dialect: Dialect, path: str, body: bytes) -> Prompt:
    try:
        wire = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidInput("We could not parse the JSON body of your request.") from error
    prompt = dialect.read_prompt(wire)
    named = _MODEL_IN_PATH.search(path)
    if prompt.model is None and named is not None:
        prompt = replace(prompt, model=named.group(1))
    if ":stream" in path:
        prompt = replace(prompt, stream=True)
    needed = _NEEDED[prompt.dialect]
    missing = needed if not wire.get(needed) else "" if prompt.model else "model"
    if missing:
        raise InvalidInput(f"Missing required parameter: '{missing}'.", missing)
    return prompt


def _wished_fault(prompt: Prompt, headers: Iterable[tuple[bytes, bytes]], rule: Rule | None) -> str:
    """Return the fault that the header, the newest turn, the system prompt or the rule asks for, in this order."""
    header = next((value.decode("latin-1") for name, value in headers if name == b"x-provider-fault"), None)
    marked = (marked_fault(said) for said in (user_text(prompt), system_text(prompt)))
    return next((wish for wish in (header, *marked, rule.fault if rule else None) if wish is not None), "")

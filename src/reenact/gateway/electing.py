"""A choice of providers: what `model` names in the OpenAI-compatible form, who is asked, and whose error is told (surface 2.3).

`model` is `name`, `name/provider`, or `name/provider/<endpoint id>`; several parted by commas are tried in order; `!provider`
anywhere leaves that provider out for all. A name without a provider is asked of whoever makes the model, then of those who
host models of others, as far as this server holds a key for them.
"""

from collections.abc import Collection, Sequence

import msgspec

from reenact.gateway.controls import Mapping

_BASES = {
    "openai": "/v1",
    "anthropic": "/v1",
    "google": "/v1beta/openai",
    "azure": "/openai/v1",
    "vercel": "/v1",
    "together": "/v1",
    "llama": "/compat/v1",
    "nvidia": "/v1",
    "openrouter": "/api/v1",
    "deepinfra": "/v1/openai",
    "groq": "/openai/v1",
    "perplexity": "",
    "hyperbolic": "/v1",
    "cerebras": "/v1",
    "mistral": "/v1",
    "fireworks": "/inference/v1",
    "x": "/v1",
    "deepseek": "/v1",
    "nebius": "/v1",
    "novita": "/v3/openai",
    "cohere": "/compatibility/v1",
    "baseten": "/v1",
    "chutes": "/v1",
    "avian": "/v1",
    "huggingface": "/v1",
    "moonshot": "/v1",
}
"""Where each provider speaks OpenAI's format, by its own documentation (2026-11). A provider that is not here uses `/v1`."""

_MAKERS = (
    (("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "dall-e", "codex-"), "openai"),
    (("claude",), "anthropic"),
    (("gemini", "gemma"), "google"),
    (("grok",), "x"),
    (("deepseek",), "deepseek"),
    (("mistral", "ministral", "magistral", "codestral", "devstral", "pixtral", "open-mi"), "mistral"),
    (("sonar",), "perplexity"),
    (("command", "c4ai", "embed-"), "cohere"),
    (("kimi", "moonshot"), "moonshot"),
)
"""Who makes a model, by how its name begins."""

_HOSTS = (
    *("groq", "cerebras", "fireworks", "together", "deepinfra", "nebius", "novita", "hyperbolic", "nvidia"),
    *("baseten", "chutes", "huggingface", "openrouter", "vercel"),
)
"""Who hosts models of others, in the order they are asked."""

_CONTEXT_MARKS = (b"context_length", b"context length", b"context window", b"prompt is too long", b"too many tokens")
TOO_LONG = frozenset({400, 413})
"""Statuses with which providers tell that, among other things."""
_FAILED_OVER = frozenset({401, 408, 429})


class Candidate(msgspec.Struct, frozen=True):
    """A model at a provider."""

    model: str
    provider: str


class Election(msgspec.Struct, frozen=True, kw_only=True):
    """What a `model` field asks for."""

    candidates: tuple[Candidate, ...]
    """To be asked in this order, each once."""
    disallowed: tuple[str, ...] = ()
    """Providers that it names and excludes, or that there is no key for."""
    owner: str | None = None
    """Whose key the call brings; None when it brings none."""


class Failure(msgspec.Struct, frozen=True):
    """An answer that sent the call on to the next candidate."""

    status: int
    number: int
    """Of the candidate, counted from 0."""


def elect(model: str, keyed: Collection[str], *, brings_key: bool = False) -> Election:
    """Return whom to ask for *model*.

    Args:
        model: as the body names it.
        keyed: the providers that this server has a key for.
        brings_key: whether the call brings a key of its own. It is the key of the first provider that the model names or
            that makes it, and is never shown to another.
    """
    words = [word.strip() for word in model.split(",") if word.strip()]
    excluded = {word[1:].strip().lower() for word in words if word.startswith("!")}
    found: dict[Candidate, None] = {}
    disallowed: dict[str, None] = {}
    owner: str | None = None
    for word in words:
        if word.startswith("!"):
            continue
        name, provider = _split(word, keyed)
        if brings_key and owner is None:
            owner = next((one for one in ((provider,) if provider else makers(name)) if one not in excluded), None)
        known = {*keyed, owner}
        providers = (provider,) if provider else tuple(one for one in _offering(name) if one in known)
        for one in providers:
            if one in known and one not in excluded:
                found[Candidate(name, one)] = None
            else:
                disallowed[one] = None
    return Election(candidates=tuple(found), disallowed=tuple(disallowed), owner=owner)


def compatible_path(provider: str, called: bytes, mapping: Mapping) -> bytes:
    """Return the path at *provider* for the path that the agent *called*, such as `/ai/chat/completions`."""
    resource = next(
        (name for name in (b"responses", b"embeddings") if called.endswith(b"/" + name)), b"chat/completions"
    )
    if mapping is Mapping.RESPONSES:
        resource = b"responses"
    if mapping is Mapping.NO_MAPPING and provider == "anthropic":
        return b"/v1/messages"
    return base_path(provider).encode() + b"/" + resource


def mapping_of(target: bytes, wanted: Mapping) -> Mapping:
    """Return what format the body of a call to *target* is in: Responses' own path says so by itself (surface 1.4)."""
    is_responses = target.partition(b"?")[0].endswith(b"/responses")
    return Mapping.RESPONSES if is_responses and wanted is Mapping.OPENAI else wanted


def base_path(provider: str) -> str:
    """Return the path under which *provider* speaks OpenAI's format."""
    return _BASES.get(provider, "/v1")


def makers(model: str) -> tuple[str, ...]:
    """Return who makes a model, by how its name begins; nobody when that does not say."""
    lowered = model.rpartition("/")[2].lower()
    return tuple(maker for beginnings, maker in _MAKERS if lowered.startswith(beginnings))


def fails_over(status: int, body: bytes) -> bool:
    """Return whether an answer sends the call on: no key, too many requests, a time-out, their fault, or too long a prompt."""
    return is_too_long(status, body) or status in _FAILED_OVER or status >= 500


def is_too_long(status: int, body: bytes) -> bool:
    """Return whether an answer says that the prompt is longer than its model can take."""
    if status not in TOO_LONG:
        return False
    said = body.lower()
    return any(mark in said for mark in _CONTEXT_MARKS)


def told_failure(failures: Sequence[Failure]) -> Failure:
    """Return whose error the agent is given when everybody failed: 403, then 401, then the first other one, then 429."""
    order = {403: 0, 401: 1, 429: 3}
    return min(failures, key=lambda failure: (order.get(failure.status, 2), failure.number))


def _split(word: str, keyed: Collection[str]) -> tuple[str, str | None]:
    """Split `name/provider` and `name/provider/<endpoint id>`; other slashes belong to the name, as in `meta-llama/Llama-3`."""
    parts = word.split("/")
    for at in (len(parts) - 1, len(parts) - 2):
        if at > 0 and (parts[at].lower() in _BASES or parts[at].lower() in keyed):
            return "/".join(parts[:at]), parts[at].lower()
    return word, None


def _offering(name: str) -> tuple[str, ...]:
    return (*makers(name), *_HOSTS)

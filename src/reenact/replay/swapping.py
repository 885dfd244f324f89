"""Say whom a call is asked of when a patch sets another model, in which format, and under which address."""

from urllib.parse import quote, urlsplit

import msgspec

from reenact.dialects.translating.translation import TRANSLATED, translated
from reenact.domain.call import Call
from reenact.domain.message import Prompt
from reenact.domain.patch import Edit, SetModel
from reenact.errors import InvalidInput, InvalidPatch
from reenact.gateway.electing import base_path, makers
from reenact.gateway.providers import PROVIDERS
from reenact.replay.step import Step, Swap

_OWN_ONLY = frozenset({"openai", "anthropic", "google", "x", "deepseek", "mistral", "perplexity", "cohere", "moonshot"})
"""Providers that offer nothing but their own models, so that the name of another one's model means that one."""
_OWN_FORMATS = {"anthropic": "anthropic_messages", "google": "gemini"}
"""The formats of those whose own is not OpenAI's chat."""
_SPOKEN = {
    "openai": frozenset({"openai_chat", "openai_responses", "openai_completions", "openai_embeddings"}),
    "azure": frozenset({"openai_chat", "openai_responses", "openai_embeddings"}),
    "anthropic": frozenset({"anthropic_messages", "openai_chat"}),
    "google": frozenset({"gemini", "openai_chat", "openai_embeddings"}),
}
"""What each provider speaks; others speak OpenAI's formats."""
_OPENAI_FORMATS = frozenset({"openai_chat", "openai_completions", "openai_embeddings", "openai_responses"})
_RESOURCES = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "openai_completions": "/completions",
    "openai_embeddings": "/embeddings",
}
_VERTEX = "its addresses hold a project and a region, and its keys are logins that run out"
_AWS = "its requests are signed with an account's secret, which this server does not do"
_UNASKED = {
    "vertex": _VERTEX,
    "vertexai": _VERTEX,
    "aws": _AWS,
    "bedrock": _AWS,
    "custom": "that name stands for addresses of agents' own, and says none",
}
"""Providers that cannot be asked by a model's name alone, and why."""
_NAMES = {alias: provider.name for provider in PROVIDERS for alias in (provider.name, *provider.aliases)}


def resolved(edit: Edit, call: Call, before: Swap | None) -> Step:
    """Return *edit* with what setting a model means for *call*, after the edits *before*.

    Args:
        edit: of the patch.
        call: as it was recorded.
        before: the last swap that earlier edits made.

    Raises:
        InvalidPatch: the provider cannot be asked; `field` is the part of the edit that says so.
    """
    if not isinstance(edit, SetModel):
        return edit
    if before is None:
        return _resolved(edit, call.provider, call.dialect, call)
    return _resolved(edit, before.provider, before.dialect, call)


def swapped(prompt: Prompt, swap: Swap) -> Prompt:
    """Return *prompt* for the other provider.

    Raises:
        InvalidPatch: what it says cannot be said in the other format.
    """
    if prompt.dialect == swap.dialect:
        return msgspec.structs.replace(prompt, model=swap.model)
    try:
        return translated(prompt, swap.dialect, swap.model, provider=swap.provider, stream=swap.stream)
    except InvalidInput as error:
        raise InvalidPatch(error.message, "model") from error


def swapped_url(url: str, swap: Swap, model: str) -> str:
    """Return the address on the gateway of *url* under which *model* is asked."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/v1/gateway/{swap.provider}{_path(swap, model)}"


def _path(swap: Swap, model: str) -> str:
    if swap.dialect == "anthropic_messages":
        return "/v1/messages"
    if swap.dialect == "gemini":
        method = "streamGenerateContent?alt=sse" if swap.stream else "generateContent"
        return f"/v1beta/models/{quote(model, safe='-._~@')}:{method}"
    return base_path(swap.provider) + _RESOURCES[swap.dialect]


def _resolved(edit: SetModel, provider: str, dialect: str, call: Call) -> Step:
    wanted = _maker(edit.model, provider)
    if edit.provider is not None:
        wanted = _NAMES.get(edit.provider.lower(), edit.provider.lower())
    spoken = _SPOKEN.get(wanted, _OPENAI_FORMATS)
    own = dialect if dialect in spoken and wanted not in _OWN_FORMATS else _OWN_FORMATS.get(wanted, "openai_chat")
    if wanted == provider:
        own = dialect
    form = edit.dialect or own
    if (wanted, form) == (provider, dialect):
        return SetModel(edit.model)
    if wanted in _UNASKED:
        raise InvalidPatch(f"It cannot be asked of {wanted}: {_UNASKED[wanted]}.", "provider")
    if form not in spoken and (wanted in _SPOKEN or form not in TRANSLATED):
        raise InvalidPatch(f"The provider {wanted} does not speak the format {form}.", "dialect")
    if form != dialect and not {form, dialect} <= TRANSLATED:
        raise InvalidPatch(f"A request of the format {dialect} cannot be said in the format {form}.", "dialect")
    if call.target_url.partition("?")[0].rstrip("/").endswith("/count_tokens"):
        raise InvalidPatch("It has tokens counted, which is asked otherwise of each provider.", "provider")
    return Swap(model=edit.model, provider=wanted, dialect=form, stream=call.streamed)


def _maker(model: str, provider: str) -> str:
    """Return who is asked for *model* when nothing is said: its maker, where both offer nothing but their own."""
    made_by = [maker for maker in makers(model) if maker in _OWN_ONLY]
    return made_by[0] if made_by and provider in _OWN_ONLY else provider

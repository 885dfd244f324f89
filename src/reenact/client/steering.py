"""Where agents find their providers: the variables that SDKs read, and what to set them to so that calls come to Reenact."""

from collections.abc import Mapping
from urllib.parse import urlsplit

_OPENAI, _ANTHROPIC, _GEMINI = "/oai/v1", "/anthropic", "/google"

_VARIABLES: dict[str, str] = {
    "OPENAI_BASE_URL": _OPENAI,
    "OPENAI_API_BASE": _OPENAI,
    "ANTHROPIC_BASE_URL": _ANTHROPIC,
    "ANTHROPIC_API_BASE": _ANTHROPIC,
    "GOOGLE_GEMINI_BASE_URL": _GEMINI,
    "GROQ_BASE_URL": "/groq",
    "GROQ_API_BASE": "/groq/openai/v1",
    "MISTRAL_API_BASE": "/mistral/v1",
    "DEEPSEEK_API_BASE": "/deepseek/beta",
    "OPENROUTER_API_BASE": "/openrouter/api/v1",
    "TOGETHER_BASE_URL": "/together/v1",
    "TOGETHER_AI_API_BASE": "/together/v1",
    "XAI_API_BASE": "/x/v1",
    "CEREBRAS_BASE_URL": "/cerebras",
    "FIREWORKS_AI_API_BASE": "/fireworks/inference/v1",
    "CO_API_URL": "/cohere",
}
"""Variable and path behind the gateway's. Read by the SDKs of OpenAI, Anthropic, Google, Groq, Together, Cerebras and Cohere
(`*_BASE_URL`, `CO_API_URL`) and by LiteLLM (`*_API_BASE`); 2026-11."""

_ONLY_INSTEAD = {
    "AZURE_OPENAI_ENDPOINT": "/azure",
    "AZURE_API_BASE": "/azure",
    "LITELLM_PROXY_API_BASE": _OPENAI,
}
"""Variables without which their SDK is not used: set only where they are set already."""

_KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "GROQ_API_KEY",
    "MISTRAL_API_KEY",
    "DEEPSEEK_API_KEY",
    "OPENROUTER_API_KEY",
    "TOGETHER_API_KEY",
    "XAI_API_KEY",
)
_PLACEHOLDER = "reenact-playback"
"""For SDKs that refuse to start without a key though nothing is sent to their provider. OpenAI's and Anthropic's only look
whether there is one."""


def variables_for(base_url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what to add to *environ* so that the SDKs of an agent call *base_url*.

    Args:
        base_url: what stands before a provider's name, such as `http://127.0.0.1:8585/v1/gateway`.
        environ: the agent's environment as it would be.
    """
    paths = {**_VARIABLES, **{name: path for name, path in _ONLY_INSTEAD.items() if name in environ}}
    return {**{name: base_url + path for name, path in paths.items()}, **_past_proxies(base_url, environ)}


def placeholder_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """Return keys for an agent to which no provider will answer, where it has none."""
    has_gemini = "GOOGLE_API_KEY" in environ
    names = [name for name in _KEYS if name not in environ and not (name == "GEMINI_API_KEY" and has_gemini)]
    return dict.fromkeys(names, _PLACEHOLDER)


def moved(base_url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that led somewhere else before, with where: those calls go to the server's own upstreams now."""
    new = variables_for(base_url, environ)
    host = urlsplit(base_url).netloc
    return {
        name: environ[name]
        for name in new
        if "proxy" not in name.lower() and environ.get(name) and urlsplit(environ[name]).netloc != host
    }


def _past_proxies(base_url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what keeps an agent's proxy from standing before the server, where there is a proxy."""
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    if not any(name.lower() in proxies for name in environ):
        return {}
    host = urlsplit(base_url).hostname or ""
    known = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    hosts = ",".join(part for part in (known, host) if part)
    return {"no_proxy": hosts, "NO_PROXY": hosts}

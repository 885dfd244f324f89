"""The providers that calls can be relayed to, as a table: where they are, how they want their key, what names them.

Hosts and labels: surface 2.1 and 2.2, filled up with each vendor's public API host (2026-11).
"""

import enum

import msgspec


class Auth(enum.Enum):
    """How a provider wants its key."""

    BEARER = b"authorization"
    """`Authorization: Bearer <key>`."""
    X_API_KEY = b"x-api-key"
    X_GOOG_API_KEY = b"x-goog-api-key"
    API_KEY = b"api-key"


class Provider(msgspec.Struct, frozen=True):
    """One provider."""

    name: str
    """Lower-case, as kept in Exchange.provider."""
    origin: str
    """Empty when there is none for everybody (Azure resources, self-hosted servers): it has to be set."""
    auth: Auth = Auth.BEARER
    aliases: tuple[str, ...] = ()
    """What else names it, in a path's segment or a host's first label."""
    roots: tuple[str, ...] = ("v1",)
    """First path segments of its API; a host label alone counts only before one of these."""


CUSTOM = "custom"
"""The name of a provider that the agent named by its origin and that is not in the table."""

PROVIDERS: tuple[Provider, ...] = (
    Provider("openai", "https://api.openai.com", aliases=("oai",)),
    Provider("anthropic", "https://api.anthropic.com", Auth.X_API_KEY),
    Provider(
        "google",
        "https://generativelanguage.googleapis.com",
        Auth.X_GOOG_API_KEY,
        aliases=("gemini", "googleapis"),
        roots=("v1", "v1beta", "v1alpha", "upload"),
    ),
    Provider("azure", "", Auth.API_KEY, roots=("openai", "models")),
    Provider("vertex", "https://aiplatform.googleapis.com", roots=("v1", "v1beta1")),
    Provider("vercel", "https://ai-gateway.vercel.sh"),
    Provider("together", "https://api.together.xyz"),
    Provider("llama", "https://api.llama.com", roots=("v1", "compat")),
    Provider("nvidia", "https://integrate.api.nvidia.com"),
    Provider("openrouter", "https://openrouter.ai", roots=("api",)),
    Provider("deepinfra", "https://api.deepinfra.com", roots=("v1", "v1beta")),
    Provider("groq", "https://api.groq.com", roots=("openai",)),
    Provider("perplexity", "https://api.perplexity.ai", roots=("v1", "chat", "async", "search")),
    Provider("hyperbolic", "https://api.hyperbolic.xyz"),
    Provider("cerebras", "https://api.cerebras.ai"),
    Provider("mistral", "https://api.mistral.ai"),
    Provider("fireworks", "https://api.fireworks.ai", roots=("inference", "v1")),
    Provider("x", "https://api.x.ai", aliases=("xai", "grok")),
    Provider("deepseek", "https://api.deepseek.com", roots=("v1", "beta", "chat", "anthropic", "models")),
    Provider("nebius", "https://api.studio.nebius.com"),
    Provider("novita", "https://api.novita.ai", roots=("v1", "v3", "openai")),
    Provider("firecrawl", "https://api.firecrawl.dev", roots=("v0", "v1", "v2")),
    Provider("cohere", "https://api.cohere.com", roots=("v1", "v2", "compatibility")),
    Provider("baseten", "https://inference.baseten.co"),
    Provider("chutes", "https://llm.chutes.ai"),
    Provider("avian", "https://api.avian.io"),
    Provider("openpipe", "https://api.openpipe.ai", roots=("api",)),
    Provider("predibase", "https://serving.app.predibase.com"),
    Provider("huggingface", "https://router.huggingface.co"),
    Provider("moonshot", "https://api.moonshot.ai"),
    Provider("voyage", "https://api.voyageai.com"),
    Provider("writer", "https://api.writer.com"),
)

HOSTS: dict[str, str] = {
    "openai.azure.com": "azure",
    "azure-api.net": "azure",
    "cognitiveservices.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "aiplatform.googleapis.com": "vertex",
    "amazonaws.com": "aws",
    "api.together.ai": "together",
    "us.api.openai.com": "openai",
    "eu.api.openai.com": "openai",
    **{provider.origin.partition("://")[2]: provider.name for provider in PROVIDERS if provider.origin},
}
"""Provider name by the end of a host, for origins that an agent names itself (surface 2.2)."""

OPENAI_RESOURCES = frozenset(
    {
        "assistants",
        "audio",
        "batches",
        "chat",
        "completions",
        "containers",
        "conversations",
        "edits",
        "embeddings",
        "engines",
        "files",
        "fine-tunes",
        "fine_tuning",
        "images",
        "models",
        "moderations",
        "realtime",
        "responses",
        "threads",
        "uploads",
        "vector_stores",
        "videos",
    }
)
"""What may follow a bare `/v1/` and means OpenAI. None of them is a path of our own REST API, but `models`, which is
Helicone's when it is asked for with a Helicone key (surface 2.5)."""

UNVERSIONED_RESOURCES = frozenset({"chat", "completions", "embeddings", "responses"})
"""What means OpenAI without `/v1` before it, too (surface 2.5)."""

ANTHROPIC_RESOURCES = frozenset({"messages", "complete"})
"""What may follow a bare `/v1/` and means Anthropic."""

OWN_RESOURCES = (
    b"alert",
    b"api-keys",
    b"dashboard",
    b"eval",
    b"experiment",
    b"feedback",
    b"helicone-dataset",
    b"integration",
    b"log",
    b"metrics",
    b"organization",
    b"prompt",
    b"property",
    b"provider",
    b"public",
    b"replay",
    b"request",
    b"search",
    b"session",
    b"trace",
    b"user",
    b"vault",
    b"webhooks",
)
"""Beginnings of what follows `/v1/` in our own REST API: never relayed by a host's label."""

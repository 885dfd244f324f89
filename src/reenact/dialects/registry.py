"""Which dialect an exchange speaks."""

from reenact.dialects.anthropic_messages import AnthropicMessages
from reenact.dialects.dialect import Dialect
from reenact.dialects.gemini import Gemini
from reenact.dialects.openai_chat import OpenAIChat
from reenact.dialects.openai_completions import OpenAICompletions
from reenact.dialects.openai_embeddings import OpenAIEmbeddings
from reenact.dialects.openai_responses import OpenAIResponses

DIALECTS: tuple[Dialect, ...] = (
    OpenAIChat(),
    OpenAICompletions(),
    OpenAIEmbeddings(),
    OpenAIResponses(),
    AnthropicMessages(),
    Gemini(),
)
"""In the order they are asked."""


def find_dialect(provider: str, method: str, path: str) -> Dialect | None:
    """Return the dialect for a request to *path* (a query is ignored) of *provider*; None when it has none."""
    path = path.split("?", 1)[0]
    return next((dialect for dialect in DIALECTS if dialect.reads(provider, method, path)), None)


def dialect_named(name: str) -> Dialect | None:
    """Return the dialect whose calls are kept under *name*; None for `opaque` and unknown names."""
    return next((dialect for dialect in DIALECTS if dialect.name == name), None)

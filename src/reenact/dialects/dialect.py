"""The seam every wire format fills: one small protocol, owned by those who read recordings."""

from collections.abc import Sequence
from typing import Protocol

from reenact.domain.message import Answer, Json, Prompt


class Dialect(Protocol):
    """One provider's wire format. Implementations are stateless; reading never raises for odd but valid JSON."""

    name: str
    """As kept in Call.dialect, such as `openai_chat`."""

    def reads(self, provider: str, method: str, path: str) -> bool:
        """Return whether a request to *path* (no query) of *provider* speaks this format."""
        ...

    def read_prompt(self, body: Json) -> Prompt:
        """Return what a request body says.

        Raises:
            InvalidInput: the body is not an object, or a field has a shape that this format does not know.
        """
        ...

    def write_prompt(self, prompt: Prompt) -> Json:
        """Return *prompt* as a request body; what was not changed since reading comes back as it was."""
        ...

    def read_answer(self, body: Json) -> Answer:
        """Return what a response body says, errors included.

        Raises:
            InvalidInput: the body is not an object.
        """
        ...

    def merge(self, events: Sequence[Json]) -> Json:
        """Return the unstreamed answer body that the *events* of a stream add up to; broken streams give what came."""
        ...

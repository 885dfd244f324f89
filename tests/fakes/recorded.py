"""Recorded exchanges between real SDKs and real providers, for tests; see the data folder's own README."""

import gzip
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "recorded_exchanges.jsonl.gz"


class Recorded(msgspec.Struct, frozen=True):
    """One recorded exchange; bodies as text."""

    cassette: str
    kind: str
    """`chat`, `completions`, `embeddings`, `responses`, `messages` (Anthropic) or `gemini`."""
    method: str
    url: str
    status: int
    request_headers: dict[str, Any]
    request_body: str
    response_headers: dict[str, Any]
    response_body: str

    @property
    def path(self) -> str:
        """The URL's path, without query and fragment."""
        return urlsplit(self.url).path

    @property
    def request(self) -> Any:
        """The request's body as JSON."""
        return msgspec.json.decode(self.request_body)

    @property
    def is_streamed(self) -> bool:
        """Whether the answer is a stream of server-sent events."""
        return self.response_body.lstrip().startswith(("data:", "event:", ":"))


def recorded(*kinds: str) -> list[Recorded]:
    """Return the recorded exchanges of these kinds; all when none is named. Skips the test where the data is not there."""
    if not DATA.exists():
        pytest.skip(f"The recorded exchanges are not here: {DATA}")
    return [one for one in _all() if not kinds or one.kind in kinds]


@cache
def _all() -> list[Recorded]:
    with gzip.open(DATA) as lines:
        return [msgspec.json.decode(line, type=Recorded) for line in lines]

"""Collector: a Sink that gathers an answer for a replay's runner."""

from reenact.domain.exchange import Header


class Collector:
    """Takes one answer; see Sink."""

    def __init__(self) -> None:
        self.status: int | None = None
        """None until the head has come."""
        self.headers: list[Header] = []
        self.is_whole = False
        """Whether the answer came to its end."""
        self._pieces: list[bytes] = []

    @property
    def body(self) -> bytes:
        """What has come so far, undecoded."""
        return b"".join(self._pieces)

    async def start(self, status: int, headers: list[Header]) -> None:
        """Take the answer's head."""
        self.status = status
        self.headers = headers

    async def chunk(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._pieces.append(body)

    async def end(self) -> None:
        """Take the end of a whole answer."""
        self.is_whole = True

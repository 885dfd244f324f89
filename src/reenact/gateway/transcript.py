"""Transcript: the copy of one body, in memory while it is small and in a file of the spool beyond that."""

from collections.abc import Callable

from reenact.domain.exchange import Spill

MOST_BYTES = 8 * 1024 * 1024
"""How much of a body is copied in memory; the rest of a longer one costs no more of it, however long."""


class Transcript:
    """Takes a body piece by piece."""

    def __init__(self, spill: Callable[[], Spill], most_bytes: int = MOST_BYTES) -> None:
        """Take what opens a file, and how much is held before one is."""
        self._open = spill
        self._most_bytes = most_bytes
        self._pieces: list[bytes] = []
        self.size = 0
        """How many bytes were taken."""
        self.spill: Spill | None = None
        """The file, when there is one."""

    def take(self, piece: bytes) -> None:
        """Take a piece.

        Raises:
            SpoolFailed: the file cannot be written.
        """
        self.size += len(piece)
        if self.spill is not None:
            self.spill.write(piece)
            return
        self._pieces.append(piece)
        if self.size > self._most_bytes:
            self.spill = self._open()
            pieces, self._pieces = self._pieces, []
            for held in pieces:
                self.spill.write(held)

    @property
    def body(self) -> bytes:
        """What is in memory: the whole body, or nothing of one that lies in a file."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def drop(self) -> None:
        """Forget all of it."""
        self._pieces = []
        if self.spill is not None:
            self.spill.drop()

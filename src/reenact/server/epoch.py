"""Epoch: a number that all processes of one server see, so that what one of them changes the others know at once."""

import mmap
import os
import struct
import tempfile

_NUMBER = struct.Struct("<Q")


class Epoch:
    """Eight bytes of shared memory. One process advances it; all may look, which costs no system call."""

    def __init__(self, descriptor: int | None = None) -> None:
        """Make one, or share the one behind *descriptor*."""
        if descriptor is None:
            with tempfile.TemporaryFile() as file:
                self.descriptor = os.dup(file.fileno())
            os.ftruncate(self.descriptor, _NUMBER.size)
        else:
            self.descriptor = descriptor
        self._memory = mmap.mmap(self.descriptor, _NUMBER.size)

    def __call__(self) -> int:
        """Return the number."""
        number: int = _NUMBER.unpack_from(self._memory)[0]
        return number

    def advance(self) -> None:
        """Make it another number."""
        _NUMBER.pack_into(self._memory, 0, self() + 1)

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        if self.descriptor >= 0:
            self._memory.close()
            os.close(self.descriptor)
            self.descriptor = -1

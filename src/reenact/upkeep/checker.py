"""Checker: looks whether the store is sound, at the start, once a day, and when reading met damage; on a thread.

What a killed process left beside the rows is cleared away on the same occasion.
"""

import logging
import threading

from reenact.errors import ReenactError
from reenact.store.upkeep import Upkeep

_LOOK_S = 2.0
"""How often it is asked whether reading met damage."""
_READ_EVERYTHING_S = 24 * 3600.0

_log = logging.getLogger(__name__)


class Checker:
    """One for a store."""

    def __init__(self, store: Upkeep) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._found: list[str] = []
        self._thread = threading.Thread(target=self._work, name="reenact-checker", daemon=True)

    @property
    def troubles(self) -> list[str]:
        """What is damaged, in words that show nothing of any call; empty when all is well as far as is known."""
        return sorted({*self._found, *self._store.noticed()})

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End once the look under way is done."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        left_s, known = 0.0, 0
        while not self._stopping.is_set():
            noticed = len(self._store.noticed())
            if left_s <= 0 or noticed > known:
                left_s, known = _READ_EVERYTHING_S, noticed
                self._look()
            left_s -= _LOOK_S
            self._stopping.wait(_LOOK_S)

    def _look(self) -> None:
        try:
            self._store.collect()
            found = self._store.damage()
        except ReenactError as error:
            found = [f"{error.message}."]
        for sentence in set(found) - set(self._found):
            _log.error("%s", sentence)
        self._found = found

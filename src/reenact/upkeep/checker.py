"""Checker: looks whether the store is sound, at the start, once a day, and when reading met damage; on a thread.

What a killed process left beside the rows is cleared away on the same occasion, and what sums are taken from is made ready.
"""

import logging
import threading

from reenact.errors import ReenactError
from reenact.store.upkeep import Upkeep

_LOOK_S = 2.0
"""How often it is asked whether reading met damage."""
_READ_EVERYTHING_S = 24 * 3600.0
_MOST_AGAIN_S = 3600.0
"""What could not be looked at, such as a bucket that is down, is looked at again: soon, then less and less often."""

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
        left_s, known, again_s = 0.0, 0, _LOOK_S
        while not self._stopping.is_set():
            noticed = len(self._store.noticed())
            if left_s <= 0 or noticed > known:
                known = noticed
                if self._look():
                    left_s, again_s = _READ_EVERYTHING_S, _LOOK_S
                else:
                    left_s, again_s = again_s, min(2 * again_s, _MOST_AGAIN_S)
            left_s -= _LOOK_S
            self._stopping.wait(_LOOK_S)

    def _look(self) -> bool:
        """Find what is damaged; return whether everything could be looked at."""
        is_seen = True
        try:
            self._store.collect()
            found = self._store.damage()
        except ReenactError as error:
            found, is_seen = [f"{error.message}."], False
        for sentence in set(found) - set(self._found):
            _log.error("%s", sentence)
        self._found = found
        self._settle()
        return is_seen

    def _settle(self) -> None:
        """Make ready what sums are taken from; that it could not be is no damage, and is tried again."""
        try:
            self._store.settle()
        except ReenactError as error:
            _log.warning("Sums are slower than they need be: %s", error.message)

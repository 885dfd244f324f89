"""Interpreter: how Python itself is set where agents wait for every millisecond that somebody else holds it."""

import ctypes
import gc
import sys

_SWITCH_S = 0.001
"""The interpreter lets another thread run after this long. Its own 5 ms would be added to every chunk that the event loop
passes on while a thread works; switching more often costs threads little and agents nothing."""
_OBJECTS_BEFORE_COLLECTING = 5_000
"""Calls leave hardly any circles behind; looking for some after every 700 objects is a tenth of a call's cost."""
_M_ARENA_MAX = -8
"""As glibc's malloc.h has it."""
_ARENAS = 2
"""Pools of memory. glibc makes one for each thread, up to eight for each core, and what is free in one serves no other: a
server that answers from many threads held 12 MB more after ten thousand calls."""


def share_finely() -> None:
    """Let threads take turns quickly, and use what memory others freed: to be called before there are any."""
    sys.setswitchinterval(_SWITCH_S)
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):  # glibc has it, musl not
        mallopt(_M_ARENA_MAX, _ARENAS)


def settle() -> None:
    """Take what there is by now as there to stay: once a process is started, before it is used.

    Looking for circles among it, all modules and routes, would hold up every thread for 0.1 s again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)

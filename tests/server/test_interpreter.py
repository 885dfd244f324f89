"""How Python is set in a process that serves."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

SERVE = """
import gc, json, os, signal, sys, threading
from pathlib import Path
from reenact.server.runner import serve
from reenact.settings import Settings

def arenas():
    import ctypes
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    told = Path(sys.argv[1], "malloc.xml")
    together = threading.Barrier(12)
    def take():
        taken = bytearray(50_000)
        together.wait()
        del taken
    threads = [threading.Thread(target=take) for _ in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    file = ctypes.c_void_p(libc.fopen(str(told).encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    return told.read_text().count("<heap nr=")

def tell(ready):
    told = [gc.get_freeze_count(), gc.get_threshold()[0], sys.getswitchinterval()]
    print(json.dumps(told + ([arenas()] if "arenas" in sys.argv else [])), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

serve(Settings(data=Path(sys.argv[1]), port=0), tell)
"""


def served(data: Path, *more: str) -> list[float]:
    """Return what a server tells of its process once it has started."""
    command = [sys.executable, "-c", SERVE, str(data), *more]
    told: list[float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    return told


def test_a_started_server_is_not_looked_through_for_circles_again(tmp_path: Path) -> None:
    """What a server is made of stands apart from what calls and questions leave, and threads take turns quickly."""
    frozen, threshold, switch_s = served(tmp_path / "data")

    assert (True, 5000, 0.001) == (frozen > 50_000, threshold, switch_s)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems have no pool for each thread")
def test_threads_share_memory(tmp_path: Path) -> None:
    """What one thread frees serves the others, however many there are."""
    assert 2 >= served(tmp_path / "data", "arenas")[-1]

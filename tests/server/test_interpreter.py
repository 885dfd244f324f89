"""How Python is set in a process that serves."""

import json
import subprocess
import sys
from pathlib import Path

SERVE = """
import gc, json, os, signal, sys
from pathlib import Path
from reenact.server.runner import serve
from reenact.settings import Settings

def tell(ready):
    print(json.dumps([gc.get_freeze_count(), gc.get_threshold()[0], sys.getswitchinterval()]), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

serve(Settings(data=Path(sys.argv[1]), port=0), tell)
"""


def test_a_started_server_is_not_looked_through_for_circles_again(tmp_path: Path) -> None:
    """What a server is made of stands apart from what calls and questions leave, and threads take turns quickly."""
    served = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "data")], capture_output=True, text=True, check=False, timeout=60
    )

    frozen, threshold, switch_s = json.loads(served.stdout)
    assert (True, 5000, 0.001) == (frozen > 50_000, threshold, switch_s)

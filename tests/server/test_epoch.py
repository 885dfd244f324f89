"""A number that processes share."""

import contextlib
import subprocess
import sys

from reenact.server.epoch import Epoch

CHILD = "import sys; from reenact.server.epoch import Epoch; epoch = Epoch(int(sys.argv[1])); epoch.advance()"


def test_what_one_process_advances_the_others_see() -> None:
    """Without being told."""
    with contextlib.closing(Epoch()) as epoch:
        before = epoch()
        subprocess.run([sys.executable, "-c", CHILD, str(epoch.descriptor)], pass_fds=(epoch.descriptor,), check=True)
        assert before + 1 == epoch()

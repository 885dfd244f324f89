"""Every code block of README.md and docs/ runs: Python in one namespace, shell in one shell, per document.

The addresses that the documents show (8585 for the server, 8686 for the scripted provider) become free ports, so that
documents run side by side. A line that ends in `&` starts a server; the block is done when its port answers.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, SkipParser

ROOT = Path(__file__).parents[2]
SHOWN = ("8585", "8686")
DONE = "-- block done --"


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class World:
    """What one document's blocks run in: a folder, a shell, and a port for each that it shows."""

    def __init__(self, folder: Path) -> None:
        self.ports = {shown: str(free_port()) for shown in SHOWN}
        environ = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "OPENAI_API_KEY": "sk-test",
            "REENACT_URL": f"http://127.0.0.1:{self.ports['8585']}",
            "NO_COLOR": "1",
            "COLUMNS": "120",
        }
        self.shell = subprocess.Popen(
            ["/bin/bash", "-u"], cwd=folder, env=environ, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def here(self, text: str) -> str:
        """Return *text* with the shown ports replaced by this world's own."""
        return re.sub(r"\b(8585|8686)\b", lambda found: self.ports[found.group()], text)

    def run(self, block: str) -> None:
        """Run a shell block; a command that fails is an error that shows what was printed."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write(f'( set -e\n{self.here(block)}\n) < /dev/null; printf "\\n{DONE}%d\\n" $?\n')
        self.shell.stdin.flush()
        printed = ""
        for line in self.shell.stdout:
            if line.startswith(DONE):
                break
            printed += line
        assert line.strip() == f"{DONE}0", f"a command failed in:\n{block}\n{printed}"
        for shown in re.findall(r"--port (\d+).*&\s*$", block, re.MULTILINE):
            self.wait(int(self.ports[shown]))
        if re.search(r"^reenact serve(?!.*--port).*&\s*$", block, re.MULTILINE):
            raise AssertionError(
                "a server that a document starts must name its port, so that the test can give it another"
            )

    @staticmethod
    def wait(port: int) -> None:
        """Return when *port* answers."""
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert time.monotonic() < deadline, f"nothing answers on port {port}"
            os.sched_yield()

    def close(self) -> None:
        """End the shell and all that it started."""
        os.killpg(self.shell.pid, signal.SIGTERM)
        self.shell.communicate(timeout=30)


class Shell(CodeBlockParser):
    """Runs ```bash blocks."""

    language = "bash"

    def evaluate(self, example: Example) -> None:
        """Run the block in its document's shell."""
        example.namespace["world"].run(example.parsed)


class Python(CodeBlockParser):
    """Runs ```python blocks with the document's ports replaced."""

    language = "python"

    def evaluate(self, example: Example) -> None:
        """Run the block in its document's namespace."""
        source = example.namespace["world"].here(example.parsed)
        exec(compile(source, str(example.path), "exec"), example.namespace)


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SYBIL = Sybil(parsers=[Shell(), Python(), SkipParser()])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_code_block_runs(path: Path, tmp_path: Path) -> None:
    """A reader who types what a document shows, from top to bottom, gets what it promises."""
    document = SYBIL.parse(path)
    world = World(tmp_path)
    try:
        for example in document.examples():
            example.namespace["world"] = world
            example.evaluate()
    finally:
        world.close()

"""The scripted provider as the command that users start."""

import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from reenact.errors import PortUnusable
from reenact.provider.app import create_provider
from reenact.provider.server import serve

COMMAND = "import sys, typer; from reenact.cli.provider import provider; typer.run(provider)"


def test_the_command_serves_with_a_script(tmp_path: Path) -> None:
    """It says where, answers at once, and ends when told to."""
    script = tmp_path / "script.yaml"
    script.write_text("rules: [{text: pong}]")
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--port", "0", "--script", str(script)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Ready: scripted provider at http://127.0.0.1:")
        body = {"model": "m", "messages": [{"role": "user", "content": "ping"}]}
        answer = httpx2.post(line.split()[-1] + "/v1/chat/completions", json=body).json()
        assert answer["choices"][0]["message"]["content"] == "pong"
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode in (0, -15)


def test_a_taken_port_is_told() -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortUnusable, match=f"127.0.0.1:{port}.*--port"):
            serve(create_provider(), host="127.0.0.1", port=port, announce=print)

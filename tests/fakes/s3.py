"""An S3-compatible server for tests: moto's, in a process of its own on a free port, and a door before it that can fail."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
"""What a client of it has in its environment."""


@contextmanager
def running_s3(bucket: str = "recorded") -> Iterator[str]:
    """Yield the address of a server that has an empty *bucket*."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env={**os.environ, **KEYS}
    ) as server:
        assert server.stderr is not None
        try:
            url = next(
                line.decode().rpartition("Running on ")[2].strip()
                for line in server.stderr
                if b"Running on http" in line
            )
            with httpx2.Client(trust_env=False, timeout=60) as http:
                http.put(f"{url}/{bucket}").raise_for_status()
            yield url
        finally:
            server.kill()

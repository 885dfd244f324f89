"""An S3-compatible server for tests: moto's, in a process of its own on a free port, and a door before it that can fail."""

import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self
from urllib.parse import urlsplit

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


class Door(socketserver.ThreadingTCPServer):
    """A way to a server at an address of its own, for as long as a block runs.

    While it is closed, whoever comes or is inside is cut off, as by a server that is down.
    """

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Visitor)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.behind = ("127.0.0.1", urlsplit(url).port)
        self.inside: set[socket.socket] = set()
        self.is_open = True

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()
        self.shutdown()
        self.server_close()

    def shut(self) -> None:
        """Close it."""
        self.is_open = False
        for one in list(self.inside):
            _cut(one)

    def handle_error(self, *_: object) -> None:
        """Whoever is cut off is no error here."""


class _Visitor(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        door = self.server
        assert isinstance(door, Door)
        with socket.create_connection(door.behind) as behind:
            door.inside.add(self.request)
            if not door.is_open:
                return
            back = threading.Thread(target=_carry, args=(behind, self.request), daemon=True)
            back.start()
            _carry(self.request, behind)
            back.join()

    def finish(self) -> None:
        door = self.server
        assert isinstance(door, Door)
        door.inside.discard(self.request)


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until either side ends, and end both."""
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for one in (source, target):
        _cut(one)


def _cut(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


def deny(url: str, *, is_denied: bool) -> None:
    """Let the server at *url* know nobody's key, or everybody's."""
    httpx2.post(f"{url}/moto-api/reset-auth", content=b"0" if is_denied else b"inf", trust_env=False).raise_for_status()


def key_without_lists(url: str) -> dict[str, str]:
    """Make a key that may keep, read and delete objects and list none; return it as its holder has it in the environment.

    The server asks for rights once it knows nobody's key; see `deny`.
    """
    rights = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
    _administer(url, "CreateUser")
    _administer(url, "PutUserPolicy", PolicyName="objects", PolicyDocument=policy)
    made = _administer(url, "CreateAccessKey")
    found = [re.search(f"<{name}>(.*?)<", made) for name in ("AccessKeyId", "SecretAccessKey")]
    named = zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), found, strict=True)
    return KEYS | {name: one[1] for name, one in named if one is not None}


def _administer(url: str, action: str, **given: str) -> str:
    """Ask the server's IAM for something and return its answer."""
    scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none"
    asked = {"Action": action, "Version": "2010-05-08", "UserName": "agent", **given}
    return httpx2.post(url, data=asked, headers={"authorization": scope}, trust_env=False).raise_for_status().text

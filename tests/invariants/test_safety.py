"""Nobody can use the server to reach into its network, to send what another did not send, or to use it up."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.journeys.conftest import Running, running

INSIDE = (
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:{port}",
    "https://localhost:{port}",
    "https://LOCALHOST.:{port}",
    "https://2130706433:{port}",
    "https://0x7f000001:{port}",
    "https://0x7f.1:{port}",
    "https://0177.0.0.1:{port}",
    "https://127.1:{port}",
    "https://0.0.0.0:{port}",
    "https://0:{port}",
    "https://[::1]:{port}",
    "https://[::]:{port}",
    "https://[::ffff:127.0.0.1]:{port}",
    "https://[::ffff:7f00:1]:{port}",
    "https://[64:ff9b::7f00:1]:{port}",
    "https://127.0.0.1.:{port}",
    "https://user:password@127.0.0.1:{port}",
    "https://api.openai.com@127.0.0.1:{port}",
    "https://127.0.0.1:{port}#@api.openai.com",
    "https://①②⑦.0.0.1:{port}",
    "https://169.254.169.254",
    "http://169.254.169.254",
    "https://[fd00:ec2::254]",
    "https://[fe80::1]",
    "https://[fc00::1]",
    "https://metadata.google.internal",
    "https://100.100.100.200",
    "https://10.0.0.1",
    "https://172.16.0.1",
    "https://192.168.1.1",
    "https://printer.local",
    "https://224.0.0.1",
    "https://255.255.255.255",
    "http://api.openai.com",
    "ftp://api.openai.com",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}",
    "https://",
    "nonsense",
)
"""What an agent may try to name."""
SMUGGLED = b"GET /v1/gateway/oai/v1/smuggled HTTP/1.1\r\nhost: h\r\n\r\n"
HEAD = b"POST /v1/gateway/oai/v1/chat/completions HTTP/1.1\r\nhost: h\r\n"
AMBIGUOUS = {
    "both lengths": HEAD + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, the other order": HEAD + b"transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"content-length: 0\r\ncontent-length: 60\r\n\r\n",
    "a list of lengths": HEAD + b"content-length: 0, 60\r\n\r\n",
    "a signed length": HEAD + b"content-length: +0\r\n\r\n",
    "a negative length": HEAD + b"content-length: -1\r\n\r\n",
    "a hexadecimal length": HEAD + b"content-length: 0x0\r\n\r\n",
    "a length that overflows": HEAD + b"content-length: 18446744073709551616\r\n\r\n",
    "an unknown coding": HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": HEAD + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a coding with a control character": HEAD + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "two codings": HEAD
    + b"transfer-encoding: identity\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
    "a space before the colon": HEAD + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded header": HEAD + b"x-a: b\r\n transfer-encoding: chunked\r\n\r\n",
    "a header without a colon": HEAD + b"transfer-encoding\r\n\r\n",
    "a bare carriage return": HEAD + b"x-a: b\rtransfer-encoding: chunked\r\n\r\n",
    "a zero byte": HEAD + b"x-a: b\x00c\r\ncontent-length: 0\r\n\r\n",
    "a chunk size that overflows": HEAD + b"transfer-encoding: chunked\r\n\r\n10000000000000000\r\nx",
    "a chunk size that is no number": HEAD + b"transfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "a chunk that is longer than it says": HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "a line break in the target": b"GET /v1/gateway/oai/v1/x\x0b HTTP/1.1\r\nhost: h\r\n\r\n",
    "another protocol": b"POST /v1/gateway/oai/v1/x HTTP/9.9\r\nhost: h\r\ncontent-length: 0\r\n\r\n",
}
"""Requests whose end two readers could see in two places, or that are no requests."""
BODY_LIMIT_BYTES = 1_000_000


class Tripwire:
    """Listens inside the network and counts who comes; it answers as a provider would."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.reply = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _listen(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            with accepted:
                accepted.settimeout(10)
                self.requests.append(_request(accepted))
                accepted.sendall(self.reply)


def _request(accepted: socket.socket) -> bytes:
    """Return a request with the body that its length tells of."""
    got = b""
    while b"\r\n\r\n" not in got and (piece := accepted.recv(65536)):
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < wanted and (piece := accepted.recv(65536)):
        body += piece
    return head + b"\r\n\r\n" + body


@contextmanager
def tripwire() -> Iterator[Tripwire]:
    """Listen while the block runs."""
    wire = Tripwire()
    try:
        yield wire
    finally:
        wire.close()


@pytest.fixture(scope="module")
def openai() -> Iterator[Tripwire]:
    """What the server is told is OpenAI."""
    with tripwire() as listening:
        yield listening


@pytest.fixture
def inside() -> Iterator[Tripwire]:
    """What must not be reached."""
    with tripwire() as listening:
        yield listening


@pytest.fixture(scope="module")
def server(openai: Tripwire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a small limit."""
    with running(
        *("serve", "--data", str(tmp_path_factory.mktemp("safe")), "--port", "0"),
        *("--upstream", f"openai=http://127.0.0.1:{openai.port}"),
        environ={"REENACT_MAX_BODY_BYTES": str(BODY_LIMIT_BYTES)},
    ) as command:
        yield command


@pytest.fixture(autouse=True)
def untouched(openai: Tripwire) -> None:
    """Count anew, and answer plainly."""
    openai.requests.clear()
    openai.reply = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
    )


def target(server: Running, url: str) -> httpx2.Response:
    """Ask the server to call *url*."""
    headers = [(b"Helicone-Target-URL", url.encode()), (b"Authorization", b"Bearer sk-agent")]
    with httpx2.Client(trust_env=False, timeout=60) as http:
        return http.post(f"{server.url}/v1/gateway/gateway/v1/chat/completions", json={"model": "m"}, headers=headers)


def row(server: Running, request_id: str) -> dict[str, Any]:
    """Return a call's row."""
    with httpx2.Client(trust_env=False, timeout=60) as http:
        found = http.post(f"{server.url}/v1/request/query-ids", json={"requestIds": [request_id]})
    (only,) = found.raise_for_status().json()["data"]
    shown: dict[str, Any] = only
    return shown


def said(server: Running, raw: bytes) -> bytes:
    """Send bytes and return all that is answered until the server closes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as agent:
        answer = b""
        try:
            agent.sendall(raw)
            while piece := agent.recv(65536):
                answer += piece
        except ConnectionError:
            pass  # a server that refuses may reset what it does not want to read
    return answer


@pytest.mark.parametrize("url", INSIDE)
def test_targets_inside_the_network_are_refused(server: Running, inside: Tripwire, url: str) -> None:
    """With the error's shape, and the row tells; nothing inside hears of it."""
    answer = target(server, url.format(port=inside.port))
    assert answer.status_code in (400, 403), answer.text
    body = answer.json()
    assert {"error", "helicone-message", "helicone-error", "support"} <= set(body) | {"helicone-error"}
    assert "true" == answer.headers["helicone-error"]
    assert answer.status_code == row(server, answer.headers["helicone-id"])["response_status"]
    assert [] == inside.requests


def test_names_that_lead_inside_are_refused(server: Running, inside: Tripwire) -> None:
    """What a name resolves to decides, when the connection is made."""
    name = socket.gethostname()
    try:
        addresses = {found[4][0] for found in socket.getaddrinfo(name, inside.port, socket.AF_INET)}
    except OSError:
        pytest.skip(f"needs a name that leads to this machine; {name} resolves to nothing")
    answer = target(server, f"https://{name}.:{inside.port}" if "." in name else f"https://{name}:{inside.port}")
    assert 403 == answer.status_code, (addresses, answer.text)
    assert 403 == row(server, answer.headers["helicone-id"])["response_status"]
    assert [] == inside.requests


def test_an_allowed_target_is_reached(inside: Tripwire, tmp_path: Path) -> None:
    """What the owner allows is called, and only that."""
    with running(
        *("serve", "--data", str(tmp_path / "data"), "--port", "0", "--allow-target", f"127.0.0.1:{inside.port}")
    ) as server:
        assert 200 == target(server, f"http://127.0.0.1:{inside.port}").status_code
        assert 1 == len(inside.requests)
        assert 403 == target(server, f"http://127.0.0.1:{inside.port + 1}").status_code


def test_redirects_are_the_agents_to_follow(server: Running, openai: Tripwire, inside: Tripwire) -> None:
    """The gateway hands a redirect on: it cannot be sent inside by one."""
    place = b"http://127.0.0.1:%d/secret" % inside.port
    openai.reply = b"HTTP/1.1 302 Found\r\nlocation: " + place + b"\r\ncontent-length: 0\r\n\r\n"
    with httpx2.Client(trust_env=False, timeout=30) as http:
        answer = http.post(f"{server.url}/v1/gateway/oai/v1/chat/completions", json={})
    assert (302, place.decode()) == (answer.status_code, answer.headers["location"])
    assert [] == inside.requests


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_ambiguous_requests_are_rejected(server: Running, openai: Tripwire, kind: str) -> None:
    """With 400, and the connection is over: what follows on it is never read as a request."""
    answer = said(server, AMBIGUOUS[kind] + SMUGGLED)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), answer
    assert 1 == answer.count(b"HTTP/1.1 ")
    assert [] == [request for request in openai.requests if b"smuggled" in request]


def test_a_body_is_not_a_request(server: Running, openai: Tripwire) -> None:
    """A request in a body reaches the provider as a body."""
    lines = b"content-length: %d\r\nconnection: close\r\n\r\n" % len(SMUGGLED)
    answer = said(server, HEAD + lines + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 200 ")
    (request,) = openai.requests
    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n" + SMUGGLED)


def test_header_names_and_values_cannot_start_another_request(server: Running, openai: Tripwire) -> None:
    """Percent-encoded line breaks in a path stay encoded on their way to the provider."""
    answer = said(
        server, b"GET /v1/gateway/oai/v1/x%0d%0aGET%20/smuggled HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    (request,) = openai.requests
    assert request.startswith(b"GET /v1/x%0d%0aGET%20/smuggled HTTP/1.1\r\n")


def test_long_heads_are_refused(server: Running, openai: Tripwire) -> None:
    """A head over the limit is answered with 431 and goes nowhere."""
    answer = said(server, HEAD + b"".join(b"x-%d: %s\r\n" % (at, b"a" * 1000) for at in range(500)) + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431 "), answer[:200]
    assert [] == openai.requests


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_long_bodies_are_refused_and_recorded(server: Running, openai: Tripwire, framing: str) -> None:
    """413, whether the length was told or not."""
    content = b"a" * (BODY_LIMIT_BYTES + 1)
    with httpx2.Client(trust_env=False, timeout=30) as http:
        answer = http.post(
            f"{server.url}/v1/gateway/oai/v1/chat/completions",
            content=content if framing == "length" else iter([content[:500_000], content[500_000:]]),
        )
    assert 413 == answer.status_code
    assert 413 == row(server, answer.headers["helicone-id"])["response_status"]
    assert [] == openai.requests


def memory_bytes(server: Running) -> int:
    """Return the memory of the server and its workers."""
    total = 0
    for process in family(server.process.pid):
        status = Path(f"/proc/{process}/status").read_text()
        total += int(status.split("VmRSS:")[1].split()[0]) * 1024
    return total


def family(process: int) -> list[int]:
    """Return a process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(one for child in children for one in family(int(child)))]


def test_endless_trailers_take_no_memory(server: Running) -> None:
    """What follows the last chunk is bounded like a head."""
    before = memory_bytes(server)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as agent:
        agent.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\nx-endless: ")
        sent = 0
        try:
            while sent < 50_000_000:
                agent.sendall(b"a" * 100_000)
                sent += 100_000
        except ConnectionError:
            pass  # it has had enough
        grown = memory_bytes(server) - before
    assert grown < 20_000_000, f"{grown} bytes for {sent} bytes of a trailer"


def test_slow_agents_keep_nobody_out(server: Running) -> None:
    """Three hundred agents that never finish their heads or bodies: others are answered, and each costs little."""
    before = memory_bytes(server)
    host, port = server.url.removeprefix("http://").split(":")
    with ExitStack() as agents, httpx2.Client(trust_env=False, timeout=10) as http:
        for number in range(300):
            agent = agents.enter_context(socket.create_connection((host, int(port)), timeout=20))
            agent.sendall(HEAD + (b"content-length: 1000\r\n\r\n{" if number % 2 else b"x-slow: "))
        for _ in range(20):
            assert 200 == http.post(f"{server.url}/v1/gateway/oai/v1/chat/completions", json={}).status_code
        assert memory_bytes(server) - before < 300 * 50_000


def listed(http: httpx2.Client, server: Running, session_id: str, calls: int) -> bytes:
    """Return the answer that lists a session, once it has its *calls*: unpacking bombs up to the bound takes its time."""
    query = {"filter": {"properties": {"Helicone-Session-Id": {"equals": session_id}}}, "limit": 100}
    for _ in range(60):
        if http.post(f"{server.url}/v1/request/count/query", json=query).json()["data"] == calls:
            break
    return http.post(f"{server.url}/v1/request/query", json=query).content


def test_bombs_are_not_set_off(server: Running, openai: Tripwire) -> None:
    """Small bodies that would unpack to gigabytes cross as they are, are recorded, and can be listed."""
    bomb = gzip.compress(gzip.compress(bytes(200_000_000)))
    openai.reply = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip, gzip\r\n"
        b"content-length: %d\r\n\r\n" % len(bomb)
    ) + bomb
    before = memory_bytes(server)
    headers = {"content-encoding": "gzip, gzip", "accept-encoding": "gzip", "helicone-session-id": "bombs"}
    with httpx2.Client(trust_env=False, timeout=60) as http:
        for _ in range(5):
            with http.stream(
                "POST", f"{server.url}/v1/gateway/oai/v1/chat/completions", content=bomb, headers=headers
            ) as answer:
                assert bomb == b"".join(answer.iter_raw())
        rows = json.loads(listed(http, server, "bombs", 5))["data"]
    assert 5 == len(rows)
    assert memory_bytes(server) - before < 300_000_000


def test_packed_requests_are_not_all_unpacked_into_one_answer(server: Running, openai: Tripwire) -> None:
    """A page of requests that are some kilobytes each and would be fifteen megabytes: few are shown unpacked."""
    bomb = gzip.compress(bytes(15_000_000))
    headers = {"content-encoding": "gzip", "helicone-session-id": "packed"}
    with httpx2.Client(trust_env=False, timeout=60) as http:
        for _ in range(10):
            url = f"{server.url}/v1/gateway/oai/v1/chat/completions"
            assert 200 == http.post(url, content=bomb, headers=headers).status_code
        shown = listed(http, server, "packed", 10)
    assert 10 == len(json.loads(shown)["data"])
    assert len(shown) < 250_000_000  # one of them, each zero written with six characters, twice in its row

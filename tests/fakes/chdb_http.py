"""ClickHouse's HTTP interface, as much as its Python client uses, in front of the real engine in this process.

It shows that our side of the network path works: statements, parameters, formats, compression, errors, retries. What it
cannot show is a server's own limits, users, TLS, replication or shards.
"""

import base64
import email.parser
import email.policy
import gzip
import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame  # type: ignore[import-untyped]
import zstandard

TRANSPORT = {
    "query", "database", "session_id", "session_timeout", "session_check", "query_id", "quota_key", "compress", "decompress",
    "wait_end_of_query", "default_format", "client_protocol_version", "role", "user", "password", "buffer_size", "stacktrace",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "enable_http_compression",
}  # fmt: skip
INSERT = re.compile(rb"(?is)(\s*insert\s+into\s.*?\bformat\s+(\w+)[ \t]*\r?\n)(.*)")
FORMAT = re.compile(rb"(?is)\bformat\s+(\w+)\s*;?\s*$")
PACK = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor(1).compress, "lz4": lz4.frame.compress}
UNPACK = {
    "gzip": gzip.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
}


class Refusal(Exception):
    """What the server says when it fails a statement."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class ChdbHttp(ThreadingHTTPServer):
    """Serves the engine at *path* on a free port of loopback; a context manager.

    `failing` and `dropping` say how many of the next inserts are refused before they are done, and how many are done
    and then never answered. `statements` are all that came.
    """

    daemon_threads = True

    def __init__(self, path: str, credentials: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.path = path
        self.credentials = credentials
        self.failing = 0
        self.dropping = 0
        self.statements: list[tuple[str, dict[str, str]]] = []
        self.applied: dict[int, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """The address, without a database."""
        login = f"{self.credentials}@" if self.credentials else ""
        return f"http://{login}127.0.0.1:{self.server_port}"

    def take(self) -> Any:
        """Return a connection to the engine; each does one thing at a time."""
        with self._lock:
            return self._idle.pop() if self._idle else chdb.connect(self.path)

    def give_back(self, connection: Any) -> None:
        """Keep a connection for the next request."""
        with self._lock:
            self._idle.append(connection)

    def spend(self, name: str) -> bool:
        """Return whether one more failure of this kind is due, and count it."""
        with self._lock:
            left: int = getattr(self, name)
            setattr(self, name, max(0, left - 1))
            return left > 0

    def __enter__(self) -> "ChdbHttp":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in self._idle:
            connection.close()


class Handler(BaseHTTPRequestHandler):
    """One connection of one client."""

    server: ChdbHttp
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a ping or a statement in the address."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a statement."""
        self._answer()

    def _answer(self) -> None:
        address = urlsplit(self.path)
        asked = dict(parse_qsl(address.query, keep_blank_values=True))
        body = self._body()
        if address.path == "/ping":
            self._reply(200, b"Ok.\n", {})
            return
        try:
            self._admit()
            statement, data, asked = self._read(body, asked)
            is_insert = bool(re.match(rb"(?is)\s*insert\s", statement))
            if is_insert and self.server.spend("failing"):
                raise Refusal(500, 202, "Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY)")
            result, headers = self._run(statement, data, asked)
            if is_insert and self.server.spend("dropping"):
                self.close_connection = True
                self.connection.close()
                return
        except Refusal as refusal:
            self._reply(refusal.status, refusal.message.encode(), {"X-ClickHouse-Exception-Code": str(refusal.code)})
            return
        self._reply(200, result, headers, self._encoding(asked))

    def _admit(self) -> None:
        if self.server.credentials is None:
            return
        expected = base64.b64encode(self.server.credentials.encode()).decode()
        if self.headers.get("Authorization", "") != f"Basic {expected}":
            raise Refusal(401, 516, "Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _read(self, body: bytes, asked: dict[str, str]) -> tuple[bytes, bytes, dict[str, str]]:
        """Return the statement, the data of an insert, and parameters with settings."""
        kind = self.headers.get("Content-Type", "")
        try:
            body = UNPACK.get((self.headers.get("Content-Encoding") or "").strip(), bytes)(body)
        except (EOFError, OSError, RuntimeError, zstandard.ZstdError) as error:
            raise Refusal(400, 354, f"Code: 354. DB::Exception: {error} (CANNOT_DECOMPRESS)") from error
        if kind.startswith("multipart/form-data"):
            head = b"Content-Type: " + kind.encode() + b"\r\n\r\n"
            form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
            for part in form.iter_parts():
                name = str(part.get_param("name", header="content-disposition"))
                asked[name] = bytes(part.get_payload(decode=True)).decode()
            body = b""
        statement, data = asked.get("query", "").encode(), body
        if not statement:
            statement, data = body, b""
        found = INSERT.match(statement)
        return (found[1], found[3], asked) if found and not data else (statement, data, asked)

    def _run(self, statement: bytes, data: bytes, asked: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        """Return the result of a statement and the headers that tell about it."""
        settings = {name: value for name, value in asked.items() if name not in TRANSPORT and name[:6] != "param_"}
        self.server.statements.append((statement.decode(errors="replace"), settings))
        connection = self.server.take()
        try:
            connection.query(f"USE `{asked.get('database', 'default')}`")
            before = self.server.applied.get(id(connection), {})
            for name in before.keys() | settings.keys():
                if before.get(name) != settings.get(name):
                    value = literal(settings[name]) if name in settings else "DEFAULT"
                    connection.query(f"SET {name} = {value}")
            self.server.applied[id(connection)] = settings
            return self._execute(connection, statement, data, asked)
        except RuntimeError as error:
            message = str(error)
            code = re.search(r"Code: (\d+)", message)
            raise Refusal(500, int(code[1]) if code else 1001, message) from error
        finally:
            self.server.give_back(connection)

    def _execute(
        self, connection: Any, statement: bytes, data: bytes, asked: dict[str, str]
    ) -> tuple[bytes, dict[str, str]]:
        headers = {"X-ClickHouse-Query-Id": asked.get("query_id") or str(uuid.uuid4())}
        chosen = FORMAT.search(statement)
        if data and chosen:
            insert = connection.send_insert(statement[: chosen.start()].decode(), chosen[1].decode())
            insert.append(data)
            written = insert.finish().rows_written
            return b"", headers | {"X-ClickHouse-Summary": json.dumps({"written_rows": str(written)})}
        shape = chosen[1].decode() if chosen else asked.get("default_format", "TabSeparated")
        values = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
        result = connection.query(statement.decode(), shape, params=values)
        return result.bytes() or b"", headers | {"X-ClickHouse-Format": shape}

    def _encoding(self, asked: dict[str, str]) -> str | None:
        """Return how the answer is compressed, as the client would have it."""
        wished = self.headers.get("Accept-Encoding", "") if asked.get("enable_http_compression") == "1" else ""
        return next((name for name in PACK if name in wished), None)

    def _reply(self, status: int, body: bytes, headers: dict[str, str], encoding: str | None = None) -> None:
        if encoding:
            body = PACK[encoding](body)
            headers = headers | {"Content-Encoding": encoding}
        self.send_response(status)
        for name, value in ({"X-ClickHouse-Timezone": "UTC", "Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def literal(value: str) -> str:
    """Return *value* as SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

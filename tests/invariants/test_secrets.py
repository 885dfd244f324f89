"""Keys that cross the gateway are in no file, no log, no page, no answer and no error text."""

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import msgspec
import zstandard

from reenact.store.control.store import ControlStore
from reenact.store.packing import decompressor
from reenact.store.sqlite.store import SqliteStore
from tests.journeys.conftest import Running, start, stop

HELICONE = "sk-helicone-aaaaaaa-bbbbbbb-ccccccc-ddddddd"
"""Has the shape of our own keys, and is none of them."""
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello?"}]}]}
CLAUDE = {"model": "claude-sonnet-4-6", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello?"}]}


def secret(where: str) -> str:
    """Return what must not be found, named after where it is sent."""
    return f"s3cr3t-{where}-{'q7' * 12}"


HEADERS = {
    "authorization": "Bearer {}",
    "x-api-key": "{}",
    "api-key": "{}",
    "x-goog-api-key": "{}",
    "cookie": "session={}; other=1",
    "proxy-authorization": "Basic {}",
    "helicone-jwt": "Bearer {}",
    "helicone-posthog-key": "{}",
    "helicone-lytix-key": "{}",
    "helicone-manual-access-key": "{}",
    "x-amz-security-token": "{}",
    "x-auth-token": "{}",
    "openai-api-key": "{}",
    "x-openai-api-key": "{}",
    "x-secret": "{}",
    "x-client-secret": "{}",
    "x-password": "{}",
    "x-access-token": "{}",
    "x-apikey": "{}",
    "x-session-token": "{}",
    "x-csrf-token": "{}",
    "x-amz-credential": "{}",
    "x-functions-key": "{}",
    "ocp-apim-subscription-key": "{}",
    "cf-aig-authorization": "Bearer {}",
    "x-portkey-api-key": "{}",
    "authentication": "{}",
    "x-auth": "{}",
}
"""Headers that hold secrets, and how."""
PARAMETERS = (
    *("key", "api_key", "api-key", "apikey", "access_token", "token", "sig", "signature"),
    *("auth", "password", "secret", "client_secret", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"),
    *("subscription-key", "code", "API_KEY", "k%65y"),
)
"""Query parameters that hold secrets."""


def calls(url: str, ours: str) -> Iterator[tuple[str, str, dict[str, str], Any]]:
    """Yield what is sent: where its secret is, URL, headers, body. *ours* is a Helicone key that the server knows."""
    chat = "/v1/chat/completions"
    for name, form in HEADERS.items():
        yield name, f"{url}/v1/gateway/oai{chat}", {name: form.format(secret(name))}, BODY
    for name in PARAMETERS:
        place = f"{url}/v1/gateway/google/v1beta/models/gemini-2.5-flash:generateContent"
        yield f"query-{name}", f"{place}?{name}={secret(f'query-{name}')}", {}, GEMINI
    where = "combined"
    both = {"authorization": f"Bearer {secret(where)}, Bearer {ours}"}
    yield where, f"{url}/v1/gateway/oai{chat}", both, BODY
    where = "translated"
    yield where, f"{url}/v1/gateway/anthropic/v1/messages", {"authorization": f"Bearer {secret(where)}"}, CLAUDE
    where = "bare"
    yield where, f"{url}{chat}", {"authorization": f"Bearer {secret(where)}", "helicone-auth": f"Bearer {ours}"}, BODY
    where = "path-key"
    yield where, f"{url}/{ours}{chat}", {"authorization": f"Bearer {secret(where)}"}, BODY
    for number, wrong in enumerate((HELICONE, "sk-helicone-proxy-" + secret("vault"))):
        yield f"wrong-{number}", f"{url}/v1/gateway/oai{chat}", {"helicone-auth": f"Bearer {wrong}"}, BODY
        yield f"wrong-path-{number}", f"{url}/{wrong}{chat}", {}, BODY
    where = "target"
    named = f"https://user:{secret(where)}@127.0.0.1/?key={secret(where)}"
    yield where, f"{url}/v1/gateway/gateway{chat}", {"helicone-target-url": named}, BODY
    yield where, f"{url}/v1/gateway/oai{chat}", {"helicone-openai-api-base": named}, BODY
    yield where, f"{url}/v1/gateway/gateway{chat}", {"helicone-target-url": f"nonsense {named}"}, BODY
    where = "fallbacks"
    steps = [
        {"target-url": named, "headers": {"Authorization": f"Bearer {secret(where)}", "api-key": secret(where)}},
        {"target-url": f"ftp://{secret(where)}@x", "headers": {}},
    ]
    for given in (json.dumps(steps), json.dumps(steps[:1]), f"nonsense {secret(where)}"):
        yield where, f"{url}/v1/gateway/gateway{chat}", {"helicone-fallbacks": given}, BODY
    where = "unknown"
    yield where, f"{url}/v1/gateway/nobody/v1/x?key={secret(where)}", {"authorization": f"Bearer {secret(where)}"}, BODY


def hidden(server: Running) -> set[str]:
    """Return all that must not be found."""
    wheres = {where for where, *_ in calls(server.url, server.key)}
    return {secret(where) for where in wheres} | {
        HELICONE,
        secret("vault"),
        secret("replay"),
        server.key,
    }


def contents(data: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the data folder, and every blob of its databases, as it is and unpacked."""
    for file in sorted(data.rglob("*")):
        if not file.is_file():
            continue
        yield file.name, file.read_bytes()
        if file.suffix == ".sqlite3":
            with sqlite3.connect(file) as database:
                for (table,) in database.execute(
                    "select name from sqlite_master where type = 'table' and sql not like 'create virtual%'"
                ).fetchall():
                    for row in database.execute(f'select * from "{table}"'):
                        for cell in row:
                            yield from ((f"{file.name} {table}", piece) for piece in unpacked(cell))


def unpacked(cell: object) -> Iterator[bytes]:
    """Yield what a cell holds, compressed or not."""
    if isinstance(cell, str):
        yield cell.encode("utf-8", "surrogateescape")
    if isinstance(cell, bytes):
        yield cell
        for at in [found.start() for found in re.finditer(re.escape(b"\x28\xb5\x2f\xfd"), cell)]:
            try:
                yield decompressor().decompressobj().decompress(cell[at:])
            except zstandard.ZstdError:
                continue  # only looks like a frame
        try:
            yield zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(cell)
        except zlib.error:
            return


def kept(data: Path, ids: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield what the store gives of each call, headers and all: its parts share dictionaries, which hide what they hold."""
    control = ControlStore(data / "control.sqlite3")
    store = SqliteStore(data / "calls.sqlite3")
    try:
        exchanges = store.exchanges(control.first_organisation(), ids)
    finally:
        store.close()
        control.close()
    assert len(ids) == len(exchanges)
    for exchange in exchanges:
        yield f"exchange {exchange.url}", msgspec.msgpack.encode(exchange)


def rows(http: httpx2.Client, server: Running) -> list[dict[str, Any]]:
    """Return every row."""
    answer = http.post(f"{server.url}/v1/request/query", json={"filter": "all", "limit": 1000})
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


def everything_shown(http: httpx2.Client, server: Running) -> Iterator[tuple[str, bytes]]:
    """Yield every answer of the API and every page that a visitor comes to, a link at a time."""
    for row in rows(http, server):
        yield row["request_id"], json.dumps(row).encode()
        yield row["request_id"], http.get(f"{server.url}/v1/request/{row['request_id']}?includeBody=true").content
        yield row["request_id"], http.get(row["signed_body_url"]).content
    for path in ("/v1/replay", "/v1/api-keys", "/healthcheck", "/v1/request/nothing", "/nowhere?key=x"):
        yield path, http.get(server.url + path).content
    seen, waiting = set[str](), ["/", "/sessions", "/calls"]
    while waiting and len(seen) < 150:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        page = http.get(urljoin(server.url, path), follow_redirects=True)
        yield path, page.content
        if "text/html" in page.headers.get("content-type", ""):
            waiting += re.findall(r'(?:href|action)="(/[^"]*)"', page.text.replace("&amp;", "&"))
    assert len(seen) > 40


def test_keys_are_nowhere(provider: Running, tmp_path: Path) -> None:
    """A known key is sent in every place a key can stand; then every file, line, page and answer is searched for it."""
    upstreams = [
        part for name in ("openai", "anthropic", "google") for part in ("--upstream", f"{name}={provider.url}")
    ]
    server = start("serve", "--data", str(tmp_path / "data"), "--port", "0", *upstreams)
    with httpx2.Client(trust_env=False, timeout=60) as http:
        told: list[tuple[str, bytes]] = []
        for number, (where, url, headers, body) in enumerate(calls(server.url, server.key)):
            session = {"helicone-session-id": f"secrets-{number % 3}"}
            answer = http.post(url, json=body, headers={**session, **headers})
            told.append((f"answer to {where}", answer.content + repr(answer.headers.raw).encode()))
        replay = {"session_id": "secrets-1", "mode": "anchored", "provider_keys": {"openai": secret("replay")}}
        started = http.post(f"{server.url}/v1/replay", json=replay)
        told.append(("replay", started.content))
        wrong = {"session_id": "secrets-1", "provider_keys": secret("replay"), "patch": {"nonsense": secret("replay")}}
        told.append(("wrong replay", http.post(f"{server.url}/v1/replay", json={**wrong, "patch": {}}).content))
        if started.status_code == 200:
            with http.stream("GET", f"{server.url}/v1/replay/{started.json()['data']['id']}/progress") as progress:
                told.append(("progress", progress.read()))
        told += everything_shown(http, server)
        ids = [row["request_id"] for row in rows(http, server)]
    server.process.terminate()
    assert server.process.stdout is not None
    told.append(("log", server.process.stdout.read().encode()))
    server.process.wait()
    stop(server)
    told += contents(tmp_path / "data")
    told += kept(tmp_path / "data", ids)

    found = {key: [place for place, content in told if key.encode() in content] for key in hidden(server)}
    assert [] == sorted(f"{key} in {', '.join(places[:3])}" for key, places in found.items() if places)

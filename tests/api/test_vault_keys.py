"""Keys that stand for a provider's: an agent that holds nothing else reaches that provider, and its key goes nowhere else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.fakes.serving import serving

SECRET = "sk-the-owners"
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
OPENAI, CLAUDE = "/v1/gateway/oai/v1/chat/completions", "/v1/gateway/anthropic/v1/messages"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the keys that came, backwards: an answer is recorded as it is."""
    keys = {
        name.decode(): value.decode()[::-1] for name, value in scope["headers"] if name.endswith((b"key", b"ization"))
    }
    head = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": json.dumps(keys).encode()})


class House(msgspec.Struct, frozen=True):
    """A server whose owner named two keys, and an agent's client with one of its own that stands for OpenAI's."""

    http: httpx2.Client
    owner: dict[str, str]
    key: str
    data: Path

    def ask(self, path: str, **headers: str) -> httpx2.Response:
        """Make a call with nothing but the key."""
        given = {"authorization": f"Bearer {self.key}"} | {name.replace("_", "-"): one for name, one in headers.items()}
        return self.http.post(path, json=CHAT, headers=given)

    def row(self, answer: httpx2.Response) -> dict[str, Any]:
        """Return the row of a call."""
        told = self.http.get(f"/v1/request/{answer.headers['helicone-id']}", headers=self.owner)
        found: dict[str, Any] = told.raise_for_status().json()["data"]
        return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The server."""
    data = tmp_path_factory.mktemp("vault") / "data"
    with serving(echo, lifespan="off") as origin:
        settings = Settings(
            data=data, port=0, fresh_within_s=20, require_key=True, allowed_targets=("127.0.0.1",),
            provider_keys={"openai": SECRET, "anthropic": f"{SECRET}-too"},
            upstreams={"openai": origin, "anthropic": origin},
        )  # fmt: skip
        with running_server(settings) as ready, httpx2.Client(base_url=ready.url, trust_env=False, timeout=30) as http:
            owner = {"authorization": f"Bearer {ready.key}"}
            yield House(http, owner, made(http, owner, "openai").json()["proxyKey"], data)


def made(http: httpx2.Client, owner: dict[str, str], provider: str) -> httpx2.Response:
    """Have the owner make a key that stands for a provider's."""
    asked = {"proxyKeyName": "agent", "providerKeyId": provider}
    return http.post("/v1/api-keys/proxy-key", json=asked, headers=owner)


def sent(answer: httpx2.Response) -> dict[str, str]:
    """Return the keys that the provider was given."""
    return {name: value[::-1] for name, value in answer.json().items()}


@pytest.mark.parametrize("path", [OPENAI, "/v1/chat/completions", "/oai/v1/embeddings"])
def test_the_providers_key_is_put_in_its_place(house: House, path: str) -> None:
    """And is in no row, no more than the agent's."""
    answer = house.ask(path)

    assert {"authorization": f"Bearer {SECRET}"} == sent(answer)
    assert house.key.startswith("sk-helicone-proxy-openai-")
    kept = json.dumps(house.row(answer))
    assert SECRET not in kept
    assert house.key not in kept


def test_it_goes_in_the_header_that_its_provider_reads(house: House) -> None:
    """Anthropic reads another one; a key in the path and one in Helicone's header do as well."""
    key = made(house.http, house.owner, "anthropic").json()["proxyKey"]
    by_path = house.http.post(f"/{key}{CLAUDE}", json=CHAT)
    by_header = house.http.post(CLAUDE, json=CHAT, headers={"helicone-auth": f"Bearer {key}"})

    assert [{"x-api-key": f"{SECRET}-too"}] * 2 == [sent(by_path), sent(by_header)]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (CLAUDE, {}),
        ("/ai/chat/completions", {}),
        (OPENAI, {"helicone_openai_api_base": "http://127.0.0.1:9"}),
        (OPENAI, {"helicone_openai_api_base": "https://api.openai.com"}),
        ("/v1/gateway/gateway/v1/x", {"helicone_target_url": "http://127.0.0.1:9"}),
        (OPENAI, {"helicone_fallbacks": '[{"target-url": "http://127.0.0.1:9", "onCodes": []}]'}),
    ],
)
def test_it_goes_nowhere_else(house: House, path: str, headers: dict[str, str]) -> None:
    """Neither to another provider nor where the agent says; the call is recorded with the reason."""
    answer = house.ask(path, **headers)
    row = house.row(answer)

    assert (403, "disallowed") == (answer.status_code, answer.json()["error"]["type"])
    assert "This key stands for the key of openai" in row["detail"]
    assert (403, "refused") == (row["response_status"], row["ending"])


def test_a_call_with_a_key_of_its_own_keeps_it(house: House) -> None:
    """The agent's key is one of the server's as any other, then."""
    answer = house.ask(OPENAI, authorization="Bearer sk-mine", helicone_auth=f"Bearer {house.key}")

    assert {"authorization": "Bearer sk-mine"} == sent(answer)


def test_it_may_only_record(house: House) -> None:
    """It reads nothing, is listed, works no more once it is deleted, and stands for no key that the owner did not name."""
    given = {"authorization": f"Bearer {house.key}"}
    assert 403 == house.http.post("/v1/request/query", json={"filter": "all"}, headers=given).status_code
    unnamed = made(house.http, house.owner, "groq")
    assert (422, ["providerKeyId"]) == (unnamed.status_code, list(unnamed.json()["details"]))
    listed = house.http.get("/v1/api-keys/provider-keys", headers=house.owner).json()
    assert ["anthropic", "openai"] == [one["id"] for one in listed]
    other = made(house.http, house.owner, "openai").json()
    assert 200 == house.http.post(f"/{other['proxyKey']}{OPENAI}", json=CHAT).status_code
    house.http.delete(f"/v1/api-keys/{other['proxyKeyId']}", headers=house.owner).raise_for_status()
    gone = house.http.post(f"/{other['proxyKey']}{OPENAI}", json=CHAT)
    assert (401, True) == (gone.status_code, "/v1/api-keys/proxy-key" in gone.text)


def test_the_providers_key_is_in_no_file(house: House) -> None:
    """It stands in the settings alone."""
    house.ask(OPENAI)

    assert [] == [file for file in house.data.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]

"""Who gets in by which form of key, and what is said and recorded of what is refused (surface 1.1, 1.8)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from reenact.provider.app import create_provider
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.fakes.serving import serving

CHAT = "/v1/gateway/oai/v1/chat/completions"
CALL = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}
PROVIDERS = "Bearer sk-provider"
Http = httpx2.Client
Asked = tuple[str, dict[str, str]]


@pytest.fixture(name="house", scope="module")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Http, str]]:
    """A server that asks everybody for a key, and a key of its own."""
    with serving(create_provider()) as origin:
        settings = Settings(
            data=tmp_path_factory.mktemp("refusals") / "data",
            port=0,
            upstreams={"openai": origin, "groq": "http://127.0.0.1:1"},
            require_key=True,
            max_body_bytes=2000,
        )
        with running_server(settings) as ready, Http(trust_env=False, timeout=30, base_url=ready.url) as http:
            assert ready.key is not None
            yield http, ready.key


FORMS: dict[str, Callable[[str], Asked]] = {
    "header": lambda key: (CHAT, {"helicone-auth": f"Bearer {key}", "authorization": PROVIDERS}),
    "header, other case": lambda key: (CHAT, {"Helicone-Auth": f"bearer {key}", "authorization": PROVIDERS}),
    "ours": lambda key: (CHAT, {"reenact-auth": f"Bearer {key}", "authorization": PROVIDERS}),
    "authorization": lambda key: (CHAT, {"authorization": f"Bearer {key}"}),
    "both in one": lambda key: (CHAT, {"authorization": f"{PROVIDERS}, Bearer {key}"}),
    "path": lambda key: (f"/{key}{CHAT}", {"authorization": PROVIDERS}),
    "bare path": lambda key: (f"/{key}/v1/chat/completions", {"authorization": PROVIDERS}),
    "header before authorization": lambda key: (
        CHAT,
        {"helicone-auth": f"Bearer {key}", "authorization": f"Bearer {key}x"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_key_lets_in_and_a_wrong_one_does_not(house: tuple[Http, str], form: str) -> None:
    """The error has the documented shape and says what to do; nobody's call leaves a row."""
    http, key = house
    path, headers = FORMS[form](key)
    right = http.post(path, json=CALL, headers=headers)
    path, headers = FORMS[form](key[:-1] + ("a" if key[-1] != "a" else "b"))
    wrong = http.post(path, json=CALL, headers=headers)

    assert 200 == right.status_code, right.text
    assert right.headers["helicone-id"]
    assert (401, "invalid_api_key") == (wrong.status_code, wrong.json()["error"]["type"])
    assert ("true", "invalid_api_key") == (wrong.headers["helicone-error"], wrong.headers["x-helicone-error-type"])
    assert "helicone-id" not in wrong.headers


def test_no_key_and_a_key_that_may_not_write_are_refused(house: tuple[Http, str]) -> None:
    """401 and 403; the latter says why."""
    http, key = house
    order = {"api_key_name": "reader", "key_permissions": "r"}
    reader = http.post("/v1/api-keys", json=order, headers={"authorization": f"Bearer {key}"}).json()["apiKey"]
    nobody = http.post(CHAT, json=CALL, headers={"authorization": PROVIDERS})
    refused = http.post(CHAT, json=CALL, headers={"helicone-auth": f"Bearer {reader}"})

    assert (401, 403) == (nobody.status_code, refused.status_code)
    assert "A key is needed: send `Helicone-Auth: Bearer <key>`." == nobody.json()["helicone-message"]
    assert "This key may not write." == refused.json()["helicone-message"]


GENERIC = "/v1/gateway/gateway/v1/chat/completions"
REFUSED: dict[str, tuple[str, dict[str, str], dict[str, Any], int, str, str]] = {
    # what: path, headers, body, status, kind, ending
    "no target": (GENERIC, {}, CALL, 400, "invalid_target", "refused"),
    "no such provider": ("/v1/gateway/nobody/v1/x", {}, CALL, 404, "invalid_target", "refused"),
    "a target inside the network": (GENERIC, {"helicone-target-url": "https://10.0.0.1"}, CALL, 403, "disallowed", "refused"),
    "a target that is none": (GENERIC, {"helicone-target-url": "ftp://x"}, CALL, 400, "invalid_target", "refused"),
    "fallbacks that are no JSON": (GENERIC, {"helicone-fallbacks": "x"}, CALL, 400, "invalid_fallbacks", "refused"),
    "too large a bucket": (
        CHAT, {"helicone-cache-enabled": "true", "helicone-cache-bucket-max-size": "21"}, CALL, 500, "invalid_cache", "refused",
    ),
    "too large a body": (CHAT, {}, {"x": "y" * 3000}, 413, "request_too_large", "refused"),
    "no model": ("/v1/gateway/ai/chat/completions", {}, {}, 400, "invalid_format", "refused"),
    "no key for the model": ("/v1/gateway/ai/chat/completions", {}, {"model": "m/groq"}, 400, "disallowed", "refused"),
    "nobody there": ("/v1/gateway/groq/openai/v1/chat/completions", {}, CALL, 502, "connection_refused", "unreached"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_says_why_and_leaves_a_row(house: tuple[Http, str], what: str) -> None:
    """In the documented shape, with the id of its row."""
    http, key = house
    path, headers, body, status, kind, ending = REFUSED[what]
    ours = {"helicone-auth": f"Bearer {key}"}
    answer = http.post(path, json=body, headers=ours | headers)
    call_id = answer.headers["helicone-id"]
    row = http.get(f"/v1/request/{call_id}", headers={"authorization": f"Bearer {key}"}).json()["data"]

    told = answer.json()
    assert (status, "true", "failed") == (
        answer.status_code,
        answer.headers["helicone-error"],
        answer.headers["helicone-status"],
    )
    assert kind in answer.headers["x-helicone-error-type"]
    assert {"error", "helicone-message", "support"} <= told.keys()
    assert (status, ending) == (row["response_status"], row["ending"])
    assert told["helicone-message"] == row["detail"]
    assert row["cost"] in {0, None}


def test_what_is_over_its_limit_says_when_to_come_again(house: tuple[Http, str]) -> None:
    """With the headers of the limit; its row has the property of such calls."""
    http, key = house
    headers = {"helicone-auth": f"Bearer {key}", "helicone-ratelimit-policy": "1;w=3600"}
    http.post(CHAT, json=CALL, headers=headers).raise_for_status()
    answer = http.post(CHAT, json=CALL, headers=headers)
    path = f"/v1/request/{answer.headers['helicone-id']}"
    row = http.get(path, headers={"authorization": f"Bearer {key}"}).json()["data"]

    assert (429, ["message"]) == (answer.status_code, list(answer.json()))
    names = ("limit", "remaining", "policy")
    assert ["1", "0", "1;w=3600"] == [answer.headers[f"helicone-ratelimit-{name}"] for name in names]
    assert int(answer.headers["helicone-ratelimit-reset"]) > 0
    assert "rate_limited" == answer.headers["x-helicone-error"]
    assert "bucket_rate_limited" == row["request_properties"]["Helicone-Rate-Limit-Status"]


def test_a_malformed_policy_lets_the_call_through(house: tuple[Http, str]) -> None:
    """Its row says that it was not understood."""
    http, key = house
    headers = {"helicone-auth": f"Bearer {key}", "helicone-ratelimit-policy": "0;w=1"}
    answer = http.post(CHAT, json=CALL, headers=headers)
    path = f"/v1/request/{answer.headers['helicone-id']}"
    row = http.get(path, headers={"authorization": f"Bearer {key}"}).json()["data"]

    assert 200 == answer.status_code
    assert ["Helicone-Ratelimit-Policy"] == [note.partition(":")[0] for note in row["handling"]["notes"]]
    assert json.dumps("'0;w=1'")[1:-1] in row["handling"]["notes"][0]

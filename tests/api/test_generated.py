"""Requests generated from our own OpenAPI document: whatever is sent, no answer is a 500 and none takes long."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok

from tests.fakes.house import House, a_house

SECONDS = 30
"""What one answer may take on a busy machine; a hang takes for ever."""
_EXAMPLES = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server with a session in it, which asks for keys."""
    with a_house(tmp_path_factory.mktemp("generated") / "data", require_key=True) as house:
        house.say("s1", "One?", "Two?")
        yield house


def test_no_request_makes_the_server_fail(generated: House) -> None:
    """Every operation is asked with data that fits its description and data that is just off."""
    document = httpx2.get(f"{generated.url}/download/swagger.json", trust_env=False).json()
    schema = schemathesis.openapi.from_dict(document)
    asked: set[str] = set()
    with httpx2.Client(
        base_url=generated.url, trust_env=False, timeout=SECONDS, headers={"authorization": f"Bearer {generated.key}"}
    ) as client:
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            asked.add(f"{operation.method.upper()} {operation.path}")
            _EXAMPLES(given(case=operation.as_strategy())(_sender(client, generated.url)))()

    assert {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods} == asked


def _sender(client: httpx2.Client, url: str) -> Callable[[Case[Any]], None]:
    """Return what sends one generated request and looks at the answer."""

    def send(case: Case[Any]) -> None:
        sent = case.as_transport_kwargs(base_url=url)
        # Only the head of a stream is waited for: that of a replay's progress ends when the replay does.
        with client.stream(sent["method"], sent["url"], params=sent.get("params"), json=sent.get("json")) as answer:
            assert answer.status_code < 500, f"{sent}: {answer.read().decode()}"

    return send

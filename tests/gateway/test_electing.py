"""What `model` names, who is asked, and whose error is told."""

import pytest

from reenact.gateway.controls import Mapping
from reenact.gateway.electing import Candidate, Failure, compatible_path, elect, fails_over, told_failure

KEYED = {"openai", "anthropic", "groq", "together", "mine"}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o/openai", [("gpt-4o", "openai")]),
        ("gpt-4o", [("gpt-4o", "openai"), ("gpt-4o", "groq"), ("gpt-4o", "together")]),
        ("claude-sonnet-4/ANTHROPIC/endpoint-7", [("claude-sonnet-4", "anthropic")]),
        ("meta-llama/Llama-3-8b/together", [("meta-llama/Llama-3-8b", "together")]),
        ("meta-llama/Llama-3-8b", [("meta-llama/Llama-3-8b", "groq"), ("meta-llama/Llama-3-8b", "together")]),
        ("gpt-4o/openai, claude-3/anthropic", [("gpt-4o", "openai"), ("claude-3", "anthropic")]),
        ("gpt-4o/openai,gpt-4o/openai", [("gpt-4o", "openai")]),
        ("!openai,gpt-4o,claude-3/anthropic", [("gpt-4o", "groq"), ("gpt-4o", "together"), ("claude-3", "anthropic")]),
        ("local-model/mine", [("local-model", "mine")]),
        ("gpt-4o/openai,!openai", []),
        ("mistral-large/mistral", []),
        (" , ,", []),
    ],
)
def test_whom_a_model_names(model: str, expected: list[tuple[str, str]]) -> None:
    """In order, each once, without the excluded ones and those that there is no key for."""
    assert tuple(Candidate(*one) for one in expected) == elect(model, KEYED).candidates


@pytest.mark.parametrize(
    ("model", "expected", "owner"),
    [
        ("gpt-4o", [("gpt-4o", "openai")], "openai"),
        ("gpt-4o/azure", [("gpt-4o", "azure")], "azure"),
        ("gpt-4o/openai,claude-3/anthropic", [("gpt-4o", "openai")], "openai"),
        ("claude-3,llama/groq", [("claude-3", "anthropic"), ("claude-3", "groq"), ("llama", "groq")], "anthropic"),
        ("!openai,gpt-4o/openai,claude-3", [("claude-3", "anthropic")], "anthropic"),
        ("nobodys-model", [("nobodys-model", "groq")], None),
    ],
)
def test_a_key_that_a_call_brings_is_one_providers(
    model: str, expected: list[tuple[str, str]], owner: str | None
) -> None:
    """The first that is named, or that makes the model; a guess would show it to somebody else."""
    election = elect(model, {"groq"} if "groq" in str(expected) else set(), brings_key=True)

    assert (tuple(Candidate(*one) for one in expected), owner) == (election.candidates, election.owner)


def test_who_was_left_out_is_told() -> None:
    """The excluded and the keyless, for the error's sentence."""
    assert ("openai", "mistral") == elect("gpt-4o/openai,!openai,m/mistral", KEYED).disallowed


@pytest.mark.parametrize(
    ("provider", "called", "mapping", "expected"),
    [
        ("openai", b"/v1/chat/completions", Mapping.OPENAI, b"/v1/chat/completions"),
        ("groq", b"/chat/completions", Mapping.OPENAI, b"/openai/v1/chat/completions"),
        ("google", b"/v1/chat/completions", Mapping.OPENAI, b"/v1beta/openai/chat/completions"),
        ("perplexity", b"/chat/completions", Mapping.OPENAI, b"/chat/completions"),
        ("openai", b"/v1/responses", Mapping.OPENAI, b"/v1/responses"),
        ("openai", b"/chat/completions", Mapping.RESPONSES, b"/v1/responses"),
        ("openai", b"/v1/embeddings", Mapping.OPENAI, b"/v1/embeddings"),
        ("anthropic", b"/v1/chat/completions", Mapping.OPENAI, b"/v1/chat/completions"),
        ("anthropic", b"/v1/chat/completions", Mapping.NO_MAPPING, b"/v1/messages"),
        ("mine", b"/chat/completions", Mapping.NO_MAPPING, b"/v1/chat/completions"),
    ],
)
def test_where_each_provider_speaks_openais_format(
    provider: str, called: bytes, mapping: Mapping, expected: bytes
) -> None:
    """By the table, `/v1` for those that are not in it."""
    assert expected == compatible_path(provider, called, mapping)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"", True),
        (403, b"", False),
        (404, b"", False),
        (408, b"", True),
        (422, b"", False),
        (429, b"", True),
        (500, b"", True),
        (529, b"", True),
        (400, b'{"error":{"code":"context_length_exceeded"}}', True),
        (400, b'{"error":{"message":"Prompt is too long: 300000 tokens"}}', True),
        (400, b'{"error":{"message":"temperature"}}', False),
        (413, b'{"error":{"message":"prompt is too long"}}', True),
        (413, b"", False),
    ],
)
def test_what_sends_a_call_on(status: int, body: bytes, expected: bool) -> None:
    """A missing key, too many requests, time-outs, their faults, and too long prompts."""
    assert expected is fails_over(status, body)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([429, 500, 401, 403], 3),
        ([429, 500, 401], 2),
        ([429, 500, 400], 1),
        ([429, 502, 429], 1),
        ([429, 429], 0),
    ],
)
def test_whose_error_is_told(statuses: list[int], expected: int) -> None:
    """403 before 401 before the first other one before 429."""
    assert expected == told_failure([Failure(status, number) for number, status in enumerate(statuses)]).number

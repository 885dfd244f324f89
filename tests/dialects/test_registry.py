"""Every recorded exchange finds its dialect, and every dialect is found by its name."""

import pytest

from reenact.dialects.registry import DIALECTS, dialect_named, find_dialect
from tests.fakes.recorded import recorded

NAMES = {
    "chat": "openai_chat",
    "completions": "openai_completions",
    "embeddings": "openai_embeddings",
    "responses": "openai_responses",
    "messages": "anthropic_messages",
    "gemini": "gemini",
}


def test_every_recorded_exchange_finds_its_dialect() -> None:
    """By its path alone."""
    for one in recorded():
        found = find_dialect("", one.method, one.path + "?key=value")
        assert found is not None
        assert found.name == NAMES[one.kind]


def test_no_two_dialects_read_the_same_path() -> None:
    """Their order makes no difference."""
    for one in recorded():
        assert len([dialect for dialect in DIALECTS if dialect.reads("", one.method, one.path)]) == 1


@pytest.mark.parametrize("name", sorted(NAMES.values()))
def test_a_dialect_is_found_by_its_name(name: str) -> None:
    """The one that calls are kept under."""
    found = dialect_named(name)
    assert found is not None
    assert found.name == name


def test_unknown_names_and_paths_have_none() -> None:
    """They are kept as opaque calls."""
    assert dialect_named("opaque") is None
    assert find_dialect("openai", "POST", "/v1/images/generations") is None
    assert find_dialect("openai", "GET", "/v1/models") is None

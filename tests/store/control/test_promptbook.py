"""Prompts are kept the same on every database, and each organisation's by themselves."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
import pytest

from reenact.domain.version import NamedPrompt, Version
from reenact.errors import NotFound
from reenact.store.control.store import ControlStore

PROMPT = NamedPrompt(id="abc123", organisation_id="one", name="planner", tags=("a", "b"), created_us=5)
VERSION = Version(
    id="one-0",
    organisation_id="one",
    prompt_id="abc123",
    major=0,
    minor=0,
    commit_message="First.",
    environments=("production", "staging"),
    created_us=5,
    body={"model": "m", "messages": [{"role": "user", "content": "ä\0"}]},
)


def fresh(store: ControlStore) -> None:
    """Have two organisations with a prompt of the same id, and nothing else."""
    for organisation in ("one", "two"):
        with suppress(NotFound):
            store.prompts.delete(organisation, "abc123")
        prompt = msgspec.structs.replace(PROMPT, organisation_id=organisation)
        version = msgspec.structs.replace(VERSION, organisation_id=organisation, id=f"{organisation}-0")
        assert store.prompts.add(prompt, version)


def test_what_is_kept_is_given_back(shared: tuple[ControlStore, ControlStore]) -> None:
    """By another server, too."""
    store, other = shared
    fresh(store)

    assert PROMPT == other.prompts.get("one", "abc123")
    assert [VERSION] == other.prompts.versions("one", "abc123", limit=50)
    assert VERSION == other.prompts.in_use("one", "abc123", "staging")
    assert ["production", "staging"] == other.prompts.environments("one")
    assert not other.prompts.add(PROMPT, msgspec.structs.replace(VERSION, id="x"))


def test_organisations_are_kept_apart(shared: tuple[ControlStore, ControlStore]) -> None:
    """The same id is another prompt; nothing of the other's is found or changed."""
    store, _ = shared
    fresh(store)
    book = store.prompts
    for act in (
        lambda: book.version("two", "one-0"),
        lambda: book.delete_version("two", "abc123", "one-0"),
        lambda: book.use("two", "abc123", "one-0", "production"),
        lambda: book.stop_using("two", "abc123", "one-0", "production"),
        lambda: book.add_version(
            msgspec.structs.replace(VERSION, id="x", organisation_id="two"), "one-0", is_major=True
        ),
        lambda: book.get("three", "abc123"),
        lambda: book.rename("three", "abc123", "x"),
        lambda: book.tag("three", "abc123", ()),
        lambda: book.delete("three", "abc123"),
        lambda: book.versions("three", "abc123", limit=50),
    ):
        with pytest.raises(NotFound):
            act()
    book.rename("two", "abc123", "theirs")
    book.tag("two", "abc123", ())
    book.use("two", "abc123", "two-0", "moon")
    book.delete("two", "abc123")

    assert (PROMPT, [VERSION], []) == (
        book.get("one", "abc123"),
        book.versions("one", "abc123", limit=50),
        book.all("two"),
    )
    assert ["production", "staging"] == book.environments("one")


def test_servers_that_keep_versions_at_once_number_them_apart(shared: tuple[ControlStore, ControlStore]) -> None:
    """Each number is given once."""
    fresh(shared[0])

    def keep(number: int) -> str:
        version = msgspec.structs.replace(VERSION, id=f"new-{number}", environments=())
        return shared[number % 2].prompts.add_version(version, "one-0", is_major=number % 3 == 0).number

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(keep, range(9)))

    assert sorted([*(f"0.{minor}" for minor in range(1, 7)), "1.0", "2.0", "3.0"]) == sorted(numbers)

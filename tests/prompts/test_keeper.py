"""Prompts and versions by the rules of Helicone's; on a real control store."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reenact.domain.version import Version
from reenact.errors import InvalidInput, NotFound, StoreFailed, TooLarge
from reenact.prompts.keeper import PromptKeeper
from reenact.store.control.store import ControlStore


def body(text: str, **fields: Any) -> dict[str, Any]:
    """Return a chat request of one text."""
    return {"messages": [{"role": "system", "content": text}], **fields}


def made(keeper: PromptKeeper, name: str = "planner", text: str = "Plan.") -> Version:
    """Keep a prompt and return its first version."""
    return keeper.create("org", name, (), body(text))[1]


def after(keeper: PromptKeeper, version: Version, text: str, *, major: bool = False, use: str | None = None) -> Version:
    """Keep another version and return it."""
    return keeper.update(
        "org", version.prompt_id, version.id, body(text), commit_message="More.", is_major=major, environment=use
    )


def test_versions_are_numbered_from_the_one_that_they_go_on_from(keeper: PromptKeeper) -> None:
    """A minor version follows the newest of its major one; a major one all."""
    first = made(keeper)
    second, third = after(keeper, first, "b"), after(keeper, first, "c", major=True)
    fourth, fifth = after(keeper, first, "d"), after(keeper, third, "e")

    assert ["0.0", "0.1", "1.0", "0.2", "1.1"] == [one.number for one in (first, second, third, fourth, fifth)]
    assert ["1.1", "0.2", "1.0", "0.1", "0.0"] == [
        one.number for one in keeper.book.versions("org", first.prompt_id, limit=50)
    ]
    assert body("e") == keeper.book.version("org", fifth.id).body


def test_an_environment_has_one_version(keeper: PromptKeeper) -> None:
    """The first is in use in production; whatever is chosen without a word is that, else the newest."""
    first = made(keeper)
    prompt = keeper.named("org", "planner")
    second = after(keeper, first, "b", use="staging")

    assert first.id == keeper.chosen(prompt, None, None).id
    assert second.id == keeper.chosen(prompt, None, "staging").id
    keeper.book.use("org", prompt.id, second.id, "production")
    assert ((), ("production", "staging")) == tuple(
        keeper.book.version("org", one.id).environments for one in (first, second)
    )
    keeper.book.stop_using("org", prompt.id, second.id, "production")
    third = after(keeper, second, "c")
    assert third.id == keeper.chosen(prompt, None, None).id
    assert [first.id, second.id] == [keeper.chosen(prompt, one, None).id for one in ("0.0", second.id)]
    for gone in ("0.7", "7.0", "nobody"):
        with pytest.raises(NotFound):
            keeper.chosen(prompt, gone, None)
    with pytest.raises(NotFound, match=r"its newest are: 0\.0"):
        keeper.chosen(keeper.named("org", made(keeper, "other").prompt_id), second.id, None)
    assert ([third], (3, 0)) == (
        keeper.book.versions("org", prompt.id, limit=1, major=0),
        keeper.book.count("org", prompt.id),
    )
    keeper.book.delete_version("org", prompt.id, second.id)
    with pytest.raises(NotFound):
        keeper.in_use("org", prompt.id, "staging")


def test_a_prompt_is_found_by_its_id_or_its_name(keeper: PromptKeeper) -> None:
    """A name that several have is told with their ids."""
    first, second = made(keeper, "planner"), keeper.create("org", "planner", (), body("x"))[1]

    assert first.prompt_id == keeper.named("org", first.prompt_id).id
    with pytest.raises(InvalidInput, match=f"{second.prompt_id}, {first.prompt_id}"):
        keeper.named("org", "planner")
    with pytest.raises(NotFound):
        keeper.named("other", first.prompt_id)


def test_an_id_that_is_taken_is_not_given_again(tmp_path: Path) -> None:
    """Nor is what has it overwritten."""
    store = ControlStore(tmp_path / "control.sqlite3")
    numbers = itertools.count()
    letters: Callable[[str], str] = lambda _: "a"  # noqa: E731
    keeper = PromptKeeper(store.prompts, clock=lambda: 1, new_id=lambda: str(next(numbers)), choose=letters)
    keeper.create("org", "one", (), body("x"))
    keeper.create("other", "one", (), body("x"))
    with pytest.raises(StoreFailed):
        keeper.create("org", "two", (), body("y"))

    assert ["one"] == [prompt.name for prompt in keeper.book.all("org")]
    store.close()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"messages": "none"}, InvalidInput),
        ({"messages": [1]}, InvalidInput),
        ([], InvalidInput),
        (body("x" * 1024 * 1024), TooLarge),
    ],
)
def test_what_is_no_chat_request_is_refused(keeper: PromptKeeper, given: Any, error: type[Exception]) -> None:
    """Before anything is kept."""
    with pytest.raises(error):
        keeper.create("org", "planner", (), given)
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    with pytest.raises(InvalidInput, match="deep"):
        keeper.create("org", "planner", (), body("x", metadata=deep))

    assert [] == keeper.book.all("org")


def test_parts_of_other_prompts_are_put_in(keeper: PromptKeeper) -> None:
    """A part may have parts; one that is missing, and a circle, is told."""
    rules = made(keeper, "rules", "Be {{hc:how:string}}.")
    style = made(keeper, "style", f"Style. {{{{hcp:{rules.prompt_id}:0}}}}")
    using = made(keeper, "using", f"Plan. {{{{ hcp : {style.prompt_id} : 0 : production }}}}")

    assert body("Plan. Style. Be {{hc:how:string}}.") == keeper.whole(using)
    keeper.update(
        "org", rules.prompt_id, rules.id, body(f"{{{{hcp:{style.prompt_id}:0}}}}"), commit_message="", is_major=False,
        environment="production",
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="includes itself"):
        keeper.whole(using)
    keeper.book.delete("org", style.prompt_id)
    with pytest.raises(NotFound):
        keeper.whole(using)
    gone = made(keeper, "gone", f"{{{{hcp:{rules.prompt_id}:7}}}}")
    with pytest.raises(NotFound, match="no message 7"):
        keeper.whole(gone)


def test_prompts_are_found_by_name_and_tags(keeper: PromptKeeper) -> None:
    """Newest first, whatever the case; tags without blanks, each once."""
    keeper.create("org", "Trip planner", [" a ", "a", ""], body("x"))
    keeper.create("org", "judge", ["b"], body("x"))
    keeper.create("other", "planner", ["c"], body("x"))

    assert ["judge", "Trip planner"] == [one.name for one in keeper.query("org", "", [])]
    assert ["Trip planner"] == [one.name for one in keeper.query("org", "PLAN", [])]
    assert ["judge"] == [one.name for one in keeper.query("org", "", ["b", "c"])]
    assert ["a", "b"] == keeper.tags("org")

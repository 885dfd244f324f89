"""A keeper of prompts on a real control store."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.prompts.keeper import PromptKeeper
from reenact.store.control.store import ControlStore


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[PromptKeeper]:
    """A keeper whose ids count on and whose clock moves a second with each look."""
    store = ControlStore(tmp_path / "control.sqlite3")
    numbers, seconds = itertools.count(), itertools.count(1)
    letters = itertools.cycle("aaaaaab")
    yield PromptKeeper(
        store.prompts,
        clock=lambda: next(seconds) * 1_000_000,
        new_id=lambda: f"version-{next(numbers)}",
        choose=lambda _: next(letters),
    )
    store.close()

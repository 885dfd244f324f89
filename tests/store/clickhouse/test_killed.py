"""Killing the process that embeds the engine, at any moment of a batch: what was acknowledged is there once and whole."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reenact.errors import FolderInUse
from reenact.store.clickhouse.opener import Embedded

ROOT = Path(__file__).parents[3]


@contextmanager
def saver(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that saves, once it has found what was there in order; and how much that was."""
    command = [sys.executable, "-m", "tests.store.clickhouse.saver", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = process.stdout.readline()
        try:
            assert told.startswith("checked "), process.stderr.read()
            yield process, int(told.split()[1])
        finally:
            process.kill()


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_killing_loses_and_doubles_nothing(tmp_path: Path, kills: int) -> None:
    """However many batches were saved before, and wherever in the next one the process was."""
    chance = random.Random(kills)
    acknowledged = 0
    for _ in range(kills):
        with saver(tmp_path / "store") as (process, found):
            assert found >= acknowledged
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 4)):
                acknowledged = int(process.stdout.readline().split()[1])
            threading.Event().wait(chance.random() * 0.15)
            process.kill()
            for line in process.stdout:  # what it still told before it was gone
                acknowledged = int(line.split()[1])
    with saver(tmp_path / "store") as (_, found):
        assert found >= acknowledged > 0


def test_a_folder_is_held_by_one_process(tmp_path: Path) -> None:
    """The second is told so by us: the engine's own words would not reach it."""
    with saver(tmp_path / "store"), pytest.raises(FolderInUse, match="in use by another process"):
        Embedded(tmp_path / "store")

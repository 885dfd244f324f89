"""Copier: copies the files of an embedded engine that nobody has open."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from reenact.store.clickhouse.opener import Embedded


@contextmanager
def at_rest(path: Path) -> Iterator[None]:
    """Let no process open the engine at *path* while the block runs.

    Raises:
        FolderInUse: one has it open.
        FolderUnusable: it cannot be held.
    """
    with closing(Embedded(path)):
        yield


def copy_engine(source: Path, target: Path) -> None:
    """Copy an engine at rest; parts that a merge has replaced go with it, and are removed when the copy is opened.

    Raises:
        OSError: a file cannot be read or written.
    """
    target.mkdir(mode=0o700)
    shutil.copytree(source / "engine", target / "engine", symlinks=True)

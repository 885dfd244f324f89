"""Keeping answers to be given again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reenact.gateway.cacher import Cacher
from reenact.gateway.caching import Entry

KEY = "ab" + "0" * 62
OTHER = "cd" + "0" * 62


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


def entry(call_id: str, body: bytes = b"x", expires_s: float = 2000.0) -> Entry:
    """Return a small answer."""
    return Entry(call_id=call_id, expires_s=expires_s, status=200, headers=(), chunks=(body,))


@pytest.fixture(params=["memory", "folder"])
async def cacher(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cacher]:
    """A cache of each kind."""
    folder = None if request.param == "memory" else tmp_path / "cache"
    made = Cacher(folder, now_s=Clock(), draw=lambda slots: slots - 1)
    yield made
    await made.close()


async def test_an_answer_is_found_again(cacher: Cacher) -> None:
    """Under its own key only."""
    assert await cacher.find(KEY, 1) is None
    cacher.save(KEY, 1, entry("a"))

    assert (0, entry("a")) == await cacher.find(KEY, 1)
    assert await cacher.find(OTHER, 1) is None


async def test_nothing_is_found_until_all_slots_are_filled(cacher: Cacher) -> None:
    """With three slots the fourth call is the first that can be answered; which slot answers is drawn."""
    for call_id in "abc":
        assert await cacher.find(KEY, 3) is None
        cacher.save(KEY, 3, entry(call_id))

    assert (2, entry("c")) == await cacher.find(KEY, 3)


async def test_what_is_kept_is_not_overwritten(cacher: Cacher) -> None:
    """But a call may complete what it kept itself."""
    cacher.save(KEY, 1, entry("a"))
    cacher.save(KEY, 1, entry("b"))
    assert (0, entry("a")) == await cacher.find(KEY, 1)
    cacher.save(KEY, 1, entry("a", b"more"))

    assert (0, entry("a", b"more")) == await cacher.find(KEY, 1)


@pytest.mark.parametrize("in_memory", [True, False])
async def test_answers_expire(tmp_path: Path, in_memory: bool) -> None:
    """In memory and in the folder; their slots are then free."""
    clock = Clock()
    first = Cacher(tmp_path, now_s=clock)
    first.save(KEY, 1, entry("a"))
    await first.close()
    second = first if in_memory else Cacher(tmp_path, now_s=clock)
    if in_memory:
        second = Cacher(None, now_s=clock)
        second.save(KEY, 1, entry("a"))
    clock.now_s = 2000.0

    assert await second.find(KEY, 1) is None
    second.save(KEY, 1, entry("b", expires_s=3000.0))
    assert (0, entry("b", expires_s=3000.0)) == await second.find(KEY, 1)
    await second.close()


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """What was kept is in the folder, readable by its owner only; the next free slot is known."""
    first = Cacher(tmp_path / "cache", now_s=Clock())
    first.save(KEY, 2, entry("a"))
    await first.close()
    second = Cacher(tmp_path / "cache", now_s=Clock(), draw=lambda slots: 0)
    await second.warm(KEY, 2)
    second.save(KEY, 2, entry("b"))

    assert (0, entry("a")) == await second.find(KEY, 2)
    await second.close()
    files = sorted((tmp_path / "cache").glob("*/*"))
    assert [f"{KEY}-0", f"{KEY}-1"] == [file.name for file in files]
    assert {0o600} == {file.stat().st_mode & 0o777 for file in files}


async def test_a_damaged_file_is_thrown_away(tmp_path: Path) -> None:
    """It counts as an empty slot."""
    (tmp_path / KEY[:2]).mkdir()
    (tmp_path / KEY[:2] / f"{KEY}-0").write_bytes(b"\xffnonsense")
    cacher = Cacher(tmp_path, now_s=Clock())

    assert await cacher.find(KEY, 1) is None
    await cacher.close()
    assert [] == list(tmp_path.glob("*/*"))


async def test_memory_is_bounded() -> None:
    """What was not used for longest goes first, and one answer never takes most of it."""
    cacher = Cacher(None, memory_bytes=40_000, now_s=Clock())
    for number in range(20):
        cacher.save(f"{number:064}", 1, entry(str(number), b"x" * 3000))
        await cacher.find(f"{0:064}", 1)
    cacher.save(OTHER, 1, entry("large", b"x" * 6000))

    found = [number for number in range(20) if await cacher.find(f"{number:064}", 1) is not None]
    assert 0 in found
    assert 19 in found
    assert 10 == len(found)
    assert await cacher.find(OTHER, 1) is None
    await cacher.close()


async def test_the_folder_is_bounded(tmp_path: Path) -> None:
    """The oldest files go when it is full."""
    cacher = Cacher(tmp_path, folder_bytes=20_000, now_s=Clock())
    for number in range(40):
        cacher.save(f"{number:064}", 1, entry(str(number), b"x" * 1000))
    await cacher.close()

    sizes = [file.stat().st_size for file in tmp_path.glob("*/*")]
    assert 10_000 < sum(sizes) <= 20_000


async def test_a_folder_that_cannot_be_used_costs_only_the_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The provider is asked, and the memory still answers."""
    (tmp_path / "file").write_bytes(b"")
    cacher = Cacher(tmp_path / "file", now_s=Clock())
    assert await cacher.find(KEY, 1) is None
    cacher.save(KEY, 1, entry("a"))

    assert (0, entry("a")) == await cacher.find(KEY, 1)
    await cacher.close()
    assert "cannot be" in caplog.text

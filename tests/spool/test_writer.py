import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reenact.domain.exchange import Cursor
from reenact.errors import SpoolFailed
from reenact.spool.disk import Counters, Disk
from reenact.spool.reader import SpoolReader
from reenact.spool.segment import segments
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange
from tests.spool.stuck import stuck

NOW_US = 1_700_000_000_000_000


def _read_all(folder: Path) -> list[str]:
    return [
        exchange.id for exchange in SpoolReader(folder).read(Cursor(), limit_records=10**6, limit_bytes=10**9).exchanges
    ]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture(name="writer")
def _writer(folder: Path) -> Iterator[SpoolWriter]:
    writer = SpoolWriter(folder, clock=lambda: NOW_US)
    yield writer
    writer.close()


def test_appended_exchanges_are_read_again(folder: Path, writer: SpoolWriter) -> None:
    """Whole exchanges come back in the order they were appended."""
    exchanges = tuple(an_exchange(number) for number in range(3))
    for exchange in exchanges:
        writer.append(exchange)
    assert SpoolReader(folder).read(Cursor()).exchanges == exchanges


def test_files_are_for_their_owner_only(folder: Path, writer: SpoolWriter) -> None:
    """Recorded content is nobody else's: folder 0700, segments 0600."""
    writer.append(an_exchange())
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, segments(folder)[0].path)] == ["0o700", "0o600"]


def test_each_record_is_announced(folder: Path) -> None:
    """Whoever waits for records need not poll."""
    announced = threading.Event()
    writer = SpoolWriter(folder, clock=lambda: NOW_US, on_append=announced.set)
    writer.append(an_exchange())
    assert announced.is_set()
    writer.close()


def test_close_leaves_everything_synced_and_counted(folder: Path, writer: SpoolWriter) -> None:
    """The counters tell what was done; at least one sync ran; nothing was lost."""
    writer.append(an_exchange())
    writer.close()
    written_bytes = segments(folder)[0].path.stat().st_size
    syncs = writer.counters.syncs
    assert writer.counters == Counters(records=1, bytes=written_bytes, syncs=syncs)
    assert syncs >= 1


def test_a_closed_writer_refuses(writer: SpoolWriter) -> None:
    """Nothing is accepted that would not be synced any more."""
    writer.close()
    with pytest.raises(SpoolFailed):
        writer.append(an_exchange())


def test_segments_roll(folder: Path) -> None:
    """A segment that has reached its size is followed by the next number; reading goes on over the seam."""
    writer = SpoolWriter(folder, clock=lambda: NOW_US, segment_bytes=1000)
    for number in range(10):
        writer.append(an_exchange(number))
    writer.close()
    assert [segment.number for segment in segments(folder)] == [1, 2, 3, 4, 5]
    assert _read_all(folder) == [an_exchange(number).id for number in range(10)]


def test_a_torn_tail_is_never_written_behind(folder: Path, writer: SpoolWriter) -> None:
    """What a killed process left half-written stays alone; the next writer begins a segment of its own."""
    writer.append(an_exchange(1))
    writer.append(an_exchange(2))
    writer.close()
    torn = segments(folder)[0].path
    os.truncate(torn, torn.stat().st_size - 1)
    following = SpoolWriter(folder, clock=lambda: NOW_US)
    following.append(an_exchange(3))
    following.close()
    assert [segment.number for segment in segments(folder)] == [1, 2]
    assert _read_all(folder) == [an_exchange(1).id, an_exchange(3).id]


def test_an_unusable_folder_fails_the_append_and_its_gap_is_kept_for_later(tmp_path: Path) -> None:
    """While nothing can be written gaps are counted; they stand in the journal as soon as it can be written again."""
    folder = tmp_path / "spool"
    folder.write_text("a file where the folder should be")
    written = threading.Event()
    writer = SpoolWriter(folder, clock=lambda: NOW_US, on_append=written.set)
    for _ in range(2):
        with pytest.raises(SpoolFailed, match="Cannot write the spool"):
            writer.append(an_exchange())
        writer.gap("acme", "Not a directory")
    folder.unlink()
    assert written.wait(timeout=10)  # by the thread's own retry: nothing else is appended
    writer.close()
    gaps = SpoolReader(folder).read(Cursor()).gaps
    assert {("acme", "Not a directory", NOW_US)} == {(gap.organisation_id, gap.reason, gap.last_us) for gap in gaps}
    assert 2 == sum(gap.count for gap in gaps) == writer.counters.gaps


FULL_DISK = """
import resource, sys
from pathlib import Path
from reenact.errors import SpoolFailed
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange
from tests.spool.stuck import stuck

writer = SpoolWriter(Path(sys.argv[1]), clock=lambda: 5)
writer.append(an_exchange(1))
free, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (writer.counters.bytes + 100, hard))
try:
    writer.append(an_exchange(2))
except SpoolFailed as error:
    writer.gap("acme", error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, (free, hard))
writer.append(an_exchange(3))
writer.close()
"""


def _run_child(code: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)


def test_a_full_disk_loses_one_record_and_says_so(folder: Path) -> None:
    """A write that stops half-way is taken back; what follows is whole, and the gap names the reason."""
    with _run_child(FULL_DISK, folder) as child:
        assert child.wait(timeout=60) == 0
    batch = SpoolReader(folder).read(Cursor())
    assert [exchange.id for exchange in batch.exchanges] == [an_exchange(1).id, an_exchange(3).id]
    assert [(gap.count, "File too large" in gap.reason) for gap in batch.gaps] == [(1, True)]
    assert batch.unreadables == ()


ENDLESS = """
import itertools, sys
from pathlib import Path
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange
from tests.spool.stuck import stuck

writer = SpoolWriter(Path(sys.argv[1]), clock=lambda: 5, segment_bytes=20_000)
for number in itertools.count():
    writer.append(an_exchange(number))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_a_killed_process_leaves_every_acknowledged_record(folder: Path) -> None:
    """Whatever `append` returned for before a kill -9 is read afterwards, whole and in order."""
    with _run_child(ENDLESS, folder) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(200)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout.read().split(b"\n") if line]
    found = _read_all(folder)
    assert found[: len(acknowledged)] == [an_exchange(number).id for number in acknowledged]
    assert len(found) - len(acknowledged) <= 1


def test_a_record_is_written_while_a_sync_hangs(folder: Path) -> None:
    """A slow sync keeps no record in memory: another thread writes it beside the sync, and tells."""
    with stuck(folder) as disk:
        assert disk.writer.append(an_exchange(1)) is False
        written = threading.Event()
        assert disk.writer.when_written(written.set) > 0
        assert written.wait(10)
        assert _read_all(folder) == [an_exchange(0).id, an_exchange(1).id]
        assert disk.writer.counters.queued_bytes == 0
        durable = threading.Event()
        disk.writer.when_durable(durable.set)
        assert not durable.is_set()
        disk.let_go()
        assert durable.wait(10)
        assert disk.writer.append(an_exchange(2)) is True


SLOW_SYNC = """
import sys, threading
from pathlib import Path
from reenact.spool.disk import Disk
from reenact.spool.writer import SpoolWriter
from tests.spool.exchanges import an_exchange
from tests.spool.stuck import stuck

syncing = threading.Event()

def hang(file):
    syncing.set()
    threading.Event().wait()

writer = SpoolWriter(Path(sys.argv[1]), clock=lambda: 5, segment_bytes=20_000, disk=Disk(sync=hang, slow_sync_s=0.0))
writer.append(an_exchange(0))
syncing.wait()
for number in range(1, 200):
    written = threading.Event()
    assert writer.append(an_exchange(number)) is False
    writer.when_written(written.set)
    written.wait()
    print(number, flush=True)
threading.Event().wait()
"""


def test_a_process_that_is_killed_while_a_sync_hangs_leaves_every_record(folder: Path) -> None:
    """Over several segments none is lost that was told of as written, although none was ever synced."""
    with _run_child(SLOW_SYNC, folder) as child:
        assert child.stdout is not None
        for _ in range(199):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert _read_all(folder) == [an_exchange(number).id for number in range(200)]


def test_a_hanging_disk_holds_nobody_up(folder: Path) -> None:
    """While a write hangs, records wait in memory up to their bound; then they are gaps; all that waited is written after."""
    with stuck(folder, writes=True, queue_bytes=20_000) as disk:
        refused = 0
        for number in range(1, 11):
            try:
                assert disk.writer.append(an_exchange(number)) is False
            except SpoolFailed as error:
                refused += 1
                disk.writer.gap("acme", error.message)
        queued_bytes = disk.writer.counters.queued_bytes
        disk.let_go()
        disk.writer.close()

        kept = _read_all(folder)
        assert kept == [an_exchange(number).id for number in range(11 - refused)]
        assert 0 < refused < 10
        assert (0, True) == (disk.writer.counters.queued_bytes, 0 < queued_bytes <= 20_000)
    assert [(refused, True)] == [
        (gap.count, "too slow" in gap.reason) for gap in SpoolReader(folder).read(Cursor()).gaps
    ]


def test_nobody_waits_for_a_disk_that_is_known_to_bestuck(folder: Path) -> None:
    """What one write may cost agents, it costs those that wait when it gets stuck, and not everybody after them."""
    with stuck(folder, writes=True, hold_s=0.0) as disk:
        disk.writer.append(an_exchange(1))
        assert disk.writing.wait(10)
        assert disk.writer.when_written(lambda: None) == 0.0
    with stuck(folder, writes=True, hold_s=3600.0) as disk:
        disk.writer.append(an_exchange(1))
        assert disk.writing.wait(10)
        assert 0 < disk.writer.when_written(lambda: None) < 3600.0


def test_a_record_that_cannot_be_written_aside_is_a_gap_and_nobody_waits_for_it(folder: Path) -> None:
    """The disk is slow, then full: whoever waits is told, what was lost is counted, and what follows is kept."""
    with stuck(folder, writes=True) as disk:
        disk.failure = OSError(28, "No space left on device")
        disk.writer.append(an_exchange(1))
        told = threading.Event()
        disk.writer.when_written(told.set)
        disk.let_go()
        assert told.wait(10)
        assert disk.writer.counters.gaps == 1
        disk.failure = None
        disk.writer.append(an_exchange(2))
        disk.writer.close()
    batch = SpoolReader(folder).read(Cursor())
    assert [exchange.id for exchange in batch.exchanges] == [an_exchange(0).id, an_exchange(2).id]
    assert [(1, True)] == [(gap.count, "No space left on device" in gap.reason) for gap in batch.gaps]


def test_bodies_in_files_wait_as_records_do(folder: Path) -> None:
    """A large body's file is named when its record is written; one whose record is lost is closed and deleted."""
    with stuck(folder, writes=True) as disk:
        kept, lost = disk.writer.spill(), disk.writer.spill()
        kept.write(b"large")
        (part,) = [path for path in (folder / "bodies").glob("*.part") if path.stat().st_size == 0]
        assert disk.writer.append_spilled(an_exchange(1), None, kept) is False
        assert disk.writer.append_spilled(an_exchange(2), None, lost) is False
        part.unlink()
        disk.let_go()
        disk.writer.close()
    batch = SpoolReader(folder).read(Cursor())
    assert [b"large"] == [exchange.response_body for exchange in batch.exchanges[1:]]
    assert (1, -1) == (disk.writer.counters.gaps, lost.file)
    assert 1 == len(list((folder / "bodies").iterdir()))


def test_after_a_slow_write_the_thread_writes(folder: Path) -> None:
    """Whoever appends pays for one slow write, not for each."""
    writer = SpoolWriter(folder, clock=lambda: NOW_US, disk=Disk(slow_write_s=-1.0))
    assert writer.append(an_exchange(0)) is True
    assert writer.append(an_exchange(1)) is False
    writer.close()
    assert _read_all(folder) == [an_exchange(0).id, an_exchange(1).id]


def test_after_a_sync_that_fails_records_go_elsewhere(folder: Path) -> None:
    """The kernel may have dropped what it could not sync: what follows is written to another segment."""
    failed = threading.Event()

    def fail(file: int) -> None:
        if not failed.is_set():
            raise OSError(5, "Input/output error")

    writer = SpoolWriter(folder, clock=lambda: NOW_US, disk=Disk(sync=fail))
    writer.append(an_exchange(0))
    writer.when_durable(failed.set)
    assert failed.wait(10)
    writer.append(an_exchange(1))
    writer.close()
    assert [1, 2] == [segment.number for segment in segments(folder)]
    assert writer.counters.failed_syncs == 1
    assert _read_all(folder) == [an_exchange(0).id, an_exchange(1).id]


def test_a_quota_is_kept_until_something_was_discarded(folder: Path) -> None:
    """What does not fit is refused; what was read and discarded makes room."""
    writer = SpoolWriter(folder, clock=lambda: NOW_US, segment_bytes=1000, quota_bytes=3000)
    refused = []
    for number in range(12):
        try:
            writer.append(an_exchange(number))
        except SpoolFailed as error:
            refused.append(error.message)
    reader = SpoolReader(folder)
    reader.discard(reader.read(Cursor()).cursor)
    writer.append(an_exchange(20))
    writer.close()

    assert refused
    assert all("quota of 3000 bytes" in message for message in refused)
    assert an_exchange(20).id == _read_all(folder)[-1]
    assert sum(segment.path.stat().st_size for segment in segments(folder)) <= 4000


def test_whoever_waits_for_the_disk_is_told(folder: Path) -> None:
    """It is told after a sync that covers what was appended before."""
    synced: list[int] = []
    writer = SpoolWriter(folder, clock=lambda: NOW_US, disk=Disk(sync=synced.append))
    durable = threading.Event()
    writer.append(an_exchange())
    writer.when_durable(durable.set)
    assert durable.wait(10)
    assert synced
    writer.close()

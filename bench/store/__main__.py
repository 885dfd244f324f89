"""What a store costs and how fast it answers.

    python bench/store --store sqlite|chdb [--calls 100000] [--batch 500] [--copies 0] [--quick] [--folder DIR]

Reads and saves so many calls of agents, in batches as ingest does, and prints what they take on disk by byte that was sent,
calls by second, and CPU (all threads of this process; what makes the traffic is left out). Then asks each question many
times, warm, and prints the median and the 95th percentile beside the target. The machine may be shared: wall times are then
too long. With `--copies` (chdb alone) so many copies of the calls are added in the engine before it is asked.
"""

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from generator import DAY_US, DAYS, ORGANISATIONS, START_US, Traffic

from reenact.domain.filter import EVERYTHING, All, AnyOf, Condition, Filter, Operator, Sort
from reenact.domain.total import Grouping, Step
from reenact.ingest.decoding import decode
from reenact.store.calls import CallStore
from reenact.store.sqlite.store import SqliteStore

ONE = ORGANISATIONS[0]
END_US = START_US + DAYS * DAY_US
TARGETS_MS = {
    "newest 100 with bodies": 20, "a session's calls with bodies": 50, "call by id with body": 10,
    "property, time, sort": 10, "score filter": 20, "session list, 7 days": 30, "cost per day and model": 30,
    "latency percentiles": 50, "property keys and values": 30, "word search, rare": 30, "word search, common": 30,
    "word search, absent": 30, "word search, two common": 30, "word search, either side": 30,
}  # fmt: skip
"""The 95th percentile at a million calls."""


def opened(name: str, folder: Path) -> CallStore:
    """Return an empty store."""
    if name == "sqlite":
        return SqliteStore(folder / "calls.sqlite3")
    from reenact.store.clickhouse.opener import Embedded  # noqa: PLC0415 - a package of its own, not always there
    from reenact.store.clickhouse.store import ClickHouseStore  # noqa: PLC0415

    return ClickHouseStore(Embedded(folder / "chdb").connector())


def used_bytes(folder: Path) -> int:
    """Return what the files of *folder* take, each counted once however often it is linked."""
    sizes = {}
    for path in folder.rglob("*"):
        try:
            about = path.lstat()
        except FileNotFoundError:
            continue
        sizes[about.st_ino] = about.st_size
    return sum(sizes.values())


def load(store: CallStore, traffic: Traffic, batch: int) -> dict[str, float]:
    """Read each exchange of *traffic* as ingest does and save it; return what it took."""
    wall_s = read_s = save_s = slowest_s = 0.0
    calls = 0
    coming = iter(traffic)
    while made := list(islice(coming, batch)):
        begun, at_first = time.perf_counter(), time.process_time()
        for one in made:
            decode(one.exchange)  # the generator knows the meaning, and scores that no exchange has
        at_second = time.process_time()
        store.save(made)
        took = time.perf_counter() - begun
        read_s, save_s = read_s + at_second - at_first, save_s + time.process_time() - at_second
        wall_s, slowest_s, calls = wall_s + took, max(slowest_s, took), calls + len(made)
        if calls % (batch * 40) == 0:
            print(f"  {calls} calls, {calls / wall_s:.0f}/s", file=sys.stderr, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"calls": calls, "calls_per_s": calls / wall_s, "calls_per_cpu_s": calls / (read_s + save_s),
            "read_us": read_s / calls * 1e6, "save_us": save_s / calls * 1e6,
            "slowest_batch_ms": slowest_s * 1000, "peak_rss_mb": peak}  # fmt: skip


def questions(store: CallStore, traffic: Traffic) -> dict[str, Callable[[], object]]:
    """Return the questions by name."""
    chance = random.Random(7)
    words = traffic.text.words
    newest = Sort()

    def found(where: Filter, limit: int) -> list[str]:
        return [call.id for call in store.find(ONE, where, newest, offset=0, limit=limit)]

    def equals(column: str, operator: Operator, value: Any, key: str | None = None) -> Condition:
        return Condition(column=column, operator=operator, value=value, key=key)

    def property_in_time() -> Filter:
        begin = START_US + chance.randrange(60) * DAY_US
        feature = f"feature-{chance.randrange(25)}"
        return All((
            equals("properties", Operator.EQUALS, feature, "feature"),
            equals("created_us", Operator.GTE, begin), equals("created_us", Operator.LT, begin + 20 * DAY_US),
        ))  # fmt: skip

    def session() -> object:
        calls = store.session(ONE, chance.choice(traffic.session_ids))
        return store.bodies(ONE, [call.id for call in calls])

    def by_id() -> object:
        call_id = chance.choice(traffic.call_ids)
        return store.get(ONE, [call_id]), store.bodies(ONE, [call_id])

    def said(column: str, text: str) -> Condition:
        return equals(column, Operator.CONTAINS, text)

    def common() -> str:
        return words[chance.randrange(20, 200)]

    def either_side() -> object:
        word = common()
        return found(AnyOf((said("request_body", word), said("response_body", word))), 50)

    return {
        "newest 100 with bodies": lambda: store.bodies(ONE, found(EVERYTHING, 100)),
        "a session's calls with bodies": session,
        "call by id with body": by_id,
        "property, time, sort": lambda: found(property_in_time(), 50),
        "score filter": lambda: found(equals("scores", Operator.GTE, 0.95, "quality"), 50),
        "session list, 7 days": lambda: store.sessions(ONE, after_us=END_US - 7 * DAY_US, before_us=END_US, limit=50),
        "cost per day and model": lambda: store.totals(ONE, EVERYTHING, Grouping(step=Step.DAY, column="model")),
        "latency percentiles": lambda: store.percentiles(ONE, "latency_ms", [0.5, 0.95, 0.99]),
        "property keys and values": lambda: (store.property_keys(ONE), store.property_values(ONE, "customer")),
        "word search, rare": lambda: found(said("request_body", words[chance.randrange(8000, 30_000)]), 50),
        "word search, common": lambda: found(said("request_body", common()), 50),
        "word search, absent": lambda: found(said("request_body", "absent"), 50),
        "word search, two common": lambda: found(said("request_body", f"{common()} {common()}"), 50),
        "word search, either side": either_side,
    }


def measure(ask: Callable[[], object], times: int) -> dict[str, float]:
    """Return how long a question takes, asked *times* times after a first one."""
    ask()
    took, cpu = [], time.process_time()
    for _ in range(times):
        begun = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begun) * 1000)
    took.sort()
    return {"p50_ms": statistics.median(took), "p95_ms": took[min(times - 1, int(0.95 * times))],
            "cpu_ms": (time.process_time() - cpu) * 1000 / times}  # fmt: skip


def multiplied(store: CallStore, copies: int) -> dict[str, float]:
    """Add copies of all calls to a store in chDB; return what it took."""
    from multiplier import multiply  # noqa: PLC0415 - its packages are not always there

    begun, cpu = time.perf_counter(), time.process_time()
    multiply(store.connector, copies)  # type: ignore[attr-defined]
    return {"copies": copies, "wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}


def settled(store: CallStore) -> dict[str, float]:
    """Settle all hours, as a server does with those that nobody writes to any more; return what it took."""
    begun, cpu = time.perf_counter(), time.process_time()
    store.settle(rest_s=0.0)  # type: ignore[attr-defined]
    return {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--store", choices=("sqlite", "chdb"), default="sqlite")
    options.add_argument("--calls", type=int, default=100_000)
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--copies", type=int, default=0, help="of all calls, added in the engine; chdb alone")
    options.add_argument("--quick", action="store_true", help="2000 calls and few questions")
    options.add_argument("--json", action="store_true")
    options.add_argument("--folder", type=Path, help="where to keep the store; a temporary one that is removed")
    asked = options.parse_args()
    calls, times = (2000, 5) if asked.quick else (asked.calls, 40)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="reenact-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    traffic = Traffic(calls)
    store = opened(asked.store, folder)
    result: dict[str, Any] = {"store": asked.store, "cores": os.cpu_count(), "load": load(store, traffic, asked.batch)}
    if asked.copies:
        result["copied"] = multiplied(store, asked.copies)
    if asked.store == "chdb":
        result["settled"] = settled(store)
    used = getattr(store, "used_bytes", lambda: 0)()
    result["questions"] = {name: measure(ask, times) for name, ask in questions(store, traffic).items()}
    store.close()
    disk = min(used, used_bytes(folder)) or used_bytes(folder)
    raw_bytes = traffic.raw_bytes * (asked.copies + 1)
    result["disk"] = {"bytes": disk, "raw_bytes": raw_bytes, "raw_by_disk": raw_bytes / disk,
                      "bytes_per_call": disk / calls / (asked.copies + 1)}  # fmt: skip
    if not asked.folder:
        shutil.rmtree(folder)
    print(json.dumps(result) if asked.json else report(result))


def report(result: dict[str, Any]) -> str:
    """Return the result for people."""
    load, disk = result["load"], result["disk"]
    lines = [
        f"{result['store']}: {load['calls']} calls, {disk['raw_bytes'] / 1e9:.2f} GB sent",
        f"  disk      {disk['bytes'] / 1e6:.0f} MB, 1/{disk['raw_by_disk']:.1f} of what was sent, "
        f"{disk['bytes_per_call']:.0f} B a call",
        f"  ingest    {load['calls_per_s']:.0f} calls/s, {load['calls_per_cpu_s']:.0f} by second of CPU "
        f"({load['read_us']:.0f} us to read a call, {load['save_us']:.0f} to save it), "
        f"slowest batch {load['slowest_batch_ms']:.0f} ms, peak memory {load['peak_rss_mb']:.0f} MB",
        f"  {'ms':<32}{'p50':>8}{'p95':>8}{'CPU':>8}{'target':>8}",
    ]
    for name, took in result["questions"].items():
        lines.append(
            f"  {name:<32}{took['p50_ms']:>8.1f}{took['p95_ms']:>8.1f}{took['cpu_ms']:>8.1f}{TARGETS_MS[name]:>8}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

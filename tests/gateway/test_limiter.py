"""Keeping the buckets of rate limits, in this process and in Redis: the same cases on both."""

import asyncio
import shutil
import socket
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from reenact.errors import InvalidInput
from reenact.gateway.controls import Policy, Unit
from reenact.gateway.limiter import Limiter, MemoryLimiter
from reenact.gateway.limiting import Bucket, draw, spend
from reenact.gateway.redislimiter import RedisLimiter

POLICY = Policy(quota=3, window_s=60)
BUDGET = Policy(quota=100, window_s=1000, unit=Unit.CENTS)


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis or Valkey of our own."""
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        pytest.skip("needs redis-server or valkey-server")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    process = _start(server, port, folder)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _start(server: str, port: int, folder: Path) -> subprocess.Popen[str]:
    """Start it and wait until it says that it is ready."""
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "Ready to accept connections" in line:
            return process
    raise AssertionError("Redis did not start.")


@pytest.fixture(params=["memory", "redis"])
async def limiter(request: pytest.FixtureRequest) -> AsyncIterator[Limiter]:
    """Each limiter in turn."""
    made: Limiter = MemoryLimiter() if request.param == "memory" else RedisLimiter(request.getfixturevalue("redis_url"))
    yield made
    await made.close()


async def test_a_quota_is_used_up_and_flows_in_again(limiter: Limiter) -> None:
    """What both say is what the rules say, call by call."""
    key, bucket = uuid.uuid4().hex, None
    for now_s in (100.0, 100.0, 101.5, 102.0, 119.9, 120.0, 120.1, 90.0, 130.0, 300.0):
        expected, bucket = draw(bucket, POLICY, now_s)
        verdict = await limiter.draw(key, POLICY, now_s)
        assert verdict is not None
        assert expected.is_allowed is verdict.is_allowed
        assert expected.headers == verdict.headers
        assert pytest.approx(expected.left) == verdict.left


async def test_a_budget_is_spent_when_the_cost_is_known(limiter: Limiter) -> None:
    """It may be overshot, and then nothing goes until it is above zero again."""
    key = uuid.uuid4().hex
    bucket: Bucket | None = None
    for now_s, cents in ((0.0, 40.5), (1.0, 80.25), (2.0, 0.0), (150.0, 0.0), (400.0, 1.0)):
        expected, bucket = draw(bucket, BUDGET, now_s)
        verdict = await limiter.draw(key, BUDGET, now_s)
        assert verdict is not None
        assert (expected.is_allowed, expected.reset_s) == (verdict.is_allowed, verdict.reset_s)
        bucket = spend(bucket, BUDGET, now_s, cents)
        await limiter.spend(key, BUDGET, now_s, cents)


async def test_buckets_do_not_mix(limiter: Limiter) -> None:
    """One key's calls take nothing from another's."""
    one, other = uuid.uuid4().hex, uuid.uuid4().hex
    for _ in range(4):
        await limiter.draw(one, POLICY, 0.0)

    verdict = await limiter.draw(other, POLICY, 0.0)
    assert verdict is not None
    assert 2.0 == verdict.left


async def test_calls_at_once_share_one_quota(limiter: Limiter) -> None:
    """However many ask at the same moment."""
    key = uuid.uuid4().hex
    verdicts = await asyncio.gather(*(limiter.draw(key, POLICY, 5.0) for _ in range(20)))

    assert 3 == sum(verdict is not None and verdict.is_allowed for verdict in verdicts)


async def test_several_gateways_share_a_quota(redis_url: str) -> None:
    """What one has used, the other sees; what is kept is forgotten when it is full again."""
    key = uuid.uuid4().hex
    limiters = [RedisLimiter(redis_url) for _ in range(2)]
    verdicts = [await limiters[number % 2].draw(key, POLICY, 0.0) for number in range(4)]
    left_s = await limiters[0]._redis.ttl(f"reenact:limit:{key}")
    for limiter in limiters:
        await limiter.close()

    assert [True, True, True, False] == [verdict is not None and verdict.is_allowed for verdict in verdicts]
    assert 0 < left_s <= 61


async def test_an_unreachable_redis_limits_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """There is no verdict, and for a while nobody waits for it again."""
    limiter = RedisLimiter(f"redis://127.0.0.1:{free_port()}/0")
    verdicts = [await limiter.draw("k", POLICY, now_s) for now_s in (0.0, 0.5, 2.0)]
    await limiter.spend("k", POLICY, 2.1, 1.0)
    await limiter.close()

    assert [None, None, None] == verdicts
    assert 2 == caplog.text.count("Rate limits are not applied")


def test_a_url_that_is_none_is_told() -> None:
    """When the server starts, not when the first call comes."""
    with pytest.raises(InvalidInput, match="The URL of Redis is not valid"):
        RedisLimiter("http://127.0.0.1")


async def test_memory_is_bounded() -> None:
    """The buckets not used for longest are forgotten."""
    limiter = MemoryLimiter(max_buckets=2)
    for key in ("a", "b", "a", "c"):
        await limiter.draw(key, POLICY, 0.0)

    lefts = [(await limiter.draw(key, POLICY, 0.0)).left for key in ("a", "b")]
    assert [0.0, 2.0] == lefts


async def test_a_redis_that_hangs_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """A quarter of a second at most, once; nothing is limited meanwhile."""
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        writer.close()
        gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    limiter = RedisLimiter(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    started_s = asyncio.get_running_loop().time()
    verdicts = [await limiter.draw("k", POLICY, now_s) for now_s in (0.0, 0.1, 0.2)]
    took_s = asyncio.get_running_loop().time() - started_s
    await limiter.close()
    await asyncio.wait_for(gone.wait(), 5)
    server.close()

    assert [None, None, None] == verdicts
    assert took_s < 2
    assert 1 == caplog.text.count("Rate limits are not applied")

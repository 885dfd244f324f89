"""A bucket that is down or denies access: agents notice nothing, health names it, and all is there once it answers again."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.s3 import KEYS, Door, deny, key_without_lists, running_s3
from tests.journeys.conftest import Running, start, stop
from tests.store.pictures import asking, picture

UNREACHED = "The bucket of objects cannot be reached, or refuses."
DENIED = "The bucket of objects denies access."
WELL: dict[str, Any] = {"status": "healthy :)"}


UNLISTED = (
    "The bucket of objects denies a list of what is in it: its key needs the right to list the bucket (s3:ListBucket)."
)


def degraded(why: str) -> dict[str, Any]:
    """Return health that tells of waiting calls and of the look at the start."""
    return {"status": "degraded", "troubles": [f"Recorded calls wait in the spool. {why}", why]}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """An S3-compatible server."""
    with running_s3() as url:
        yield url


class Served:
    """A server whose objects are in a bucket, and an agent that shows pictures to a model through it."""

    def __init__(
        self, provider: Running, data: Path, endpoint: str, http: httpx2.Client, keys: dict[str, str] = KEYS
    ) -> None:
        upstream, bucket = f"openai={provider.url}", f"s3://recorded/{data.name}"
        self._arguments = ("serve", "--data", str(data), "--port", "0", "--upstream", upstream, "--objects", bucket)
        self._environ = {**keys, "REENACT_OBJECTS_ENDPOINT": endpoint}
        self._http = http
        self.running = start(*self._arguments, environ=self._environ)

    def again(self) -> None:
        """Kill it and start it on the same folder."""
        self.running.kill()
        stop(self.running)
        self.running = start(*self._arguments, environ=self._environ)

    def show(self, number: int) -> int:
        """Make a call with a picture; return the status that the agent is given."""
        headers = {"authorization": "Bearer sk-test", "helicone-session-id": f"s{number}"}
        url = f"{self.running.url}/v1/gateway/oai/v1/chat/completions"
        return self._http.post(url, content=asking(picture(number)), headers=headers).status_code

    def health(self, expected: dict[str, Any]) -> dict[str, Any]:
        """Return health once it is as *expected*, or as it is after a while."""
        until_s = time.monotonic() + 40
        while True:
            told: dict[str, Any] = self._http.get(f"{self.running.url}/healthcheck").json()
            if told == expected or time.monotonic() > until_s:
                return told

    def found(self) -> int:
        """Return how many calls are found."""
        counted = self._http.post(f"{self.running.url}/v1/request/count/query", json={"filter": "all"})
        found: int = counted.raise_for_status().json()["data"]
        return found

    def pictures(self) -> set[bytes]:
        """Return the pictures of all calls that are found."""
        asked = {"filter": "all", "offset": 0, "limit": 100}
        rows = self._http.post(f"{self.running.url}/v1/request/query", json=asked).raise_for_status().json()["data"]
        return {self._http.get(url).content for row in rows for url in row["asset_urls"].values()}


@pytest.fixture
def door(s3: str) -> Iterator[Door]:
    """The way to the bucket."""
    with Door(s3) as opened:
        yield opened


@pytest.fixture
def served(provider: Running, tmp_path: Path, door: Door, http: httpx2.Client) -> Iterator[Served]:
    """The server."""
    one = Served(provider, tmp_path / "data", door.url, http)
    yield one
    stop(one.running)


def test_a_bucket_that_is_down(served: Served, door: Door) -> None:
    """Calls are answered, kept through a kill of the server, and found with their pictures when the bucket is back."""
    answered = [served.show(1)]
    before = served.pictures()
    door.shut()
    answered += [served.show(number) for number in range(2, 6)]
    served.again()
    answered.append(served.show(6))
    told = served.health(degraded(UNREACHED))
    during = served.found()
    door.is_open = True
    healthy = served.health(WELL)
    after = served.pictures()

    assert [200] * 6 == answered
    assert {picture(1)} == before
    assert (degraded(UNREACHED), 1) == (told, during)
    assert WELL == healthy
    assert {picture(number) for number in range(1, 7)} == after


def test_a_bucket_that_denies_access(served: Served, s3: str) -> None:
    """Health says so, with no address and no key; calls are answered and found once the key is let in."""
    deny(s3, is_denied=True)
    try:
        served.again()
        answered = [served.show(number) for number in range(1, 4)]
        told = served.health(degraded(DENIED))
    finally:
        deny(s3, is_denied=False)
    healthy = served.health(WELL)

    assert [200] * 3 == answered
    assert degraded(DENIED) == told
    assert WELL == healthy
    assert {picture(number) for number in range(1, 4)} == served.pictures()


def test_a_key_that_may_not_list(provider: Running, tmp_path: Path, s3: str, http: httpx2.Client) -> None:
    """Health says which right lacks; calls are recorded and found with their pictures all the same."""
    keys = key_without_lists(s3)
    deny(s3, is_denied=True)
    served = Served(provider, tmp_path / "data", s3, http, keys)
    try:
        answered = served.show(1)
        told = served.health({"status": "degraded", "troubles": [UNLISTED]})
        shown = served.pictures()
    finally:
        deny(s3, is_denied=False)
        stop(served.running)

    assert 200 == answered
    assert {"status": "degraded", "troubles": [UNLISTED]} == told
    assert {picture(1)} == shown

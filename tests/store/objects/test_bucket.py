"""Objects in a bucket, on a real S3-compatible server: kept, lost, denied, unreachable."""

import os
import socket
from collections.abc import Iterator

import httpx2
import pytest

from reenact.errors import InvalidInput, StoreFailed
from reenact.store.objects.bucket import BucketObjects, open_bucket
from reenact.store.objects.files import FileObjects, mark
from reenact.store.objects.keeper import ObjectKeeper
from reenact.store.objects.layered import Layered
from reenact.store.objects.objects import Object
from reenact.store.sqlite.store import SqliteStore
from reenact.store.upkeep import Removal, Scope
from tests.fakes.s3 import KEYS, running_s3
from tests.store.pictures import picture, showing

PICTURE = Object(folder="aa", key="0123", content=picture(1), media_type="image/png")
OTHER = Object(folder="aa", key="4567.zst", content=b"odd")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server with an empty bucket, whose keys are in the environment."""
    before = {name: os.environ.get(name) for name in KEYS}
    os.environ.update(KEYS)
    with running_s3() as url:
        yield url
    for name, value in before.items():
        os.environ.pop(name)
        os.environ.update({} if value is None else {name: value})


def names(objects: BucketObjects) -> list[tuple[str, str, int]]:
    """What is in the bucket."""
    return sorted((one.folder, one.key, one.content_bytes) for one in objects.all())


def test_objects_are_kept_and_deleted(server: str) -> None:
    """Twice put is once there; what is not there is left out and no error to delete."""
    objects = open_bucket("s3://recorded/one/", own="folder", endpoint=server)
    objects.put([PICTURE, OTHER])
    objects.put([PICTURE])
    assert [("aa", "0123", len(PICTURE.content)), ("aa", "4567.zst", 3)] == names(objects)
    assert {"0123": PICTURE.content} == objects.get("aa", ["0123", "89ab"])
    assert {} == objects.get("bb", ["0123"])
    objects.delete("aa", ["0123", "89ab"])
    assert [("aa", "4567.zst", 3)] == names(objects)
    assert [] == names(open_bucket("s3://recorded/two", endpoint=server))


def test_an_address_needs_no_keys_and_says_what_it_is(server: str) -> None:
    """A picture is shown; what is not known is a file to be kept. Without the signature there is nothing."""
    objects = open_bucket("s3://recorded/signed", endpoint=server)
    objects.put([PICTURE, OTHER])
    shown, kept = (httpx2.get(objects.address("aa", one.key, 60) or "", trust_env=False) for one in (PICTURE, OTHER))
    assert (PICTURE.content, "image/png") == (shown.content, shown.headers["content-type"])
    assert ("application/octet-stream", "attachment") == (
        kept.headers["content-type"],
        kept.headers["content-disposition"],
    )


@pytest.mark.parametrize("url", ["recorded", "s3://", "http://host/bucket", "s3://bucket/a?b=c"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """Before anything is opened."""
    with pytest.raises(InvalidInput, match="s3://bucket/prefix"):
        open_bucket(url)


def test_a_bucket_that_is_not_there_fails_as_ours(server: str) -> None:
    """Without telling addresses or headers."""
    objects = open_bucket("s3://missing", endpoint=server)
    with pytest.raises(StoreFailed, match=r"^The bucket of objects cannot be reached, or refuses$"):
        objects.put([PICTURE])


def test_a_store_waits_for_a_bucket_that_is_down(server: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the batch is saved; the same batch is, once the bucket answers; bodies say what is missing meanwhile."""
    folder = tmp_path_factory.mktemp("store")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = open_bucket("s3://recorded/down", endpoint=f"http://127.0.0.1:{closed.getsockname()[1]}")
        store = SqliteStore(folder / "calls.sqlite3", ObjectKeeper(down))
        with pytest.raises(StoreFailed):
            store.save([showing(1, picture(1))])
        assert [] == store.get("one", [showing(1).call.id])
        store.close()
        up = SqliteStore(folder / "calls.sqlite3", ObjectKeeper(open_bucket("s3://recorded/down", endpoint=server)))
        up.save([showing(1, picture(1))])
        assert [showing(1, picture(1)).exchange] == up.exchanges("one", [showing(1).call.id])
        up.close()
        again = SqliteStore(folder / "calls.sqlite3", ObjectKeeper(down))
        [shown] = again.bodies("one", [showing(1).call.id]).values()
        again.close()
    assert 1 == len(shown.lost)
    assert b"cannot be read" in shown.request


def test_what_lay_in_files_is_read_and_deleted_beside_a_bucket(
    server: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A folder that begins to use a bucket, or that came out of a backup, loses nothing and leaves nothing."""
    folder = tmp_path_factory.mktemp("store")
    files = FileObjects(folder / "objects")
    store = SqliteStore(folder / "calls.sqlite3", ObjectKeeper(files))
    store.save([showing(1, picture(1))])
    store.close()
    bucket = open_bucket("s3://recorded/layered", own=mark(folder / "objects"), endpoint=server)
    store = SqliteStore(folder / "calls.sqlite3", ObjectKeeper(Layered(bucket, files)))
    store.save([showing(2, picture(1), picture(2))])
    readings = [showing(1, picture(1)), showing(2, picture(1), picture(2))]
    assert [one.exchange for one in readings] == store.exchanges("one", [one.call.id for one in readings])
    assert [] == store.damage()
    assert 1 == len(list(files.all()))
    store.remove("one", Removal(Scope.ORGANISATION))
    store.wipe()
    assert ([], []) == (list(files.all()), names(bucket))
    store.close()

"""The stores as fixtures."""

from collections.abc import Iterator

import pytest

from reenact.store.calls import CallStore
from reenact.store.clickhouse.opener import Embedded
from tests.store import stores


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The embedded engine of this process; whoever asks for it belongs into `stores.ENGINE`."""
    embedded = Embedded(tmp_path_factory.mktemp("engine"))
    yield embedded
    embedded.close()


@pytest.fixture(scope="session", params=stores.STORES)
def opening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stores.Open]:
    """How each store is opened empty."""
    match request.param:
        case "sqlite":
            opened = stores.sqlite(tmp_path_factory.mktemp("sqlite"))
        case "chdb":
            opened = stores.chdb(request.getfixturevalue("engine"))
        case "clickhouse over HTTP":
            opened = stores.over_http(request.getfixturevalue("engine"))
        case _:
            opened = stores.at_url()
    with opened as again:
        yield again


@pytest.fixture
def store(opening: stores.Open) -> CallStore:
    """An empty store."""
    return opening()


@pytest.fixture(scope="module")
def shared_store(opening: stores.Open) -> CallStore:
    """A store for many examples, each of which takes an organisation of its own."""
    return opening()

"""The gateway's tests of event loops run on both: uvloop, which serves, and Python's own, which Windows has."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
ON_BOTH = ("test_sources", "test_door", "test_realtime")
"""Modules whose every test runs on each loop."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the loops that a test runs on."""
    return LOOPS if item.path.stem in ON_BOTH else {"asyncio": asyncio.new_event_loop}

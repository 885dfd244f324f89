"""`dialect.write_prompt(dialect.read_prompt(body))` equals `body` as JSON, known fields and unknown ones alike."""

from urllib.parse import urlsplit

import msgspec
import pytest

from reenact.dialects.registry import find_dialect
from tests.fakes import tau_bench
from tests.fakes.recorded import recorded


def test_every_recorded_request_is_written_as_it_was_read() -> None:
    """Of all SDKs and providers; with an unknown field beside the known ones, too."""
    dialects = set()
    for one in recorded():
        dialect = find_dialect("", "POST", urlsplit(one.url).path)
        assert dialect is not None, one.url
        dialects.add(dialect.name)
        for body in (one.request, one.request | {"x_unknown": {"deep": [None, 1.5, "é"]}}):
            assert body == dialect.write_prompt(dialect.read_prompt(body)), one.url
    assert 6 == len(dialects)


def test_every_request_of_real_sessions_is_written_as_it_was_read() -> None:
    """A hundred sessions of an agent with tools."""
    if not tau_bench.DATA.exists():
        pytest.skip(tau_bench.MISSING)
    dialect = find_dialect("openai", "POST", "/v1/chat/completions")
    assert dialect is not None
    for session in tau_bench.sessions():
        body = msgspec.json.decode(session.turns[-1].request)
        assert body == dialect.write_prompt(dialect.read_prompt(body)), session.name

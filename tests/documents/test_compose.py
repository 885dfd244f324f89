"""Tests of `docs/compose`: what a team starts is what the settings know."""

from pathlib import Path

import msgspec
import yaml  # type: ignore[import-untyped]

from reenact.settings import Settings, read_settings

OBJECT_STORE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
"""What the client of the object store reads by itself."""
FOLDER = Path(__file__).parents[2] / "docs" / "compose"
SCALE = yaml.safe_load((FOLDER / "scale.yaml").read_text().replace("${REENACT_PASSWORD}", "p%40ss"))


def test_every_variable_is_a_setting() -> None:
    """A name that is misspelt would be ignored without a word; a value that does not parse is refused."""
    environ = SCALE["services"]["reenact"]["environment"]
    known = {f"REENACT_{field.name.upper()}" for field in msgspec.structs.fields(Settings)}
    assert set(environ) <= known | OBJECT_STORE
    settings = read_settings(environ)
    assert ("clickhouse", "/data") == (settings.store, str(settings.data))


def test_what_the_servers_name_is_started() -> None:
    """Each address in the environment is that of a service which stands beside, and each is waited for."""
    services = SCALE["services"]
    settings = read_settings(services["reenact"]["environment"])
    for url in (settings.clickhouse_url, settings.control, settings.redis_url):
        host = url.partition("://")[2].rpartition("@")[2].partition("/")[0].partition(":")[0]
        assert host in services
        assert host in services["reenact"]["depends_on"]
    assert "/data" in services["reenact"]["volumes"]


def test_the_balancer_holds_nothing_back() -> None:
    """Streams pass as they come, and calls of any length that a server takes."""
    text = (FOLDER / "balancer.conf").read_text()
    assert "proxy_buffering off;" in text
    assert "proxy_request_buffering off;" in text
    assert f"client_max_body_size {Settings().max_body_bytes >> 20}m;" in text

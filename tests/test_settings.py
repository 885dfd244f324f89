"""Settings: flags over the environment over defaults, and one sentence for what does not parse."""

from pathlib import Path

import pytest

from reenact.errors import InvalidInput
from reenact.settings import Settings, read_settings


def test_nothing_given_is_the_defaults() -> None:
    """Without flags and variables every setting is its default."""
    assert Settings() == read_settings({})


def test_every_setting_can_be_set_in_the_environment() -> None:
    """Each variable is read as its field's type."""
    environ = {
        "REENACT_DATA": "/tmp/data",
        "REENACT_HOST": "::1",
        "REENACT_PORT": "0",
        "REENACT_UPSTREAMS": "openai=http://127.0.0.1:9000/, Anthropic=https://other.example",
        "REENACT_PROVIDER_KEYS": "openai=sk-1, Groq=gsk=2",
        "REENACT_CONTROL": "postgresql+psycopg://127.0.0.1/reenact",
        "REENACT_OBJECTS": "s3://recorded/team",
        "REENACT_OBJECTS_ENDPOINT": "http://127.0.0.1:9000",
        "REENACT_OBJECT_BYTES": "2048",
        "REENACT_REQUIRE_KEY": "true",
        "REENACT_STORE": "clickhouse",
        "REENACT_CLICKHOUSE_URL": "https://clickhouse.example/reenact",
        "REENACT_CLICKHOUSE_CLUSTER": "main",
        "REENACT_TEXT_INDEX": "false",
        "REENACT_PUBLIC_URL": "https://reenact.example/",
        "REENACT_ALLOWED_TARGETS": "models.internal:8000,10.0.0.0/8",
        "REENACT_REDIS_URL": "redis://127.0.0.1:6379/0",
        "REENACT_REDACT_PATTERNS": "sk-[a-z]{2,5}\n\\d{16}\n",
        "REENACT_SCREEN_URL": "http://127.0.0.1:7000/check",
        "REENACT_GATEWAY_WORKERS": "2",
        "REENACT_DURABLE_ANSWERS": "true",
        "REENACT_SPOOL_QUOTA_BYTES": "1000000000",
        "REENACT_UPSTREAM_CLIENT": "general",
        "REENACT_RETENTION_DAYS": "30",
        "REENACT_RETENTION_BYTES": "5000",
        "REENACT_FRESH_WITHIN_S": "0.5",
        "REENACT_INFER_SESSIONS": "false",
        "REENACT_INFER_IDLE_S": "600",
        "REENACT_MAX_BODY_BYTES": "1000",
    }

    expected = Settings(
        data=Path("/tmp/data"),
        host="::1",
        port=0,
        upstreams={"openai": "http://127.0.0.1:9000", "anthropic": "https://other.example"},
        provider_keys={"openai": "sk-1", "groq": "gsk=2"},
        control="postgresql+psycopg://127.0.0.1/reenact",
        objects="s3://recorded/team",
        objects_endpoint="http://127.0.0.1:9000",
        object_bytes=2048,
        require_key=True,
        store="clickhouse",
        clickhouse_url="https://clickhouse.example/reenact",
        clickhouse_cluster="main",
        text_index=False,
        public_url="https://reenact.example",
        allowed_targets=("models.internal:8000", "10.0.0.0/8"),
        redis_url="redis://127.0.0.1:6379/0",
        redact_patterns=("sk-[a-z]{2,5}", "\\d{16}"),
        screen_url="http://127.0.0.1:7000/check",
        gateway_workers=2,
        durable_answers=True,
        spool_quota_bytes=1_000_000_000,
        upstream_client="general",
        retention_days=30,
        retention_bytes=5000,
        fresh_within_s=0.5,
        infer_sessions=False,
        infer_idle_s=600,
        max_body_bytes=1000,
    )
    assert expected == read_settings(environ)
    assert {f"REENACT_{name.upper()}" for name in Settings.__struct_fields__} == environ.keys()


def test_flags_go_before_the_environment() -> None:
    """A flag that is given wins; one that is None is not given."""
    settings = read_settings({"REENACT_PORT": "1", "REENACT_HOST": "localhost"}, port=2, host=None)

    assert Settings(port=2, host="localhost") == settings


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"REENACT_PORT": "many"}, "REENACT_PORT"),
        ({"REENACT_PORT": "65536"}, "REENACT_PORT"),
        ({"REENACT_REQUIRE_KEY": "perhaps"}, "REENACT_REQUIRE_KEY"),
        ({"REENACT_UPSTREAMS": "openai"}, "REENACT_UPSTREAMS"),
        ({"REENACT_UPSTREAMS": "openai=ftp://x"}, "REENACT_UPSTREAMS"),
        ({"REENACT_PROVIDER_KEYS": "openai=sk-1,sk-2"}, "REENACT_PROVIDER_KEYS"),
        ({"REENACT_PUBLIC_URL": "https://x.example/path"}, "REENACT_PUBLIC_URL"),
        ({"REENACT_SCREEN_URL": "127.0.0.1:7000"}, "REENACT_SCREEN_URL"),
        ({"REENACT_SCREEN_URL": "http://["}, "REENACT_SCREEN_URL"),
        ({"REENACT_MAX_BODY_BYTES": "0"}, "REENACT_MAX_BODY_BYTES"),
    ],
)
def test_what_does_not_parse_names_its_variable(environ: dict[str, str], place: str) -> None:
    """The sentence begins with the variable that is wrong."""
    with pytest.raises(InvalidInput) as raised:
        read_settings(environ)

    assert (place, True) == (raised.value.field, raised.value.message.startswith(place))
    assert "sk-" not in raised.value.message


def test_settings_show_no_secret() -> None:
    """Keys and passwords stand in some of them."""
    settings = Settings(provider_keys={"openai": "sk-1"}, clickhouse_url="http://user:sk-2@host/db", redis_url="sk-3")

    assert "Settings(data='reenact-data')" == repr(settings)

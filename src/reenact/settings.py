"""Every setting once. Only `server` and `cli` read this; parts are given plain arguments.

What a flag of the command line says goes before the environment, the environment before the default. Each field's
environment name is `REENACT_` and the field's name in capitals; `REENACT_UPSTREAMS` is written
`openai=http://127.0.0.1:9000,anthropic=http://127.0.0.1:9001`.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from reenact.errors import InvalidInput


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one server is told; every field has a default that is safe on a laptop."""

    data: Path = Path("reenact-data")
    """The data folder: spool, store, keys. Made on first start, readable by its owner only."""
    host: str = "127.0.0.1"
    """Where to listen. Off loopback a valid key is always required."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8585
    """Where to listen; 0 takes any free port."""
    upstreams: dict[str, str] = {}
    """Origin by provider, such as openai=http://127.0.0.1:9000, instead of the provider's own."""
    provider_keys: dict[str, str] = {}
    """Key by provider, such as openai=sk-...: what `/ai/...` calls and replays ask with that bring none. Never shown. They are
    used for whoever may call this server, without a key of its own on loopback."""
    control: str = ""
    """Where keys and replays are kept: an SQLAlchemy URL such as postgresql+psycopg://user@host/reenact, for several servers
    that share them; a file in the data folder when empty."""
    store: Literal["sqlite", "chdb", "clickhouse"] = "sqlite"
    """Where calls are kept: one SQLite file; ClickHouse's engine in this process (needs reenact[chdb]); or a ClickHouse server
    or cluster (needs reenact[clickhouse])."""
    clickhouse_url: str = ""
    """The server of `clickhouse`: http://user:password@host:8123/database, or https."""
    clickhouse_cluster: str = ""
    """The name of the cluster in that server's configuration; empty for a single node."""
    text_index: bool = True
    """Index the words of what is said, in ClickHouse: searches take milliseconds for a fifth of the disk."""
    objects: str = ""
    """Where images, sounds and long values of bodies are kept: s3://bucket/prefix (needs reenact[s3]); when empty, files in the
    data folder, and for `clickhouse`, which several servers share, the rows themselves."""
    objects_endpoint: str = ""
    """The address of an S3-compatible store that is not Amazon's, such as http://127.0.0.1:9000. Keys and region are read from
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION."""
    object_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 64 * 1024
    """From how many bytes on a piece of a body is kept there."""
    require_key: bool = False
    """Ask for a valid key on loopback too."""
    public_url: str = ""
    """The origin that clients reach this server at, when a proxy stands before it; the request's own when empty. A valid key
    is always required when it is not on loopback."""
    allowed_targets: tuple[str, ...] = ()
    """What `Helicone-Target-URL` and fallbacks may name though it is not public https: host names, `host:port`, addresses,
    networks, or `*` for everything. Without it agents cannot use this server to reach into its network."""
    redis_url: str = ""
    """A Redis or Valkey that keeps rate limits for several servers, such as redis://127.0.0.1:6379/0; each keeps its own when
    empty. Needs reenact[redis]."""
    screen_url: str = ""
    """Who says whether a text is a prompt injection, for `Helicone-LLM-Security-Enabled`: given {"text", "advanced"} by POST it
    answers {"unsafe": true} or false. Nobody when empty."""
    redact_patterns: tuple[str, ...] = ()
    """What is never written: every match of these regular expressions (RE2's) in bodies and headers is masked before a call is
    recorded; agents and providers get what was sent. Needs reenact[redact]."""
    gateway_workers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """How many processes relay agents' calls, each into a spool of its own; what the calls mean is worked out in the server's
    process, which costs agents no time then. 0 does all in one process: the least memory, and enough for a laptop."""
    durable_answers: bool = False
    """Whether the last byte of an answer waits until its record is safe from a power cut: some milliseconds. Without it the
    record is safe from a killed process before that byte, and from a power cut some milliseconds after."""
    spool_quota_bytes: Annotated[int, msgspec.Meta(ge=256 * 1024 * 1024)] | None = None
    """How much may lie in each journal; calls beyond it are not recorded, and counted. None: as much as the disk holds."""
    upstream_client: Literal["pooled", "general"] = "pooled"
    """What asks providers: connections of our own, or the general client (aiohttp), which costs twice the CPU."""
    retention_days: Annotated[float, msgspec.Meta(ge=0)] = 0
    """How long a session is kept after its newest call, and a call that is of none; 0 keeps all."""
    retention_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How much room calls may take; the oldest sessions go first. 0 sets no bound."""
    fresh_within_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 2
    """How long, in seconds, a question waits for what was recorded before it to be in the store: milliseconds while that keeps
    up. Past it the answer is made of what is there."""
    infer_sessions: bool = True
    """Whether calls that name no session are put into one, shown as inferred, by what they repeat of earlier calls."""
    infer_idle_s: Annotated[float, msgspec.Meta(gt=0, le=7 * 86400)] = 1800
    """How long an inferred session may be idle, in seconds, and still be continued."""
    max_body_bytes: Annotated[int, msgspec.Meta(ge=1)] = 100 * 1024 * 1024
    """The largest request body that the gateway accepts."""

    def __repr__(self) -> str:
        return f"Settings(data={str(self.data)!r})"  # others hold keys and passwords


_LISTS = frozenset({"allowed_targets", "provider_keys", "upstreams"})
"""Settings whose variable is a list with commas."""
_LINES = frozenset({"redact_patterns"})
"""Settings whose variable is a list with a line for each."""


def read_settings(environ: Mapping[str, str] | None = None, **flags: object) -> Settings:
    """Return *flags* over the settings in *environ* (the process's own when None) over the defaults; None is no flag.

    Raises:
        InvalidInput: a value that does not parse; the message names the variable or the flag.
    """
    source = os.environ if environ is None else environ
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        variable, flag = f"REENACT_{field.name.upper()}", f"--{field.name.replace('_', '-')}"
        if flags.get(field.name) is not None:
            given[field.name] = _value(field.name, flags[field.name], field.type, flag)
        elif (text := source.get(variable)) is not None:
            given[field.name] = _value(field.name, _parts(field.name, text), field.type, variable)
    return Settings(**given)


def _parts(name: str, text: str) -> object:
    """Return a variable as what it is a list of; as it is when it is none."""
    if name in _LINES:
        return [line for line in text.splitlines() if line]
    return text.split(",") if name in _LISTS else text


def _value(name: str, raw: object, kind: object, place: str) -> object:
    """Return one setting out of a flag or variable called *place*."""
    if name == "upstreams" and not isinstance(raw, Mapping):
        raw = _upstreams(raw if isinstance(raw, Iterable) else (), place)
    if name == "provider_keys" and not isinstance(raw, Mapping):
        raw = _provider_keys(raw if isinstance(raw, Iterable) else (), place)
    if name == "public_url" and raw:
        raw = _origin(str(raw), place)
    if name == "screen_url" and raw and not _is_url(str(raw)):
        raise InvalidInput(f"{place} is not valid: expected an http or https URL.", place)
    try:
        return msgspec.convert(raw, kind, strict=False, dec_hook=lambda wanted, value: wanted(value))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{place} is not valid: {error}.", place) from None


def _upstreams(pairs: Iterable[object], place: str) -> dict[str, str]:
    """Return `provider=URL` pairs as a mapping."""
    upstreams: dict[str, str] = {}
    for pair in pairs:
        provider, _, url = str(pair).strip().partition("=")
        if not provider or urlsplit(url).scheme not in ("http", "https"):
            raise InvalidInput(
                f"{place} is not valid: expected provider=URL such as openai=http://127.0.0.1:9000.", place
            )
        upstreams[provider.lower()] = url.rstrip("/")
    return upstreams


def _provider_keys(pairs: Iterable[object], place: str) -> dict[str, str]:
    """Return `provider=KEY` pairs as a mapping; no error shows one."""
    keys: dict[str, str] = {}
    for pair in pairs:
        provider, _, key = (part.strip() for part in str(pair).partition("="))
        if not provider or not key:
            raise InvalidInput(f"{place} is not valid: expected provider=KEY pairs with commas.", place)
        keys[provider.lower()] = key
    return keys


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _origin(url: str, place: str) -> str:
    """Return *url* as an origin, refused when it is more or less than that."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/") or parts.query:
        raise InvalidInput(f"{place} is not valid: expected scheme and host such as https://reenact.example.", place)
    return f"{parts.scheme}://{parts.netloc}"


def environment() -> Mapping[str, str]:
    """Return the process's environment: where providers keep their keys under names of their own."""
    return os.environ

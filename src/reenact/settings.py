"""Every setting once. Only `server` and `cli` read this; parts are given plain arguments.

Each field's environment name is `REENACT_` and the field's name in capitals.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from reenact.errors import InvalidInput


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one server is told; every field has a default that is safe on a laptop."""

    data: Path = Path("reenact-data")
    """The data folder: spool, store, keys. Made on first start, readable by its owner only."""
    host: str = "127.0.0.1"
    """Where to listen. Off loopback a valid key is always required."""
    port: int = 8585
    """Where to listen; 0 takes any free port."""
    upstreams: dict[str, str] = {}
    """Origin by provider, such as openai=http://127.0.0.1:9000, instead of the provider's own."""
    require_key: bool = False
    """Ask for a valid key on loopback too."""
    public_url: str = ""
    """The origin that clients reach this server at, when a proxy stands before it; the request's own when empty."""
    max_body_bytes: int = 100 * 1024 * 1024
    """The largest request body that is accepted."""


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in *environ* (the process's own when None) over the defaults.

    Raises:
        InvalidInput: a value that does not parse; the message names the variable.
    """
    source = os.environ if environ is None else environ
    given: dict[str, object] = {}
    for name in Settings.__struct_fields__:
        variable = f"REENACT_{name.upper()}"
        if (text := source.get(variable)) is not None:
            given[name] = dict(pair.split("=", 1) for pair in text.split(",")) if name == "upstreams" else text
    try:
        return msgspec.convert(given, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The environment variable for a setting is not valid: {error}", "REENACT_*") from error

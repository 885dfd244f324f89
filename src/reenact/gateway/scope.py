"""Scope: a request's head under ASGI's names."""

from collections.abc import MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
"""Method, scheme, raw_path, query_string, headers, client, and `upgrade`."""

"""Spilled: the record of an exchange whose bodies are too large for one."""

import msgspec

from reenact.domain.exchange import Exchange


class Spilled(msgspec.Struct, frozen=True, kw_only=True):
    """A record whose bodies lie in files; empty names for those that lie in the exchange."""

    exchange: Exchange
    request_file: str = ""
    response_file: str = ""

"""Listener: hears what a request says beside its body, and tells the log what is not read."""

import logging

import msgspec
from litestar import Request
from litestar.datastructures import State

from reenact.api.noticing import unknown_keys

_log = logging.getLogger(__name__)

JsonRequest = Request[None, None, State]


async def note_unknown(request: JsonRequest, kind: type[msgspec.Struct]) -> None:
    """Log the keys of the body that *kind* does not read: a misspelt key should not stay a riddle."""
    if unknown := unknown_keys(await request.json(), kind):
        _log.info("%s %s: keys ignored: %s", request.method, request.url.path, ", ".join(unknown))

"""Screener: asks a classifier of the owner's whether a text is an attack, in the form of Helicone's `/v1/public/security`."""

from urllib.parse import urlsplit

import msgspec

from reenact.errors import UpstreamFailed
from reenact.gateway.answers import hold
from reenact.gateway.source import AnswerSource, UpstreamRequest

_PATIENCE_S = 10.0
"""An agent waits for the verdict."""


class _Verdict(msgspec.Struct):
    unsafe: bool


class Screener:
    """A classifier at an address: given `{"text", "advanced"}` by POST it answers `{"unsafe": true}` or false."""

    def __init__(self, source: AnswerSource, url: str) -> None:
        """Take what asks, and the address: an http or https URL, whose user and password are left out."""
        parts = urlsplit(url)
        self._source = source
        self._origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._target = ((parts.path or "/") + (f"?{parts.query}" if parts.query else "")).encode()

    async def __call__(self, text: str, is_thorough: bool) -> bool:
        """Return whether *text* is an attack; *is_thorough* asks for the slower look.

        Raises:
            UpstreamFailed: there is no verdict.
        """
        body = msgspec.json.encode({"text": text, "advanced": is_thorough})
        request = UpstreamRequest(
            method="POST",
            origin=self._origin,
            target=self._target,
            headers=((b"content-type", b"application/json"), (b"accept-encoding", b"identity")),
            body=body,
            silence_timeout_s=_PATIENCE_S,
        )
        answer = await hold(await self._source.open(request))
        try:
            if answer.status == 200:
                return msgspec.json.decode(answer.body, type=_Verdict).unsafe
        except msgspec.DecodeError:
            pass
        raise UpstreamFailed(f"the classifier answered {answer.status} without a verdict", "provider_error")

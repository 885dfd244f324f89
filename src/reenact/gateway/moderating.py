"""Checks of what the user said last: which calls are checked, and what is answered in their place (surface 1.8, 5.9)."""

from urllib.parse import urljoin

import msgspec

from reenact.domain.exchange import Ending, Header
from reenact.domain.labels import Labels
from reenact.domain.message import Json
from reenact.gateway.ask import Ask
from reenact.gateway.controls import NONE
from reenact.gateway.refusing import Refusal

_PATH = b"chat/completions"
_FOR = "Helicone-Moderation-For"


def is_checkable(ask: Ask) -> bool:
    """Return whether a call is an OpenAI chat; no other is checked."""
    return ask.provider == "openai" and ask.target.partition(b"?")[0].endswith(_PATH)


def checked_text(ask: Ask) -> str | None:
    """Return what is to be checked in an OpenAI chat: its newest message, when a user wrote it; None when there is none."""
    try:
        body = msgspec.json.decode(ask.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    messages = body.get("messages") if isinstance(body, dict) else None
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict) or last.get("role") != "user":
        return None
    return _text(last.get("content")) or None


def moderation_ask(ask: Ask, text: str, moderation_id: str) -> Ask:
    """Return the call that asks *ask*'s provider, with the same key, whether *text* may be said.

    It is a call of its own and no part of the session, so that a replay of the session does not ask it.
    """
    headers: list[Header] = [header for header in ask.headers if header[0] in _KEYS]
    return msgspec.structs.replace(
        ask,
        id=moderation_id,
        method="POST",
        url=ask.url.partition("?")[0].removesuffix(_PATH.decode()) + "moderations",
        target=ask.target.partition(b"?")[0].removesuffix(_PATH) + b"moderations",
        labels=Labels(user_id=ask.labels.user_id, properties={_FOR: ask.id}),
        headers=(*headers, (b"content-type", b"application/json")),
        received=None,
        recorded=None,
        controls=NONE,
        body=msgspec.json.encode({"input": text}),
    )


_KEYS = frozenset({b"authorization", b"openai-organization", b"openai-project", b"user-agent"})


def is_flagged(status: int, body: bytes) -> bool | None:
    """Return what a moderation said; None when it said nothing that can be understood."""
    try:
        answer = msgspec.json.decode(body)
        return bool(answer["results"][0]["flagged"]) if status == 200 else None
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return None


def flagged(ask: Ask) -> Refusal:
    """Return the answer to a call whose text was flagged; it holds a link to the call's page (surface 1.8)."""
    return _blocked(
        "PROMPT_FLAGGED_FOR_MODERATION",
        "The given prompt was flagged by the OpenAI Moderation endpoint.",
        f"See {_page(ask)} for more.",
    )


def threatening(ask: Ask) -> Refusal:
    """Return the answer to a call whose text was taken for an attack."""
    return _blocked(
        "PROMPT_THREAT_DETECTED", "Prompt threat detected. The request was not sent.", f"See {_page(ask)} for more."
    )


def _page(ask: Ask) -> str:
    """Return the address of a call's page on this server, as its agent reaches it."""
    return urljoin(ask.url, f"/calls/{ask.id}")


def _blocked(code: str, message: str, details: str) -> Refusal:
    body = msgspec.json.encode({"success": False, "error": {"code": code, "message": message, "details": details}})
    headers = (
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"helicone-error", b"true"),
        (b"x-helicone-error-type", code.lower().encode()),
    )
    return Refusal(status=400, headers=headers, body=body, ending=Ending.REFUSED, detail=message)


def _text(content: Json) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))

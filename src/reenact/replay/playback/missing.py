"""Word what a request is told that the record cannot answer: the reason, what came nearest, and where the two differ."""

import msgspec

from reenact.dialects.registry import find_dialect
from reenact.domain.exchange import Ending
from reenact.domain.message import Json
from reenact.domain.playback import Difference, Nearest
from reenact.gateway.refusing import Refusal

CONFLICT = 409
_KIND = "replay_miss"
_TOLD = 5
"""How many differences the sentence names; the replay lists more of them."""


def sentence(reason: str, nearest: Nearest | None) -> str:
    """Return why a request is not answered, in words."""
    if nearest is None:
        return f"{reason} Nothing was sent to the provider."
    is_asked = " (which was asked already)" if nearest.is_asked else ""
    told = "; ".join(_told(difference) for difference in nearest.differences[:_TOLD])
    more = len(nearest.differences) - _TOLD + nearest.left_out
    where = f": {told}" + (f"; and {more} more" if more > 0 else "") if told else ""
    return f"{reason} The nearest is call {nearest.index}{is_asked}{where}. Nothing was sent to the provider."


def refusal(provider: str, method: str, path: str, message: str, status: int = CONFLICT, kind: str = _KIND) -> Refusal:
    """Return an answer in the shape of the provider's own errors, which its SDK raises and does not retry.

    Shapes: OpenAI, Anthropic and Gemini API references, 2026-11. The SDKs of OpenAI and Anthropic ask again after 409 unless
    `x-should-retry` says no.
    """
    dialect = find_dialect(provider, method, path)
    content = msgspec.json.encode(_shaped(dialect.name if dialect else "", status, kind, message))
    headers = (
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"x-should-retry", b"false"),
    )
    return Refusal(status=status, headers=headers, body=content, ending=Ending.REFUSED, detail=message)


def _shaped(dialect: str, status: int, kind: str, message: str) -> Json:
    if dialect == "anthropic_messages":
        return {"type": "error", "error": {"type": kind, "message": message}}
    if dialect == "gemini":
        return {"error": {"code": status, "message": message, "status": "FAILED_PRECONDITION"}}
    return {"error": {"message": message, "type": kind, "param": None, "code": kind}}


def _told(difference: Difference) -> str:
    return f"{difference.path} is {_shown(difference.after)}, recorded {_shown(difference.before)}"


def _shown(value: Json) -> str:
    return "absent" if value is None else msgspec.json.encode(value).decode()

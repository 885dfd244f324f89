"""OpenAI's conversations on the wire: which one a call writes into that the provider holds, and what it does to it.

Wire facts: platform.openai.com/docs/api-reference/conversations and .../docs/guides/conversation-state (2026-11). `POST
/conversations` begins one, `POST /conversations/ID/items` adds items, `DELETE .../items/ITEM` takes one out, and every response
that names it adds its input and its output.
"""

import re
from urllib.parse import unquote, urlsplit

import msgspec

from reenact.dialects.wire import text
from reenact.domain.message import Json

FIELD = "conversation"
_MOST_CHARACTERS = 200
"""Of an id."""
_PLACE = re.compile(r"/conversations(?:/(?P<id>[^/]+)(?P<items>/items(?:/(?P<item>[^/]+))?)?)?/?$")


class Place(msgspec.Struct, frozen=True):
    """What an address under `/conversations` names."""

    id: str | None = None
    """The conversation; None for all of them."""
    is_items: bool = False
    """Whether its items are meant, or one of them."""
    item: str | None = None


def named_conversation(body: Json) -> str | None:
    """Return the conversation that a request for a response, or the response, names, by id or as an object; None for none."""
    named = body.get(FIELD) if isinstance(body, dict) else None
    found = text(named, "id") if isinstance(named, dict) else named
    return found if isinstance(found, str) and 0 < len(found) <= _MOST_CHARACTERS else None


def conversation_place(url: str) -> Place | None:
    """Return what *url*, an address or a path of the provider's, names of its conversations; None for another resource."""
    found = _PLACE.search(urlsplit(url).path)
    if found is None:
        return None
    item = found["item"]
    return Place(
        id=unquote(found["id"]) if found["id"] else None,
        is_items=found["items"] is not None,
        item=None if item is None else unquote(item),
    )


def conversation_of(dialect: str, method: str, url: str, body: Json, answer: Json) -> str | None:
    """Return the conversation that a call tells of, whatever it does to it: by its address, its body or its answer.

    Args:
        dialect: of the call; the calls under `/conversations` have none of their own.
        method: of the request.
        url: of the provider.
        body: of the request as JSON; None where it was not recorded.
        answer: its answer as JSON; None where none came.
    """
    if dialect == "openai_responses":
        return named_conversation(body) or named_conversation(answer)
    place = conversation_place(url)
    if place is None:
        return None
    begins = place.id is None and method.upper() == "POST"
    return text(answer, "id")[:_MOST_CHARACTERS] or None if begins else place.id

"""Holder: keeps conversations for as long as the provider runs, as OpenAI's API under `/conversations` does.

What a request for a response says is put together from what its conversation holds: its answer is the one to the same request
said in full. Wire facts: platform.openai.com/docs/api-reference/conversations (2026-11).
"""

from collections import OrderedDict

import msgspec

from reenact.dialects.conversing import FIELD, Place, named_conversation
from reenact.dialects.wire import Object, objects
from reenact.domain.digesting import digest
from reenact.domain.message import Json, Prompt
from reenact.errors import InvalidInput, NotFound

_MOST_KEPT = 1000
"""Conversations; the oldest ones are forgotten."""
_CREATED_SECONDS = 1_767_225_600
_NAMES = ("id", "status")


class Conversation(msgspec.Struct):
    """What was said in one conversation."""

    id: str
    metadata: Json = msgspec.field(default_factory=dict)
    items: list[Object] = []
    """Each with its id, oldest first."""

    def add(self, items: list[Object]) -> list[Object]:
        """Add *items* and return them with their ids."""
        begin = len(self.items)
        named = [
            {"id": f"item_{digest(f'{self.id} {begin + at}'.encode()).hex()}", "status": "completed", **item}
            for at, item in enumerate(items)
        ]
        self.items += named
        return named


class Held(msgspec.Struct, frozen=True):
    """A conversation, and what a request for a response adds to it."""

    conversation: Conversation
    own: list[Object]

    def said(self, prompt: Prompt, output: list[Object]) -> Prompt:
        """Add the request and its answer to the conversation, and return *prompt* as one that names it."""
        self.conversation.add([*self.own, *output])
        return msgspec.structs.replace(prompt, parameters=prompt.parameters | {FIELD: {"id": self.conversation.id}})


class Holder:
    """All conversations of one provider."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()
        self._begun = 0

    def answer(self, method: str, place: Place, query: str, body: bytes) -> Object:
        """Do what a request under `/conversations` asks for and return what it is answered.

        Raises:
            InvalidInput: its body is no JSON, or has no items where it needs some.
            NotFound: there is no such conversation, item or route.
        """
        wanted = _object(body)
        if place.id is None:
            return self._begin(method, wanted)
        conversation = self.find(place.id)
        if place.is_items:
            return _of_items(conversation, method, place, query, wanted)
        if method == "DELETE":
            del self._conversations[conversation.id]
            return {"id": conversation.id, "object": "conversation.deleted", "deleted": True}
        if method == "POST":
            conversation.metadata = wanted.get("metadata", conversation.metadata)
        return _shown(conversation)

    def find(self, conversation_id: str) -> Conversation:
        """Return a conversation.

        Raises:
            NotFound: there is none of this id.
        """
        found = self._conversations.get(conversation_id)
        if found is None:
            raise NotFound(f"Conversation with id '{conversation_id}' not found.")
        return found

    def told_in_full(self, body: bytes) -> tuple[bytes, Held | None]:
        """Return a request for a response with what its conversation holds in it; the request itself where it names none.

        Raises:
            NotFound: it names a conversation that is not there.
        """
        try:
            wanted = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return body, None
        named = named_conversation(wanted)
        if named is None:
            return body, None
        conversation = self.find(named)
        given = wanted.get("input")
        own = [{"role": "user", "content": given}] if isinstance(given, str) else objects(wanted, "input")
        held = [{key: value for key, value in item.items() if key not in _NAMES} for item in conversation.items]
        rest = {key: value for key, value in wanted.items() if key != FIELD}
        return msgspec.json.encode({**rest, "input": [*held, *own]}), Held(conversation, own)

    def _begin(self, method: str, wanted: Object) -> Object:
        if method != "POST":
            raise NotFound(f"Unknown request URL: {method} /v1/conversations.")
        self._begun += 1
        conversation = Conversation(id=f"conv_{digest(str(self._begun).encode()).hex()}")
        conversation.metadata = wanted.get("metadata") or {}
        conversation.add(objects(wanted, "items"))
        self._conversations[conversation.id] = conversation
        if len(self._conversations) > _MOST_KEPT:
            self._conversations.popitem(last=False)
        return _shown(conversation)


def _of_items(conversation: Conversation, method: str, place: Place, query: str, wanted: Object) -> Object:
    if place.item is None and method == "POST":
        items = objects(wanted, "items")
        if not items:
            raise InvalidInput("Missing required parameter: 'items'.", "items")
        return _listed(conversation.add(items))
    if place.item is None:
        return _listed(conversation.items if "order=asc" in query.split("&") else conversation.items[::-1])
    found = next((item for item in conversation.items if item["id"] == place.item), None)
    if found is None:
        raise NotFound(f"Item with id '{place.item}' not found.")
    if method != "DELETE":
        return found
    conversation.items.remove(found)
    return _shown(conversation)


def _shown(conversation: Conversation) -> Object:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": _CREATED_SECONDS,
        "metadata": conversation.metadata,
    }


def _listed(items: list[Object]) -> Object:
    ids = [item["id"] for item in items]
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return {"object": "list", "data": items, "has_more": False, **ends}


def _object(body: bytes) -> Object:
    if not body:
        return {}
    try:
        wanted = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise InvalidInput("We could not parse the JSON body of your request.") from error
    return wanted if isinstance(wanted, dict) else {}

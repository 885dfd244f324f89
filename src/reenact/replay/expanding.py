"""Say in full what a request of OpenAI's Responses API only names: the history that the provider holds for it.

`previous_response_id` stands for the input of that response and what it put out, and so on back; its instructions are not among
it. `conversation` stands for the items that were put into it, and the input and output of every response that named it, one
after the other (platform.openai.com/docs/guides/conversation-state, 2026-11). Thoughts are left out: what makes them readable
is not recorded.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from reenact.dialects.conversing import FIELD as CONVERSATION
from reenact.dialects.conversing import conversation_of, conversation_place, named_conversation
from reenact.dialects.openai_responses import OpenAIResponses
from reenact.dialects.responses_item import read_item
from reenact.dialects.wire import Object, objects, text
from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Ending
from reenact.domain.message import Json, Lost, Message, Prompt, Role
from reenact.errors import InvalidInput
from reenact.ingest.unpacking import unpack

PREVIOUS = "previous_response_id"
_DIALECT = OpenAIResponses()
_OF_THE_RECORD = frozenset({"id", "status"})
"""Fields of items that name what the provider keeps."""
_MOST_RESPONSES = 10_000
"""How far back a history may go; a circle of ids ends here."""
_NEVER_THERE = frozenset({Ending.UNREACHED, Ending.REFUSED})

Held = tuple[Call, Bodies]
"""A recorded call and its bodies."""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The recorded calls that a history may be put together from."""

    responses: Mapping[str, Held] = {}
    """By the provider's id of the response."""
    conversations: Mapping[str, Sequence[Held]] = {}
    """All that tell of a conversation, by its id, oldest first."""


NOTHING_EARLIER = Earlier()


class Missing(msgspec.Struct, frozen=True):
    """A history that the record does not hold whole."""

    why: str
    """In words, for the middle of a sentence."""


class Names(msgspec.Struct, frozen=True):
    """What the provider holds that a call goes on from, or writes into."""

    response: str | None = None
    conversation: str | None = None


def names(call: Call, bodies: Bodies | None) -> Names:
    """Return what of the provider's a recorded call names."""
    is_response = call.dialect == _DIALECT.name
    if bodies is None or not (is_response or conversation_place(call.target_url)):
        return Names()
    body = _body(bodies)
    previous = text(body, PREVIOUS) if is_response else ""
    return Names(
        response=previous or None,
        conversation=conversation_of(call.dialect, call.method, call.target_url, body, bodies.answer),
    )


def begins_conversation(call: Call) -> bool:
    """Return whether a call has a conversation begun at the provider."""
    place = conversation_place(call.target_url)
    return place is not None and place.id is None and call.method.upper() == "POST"


def with_own(earlier: Earlier, calls: Iterable[Call], bodies: Mapping[str, Bodies]) -> Earlier:
    """Return *earlier* with a session's own *calls* among it."""
    responses = dict(earlier.responses)
    conversations = {
        name: {call.id: (call, held) for call, held in some} for name, some in earlier.conversations.items()
    }
    own = [(call, bodies[call.id]) for call in calls if call.id in bodies]
    for call, held in reversed(own):  # of two that were answered with one id the first counts
        if call.response_id is not None:
            responses[call.response_id] = (call, held)
        if (name := names(call, held).conversation) is not None:
            conversations.setdefault(name, {})[call.id] = (call, held)
    return Earlier(
        responses=responses,
        conversations={
            name: sorted(some.values(), key=lambda held: _moment(held[0])) for name, some in conversations.items()
        },
    )


def expanded(prompt: Prompt, call: Call, earlier: Earlier) -> Prompt | Missing:
    """Return the *prompt* of a call with the history that it names said in full, or what of that was not recorded."""
    if prompt.parameters.get(PREVIOUS) is None and named_conversation(prompt.parameters) is None:
        return prompt
    history = _history(prompt, call, earlier)
    if isinstance(history, Missing):
        return history
    own = [message for message in prompt.messages if _is_instructions(message)]
    before = [message for item in history for message in item.messages]
    where = PREVIOUS if prompt.parameters.get(PREVIOUS) is not None else CONVERSATION
    lost = any(item.has_thoughts for item in history)
    told = (Lost(f"/{where}", "what the model thought before is held by the provider"),) if lost else ()
    return msgspec.structs.replace(
        prompt,
        messages=(*own, *before, *_turns(prompt)),
        parameters={key: value for key, value in prompt.parameters.items() if key not in (PREVIOUS, CONVERSATION)},
        lost=(*prompt.lost, *told),
    )


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    """What a call left at the provider: its turns, or one of its items."""

    messages: tuple[Message, ...] = ()
    id: str = ""
    """The provider's; empty when the record does not tell."""
    has_thoughts: bool = False


def _history(prompt: Prompt, call: Call, earlier: Earlier) -> list[_Item] | Missing:
    """Return what the provider holds for a request, oldest first."""
    newest_first: list[list[_Item]] = []
    for _ in range(_MOST_RESPONSES):
        conversation = named_conversation(prompt.parameters)
        previous = prompt.parameters.get(PREVIOUS)
        if conversation is not None:
            held = _conversed(conversation, call, earlier)
            if isinstance(held, Missing):
                return held
            newest_first.append(held)
            break
        if previous is None:
            break
        found = earlier.responses.get(str(previous))
        read = None if found is None else _prompt(found[1])
        left = None if found is None or read is None else _left(read, *found)
        if found is None or read is None or left is None:
            return Missing(f"the response {previous} was not recorded")
        newest_first.append(left)
        call, prompt = found[0], read
    return [item for items in reversed(newest_first) for item in items]


def _conversed(conversation: str, call: Call, earlier: Earlier) -> list[_Item] | Missing:
    """Return what a conversation held when *call* was asked: the provider lets one call at a time write into it."""
    items: list[_Item] = []
    has_begun = False
    for one, bodies in earlier.conversations.get(conversation, ()):
        if _moment(one) >= _moment(call):
            break
        if one.provider != call.provider or _wrote_nothing(one):
            continue
        left = _written(one, bodies, items)
        if isinstance(left, Missing):
            return left
        has_begun = has_begun or begins_conversation(one)
        items = left
    return items if has_begun else Missing(f"the beginning of the conversation {conversation} was not recorded")


def _written(call: Call, bodies: Bodies, items: list[_Item]) -> list[_Item] | Missing:
    """Return the *items* of a conversation after a call that told the provider of it."""
    place = conversation_place(call.target_url)
    if place is None:
        prompt = _prompt(bodies) if call.ending is Ending.ANSWERED else None
        left = None if prompt is None else _left(prompt, call, bodies)
        return (
            Missing(f"what call {call.id} left in the conversation was not recorded")
            if left is None
            else [*items, *left]
        )
    if place.item is not None and call.method.upper() == "DELETE":
        kept = [item for item in items if item.id != place.item]
        return kept if len(kept) < len(items) else Missing(f"which item call {call.id} took out was not recorded")
    if call.method.upper() != "POST" or not (place.is_items or place.id is None):
        return items
    body = _body(bodies)
    if body is None and (bodies.request or call.handling.omitted_request):
        return Missing(f"what call {call.id} put into the conversation was not recorded")
    ids = [text(one, "id") for one in objects(bodies.answer, "data")]
    added = objects(body, "items")
    known = ids if len(ids) == len(added) else [""] * len(added)
    return [*items, *(_item(item, name) for item, name in zip(added, known, strict=True))]


def _left(prompt: Prompt, call: Call, bodies: Bodies) -> list[_Item] | None:
    """Return what a response leaves at the provider: its input and its output; None when that was not recorded."""
    output = objects(bodies.answer, "output")
    if call.status >= 400 or not output:
        return None
    return [_Item(messages=_turns(prompt)), *(_item(item, text(item, "id")) for item in output)]


def _item(wire: Object, name: str) -> _Item:
    """Return an item as it is said again, without the names that the provider gave it."""
    if text(wire, "type") == "reasoning":
        return _Item(id=name, has_thoughts=True)
    return _Item(id=name, messages=(read_item({k: v for k, v in wire.items() if k not in _OF_THE_RECORD}),))


def _wrote_nothing(call: Call) -> bool:
    """Return whether a call reached no provider, or was refused by it."""
    handling = call.handling
    was_given = handling.cache_reference_id is not None or handling.played_from is not None
    return was_given or call.status >= 400 or call.ending in _NEVER_THERE


def _moment(call: Call) -> tuple[int, str]:
    return call.created_us, call.id


def _turns(prompt: Prompt) -> tuple[Message, ...]:
    return tuple(message for message in prompt.messages if not _is_instructions(message))


def _is_instructions(message: Message) -> bool:
    return message.role is Role.SYSTEM and not isinstance(message.origin, dict)


def _prompt(bodies: Bodies) -> Prompt | None:
    try:
        return _DIALECT.read_prompt(_body(bodies))
    except InvalidInput:
        return None


def _body(bodies: Bodies) -> Json:
    """Return a request's body as JSON; None when it was not recorded, or is none."""
    try:
        return msgspec.json.decode(unpack(bodies.request, bodies.request_headers))
    except (InvalidInput, msgspec.MsgspecError, UnicodeDecodeError):
        return None

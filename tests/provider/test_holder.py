"""The scripted provider holds conversations, as OpenAI's own client meets them."""

from typing import Any

import openai
import pytest
from openai.types.responses import ResponseInputItemParam

HELLO: ResponseInputItemParam = {"type": "message", "role": "user", "content": "Call me Ada."}


def test_a_response_goes_on_from_what_its_conversation_holds(sdk: openai.OpenAI) -> None:
    """It says what it says to the same history in full, streamed or not; input and output are held for the next one."""
    held = sdk.conversations.create(items=[HELLO], metadata={"topic": "tea"})
    first = sdk.responses.create(model="gpt-5", input="One?", conversation=held.id)
    with sdk.responses.stream(model="gpt-5", input="Two?", conversation=held.id) as stream:
        second = stream.get_final_response()
    answered: Any = first.output[0].to_dict()
    said: Any = {name: answered[name] for name in ("type", "role", "content")}
    one: ResponseInputItemParam = {"role": "user", "content": "One?"}
    two: ResponseInputItemParam = {"role": "user", "content": "Two?"}
    in_full = sdk.responses.create(model="gpt-5", input=[HELLO, one, said, two])

    assert in_full.output_text == second.output_text
    assert first.conversation is not None
    assert held.id == first.conversation.id
    assert 5 == len(sdk.conversations.items.list(held.id, order="asc").data)


def test_items_are_added_read_and_taken_out(sdk: openai.OpenAI) -> None:
    """By the ids that adding them answers."""
    held = sdk.conversations.create()
    added = sdk.conversations.items.create(held.id, items=[HELLO, HELLO])
    assert sdk.conversations.items.retrieve(added.data[1].id or "", conversation_id=held.id).id == added.data[1].id
    sdk.conversations.items.delete(added.data[0].id or "", conversation_id=held.id)

    assert [added.data[1].id] == [item.id for item in sdk.conversations.items.list(held.id).data]
    assert {"a": "b"} == sdk.conversations.update(held.id, metadata={"a": "b"}).metadata


def test_what_is_not_there_is_not_found(sdk: openai.OpenAI) -> None:
    """Nor is a conversation that was deleted; a request that fails leaves nothing in one."""
    held = sdk.conversations.create()
    with pytest.raises(openai.RateLimitError):
        sdk.responses.create(model="gpt-5", input="One? [[fault: status=429]]", conversation=held.id)
    assert [] == sdk.conversations.items.list(held.id).data
    assert sdk.conversations.delete(held.id).deleted
    for name in (held.id, "conv_none"):
        with pytest.raises(openai.NotFoundError, match="Conversation with id"):
            sdk.responses.create(model="gpt-5", input="One?", conversation=name)
    with pytest.raises(openai.NotFoundError, match="Conversation with id"):
        sdk.conversations.items.list(held.id)

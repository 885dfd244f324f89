"""Writing a reply in the format of the request, whole or as the pieces of a stream."""

from collections.abc import Iterator

import msgspec

from reenact.dialects.framing import DONE, write_event
from reenact.dialects.wire import Object, inner
from reenact.domain.message import Json, Prompt
from reenact.provider.chat_writing import stream_chat, write_chat
from reenact.provider.completions_writing import stream_completion, write_completion
from reenact.provider.embedding import write_embeddings
from reenact.provider.gemini_writing import stream_generated, write_generated
from reenact.provider.messages_writing import stream_message, write_message
from reenact.provider.reply import Reply
from reenact.provider.responses_writing import stream_response, write_response

_MODELS = (
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1",
    "o4-mini",
    "claude-sonnet-5-5",
    "gemini-2.5-flash",
    "text-embedding-3-small",
)


def write_answer(prompt: Prompt, reply: Reply) -> bytes:
    """Return the body of an unstreamed answer."""
    return msgspec.json.encode(_whole(prompt, reply))


def stream_answer(prompt: Prompt, reply: Reply, *, is_array: bool = False) -> Iterator[bytes]:
    """Yield the pieces of a streamed answer, the format's own end included; *is_array* is Gemini's without `alt=sse`."""
    events = _events(prompt, reply)
    if is_array:
        for at, event in enumerate(events):
            yield (b",\r\n" if at else b"[") + msgspec.json.encode(event)
        yield b"]"
        return
    for event in events:
        yield write_event(msgspec.json.encode(event), event.get("type", ""))
    if prompt.dialect.startswith("openai_") and prompt.dialect != "openai_responses":
        yield DONE


def write_models() -> bytes:
    """Return the list of models; any other name is answered too."""
    models = [{"id": name, "object": "model", "created": 1_767_225_600, "owned_by": "scripted"} for name in _MODELS]
    return msgspec.json.encode({"object": "list", "data": models})


def _whole(prompt: Prompt, reply: Reply) -> Json:
    match prompt.dialect:
        case "openai_embeddings":
            return write_embeddings(prompt)
        case "openai_completions":
            return write_completion(reply)
        case "openai_responses":
            return write_response(prompt, reply)
        case "anthropic_messages":
            return write_message(reply)
        case "gemini":
            return write_generated(reply)
        case _:
            return write_chat(reply)


def _events(prompt: Prompt, reply: Reply) -> Iterator[Object]:
    with_usage = inner(prompt.parameters, "stream_options").get("include_usage") is True
    match prompt.dialect:
        case "openai_completions":
            return stream_completion(reply, with_usage=with_usage)
        case "openai_responses":
            return stream_response(prompt, reply)
        case "anthropic_messages":
            return stream_message(reply)
        case "gemini":
            return stream_generated(reply)
        case _:
            return stream_chat(reply, with_usage=with_usage)

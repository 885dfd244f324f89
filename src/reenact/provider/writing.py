"""Writing a reply in the format of the request, whole or as the pieces of a stream."""

from collections.abc import Iterator

import msgspec

from reenact.dialects.framing import DONE, write_event
from reenact.dialects.wire import inner
from reenact.domain.message import Json, Prompt
from reenact.provider.chat_writing import stream_chat, write_chat
from reenact.provider.completions_writing import stream_completion, write_completion
from reenact.provider.embedding import write_embeddings
from reenact.provider.reply import Reply


def write_answer(prompt: Prompt, reply: Reply) -> bytes:
    """Return the body of an unstreamed answer."""
    return msgspec.json.encode(_whole(prompt, reply))


def stream_answer(prompt: Prompt, reply: Reply) -> Iterator[bytes]:
    """Yield the events of a streamed answer as bytes, the format's own end included."""
    with_usage = inner(prompt.parameters, "stream_options").get("include_usage") is True
    stream = stream_completion if prompt.dialect == "openai_completions" else stream_chat
    for chunk in stream(reply, with_usage=with_usage):
        yield write_event(msgspec.json.encode(chunk))
    yield DONE


def write_models() -> bytes:
    """Return the list of models; any other name is answered too."""
    names = (
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-4.1",
        "o4-mini",
        "claude-sonnet-4-5",
        "gemini-2.5-flash",
        "text-embedding-3-small",
    )
    models = [{"id": name, "object": "model", "created": 1_767_225_600, "owned_by": "scripted"} for name in names]
    return msgspec.json.encode({"object": "list", "data": models})


def _whole(prompt: Prompt, reply: Reply) -> Json:
    if prompt.dialect == "openai_embeddings":
        return write_embeddings(prompt)
    return write_completion(reply) if prompt.dialect == "openai_completions" else write_chat(reply)

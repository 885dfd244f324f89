"""Small recorded sessions for tests of carrying: bodies as agents send them, answers as OpenAI gives them."""

import json

from reenact.dialects.openai_chat import OpenAIChat
from reenact.domain.message import Answer, Json
from reenact.replay.carrying.tape import Recorded, Tape

DIALECT = OpenAIChat()
SECOND_US = 1_000_000


def said(text: str | None, *uses: tuple[str, str, Json], **fields: Json) -> Json:
    """Return a chat answer's body: a text, tool calls (link id, name, arguments), or both."""
    message: Json = {"role": "assistant", "content": text, "refusal": None}
    if uses:
        message["tool_calls"] = [use(*one) for one in uses]
    reason = "tool_calls" if uses else "stop"
    return {"id": "r", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": reason}], **fields}


def use(link: str, name: str, arguments: Json) -> Json:
    """Return a tool call."""
    return {"id": link, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def asked(*messages: Json, **fields: Json) -> Json:
    """Return a chat body; a plain string is a user's message."""
    return {"model": "m", "messages": [user(m) if isinstance(m, str) else m for m in messages], **fields}


def user(text: str) -> Json:
    """Return a user's message."""
    return {"role": "user", "content": text}


def system(text: str) -> Json:
    """Return a system prompt."""
    return {"role": "system", "content": text}


def back(text: str) -> Json:
    """Return an answer's text as a turn."""
    return {"role": "assistant", "content": text}


def uses_back(*uses: tuple[str, str, Json]) -> Json:
    """Return an answer's tool calls as a turn."""
    return {"role": "assistant", "content": None, "tool_calls": [use(*one) for one in uses]}


def result(link: str, text: str) -> Json:
    """Return a tool's result."""
    return {"role": "tool", "tool_call_id": link, "content": text}


def answer(body: Json) -> Answer:
    """Return an answer's body understood."""
    return DIALECT.read_answer(body)


def a_tape(
    *calls: tuple[Json, Json], at_once: bool = False, families: tuple[str, ...] = (), pause_us: int = 5 * SECOND_US
) -> Tape:
    """Return calls of these bodies and answers (None: it failed), one after the other with a *pause_us*, or all *at_once*."""
    return tuple(
        Recorded(
            index=number,
            prompt=DIALECT.read_prompt(body),
            answer=None if response is None else answer(response),
            started_us=number if at_once else number * 10 * SECOND_US,
            ended_us=100 * SECOND_US if at_once else (number + 1) * 10 * SECOND_US - pause_us,
            family=families[number - 1] if families else "/",
        )
        for number, (body, response) in enumerate(calls, start=1)
    )

"""LiteLLM: a completion, a stream, and a tool whose result goes back; then Anthropic in OpenAI's words."""

import json
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched at import

import litellm
from told import CHAT, GATEWAY, HEADERS, KEY, SCHEMA, STREAM, TOOLS, WEATHER, call, tell

OPENAI = {
    "model": "openai/gpt-4o-mini",
    "api_base": f"{GATEWAY}/v1/gateway/oai/v1",
    "api_key": KEY,
    "extra_headers": HEADERS,
}
ANTHROPIC = {
    "model": "anthropic/claude-sonnet-4-5",
    "api_base": f"{GATEWAY}/v1/gateway/anthropic",
    "api_key": KEY,
    "extra_headers": HEADERS,
}
FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


def seen(answer) -> dict:
    """Return an answer as a call."""
    message = answer.choices[0].message
    tools = [(one.function.name, json.loads(one.function.arguments)) for one in message.tool_calls or []]
    return call(message.content or "", (answer.usage.prompt_tokens, answer.usage.completion_tokens), tools)


chat = litellm.completion(messages=[{"role": "user", "content": CHAT}], **OPENAI)

pieces = list(
    litellm.completion(
        messages=[{"role": "user", "content": STREAM}],
        stream=True,
        stream_options={"include_usage": True},
        **OPENAI,
    )
)
said = "".join(choice.delta.content or "" for piece in pieces for choice in piece.choices)
usage = next(piece.usage for piece in reversed(pieces) if getattr(piece, "usage", None))

messages = [{"role": "user", "content": TOOLS}]
asked = litellm.completion(messages=messages, tools=[FUNCTION], **OPENAI)
wanted = asked.choices[0].message
messages += [wanted, {"role": "tool", "tool_call_id": wanted.tool_calls[0].id, "content": WEATHER}]
answered = litellm.completion(messages=messages, tools=[FUNCTION], **OPENAI)

other = litellm.completion(messages=[{"role": "user", "content": CHAT}], **ANTHROPIC)

streamed = call(said, (usage.prompt_tokens, usage.completion_tokens))
tell(seen(chat), streamed, seen(asked), seen(answered), seen(other))

"""The anthropic package: a message, a stream, and a tool whose result goes back."""

from anthropic import Anthropic
from anthropic.types import Message
from told import CHAT, GATEWAY, HEADERS, KEY, SCHEMA, STREAM, TOOLS, WEATHER, call, tell

client = Anthropic(base_url=f"{GATEWAY}/v1/gateway/anthropic", api_key=KEY, default_headers=HEADERS, max_retries=0)
MODEL = "claude-sonnet-4-5"
TOOL = {"name": "get_weather", "input_schema": SCHEMA}


def seen(message: Message) -> dict:
    """Return an answer as a call."""
    said = "".join(block.text for block in message.content if block.type == "text")
    tools = [(block.name, block.input) for block in message.content if block.type == "tool_use"]
    return call(said, (message.usage.input_tokens, message.usage.output_tokens), tools)


chat = client.messages.create(model=MODEL, max_tokens=200, messages=[{"role": "user", "content": CHAT}])

with client.messages.stream(model=MODEL, max_tokens=200, messages=[{"role": "user", "content": STREAM}]) as stream:
    said = "".join(stream.text_stream)
    streamed = stream.get_final_message()
assert said == "".join(block.text for block in streamed.content)

messages = [{"role": "user", "content": TOOLS}]
asked = client.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[TOOL])
use = next(block for block in asked.content if block.type == "tool_use")
messages += [
    {"role": "assistant", "content": asked.content},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": WEATHER}]},
]
answered = client.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[TOOL])

tell(seen(chat), seen(streamed), seen(asked), seen(answered))

"""The openai package: chat, a stream, and a tool whose result goes back."""

import json

from openai import OpenAI
from openai.types.chat import ChatCompletion
from told import CHAT, GATEWAY, HEADERS, KEY, SCHEMA, STREAM, TOOLS, WEATHER, call, tell

client = OpenAI(base_url=f"{GATEWAY}/v1/gateway/oai/v1", api_key=KEY, default_headers=HEADERS, max_retries=0)
MODEL = "gpt-4o-mini"
FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


def seen(answer: ChatCompletion) -> dict:
    """Return an answer as a call."""
    message = answer.choices[0].message
    tools = [(one.function.name, json.loads(one.function.arguments)) for one in message.tool_calls or []]
    return call(message.content or "", (answer.usage.prompt_tokens, answer.usage.completion_tokens), tools)


chat = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": CHAT}])

said, usage = "", None
for chunk in client.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": STREAM}],
    stream=True,
    stream_options={"include_usage": True},
):
    said += "".join(choice.delta.content or "" for choice in chunk.choices)
    usage = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens) if chunk.usage else usage

messages = [{"role": "user", "content": TOOLS}]
asked = client.chat.completions.create(model=MODEL, messages=messages, tools=[FUNCTION])
wanted = asked.choices[0].message
messages += [wanted, {"role": "tool", "tool_call_id": wanted.tool_calls[0].id, "content": WEATHER}]
answered = client.chat.completions.create(model=MODEL, messages=messages, tools=[FUNCTION])

response = client.responses.create(model=MODEL, input=CHAT)
responded = call(response.output_text, (response.usage.input_tokens, response.usage.output_tokens))

tell(seen(chat), call(said, usage), seen(asked), seen(answered), responded)

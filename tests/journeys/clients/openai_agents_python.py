"""The OpenAI Agents SDK, over the Responses API: a run, a streamed run, and a run that uses a tool by itself."""

import asyncio
import json

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from told import CHAT, GATEWAY, HEADERS, KEY, STREAM, TOOLS, WEATHER, call, tell


def seen(response) -> dict:
    """Return an answer as a call."""
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    tools = [(item.name, json.loads(item.arguments)) for item in response.output if item.type == "function_call"]
    usage = (response.usage.input_tokens, response.usage.output_tokens)
    return call("".join(part.text for part in parts), usage, tools)


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return WEATHER


async def main() -> None:
    """Run all three."""
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=f"{GATEWAY}/v1/gateway/oai/v1", api_key=KEY, default_headers=HEADERS, max_retries=0)
    model = OpenAIResponsesModel("gpt-4o-mini", openai_client=client)
    chat = await Runner.run(Agent("chat", model=model), CHAT)
    streamed = Runner.run_streamed(Agent("stream", model=model), STREAM)
    async for _ in streamed.stream_events():
        pass
    used = await Runner.run(Agent("tools", model=model, tools=[get_weather]), TOOLS)
    tell(*[seen(one) for run in (chat, streamed, used) for one in run.raw_responses])


asyncio.run(main())

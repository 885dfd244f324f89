"""Pydantic AI: a run, a streamed run, and a run that uses a tool by itself."""

import asyncio

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from told import CHAT, GATEWAY, HEADERS, KEY, STREAM, TOOLS, WEATHER, call, tell


def seen(message: ModelResponse) -> dict:
    """Return an answer as a call."""
    said = "".join(part.content for part in message.parts if isinstance(part, TextPart))
    tools = [(part.tool_name, part.args_as_dict()) for part in message.parts if isinstance(part, ToolCallPart)]
    return call(said, (message.usage.input_tokens, message.usage.output_tokens), tools)


def responses(run) -> list[dict]:
    """Return the answers of a run."""
    return [seen(message) for message in run.all_messages() if isinstance(message, ModelResponse)]


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return WEATHER


async def main() -> None:
    """Run all three."""
    client = AsyncOpenAI(base_url=f"{GATEWAY}/v1/gateway/oai/v1", api_key=KEY, default_headers=HEADERS, max_retries=0)
    model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))
    chat = await Agent(model).run(CHAT)
    async with Agent(model).run_stream(STREAM) as streamed:
        await streamed.get_output()
    used = await Agent(model, tools=[get_weather]).run(TOOLS)
    tell(*responses(chat), *responses(streamed), *responses(used))


asyncio.run(main())

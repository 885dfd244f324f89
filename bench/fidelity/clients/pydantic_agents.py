"""Agents of Pydantic AI: a tool loop of two user turns, a sub-agent as a tool, an answer of a form that goes into a prompt."""

import asyncio

from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from setting import base_url, runs, weather_of


class Trip(BaseModel):
    """A trip."""

    city: str
    reason: str


async def loop(model: OpenAIChatModel, change: str) -> None:
    """Use a tool, and talk on."""
    agent = Agent(model, system_prompt=f"You plan trips.{change}")

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Tell the weather of a city."""
        return weather_of(city)

    first = await agent.run("Use get weather for Oslo and tell me what to wear.")
    await agent.run("And what should I pack for a week there?", message_history=first.all_messages())


async def handoff(model: OpenAIChatModel, change: str) -> None:
    """Ask another agent by a tool."""
    clerk = Agent(model, system_prompt=f"You answer questions of trains.{change}")
    desk = Agent(model, system_prompt=f"You ask the clerk.{change}")

    @desk.tool_plain
    async def ask_clerk(question: str) -> str:
        """Ask the clerk a question of trains."""
        return (await clerk.run(question)).output

    await desk.run("Ask clerk when the train leaves.")


async def form(model: OpenAIChatModel, change: str) -> None:
    """Have a trip chosen, and written about."""
    chooser = Agent(model, system_prompt=f"You choose trips.{change}", output_type=NativeOutput(Trip))
    trip = (await chooser.run("Where shall we go, Oslo or Lima?")).output
    writer = Agent(model, system_prompt=f"You write.{change}")
    await writer.run(f"Write a card from {trip.city}. It was chosen because: {trip.reason}")


async def main() -> None:
    """Run every case, as recorded and changed."""
    for case, change, headers in runs():
        client = AsyncOpenAI(base_url=base_url(), api_key="sk-agent", default_headers=headers, max_retries=0)
        model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))
        await {"loop": loop, "handoff": handoff, "form": form}[case](model, change)


asyncio.run(main())

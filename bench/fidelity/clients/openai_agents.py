"""Agents of the OpenAI Agents SDK: a tool loop with two user turns, a hand-off, an answer of a form that goes into a prompt."""

import asyncio

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from pydantic import BaseModel
from setting import base_url, runs, weather_of


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return weather_of(city)


class Trip(BaseModel):
    """A trip."""

    city: str
    reason: str


async def loop(model: OpenAIChatCompletionsModel, change: str) -> None:
    """Use a tool, and talk on."""
    agent = Agent("traveller", instructions=f"You plan trips.{change}", model=model, tools=[get_weather])
    first = await Runner.run(agent, "Use get weather for Oslo and tell me what to wear.")
    more = [*first.to_input_list(), {"role": "user", "content": "And what should I pack for a week there?"}]
    await Runner.run(agent, more)


async def handoff(model: OpenAIChatCompletionsModel, change: str) -> None:
    """Hand the conversation over to another agent."""
    settings = ModelSettings(parallel_tool_calls=False)
    expert = Agent("clerk", instructions=f"You answer questions of trains.{change}", model=model)
    desk = Agent(
        "desk", instructions=f"You hand over.{change}", model=model, handoffs=[expert], model_settings=settings
    )
    await Runner.run(desk, "Please transfer to clerk: when does the train leave?")


async def form(model: OpenAIChatCompletionsModel, change: str) -> None:
    """Have a trip chosen, and written about."""
    chooser = Agent("chooser", instructions=f"You choose trips.{change}", model=model, output_type=Trip)
    trip = (await Runner.run(chooser, "Where shall we go, Oslo or Lima?")).final_output
    writer = Agent("writer", instructions=f"You write.{change}", model=model)
    await Runner.run(writer, f"Write a card from {trip.city}. It was chosen because: {trip.reason}")


async def main() -> None:
    """Run every case, as recorded and changed."""
    set_tracing_disabled(True)
    for case, change, headers in runs():
        client = AsyncOpenAI(base_url=base_url(), api_key="sk-agent", default_headers=headers, max_retries=0)
        model = OpenAIChatCompletionsModel("gpt-4o-mini", openai_client=client)
        await {"loop": loop, "handoff": handoff, "form": form}[case](model, change)


asyncio.run(main())

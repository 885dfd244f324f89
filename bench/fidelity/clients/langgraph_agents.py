"""Agents of LangGraph: a tool loop with two user turns, two agents in a row, an answer of a form that goes into a prompt."""

from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel
from setting import base_url, runs, weather_of


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return weather_of(city)


class Trip(BaseModel):
    """A trip."""

    city: str
    reason: str


def loop(model: ChatOpenAI, change: str) -> None:
    """Use a tool, and talk on."""
    able = model.bind_tools([get_weather])

    def agent(state: MessagesState) -> dict[str, Any]:
        return {"messages": [able.invoke([SystemMessage(f"You plan trips.{change}"), *state["messages"]])]}

    graph = StateGraph(MessagesState)
    graph.add_node("agent", agent)
    graph.add_node("tools", ToolNode([get_weather]))
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", tools_condition)
    graph.add_edge("tools", "agent")
    app = graph.compile()
    state = app.invoke({"messages": [HumanMessage("Use get weather for Oslo and tell me what to wear.")]})
    app.invoke({"messages": [*state["messages"], HumanMessage("And what should I pack for a week there?")]})


def handoff(model: ChatOpenAI, change: str) -> None:
    """Let one agent work on what the other one said."""

    def clerk(state: MessagesState) -> dict[str, Any]:
        return {
            "messages": [model.invoke([SystemMessage(f"You answer questions of trains.{change}"), *state["messages"]])]
        }

    def editor(state: MessagesState) -> dict[str, Any]:
        said = state["messages"][-1].content
        return {
            "messages": [model.invoke([SystemMessage(f"You edit.{change}"), HumanMessage(f"Edit this:\n\n{said}")])]
        }

    graph = StateGraph(MessagesState)
    graph.add_node("clerk", clerk)
    graph.add_node("editor", editor)
    graph.add_edge(START, "clerk")
    graph.add_edge("clerk", "editor")
    graph.add_edge("editor", END)
    graph.compile().invoke({"messages": [HumanMessage("When does the train leave?")]})


def form(model: ChatOpenAI, change: str) -> None:
    """Have a trip chosen, and written about."""
    chooser = model.with_structured_output(Trip, method="json_schema")
    trip = chooser.invoke(
        [SystemMessage(f"You choose trips.{change}"), HumanMessage("Where shall we go, Oslo or Lima?")]
    )
    card = f"Write a card from {trip.city}. It was chosen because: {trip.reason}"
    model.invoke([SystemMessage(f"You write.{change}"), HumanMessage(card)])


for case, change, headers in runs():
    chat = ChatOpenAI(
        model="gpt-4o-mini", base_url=base_url(), api_key="sk-agent", default_headers=headers, max_retries=0
    )
    {"loop": loop, "handoff": handoff, "form": form}[case](chat, change)

"""LangChain's ChatOpenAI: an invocation, a stream, and a bound tool whose result goes back."""

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from told import CHAT, GATEWAY, HEADERS, KEY, STREAM, TOOLS, WEATHER, call, tell

model = ChatOpenAI(
    model="gpt-4o-mini",
    base_url=f"{GATEWAY}/v1/gateway/oai/v1",
    api_key=KEY,
    default_headers=HEADERS,
    stream_usage=True,
    max_retries=0,
)


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return WEATHER


def seen(message: AIMessage) -> dict:
    """Return an answer as a call."""
    usage = message.usage_metadata
    tools = [(one["name"], one["args"]) for one in message.tool_calls]
    return call(message.content, (usage["input_tokens"], usage["output_tokens"]), tools)


chat = model.invoke(CHAT)

streamed = None
for piece in model.stream(STREAM):
    streamed = piece if streamed is None else streamed + piece

able = model.bind_tools([get_weather])
asked = able.invoke([HumanMessage(TOOLS)])
wanted = asked.tool_calls[0]
result = ToolMessage(get_weather.invoke(wanted["args"]), tool_call_id=wanted["id"])
answered = able.invoke([HumanMessage(TOOLS), asked, result])

tell(seen(chat), seen(streamed), seen(asked), seen(answered))

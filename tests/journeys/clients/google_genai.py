"""The google-genai package: content, a stream, and a function whose result goes back."""

from google import genai
from google.genai import types
from told import CHAT, GATEWAY, HEADERS, KEY, SCHEMA, STREAM, TOOLS, WEATHER, call, tell

client = genai.Client(
    api_key=KEY, http_options=types.HttpOptions(base_url=f"{GATEWAY}/v1/gateway/google", headers=HEADERS)
)
MODEL = "gemini-2.5-flash"
CONFIG = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[{"name": "get_weather", "parameters_json_schema": SCHEMA}])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)


def seen(answer: types.GenerateContentResponse, said: str = "") -> dict:
    """Return an answer as a call."""
    tools = [(one.name, dict(one.args)) for one in answer.function_calls or []]
    parts = answer.candidates[0].content.parts or [] if answer.candidates and answer.candidates[0].content else []
    text = said or "".join(part.text or "" for part in parts)
    usage = answer.usage_metadata
    return call(text, (usage.prompt_token_count, usage.candidates_token_count), tools)


chat = client.models.generate_content(model=MODEL, contents=CHAT)

said, last = "", None
for last in client.models.generate_content_stream(model=MODEL, contents=STREAM):
    said += last.text or ""

question = types.Content(role="user", parts=[types.Part.from_text(text=TOOLS)])
asked = client.models.generate_content(model=MODEL, contents=[question], config=CONFIG)
result = types.Part.from_function_response(name="get_weather", response={"result": WEATHER})
history = [question, asked.candidates[0].content, types.Content(role="user", parts=[result])]
answered = client.models.generate_content(model=MODEL, contents=history, config=CONFIG)

tell(seen(chat), seen(last, said), seen(asked), seen(answered))

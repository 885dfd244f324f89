"""The openai package with another base URL and nothing else: two agents at once, each uses a tool and is asked again."""

import json
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI
from told import GATEWAY, KEY, SCHEMA, WEATHER

QUESTION = "What is the weather in Paris? Use the tool, then answer in one sentence."
FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


def talk(further: str) -> list[str]:
    """Have one agent do its work; return the ids of its answers."""
    client = OpenAI(base_url=f"{GATEWAY}/v1/gateway/oai/v1", api_key=KEY, max_retries=0)
    messages = [{"role": "user", "content": QUESTION}]
    ids = []
    for step in ("ask", "answer", "go on"):
        raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=messages, tools=[FUNCTION])
        ids.append(raw.headers["helicone-id"])
        said = raw.parse().choices[0].message
        messages.append(said)
        messages += [{"role": "tool", "tool_call_id": one.id, "content": WEATHER} for one in said.tool_calls or []]
        if step == "answer":
            messages.append({"role": "user", "content": further})
    return ids


with ThreadPoolExecutor(2) as pool:
    print(json.dumps(list(pool.map(talk, ["And tomorrow?", "And in winter?"]))))

"""The guide's debate agent, with the OpenAI SDK. All that Reenact asks of an agent is the base URL and the headers.

Prints the session's id. Reads OPENAI_BASE_URL, OPENAI_API_KEY and HELICONE_API_KEY.
"""

import os
import uuid

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

ARGUMENTS = [
    "I believe climate change is a natural cycle and not significantly influenced by human activities.",
    "Economic resources should focus on immediate human needs rather than combating climate change.",
    "Strict environmental regulations can hinder economic growth and affect employment rates.",
]

client = OpenAI(default_headers={"Helicone-Auth": f"Bearer {os.environ['HELICONE_API_KEY']}"})
session_id = str(uuid.uuid4())
topic = "The impact of climate change on global economies"
conversation: list[ChatCompletionMessageParam] = [
    {
        "role": "system",
        "content": "You're an AI debate assistant. Engage with the user by presenting arguments for or against the topic. "
        "Keep responses concise and insightful.",
    },
    {
        "role": "assistant",
        "content": f'Welcome to our debate! Today\'s topic is: "{topic}". I will argue in favor, and you will argue against. '
        "Please present your opening argument.",
    },
]

for argument in ARGUMENTS:
    conversation.append({"role": "user", "content": argument})
    answer = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=conversation,
        extra_headers={
            "Helicone-Session-Id": session_id,
            "Helicone-Session-Name": "AI Debate",
            "Helicone-Session-Path": "/debate/climate-change",
            "Helicone-Prompt-Id": "assistant-response",
        },
    )
    conversation.append({"role": "assistant", "content": answer.choices[0].message.content})

print(session_id)

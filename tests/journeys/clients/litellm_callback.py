"""LiteLLM's callback for Helicone: the calls go to the provider itself, and are told afterwards."""

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched at import
os.environ["HELICONE_API_BASE"] = os.environ["GATEWAY"]  # the host, all that is changed of its documentation's example

import litellm
from told import CHAT, HEADERS, KEY, STREAM, call, tell

litellm.success_callback = ["helicone"]


def ask(model: str, text: str, base: str, **further) -> object:
    """Return the answer to one question, labelled in the way that LiteLLM's documentation shows."""
    return litellm.completion(
        model=model,
        messages=[{"role": "user", "content": text}],
        api_base=os.environ["PROVIDER"] + base,
        api_key=KEY,
        metadata=HEADERS | {"Helicone-Property-Tool": "LiteLLM", "Helicone-User-Id": "ann"},
        **further,
    )


def seen(answer) -> dict:
    """Return an answer as a call."""
    return call(answer.choices[0].message.content, (answer.usage.prompt_tokens, answer.usage.completion_tokens))


chat = ask("openai/gpt-4o-mini", CHAT, "/v1")
pieces = list(ask("openai/gpt-4o-mini", STREAM, "/v1", stream=True, stream_options={"include_usage": True}))
streamed = litellm.stream_chunk_builder(pieces)
tell(seen(chat), seen(streamed))

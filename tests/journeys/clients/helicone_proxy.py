"""The proxy of helicone 1.0: OpenAI's old package, pointed at the gateway, with labels and features as arguments."""

from helicone.globals import helicone_global
from helicone.openai_proxy import openai
from told import CHAT, GATEWAY, HEADERS, KEY, STREAM, call, tell

helicone_global.proxy_url = f"{GATEWAY}/v1"  # all that is changed of its use
openai.api_base = f"{GATEWAY}/v1"
openai.api_key = KEY


def ask(text: str, **further) -> object:
    """Return the answer to one question, with what the package's own tests use."""
    messages = [{"role": "user", "content": text}]
    return openai.ChatCompletion.create(
        model="gpt-4o-mini", messages=messages, properties={"Tool": "proxy"}, headers=dict(HEADERS), **further
    )


def seen(answer) -> dict:
    """Return an answer as a call, with what was said of the cache as the name of a tool."""
    usage = (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
    return call(answer["choices"][0]["message"]["content"], usage, [(answer.helicone.cache, answer.helicone.id)])


first, second = (ask(CHAT, cache=True) for _ in range(2))
limited = ask(CHAT, rate_limit_policy="10;w=60")
pieces = list(ask(STREAM, stream=True))
streamed = "".join(piece["choices"][0]["delta"].get("content", "") for piece in pieces)
tell(
    seen(first),
    seen(second),
    call(limited.helicone.rate_limit.policy, None),
    call(streamed, None, [("", pieces[-1]["helicone"]["id"])]),
)

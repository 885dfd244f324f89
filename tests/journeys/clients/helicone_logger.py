"""The async logger of helicone 1.0: the calls go to the provider itself, and are told afterwards."""

import contextlib
import os
import sys

from helicone.globals import helicone_global
from helicone.openai_async import Meta, openai
from told import CHAT, KEY, STREAM, call, tell

helicone_global.base_url = os.environ["GATEWAY"]  # all that is changed of its use
helicone_global.fail_on_error = True
openai.api_base = os.environ["PROVIDER"] + "/v1"


def ask(text: str, **further) -> object:
    """Return the answer to one question, labelled in the way that the package offers."""
    meta = Meta(custom_properties={"Tool": "logger"}, user_id="ann")
    messages = [{"role": "user", "content": text}]
    return openai.ChatCompletion.create(model="gpt-4o-mini", messages=messages, helicone_meta=meta, **further)


with contextlib.redirect_stdout(sys.stderr):  # it prints what it tells
    openai.api_key = KEY
    chat = ask(CHAT)
    openai.api_key = None
    pieces = list(ask(STREAM, stream=True, api_key=KEY))  # it tells all arguments, the key among them
streamed = "".join(piece["choices"][0]["delta"].get("content", "") for piece in pieces)
tell(call(chat["choices"][0]["message"]["content"], tuple(chat["usage"].values())[:2]), call(streamed, None))

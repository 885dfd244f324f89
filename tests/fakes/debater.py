"""An agent with OpenAI's own SDK and nothing of Reenact: three turns of a debate, the last of them streamed.

Run as a program; prints what it was told. ASK names the topic, DRIFT adds what no other run says, TOUCH a file that its tool
would write.
"""

import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openai import APIStatusError, OpenAI


def main() -> None:
    """Debate, and end with 3 when a call is refused."""
    client = OpenAI()
    now = datetime.now(UTC).isoformat()
    history: list[Any] = [
        {"role": "system", "content": f"You debate. Run {uuid.uuid4()}, begun at {now}."},
        {"role": "user", "content": os.environ.get("ASK", "Are cats better than dogs?")},
    ]
    try:
        for question in ("Why?", "Really?", None):
            answer = said(client, history, streamed=question is None)
            print(answer)
            history += [{"role": "assistant", "content": answer}, {"role": "user", "content": question}]
    except APIStatusError as refused:
        print(f"refused: {refused.status_code} {refused.message}")
        sys.exit(3)
    if touch := os.environ.get("TOUCH"):
        with Path(touch).open("a") as log:
            log.write("ran\n")


def said(client: OpenAI, history: list[Any], *, streamed: bool) -> str:
    """Return the model's answer."""
    if not streamed:
        whole = client.chat.completions.create(model="gpt-4o-mini", messages=history)
        return whole.choices[0].message.content or ""
    pieces = client.chat.completions.create(model="gpt-4o-mini", messages=history, stream=True)
    return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


if __name__ == "__main__":
    main()

"""The main job in under a minute: record a session, ask for it, run it again with a change, see what the change did.

Starts a scripted provider and a server on free ports, runs `debate.py` through the gateway, and leaves the dashboard open
until Ctrl-C (with `--exit` it ends at once).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

REENACT = [sys.executable, "-m", "reenact"]
PERSONA = " Take the persona of a field expert and provide more persuasive arguments."


def say(title: str) -> None:
    """Print a heading."""
    print(f"\n\033[1m== {title}\033[0m", flush=True)


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, str]]:
    """Run `reenact ARGUMENTS` for the time of a block; give its address and what it printed until it was ready."""
    process = subprocess.Popen([*REENACT, *arguments], stdout=subprocess.PIPE, text=True)
    printed = ""
    try:
        for line in process.stdout or ():
            printed += line
            if "Ready" in line:
                break
        address = re.search(r"http://127\.0\.0\.1:\d+", printed)
        if address is None:
            sys.exit(f"reenact {arguments[0]} did not start:\n{printed}")
        yield address.group(), printed
    finally:
        process.terminate()
        process.wait()


def query(url: str, session_id: str) -> list[dict[str, object]]:
    """Ask for a session's calls as the guide does."""
    body = {
        "limit": 100,
        "offset": 0,
        "sort_by": {"key": "request_created_at", "direction": "asc"},
        "filter": {"properties": {"Helicone-Session-Id": {"equals": session_id}}},
    }
    request = urllib.request.Request(
        f"{url}/v1/request/query", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        rows: list[dict[str, object]] = json.load(answer)["data"]
    return rows


def main(*, stay: bool) -> None:
    """Run the whole story."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="reenact-demo-"))
        provider, _ = stack.enter_context(serving("provider", "--port", "0"))
        say("A server on a new data folder, in front of a scripted provider")
        url, printed = stack.enter_context(
            serving("serve", "--data", folder, "--port", "0", "--upstream", f"openai={provider}")
        )
        print(printed)

        say("Record: a debate agent runs three turns; only its base URL and headers know of the gateway")
        agent = Path(__file__).with_name("debate.py")
        key = re.search(r"sk-helicone-[a-z0-9-]+", printed)
        environ = {
            **os.environ,
            "OPENAI_BASE_URL": f"{url}/v1/gateway/oai/v1",
            "OPENAI_API_KEY": "sk-demo",
            "HELICONE_API_KEY": key.group() if key else "",
        }
        session_id = subprocess.run(
            [sys.executable, agent], env=environ, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        print(f"session {session_id}")

        say("Query: POST /v1/request/query, filtered by the session")
        for row in query(url, session_id):
            print(
                f"{row['created_at']}  {row['model']}  {row['path']}  {row['prompt_id']}  {row['total_tokens']} tokens"
            )

        say("Replay: the guide's change, an expert's persona, on all three calls")
        change = [
            "--append-system",
            PERSONA,
            "--prompt-id",
            "assistant-response",
            "--name",
            "Replayed Session",
            "--url",
            url,
        ]
        subprocess.run([*REENACT, "replay", session_id, *change], check=True)
        with urllib.request.urlopen(f"{url}/v1/replay?session_id={session_id}") as answer:
            replayed_id = json.load(answer)["data"][0]["takes"][0]["session_id"]

        say("Compare: what the change did")
        subprocess.run([*REENACT, "compare", session_id, replayed_id, "--url", url], check=True)

        say("See it")
        print(f"dashboard   {url}/\ncomparison  {url}/compare?left={session_id}&right={replayed_id}")
        if stay:
            print("\nCtrl-C ends the demo.", flush=True)
            try:
                sys.stdin.read() if not sys.stdin.isatty() else input()
            except KeyboardInterrupt:
                print()


if __name__ == "__main__":
    main(stay="--exit" not in sys.argv)

"""Real agent sessions: the requests their agents sent, and an upstream that answers them with the recorded turns."""

import gzip
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

DATA = Path(__file__).parents[3] / "shared" / "data" / "tau_bench_airline_tasks_00_24.json.gz"
MISSING = f"needs the recorded sessions at ../shared/data/{DATA.name}"


class Turn(msgspec.Struct, frozen=True):
    """One call of a session."""

    request: bytes
    """The body that the agent sent."""
    answer: bytes
    """The body that it was given."""


class Recorded(msgspec.Struct, frozen=True):
    """One session of an agent."""

    name: str
    """Task and trial: unique."""
    turns: tuple[Turn, ...]


def sessions(count: int | None = None) -> list[Recorded]:
    """Return the *count* smallest sessions (all when None), smallest first."""
    runs = json.loads(gzip.decompress(DATA.read_bytes()))
    runs.sort(key=lambda run: (len(json.dumps(run["traj"])), run["task_id"], run["trial"]))
    return [_session(run) for run in runs[:count]]


def upstream(recorded: list[Recorded]) -> Callable[..., Awaitable[None]]:
    """Return an ASGI app that answers each request of *recorded* with its turn; the key says whose session it is."""
    answers = {(session.name, turn.request): turn.answer for session in recorded for turn in session.turns}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        name = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        answer = answers.get((name, body))
        status = 200 if answer is not None else 418
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": answer or b'{"error":{"message":"no such turn"}}'})

    return app


def _session(run: dict[str, Any]) -> Recorded:
    name = f"task-{run['task_id']}-trial-{run['trial']}"
    history: list[Any] = []
    turns: list[Turn] = []
    for message in run["traj"]:
        if message["role"] == "assistant":
            number = len(turns) + 1
            request = {"model": "gpt-4o", "messages": history, "temperature": 0.0}
            reason = "tool_calls" if message.get("tool_calls") else "stop"
            answer = {
                "id": f"chatcmpl-{name}-{number}",
                "object": "chat.completion",
                "created": 1_715_000_000 + number,
                "model": "gpt-4o-2024-05-13",
                "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
                "usage": _usage(history, message),
            }
            turns.append(Turn(json.dumps(request).encode(), json.dumps(answer).encode()))
        history.append(message)
    return Recorded(name, tuple(turns))


def _usage(history: list[Any], message: Any) -> dict[str, int]:
    """Return a usage block of about the right size; the recording itself has none."""
    given, said = len(json.dumps(history)) // 4, len(json.dumps(message)) // 4
    return {"prompt_tokens": given, "completion_tokens": said, "total_tokens": given + said}

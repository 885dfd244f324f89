"""Small recorded sessions for tests of replaying."""

import msgspec

from reenact.domain.call import Bodies, Call, Kind
from reenact.domain.exchange import Ending, Header
from reenact.domain.labels import Labels
from reenact.domain.message import Json, Usage
from reenact.replay.recording import Recording

URL = "http://127.0.0.1:8585/v1/gateway/oai/v1/chat/completions"
SYSTEM = "You're an AI debate assistant."


def a_call(call_id: str, **given: object) -> Call:
    """Return a good call of the guide's debate; *given* fields over the defaults."""
    fields: dict[str, object] = {
        "id": call_id,
        "organisation_id": "org",
        "created_us": 1_700_000_000_000_000,
        "duration_us": 1_000_000,
        "first_token_us": None,
        "kind": Kind.MODEL,
        "dialect": "openai_chat",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "request_model": "gpt-4o-mini",
        "response_model": "gpt-4o-mini-2024-07-18",
        "response_id": None,
        "status": 200,
        "ending": Ending.ANSWERED,
        "detail": "",
        "streamed": False,
        "stop_reason": "stop",
        "error": None,
        "labels": Labels(
            session_id="debate",
            session_name="AI Debate",
            session_path="/debate/climate-change",
            prompt_id="assistant-response",
        ),
        "usage": Usage(input_tokens=100, output_tokens=20),
        "cost_nanodollars": 27_000,
        "url": URL,
        "target_url": "https://api.openai.com/v1/chat/completions",
        "method": "POST",
        "request_body_bytes": 100,
        "response_body_bytes": 100,
    }
    return Call(**(fields | given))  # type: ignore[arg-type]


def chat(*said: str, system: str | None = SYSTEM, **fields: Json) -> Json:
    """Return a chat body in which user and assistant speak by turns."""
    messages = [] if system is None else [{"role": "system", "content": system}]
    roles = ("user", "assistant")
    messages += [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]
    return {"model": "gpt-4o-mini", "messages": messages, **fields}


def bodies(body: Json, *headers: Header) -> Bodies:
    """Return the bodies of a call whose request was *body*, spaced as Python's json spaces it."""
    raw = body if isinstance(body, bytes) else msgspec.json.format(msgspec.json.encode(body), indent=1)
    return Bodies(request=raw, response=b"{}", request_headers=headers)


def a_recording(*recorded: Json | tuple[Call, Json]) -> Recording:
    """Return a session of these bodies, or of calls with their bodies; calls are named `call-1`, `call-2`, ..."""
    pairs = [
        one if isinstance(one, tuple) else (a_call(f"call-{number}"), one)
        for number, one in enumerate(recorded, start=1)
    ]
    return Recording(
        session_id="debate",
        calls=[call for call, _ in pairs],
        bodies={call.id: bodies(body) for call, body in pairs if body is not None},
    )

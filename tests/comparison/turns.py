"""Small valid turns for tests of comparing."""

from reenact.domain.call import Call, Kind
from reenact.domain.comparison import Turn
from reenact.domain.exchange import Ending
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Answer, Json, Message, Prompt, Role, Text, ToolUse, Usage


def a_call(call_id: str, **given: object) -> Call:
    """Return a good call of one second that began at a round time; *given* fields over the defaults."""
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
        "labels": Labels(session_id="one", session_name="Debate", session_path="/debate"),
        "usage": Usage(input_tokens=10, output_tokens=5),
        "cost_nanodollars": 1000,
        "url": "http://127.0.0.1:8585/v1/chat/completions",
        "target_url": "https://api.openai.com/v1/chat/completions",
        "method": "POST",
        "request_body_bytes": 100,
        "response_body_bytes": 100,
    }
    return Call(**(fields | given))  # type: ignore[arg-type]


def a_prompt(*texts: str) -> Prompt:
    """Return a system message and then users and assistants by turns, as the openai_chat dialect would read them."""
    roles = [Role.SYSTEM, *([Role.USER, Role.ASSISTANT] * len(texts))]
    said = list(zip(roles, texts, strict=False))
    origin: Json = {"model": "m", "messages": [{"role": role.value, "content": text} for role, text in said]}
    messages = tuple(Message(role=role, parts=(Text(text),)) for role, text in said)
    return Prompt(dialect="openai_chat", model="m", messages=messages, origin=origin)


def an_answer(text: str, *tools: ToolUse) -> Answer:
    """Return an answer that says *text* and asks for *tools*."""
    return Answer(message=Message(role=Role.ASSISTANT, parts=(Text(text), *tools)))


def a_turn(
    call_id: str,
    *,
    path: str = "/debate",
    asked: str = "hello",
    said: str = "hi",
    source: str | None = None,
    prompt_id: str | None = None,
    kind: Kind = Kind.MODEL,
) -> Turn:
    """Return one turn of a session; *source* is the recorded call that a replay asked again."""
    link = source and ReplayLink(replay_id="r", take=1, source_session_id="one", source_call_id=source)
    labels = Labels(session_id="one", session_path=path, prompt_id=prompt_id, replay=link or None)
    return Turn(call=a_call(call_id, labels=labels, kind=kind), prompt=a_prompt("sys", asked), answer=an_answer(said))

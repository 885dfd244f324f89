"""Recorded sessions for the tests of pages: real bodies, so that the pages read what ingest and the dialects would give."""

import json
from typing import Any

from reenact.domain.call import Reading
from reenact.domain.exchange import Ending
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Usage
from tests.store.given import CREATED_US, given_call, given_exchange

SYSTEM = {"role": "system", "content": "You are a debate assistant. Be concise."}


def user(text: str) -> dict[str, Any]:
    """Return a user's message on the wire."""
    return {"role": "user", "content": text}


def said(text: str, *tools: dict[str, Any]) -> dict[str, Any]:
    """Return an assistant's message on the wire."""
    return {"role": "assistant", "content": text} | ({"tool_calls": list(tools)} if tools else {})


def asks(name: str, link: str = "call_1", **arguments: Any) -> dict[str, Any]:
    """Return a tool call on the wire."""
    return {"id": link, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def result(text: str, link: str = "call_1") -> dict[str, Any]:
    """Return a tool's result on the wire."""
    return {"role": "tool", "tool_call_id": link, "content": text}


def a_reading(
    number: int,
    messages: list[dict[str, Any]],
    answer: dict[str, Any],
    *,
    session: str | None = "debate-1",
    name: str | None = "AI Debate",
    path: str = "/debate/climate",
    prompt_id: str | None = "assistant-response",
    link: ReplayLink | None = None,
    after_s: float = 0.0,
    duration_s: float = 1.2,
    **call: Any,
) -> Reading:
    """Return call *number* of a session: *messages* asked, *answer* given."""
    labels = Labels(
        session_id=session, session_name=name, session_path=path, prompt_id=prompt_id, user_id="ada", replay=link,
        properties={"environment": "test"},
    )  # fmt: skip
    model = call.get("model", "gpt-4o-mini")
    body = {"model": model, "messages": messages, "temperature": 0.7}
    told = {
        "id": f"chatcmpl-{number}", "object": "chat.completion", "model": model,
        "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
    }  # fmt: skip
    exchange = given_exchange(
        id=f"{number:08x}-1111-4111-8111-111111111111",
        organisation_id="org",
        started_us=CREATED_US + int((number * 1.5 + after_s) * 1_000_000),
        duration_us=int(duration_s * 1_000_000),
        labels=labels,
        request_body=json.dumps(body).encode(),
        response_body=json.dumps(told).encode(),
        status=call.pop("status", 200),
        ending=call.pop("ending", Ending.ANSWERED),
        detail=call.pop("detail", ""),
    )
    told_of = {
        "model": model, "request_model": model, "stop_reason": "stop", "cost_nanodollars": 42_000 * number,
        "usage": Usage(input_tokens=40 * number, output_tokens=17),
    }  # fmt: skip
    return Reading(
        call=given_call(exchange, **(told_of | call)),
        exchange=exchange,
        answer=told,
        search_text=str(answer.get("content")),
    )


def a_debate(session: str = "debate-1", *, changed: bool = False, first: int = 1) -> list[Reading]:
    """Return a session of four calls with tools and folders; *changed* makes it a take of the unchanged one."""
    history: list[dict[str, Any]] = [
        SYSTEM | {"content": SYSTEM["content"] + " Take the persona of a field expert."} if changed else SYSTEM
    ]
    steps = [
        ("Climate change is a natural cycle.", "Natural cycles exist, but the present warming follows the carbon we emit.",
         "As a climatologist I would answer: natural cycles exist, but the present warming is ten times faster."),
        ("Regulation hinders growth.", "Some rules cost growth; clean air saves more than it costs.",
         "Some rules cost growth; the field's own figures say clean air saves more than it costs."),
        ("One country alone changes nothing.", "Each country can lead.", "Each country can lead."),
    ]  # fmt: skip
    readings = []
    for at, (asked, plain, expert) in enumerate(steps):
        number = first + at
        source = f"{at + 1:08x}-1111-4111-8111-111111111111"
        link = (
            ReplayLink(replay_id="replay-1", take=1, source_session_id="debate-1", source_call_id=source)
            if changed else None
        )  # fmt: skip
        history = [*history, user(asked)]
        answer = said(expert if changed else plain)
        tool = asks("find_sources", topic="warming", limit=5 if changed else 3)
        if at == 0:
            answer = said(expert if changed else plain, tool)
        readings.append(
            a_reading(
                number, history, answer, session=session, link=link, after_s=90.0 if at == 2 else 0.0,
                name="Replay of AI Debate" if changed else "AI Debate",
                path=["/debate/climate", "/debate/economy", "/debate"][at],
            )
        )  # fmt: skip
        history = [*history, answer, *([result('{"found": 3}')] if at == 0 else [])]
    return readings

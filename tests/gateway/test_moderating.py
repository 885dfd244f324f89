"""Which calls are checked, and what is answered in their place."""

import msgspec
import pytest

from reenact.domain.labels import Labels
from reenact.gateway.ask import Ask
from reenact.gateway.controls import Controls
from reenact.gateway.moderating import checked_text, flagged, is_checkable, is_flagged, moderation_ask, threatening

ASK = Ask(
    id="i1",
    organisation_id="o1",
    method="POST",
    url="http://gateway/v1/gateway/oai/v1/chat/completions?x=1",
    provider="openai",
    origin="https://api.openai.com",
    target=b"/v1/chat/completions?x=1",
    labels=Labels(session_id="s", user_id="ann", properties={"app": "x"}),
    headers=((b"authorization", b"Bearer k"), (b"accept", b"text/event-stream")),
    received=((b"helicone-moderations-enabled", b"true"),),
    body=b'{"messages":[{"role":"user","content":"hi"}]}',
    started_us=5,
    controls=Controls(moderates=True),
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"messages":[{"role":"user","content":"hi"}]}', "hi"),
        (
            b'{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"},{"text":"b"}]}]}',
            "a\nb",
        ),
        (b'{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]}', None),
        (b'{"messages":[{"role":"user","content":""}]}', None),
        (b'{"messages":[{"role":"user"}]}', None),
        (b'{"messages":["hi"]}', None),
        (b'{"messages":{}}', None),
        (b"[]", None),
        (b"\xff", None),
    ],
)
def test_what_the_user_said_last_is_checked(body: bytes, expected: str | None) -> None:
    """Nothing else, and nothing that cannot be understood."""
    assert expected == checked_text(msgspec.structs.replace(ASK, body=body))


def test_only_openai_chats_are_checked() -> None:
    """Not other providers, not other paths."""
    others: list[dict[str, str | bytes]] = [
        {"provider": "anthropic"},
        {"target": b"/v1/embeddings?for=chat/completions"},
    ]

    assert is_checkable(ASK)
    assert [False, False] == [is_checkable(msgspec.structs.replace(ASK, **other)) for other in others]


def test_the_moderation_is_a_call_of_its_own() -> None:
    """With the same key, beside the session, switching on nothing itself."""
    expected = Ask(
        id="m1",
        organisation_id="o1",
        method="POST",
        url="http://gateway/v1/gateway/oai/v1/moderations",
        provider="openai",
        origin="https://api.openai.com",
        target=b"/v1/moderations",
        labels=Labels(user_id="ann", properties={"Helicone-Moderation-For": "i1"}),
        headers=((b"authorization", b"Bearer k"), (b"content-type", b"application/json")),
        body=b'{"input":"hi"}',
        started_us=5,
    )
    assert expected == moderation_ask(ASK, "hi", "m1")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"results":[{"flagged":true}]}', True),
        (200, b'{"results":[{"flagged":false}]}', False),
        (200, b'{"results":[]}', None),
        (200, b"[]", None),
        (200, b"\xff", None),
        (429, b'{"results":[{"flagged":true}]}', None),
    ],
)
def test_a_verdict_is_read_or_there_is_none(status: int, body: bytes, expected: bool | None) -> None:
    """What cannot be understood is no verdict."""
    assert expected is is_flagged(status, body)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(flagged(ASK), "PROMPT_FLAGGED_FOR_MODERATION"), (threatening(ASK), "PROMPT_THREAT_DETECTED")],
)
def test_blocked_calls_are_answered_in_helicones_shape(refusal: object, code: str) -> None:
    """Status 400, with the request's id where it can be looked up."""
    assert hasattr(refusal, "status")
    assert hasattr(refusal, "body")
    body = msgspec.json.decode(refusal.body)

    assert (400, False, code) == (refusal.status, body["success"], body["error"]["code"])
    assert "See http://gateway/calls/i1 for more." == body["error"]["details"]

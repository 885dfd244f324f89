"""Rows: what a call looks like whose parts are odd."""

import gzip

import msgspec
import pytest

from reenact.api.rows import ELSEWHERE, all_properties, iso, rebased, request_json, response_json, row
from reenact.domain.call import Bodies, Call, Kind
from reenact.domain.exchange import Ending
from reenact.domain.labels import Labels, ReplayLink
from reenact.domain.message import Json

CALL = Call(
    id="c",
    organisation_id="o",
    created_us=1_700_000_000_123_456,
    duration_us=2_500_999,
    first_token_us=1_999,
    kind=Kind.OPAQUE,
    dialect="opaque",
    provider="custom",
    model="unknown",
    request_model=None,
    response_model=None,
    response_id=None,
    status=-3,
    ending=Ending.CLIENT_LEFT,
    detail="",
    streamed=True,
    stop_reason=None,
    error=None,
    labels=Labels(
        model_override="m", replay=ReplayLink(replay_id="r", take=1, source_session_id="s", source_call_id="d")
    ),
    url="http://gateway:8585/v1/gateway/oai/v1/x%2Fy?z=1",
    target_url="https://api.example/v1/x%2Fy?z=1",
    method="POST",
    request_body_bytes=1,
    response_body_bytes=1,
)


@pytest.mark.parametrize(
    ("time_us", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_123_999, "2023-11-14T22:13:20.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times(time_us: int, expected: str) -> None:
    """Times are ISO in UTC with milliseconds, cut and not rounded."""
    assert expected == iso(time_us)


def test_a_row_without_bodies_says_where_they_are() -> None:
    """A call that the client left, of an unknown model, without bodies in the row."""
    shown = row(CALL, None, origin="https://reenact.example", signed_body_url="https://there", typed_scores=False)

    assert (
        ELSEWHERE, ELSEWHERE, ELSEWHERE, "s3", "https://there",
        "https://reenact.example/v1/gateway/oai/v1/x%2Fy?z=1",
        -3, Ending.CLIENT_LEFT, 2500, 1, None, "CUSTOM", "m", "/", {}, CALL.labels.replay,
        "2023-11-14T22:13:20.123Z", "2023-11-14T22:13:22.624Z",
    ) == (
        shown.request_body, shown.body, shown.response_body, shown.storage_location, shown.signed_body_url,
        shown.request_path,
        shown.response_status, shown.ending, shown.delay_ms, shown.time_to_first_token,
        shown.cost, shown.provider,
        shown.model_override,
        shown.path, shown.request_properties, shown.replay,
        shown.created_at, shown.response_created_at,
    )  # fmt: skip


def test_feedback_is_a_score_too() -> None:
    """As at Helicone, a rating is also the score `helicone-score-feedback`."""
    rated = msgspec.structs.replace(CALL, feedback=True, scores={"a": 0.5})

    assert {"a": 0.5, "helicone-score-feedback": 1.0} == row(
        rated, None, origin="", signed_body_url="", typed_scores=False
    ).scores


def test_canonical_names_win_over_custom_properties() -> None:
    """Labels stand under their canonical names; absent ones do not stand at all."""
    labels = Labels(session_id="s", session_path="/p", properties={"Helicone-Session-Id": "forged", "app": "a"})

    assert {"Helicone-Session-Id": "s", "Helicone-Session-Path": "/p", "app": "a"} == all_properties(labels)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/v1/chat/completions", "https://r.example/v1/chat/completions"),
        ("http://old/v1/gateway/google/v1beta/models/m:go?alt=sse", "https://r.example/v1/gateway/google/v1beta/models/m:go?alt=sse"),
    ],
)  # fmt: skip
def test_addresses_move_with_the_server(url: str, expected: str) -> None:
    """Path and query stay; scheme, host and port are where this server is reached now."""
    assert expected == rebased(url, "https://r.example")


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b'{"a":1}', b"", {"a": 1}),
        (gzip.compress(b'{"a":1}', mtime=0), b"gzip", {"a": 1}),
        (b"plain", b"", "plain"),
        (b"plain", b"gzip", "plain"),
        (b"\xff\x00", b"", {"encoding": "base64", "data": "/wA="}),
        (b"", b"", None),
        (b"[" * 100_000, b"", "[" * 100_000),
        (b"[" * 100_000 + b"]" * 100_000, b"", "[" * 100_000 + "]" * 100_000),
        (b'{"a":"\xff"}', b"", {"encoding": "base64", "data": "eyJhIjoi/yJ9"}),
        (b'{"a":NaN}', b"", '{"a":NaN}'),
        (b'{"a":1}{', b"", '{"a":1}{'),
        (b'\n {"a" : 1.0, "a": 2}\n', b"", {"a": 2}),
    ],
)
def test_bodies_are_shown_as_what_they_are(body: bytes, encoding: bytes, expected: Json) -> None:
    """JSON as JSON whatever it was packed in, text as text, the rest in base64, nothing as null."""
    headers = ((b"content-encoding", encoding),) if encoding else ()
    bodies = Bodies(request=body, response=body, request_headers=headers, response_headers=headers)

    shown = msgspec.json.encode([request_json(bodies), response_json(bodies)])
    assert [expected, expected] == msgspec.json.decode(shown)


def test_a_merged_stream_is_shown_merged() -> None:
    """The answer that a stream adds up to is shown, not its events."""
    bodies = Bodies(request=b"", response=b"data: {}\n\n", answer_json=b'{"merged": true}')

    assert msgspec.Raw(b'{"merged": true}') == response_json(bodies)

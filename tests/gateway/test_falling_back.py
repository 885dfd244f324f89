"""Where a call goes next, with which headers and body."""

import msgspec
import pytest

from reenact.gateway.controls import Fallback, StatusRange
from reenact.gateway.falling_back import falls, merged_body, replaced_headers


@pytest.mark.parametrize(
    ("status", "expected"), [(428, False), (429, True), (499, False), (500, True), (599, True), (200, False)]
)
def test_the_next_one_is_asked_with_the_statuses_named(status: int, expected: bool) -> None:
    """Single ones and ranges, both ends included."""
    assert expected is falls(Fallback("https://a.example", {}, (429, StatusRange(500, 599))), status)


def test_headers_of_a_target_replace_and_keys_of_another_provider_do_not_travel() -> None:
    """Content type and the like stay."""
    headers = (
        (b"content-type", b"application/json"),
        (b"authorization", b"Bearer a"),
        (b"x-api-key", b"b"),
        (b"x-b", b"1"),
    )

    expected = ((b"content-type", b"application/json"), (b"x-b", b"2"), (b"api-key", b"c"))
    assert expected == replaced_headers(headers, {"X-B": "2", "Api-Key": "c"})[:3]
    assert 3 == len(replaced_headers(headers, {"X-B": "2", "Api-Key": "c"}))


def test_a_target_without_headers_is_given_the_call_as_it_is() -> None:
    """Such as another model of the same provider."""
    headers = ((b"authorization", b"Bearer a"),)

    assert headers is replaced_headers(headers, {})


def test_the_override_is_laid_over_the_body() -> None:
    """Objects key by key, anything else replaced."""
    body = b'{"model":"a","options":{"x":1,"y":[1,2]},"n":1}'

    merged = merged_body(body, {"model": "b", "options": {"y": [3], "z": None}, "n": {"deep": True}})
    expected = {"model": "b", "options": {"x": 1, "y": [3], "z": None}, "n": {"deep": True}}
    assert expected == msgspec.json.decode(merged)


@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b"--boundary"])
def test_a_body_that_is_no_object_stays(body: bytes) -> None:
    """And so does any body when there is nothing to override."""
    assert body == merged_body(body, {"a": 1})
    assert body is merged_body(body, {})

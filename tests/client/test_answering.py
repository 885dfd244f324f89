"""Answers of the server become values, and its several shapes of failures become one error."""

import pytest

from reenact.client.answering import refusal, understood
from reenact.errors import ServerRefused


def test_a_value_is_taken_out_of_its_envelope() -> None:
    """Whatever kind is asked for."""
    assert [1, 2] == understood(200, b'{"data":[1,2],"error":null}', list[int])
    assert understood(200, b'{"data":null,"error":null}', object) is None


@pytest.mark.parametrize(
    ("status", "content", "message", "field"),
    [
        (
            422,
            b'{"message":"Validation Failed","details":{"patch.changes[0].select":{"message":"Matches no call."}}}',
            "Matches no call. (at patch.changes[0].select)",
            "patch.changes[0].select",
        ),
        (422, b'{"message":"Validation Failed","details":{"body":{"message":"Bad.","value":1}}}', "Bad.", ""),
        (404, b'{"data":null,"error":"There is no session."}', "There is no session.", ""),
        (401, b'{"error":"Who are you?"}', "Who are you? Give a key with --key, or as Client(key=...).", ""),
        (502, b"Bad Gateway", "Bad Gateway", ""),
        (500, b"", "The server answered with status 500 and no reason.", ""),
        (500, b'{"data":null,"error":{"code":3}}', '{"code":3}', ""),
        (500, b"\xff\xfe", "��", ""),
    ],
)
def test_a_failure_says_what_and_where(status: int, content: bytes, message: str, field: str) -> None:
    """Each shape gives message, status and the place in the input where the server names one."""
    error = refusal(status, content)

    assert (message, status, field) == (error.message, error.status, error.field)


def test_a_failure_is_raised() -> None:
    """Never read as a value."""
    with pytest.raises(ServerRefused, match=r"There is no session\."):
        understood(404, b'{"data":null,"error":"There is no session."}', object)


@pytest.mark.parametrize("content", [b"<html>", b'{"ok":true}', b'{"data":"text"}'])
def test_an_answer_of_another_server_is_refused(content: bytes) -> None:
    """It is told that the server is not what it was taken for."""
    with pytest.raises(ServerRefused, match="not what this version of Reenact expects"):
        understood(200, content, list[int])

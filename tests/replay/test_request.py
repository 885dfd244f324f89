"""What one asks for is read strictly, and its secrets never show."""

import pytest

from reenact.domain.message import Json
from reenact.domain.patch import Change, Patch, SetModel
from reenact.domain.replay import Mode
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.request import ReplayRequest, read_request


def test_only_the_session_must_be_given() -> None:
    """Everything else has its default: one anchored take of the unchanged session."""
    assert ReplayRequest(session_id="s", patch=Patch(), mode=Mode.ANCHORED, takes=1) == read_request(
        {"session_id": "s"}
    )
    assert ReplayRequest(session_id="s") == read_request({"session_id": "s", "patch": None})


def test_a_patch_is_read_within() -> None:
    """The patch is the patch's own format."""
    value = {"session_id": "s", "takes": 3, "patch": {"changes": [{"edits": [{"edit": "set_model", "model": "m"}]}]}}

    patch = Patch(changes=(Change(edits=(SetModel("m"),)),))
    assert ReplayRequest(session_id="s", takes=3, patch=patch) == read_request(value)


@pytest.mark.parametrize(
    ("value", "kind", "field"),
    [
        ({}, InvalidInput, ""),
        ([], InvalidInput, ""),
        ({"session_id": 3}, InvalidInput, "session_id"),
        ({"session_id": "s", "takes": 0}, InvalidInput, "takes"),
        ({"session_id": "s", "mode": "backwards"}, InvalidInput, "mode"),
        ({"session_id": "s", "pach": {}}, InvalidInput, ""),
        ({"session_id": "s", "patch": {"changes": [{"select": {"x": 1}}]}}, InvalidPatch, "patch.changes[0].select"),
        ({"session_id": "s", "patch": {"chnges": []}}, InvalidPatch, "patch"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(value: Json, kind: type[InvalidInput], field: str) -> None:
    """Unknown fields are never ignored."""
    with pytest.raises(InvalidInput) as caught:
        read_request(value)

    assert (kind, field) == (type(caught.value), caught.value.field)


def test_provider_keys_never_show() -> None:
    """The text form of a request holds no secret, so that no log does."""
    request = read_request({"session_id": "s", "provider_keys": {"openai": "sk-very-secret"}})

    assert {"openai": "sk-very-secret"} == request.provider_keys
    assert "sk-very-secret" not in f"{request!r} {request!s}"

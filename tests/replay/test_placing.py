"""A path finds its places, or is refused before it is followed."""

import msgspec
import pytest

from reenact.dialects.openai_chat import OpenAIChat
from reenact.domain.message import Json
from reenact.domain.patch import Change, Patch, SetAt
from reenact.domain.replay import Mode
from reenact.errors import InvalidPatch
from reenact.replay.patching import patched_body
from reenact.replay.placing import places
from reenact.replay.planning import plan
from tests.replay.recordings import a_recording, chat

BODY: Json = {"a": [{"b": 1, "c/d": {"b": 2}}, {"b": 3}], "~": None}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", [""]),
        ("$.a[0]['c/d']", ["/a/0/c~1d"]),
        ("$['~']", ["/~0"]),
        ("$.a[-1:].b", ["/a/1/b"]),
        ("$..b", ["/a/0/c~1d/b", "/a/0/b", "/a/1/b"]),
        ("$.a[*]", ["/a/0", "/a/1"]),
    ],
)
def test_a_path_finds_its_places(path: str, expected: list[str]) -> None:
    """What lies deepest first, so that a place is not gone when its turn comes."""
    assert expected == places(BODY, path)


@pytest.mark.parametrize(
    "path",
    ["", "a", "$.a[", "$.none", "$..*..b", "$.a['b','b']", "$[?@.b]", "$[?match(@.b, '(a+)+')]", "$." + "*." * 9 + "x"],
)
def test_what_is_no_path_or_finds_nothing_is_refused(path: str) -> None:
    """With the field that is wrong."""
    with pytest.raises(InvalidPatch) as refused:
        places(BODY, path)

    assert "path" == refused.value.field


def test_every_place_is_set_and_the_rest_stays() -> None:
    """In the order of keys that was; a body that is none of its format any more is refused."""
    body = chat("one", "two", "three", seed=1)
    edit = SetAt("$.messages[1:].content", "same")
    after = msgspec.json.decode(patched_body(OpenAIChat(), msgspec.json.encode(body), (edit,)))

    assert chat("same", "same", "same", seed=1) == after
    assert list(body) == list(after)
    with pytest.raises(InvalidPatch) as refused:
        patched_body(OpenAIChat(), msgspec.json.encode(body), (SetAt("$.messages", 1),))
    assert "value" == refused.value.field


def test_a_path_that_finds_nothing_is_refused_when_planned() -> None:
    """With the call and the place in the patch; nothing is sent."""
    changes = (Change(edits=(SetAt("$.seed", 2),)),)

    with pytest.raises(InvalidPatch) as refused:
        plan(a_recording(chat("one", seed=1), chat("two")), Patch(changes=changes), Mode.ANCHORED, 1, lambda *_: None)

    assert "changes[0].edits[0].path" == refused.value.field
    assert "call 2" in refused.value.message.lower()
    assert "The path $.seed selects nothing" in refused.value.message

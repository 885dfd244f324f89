"""What a body says does not depend on the boundary that parts it."""

import msgspec
import pytest

from reenact.domain.digesting import digest
from reenact.domain.exchange import Header
from reenact.domain.playback import Level
from reenact.replay.matching.fingerprinting import Asked
from reenact.replay.matching.parting import meaning
from tests.replay.matching.asks import a_deck, an_asked, drawn

LINES = (
    "--B",
    'Content-Disposition: form-data; name="model"',
    "",
    "whisper-1",
    "--B",
    'Content-Disposition: form-data; name="file"; filename="a.wav"',
    "Content-Type: audio/wav",
    "",
    "RIFF\r\n--",
    "--B",
    'content-disposition: form-data; name="include[]"',
    "",
    "one",
    "--B",
    'content-disposition: form-data; name="include[]"',
    "",
    "",
    "--B--",
    "",
)


def typed(boundary: str) -> tuple[Header, ...]:
    """Return the header of a form."""
    return ((b"content-type", b"multipart/form-data; boundary=" + boundary.encode()),)


def a_form(boundary: str, **replaced: str) -> bytes:
    """Return LINES as a body, with texts replaced."""
    body = "\r\n".join(LINES).replace("--B", f"--{boundary}")
    for old, new in replaced.items():
        body = body.replace(old, new)
    return body.encode()


def asked_form(boundary: str, **replaced: str) -> Asked:
    """Return a request with a form."""
    asked = an_asked(target="/v1/audio/transcriptions", body=a_form(boundary, **replaced))
    return msgspec.structs.replace(asked, headers=typed(boundary))


def test_a_form_is_its_fields_and_files() -> None:
    """By name, with a list where a name comes twice, and a digest in the place of a file's content."""
    file = {"filename": "a.wav", "type": "audio/wav", "digest": digest(b"RIFF\r\n--").hex(), "bytes": 8}

    assert {"model": "whisper-1", "file": file, "include[]": ["one", ""]} == meaning(a_form("B"), typed("B"))
    assert {"model": "whisper-1", "file": file, "include[]": ["one", ""]} == meaning(a_form("a'b?c"), typed('"a\'b?c"'))
    assert {"a": 1} == meaning(b'{"a": 1}', ())


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", "B"),
        (a_form("B")[:-6], "B"),
        (a_form("B"), "C"),
        (a_form("B", model="\N{COMBINING ACUTE ACCENT}").replace(b"\xcc", b"\xff"), "B"),
        (a_form("B", name="nome"), "B"),
        (b"--B\r\nno head\r\n--B--", "B"),
        (b"--Bad\r\n--B--", "B"),
        (b"--B\r\nx: " + b"y" * 9000 + b"\r\n\r\n\r\n--B--", "B"),
    ],
)
def test_what_is_no_whole_form_says_nothing(body: bytes, boundary: str) -> None:
    """It is compared byte for byte."""
    assert meaning(body, typed(boundary)) is None


def test_forms_match_by_what_they_say() -> None:
    """Another boundary is no difference; another file, name or field is one."""
    for replaced in ({"RIFF": "RAFF"}, {"a.wav": "b.wav"}, {"whisper": "murmur"}, {"include": "exclude"}):
        assert drawn(a_deck(asked_form("one")), asked_form("two", **replaced)) == "No recorded call has this request."
    assert (Level.EQUIVALENT, 1) == drawn(a_deck(asked_form("one")), asked_form("two"))
    assert (Level.EXACT, 1) == drawn(a_deck(asked_form("one")), asked_form("one"))

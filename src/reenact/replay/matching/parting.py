"""What a request body says, as JSON: JSON itself, or the fields and files of a form without the boundary that parts them.

Every run makes a boundary of its own (RFC 2046, 5.1.1), so that two forms that say the same differ in their bytes.
"""

from collections.abc import Iterator, Sequence
from email.message import Message
from email.utils import collapse_rfc2231_value

import msgspec

from reenact.domain.digesting import digest
from reenact.domain.exchange import Header
from reenact.domain.message import Json
from reenact.errors import InvalidInput
from reenact.ingest.unpacking import unpack

_MOST_HEAD_BYTES = 8192
"""How long the head of a part may be; a longer one is no form that an SDK makes."""


def meaning(body: bytes, headers: Sequence[Header]) -> Json:
    """Return what *body* says; None when it is neither JSON nor a form, or cannot be unpacked.

    A form is an object of its fields by name: a text, or for a file its name, type and digest; a list of these where the
    name comes more than once.
    """
    try:
        content = unpack(body, headers)
        boundary = _boundary(headers)
        return msgspec.json.decode(content) if boundary is None else _form(content, boundary)
    except (InvalidInput, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _boundary(headers: Sequence[Header]) -> bytes | None:
    """Return what parts a form; None for any other body."""
    told = next((value for name, value in headers if name == b"content-type"), b"")
    if not told.lower().startswith(b"multipart/form-data") or len(told) > _MOST_HEAD_BYTES:
        return None
    found = _headed([("content-type", told.decode("latin-1"))]).get_boundary()
    return None if found is None else found.encode("latin-1")


def _form(content: bytes, boundary: bytes) -> Json:
    """Return the fields of a form.

    Raises:
        InvalidInput: it is none, or is not whole.
    """
    fields: dict[str, list[Json]] = {}
    for part in _parts(content, boundary):
        name, value = _field(part)
        fields.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}


def _parts(content: bytes, boundary: bytes) -> Iterator[bytes]:
    """Yield each part, its head first."""
    pieces = (b"\r\n" + content).split(b"\r\n--" + boundary)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise InvalidInput("The form is not whole.")
    for piece in pieces[1:-1]:
        padding, found, part = piece.partition(b"\r\n")
        if not found or padding.strip(b" \t"):
            raise InvalidInput("The form has a line that is no boundary.")
        yield part


def _field(part: bytes) -> tuple[str, Json]:
    head, found, content = part.partition(b"\r\n\r\n")
    if not found or len(head) > _MOST_HEAD_BYTES:
        raise InvalidInput("A part of the form has no head.")
    lines = (line.partition(":") for line in head.decode().split("\r\n"))
    headed = _headed([(name.strip(), value.strip()) for name, _, value in lines])
    name = headed.get_param("name", header="content-disposition")
    if name is None:
        raise InvalidInput("A part of the form has no name.")
    filename = headed.get_filename()
    value: Json = content.decode() if filename is None else _file(filename, headed.get("content-type"), content)
    return collapse_rfc2231_value(name), value


def _file(name: str, kind: str | None, content: bytes) -> Json:
    return {"filename": name, "type": kind, "digest": digest(content).hex(), "bytes": len(content)}


def _headed(headers: Sequence[tuple[str, str]]) -> Message:
    message = Message()
    for name, value in headers:
        message[name] = value
    return message

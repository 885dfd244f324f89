"""Content parts of OpenAI's chat format as a lens. What it has no word for stays as it is, as an Opaque part."""

from reenact.dialects.wire import Object, from_json_text, inner, optional_text, text
from reenact.domain.digesting import canonical
from reenact.domain.message import Json, Media, Opaque, Part, Text


def read_part(wire: Json) -> Part:
    """Return one content part."""
    if isinstance(wire, str):
        return Text(wire)
    kind = text(wire, "type")
    if kind == "text" and isinstance(wire.get("text"), str):
        return Text(wire["text"])
    if kind == "refusal" and isinstance(wire.get("refusal"), str):
        return Text(wire["refusal"])
    return _read_media(kind, wire) or Opaque(canonical(wire).decode())


def _read_media(kind: str, wire: Json) -> Media | None:
    """Return an image, sound or file; None for other parts and for shapes that would lose something."""
    if kind == "image_url":
        url = text(inner(wire, "image_url"), "url") or text(wire, "image_url")
        return read_url("image", url) if url else None
    if kind == "input_audio":
        audio = inner(wire, "input_audio")
        form = optional_text(audio, "format")
        return Media(
            kind="audio", media_type=f"audio/{form}" if form else None, data_base64=optional_text(audio, "data")
        )
    if kind == "file":
        file = inner(wire, "file")
        data = text(file, "file_data")
        return read_url("file", data) if data else Media(kind="file", url=optional_text(file, "file_id"))
    return None


def read_url(kind: str, url: str) -> Media:
    """Return a medium by its address; a `data:` URL in base64 (RFC 2397) is split into its type and its content."""
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return Media(kind=kind, media_type=head.removeprefix("data:").removesuffix(";base64") or None, data_base64=data)
    return Media(kind=kind, url=url)


def write_url(media: Media) -> str:
    """Return the address of *media*, a `data:` URL for inline content."""
    if media.data_base64 is None:
        return media.url or ""
    return f"data:{media.media_type or ''};base64,{media.data_base64}"


def write_part(part: Part, wire: Json = None) -> Json:
    """Return *part* as a content part; into *wire* when that is a part of the same kind, so that its other fields stay."""
    if isinstance(part, Opaque):
        return from_json_text(part.json)
    new = _new_part(part)
    if not isinstance(wire, dict):
        return new
    if isinstance(part, Text) and wire.get("type") == "refusal":
        return wire | {"refusal": part.text}
    if wire.get("type") != new["type"]:
        return new
    return wire | {key: inner(wire, key) | value if isinstance(value, dict) else value for key, value in new.items()}


def _new_part(part: Part) -> Object:
    """Return *part* in the format's normal form."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if not isinstance(part, Media):
        raise TypeError(f"{type(part).__name__} is not content of this format.")
    if part.kind == "audio":
        form = (part.media_type or "audio/wav").partition("/")[2]
        return {"type": "input_audio", "input_audio": {"data": part.data_base64 or "", "format": form}}
    if part.kind == "file":
        by_id = part.data_base64 is None
        return {"type": "file", "file": {"file_id": part.url} if by_id else {"file_data": write_url(part)}}
    return {"type": "image_url", "image_url": {"url": write_url(part)}}

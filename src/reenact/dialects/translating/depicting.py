"""Images, sounds and files in another format: what each takes, by its API reference (2026-11)."""

import msgspec

from reenact.domain.message import Media, Role

_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "pdf": "application/pdf",
}  # fmt: skip
"""By the ending of an address: Gemini wants to be told the type of what is elsewhere."""
_KINDS = {
    "openai_chat": frozenset({"image", "audio", "file"}),
    "openai_responses": frozenset({"image", "file"}),
    "anthropic_messages": frozenset({"image", "file"}),
    "gemini": frozenset({"image", "audio", "file"}),
}
_FETCHED = {
    "openai_chat": frozenset({"image"}),
    "openai_responses": frozenset({"image"}),
    "anthropic_messages": frozenset({"image", "file"}),
    "gemini": frozenset({"image", "file"}),
}
"""What may stand there by its address."""
_SOUNDS = frozenset({"audio/wav", "audio/mp3"})


def hindrance(media: Media, role: Role, target: str) -> str:
    """Return why the format *target* cannot hold *media* in a message of *role*; empty when it can."""
    if role is not Role.USER and not (role is Role.ASSISTANT and target == "gemini"):
        return f"{_a(media)} in a message of the role {role.value}, which the format {target} does not take"
    if media.kind not in _KINDS[target]:
        return f"{_a(media)}, which the format {target} does not take"
    if media.data_base64 is not None:
        return _inline_hindrance(media, target)
    if not (media.url or "").startswith(("http://", "https://")) or "generativelanguage.googleapis.com" in (
        media.url or ""
    ):
        return f"{_a(media)} that the provider of the recorded call holds"
    if media.kind not in _FETCHED[target]:
        return f"{_a(media)} by its address, which the format {target} does not take"
    if target == "gemini" and _type_of(media.url or "") is None:
        return f"{_a(media)} by an address that does not tell its type, which the format {target} wants to know"
    return ""


def depicted(media: Media, source: str, target: str) -> Media:
    """Return *media* as the format *target* says it."""
    if media.data_base64 is not None:
        return media
    if target == "gemini":
        return msgspec.structs.replace(media, media_type=_type_of(media.url or ""))
    return msgspec.structs.replace(media, media_type=None) if source == "gemini" else media


def _inline_hindrance(media: Media, target: str) -> str:
    if media.media_type is None:
        return f"{_a(media)} of a type that is not told"
    if media.kind == "audio" and target == "openai_chat" and media.media_type not in _SOUNDS:
        return f"sound of the type {media.media_type}, which the format {target} does not take"
    return ""


def _type_of(url: str) -> str | None:
    return _TYPES.get(url.partition("?")[0].rpartition(".")[2].lower())


def _a(media: Media) -> str:
    return {"image": "an image", "audio": "sound"}.get(media.kind, "a file")

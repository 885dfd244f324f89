"""What a medium is, by its first bytes: what a sender says of it may be wrong, or meant to deceive a browser."""

UNKNOWN = "application/octet-stream"
"""Of what is not known: to be kept as a file, never to be shown."""

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}

SHOWN = frozenset(media_type for _, media_type in _BEGINNINGS) | frozenset(_RIFF.values())
"""What a browser may be given to show or to play: nothing of it can hold a script."""


def media_type(content: bytes) -> str:
    """Return the media type of *content*: one of SHOWN, or UNKNOWN."""
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], UNKNOWN)
    return next((name for beginning, name in _BEGINNINGS if content.startswith(beginning)), UNKNOWN)

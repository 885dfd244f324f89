"""Digests: the name of a message or body by its content. The same meaning has the same digest, whatever the spacing."""

import hashlib

import msgspec

from reenact.domain.message import Json, Message, Text, ToolResult, ToolUse

_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: Json) -> bytes:
    """Return *value* as JSON bytes with sorted keys and no spacing: equal values give equal bytes."""
    return _encoder.encode(value)


def digest(content: bytes) -> bytes:
    """Return the 16-byte BLAKE2b digest of *content* (RFC 7693), the name of a stored part."""
    return hashlib.blake2b(content, digest_size=16).digest()


def message_digest(message: Message) -> bytes:
    """Return the digest of what *message* says: role and parts, link ids left out, since each run makes its own."""
    parts = [
        ["tool_use", part.name, _normal(part.arguments)]
        if isinstance(part, ToolUse)
        else ["tool_result", part.text, part.is_error]
        if isinstance(part, ToolResult)
        else msgspec.to_builtins(Text(part.text) if isinstance(part, Text) else part)
        for part in message.parts
    ]
    return digest(canonical([message.role.value, message.name, parts]))


def _normal(arguments: str) -> Json:
    """Return tool arguments as JSON when they are, else the text itself."""
    try:
        return msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return arguments

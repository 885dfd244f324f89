"""Pictures for tests, and the requests that hold them."""

import base64
import random

import msgspec

from reenact.domain.call import Reading
from tests.store.given import given_reading

PNG = b"\x89PNG\r\n\x1a\n"


def picture(seed: int, size: int = 100_000) -> bytes:
    """Return bytes that begin as a PNG does and cannot be compressed."""
    return PNG + random.Random(seed).randbytes(size)


def asking(*pictures: bytes, say: str = "What is it?") -> bytes:
    """Return a chat request that shows pictures."""
    shown = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(one).decode()}}
        for one in pictures
    ]
    content = [{"type": "text", "text": say}, *shown]
    return msgspec.json.encode({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]})


def showing(number: int, *pictures: bytes, **exchange: object) -> Reading:
    """Return a reading whose request shows pictures."""
    return given_reading(number, {"request_body": asking(*pictures), **exchange})

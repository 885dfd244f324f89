"""Embeddings of the scripted provider: unit vectors that are a pure function of the text."""

import base64
import hashlib
import math
import struct

from reenact.dialects.wire import Object, whole
from reenact.domain.message import Json, Opaque, Prompt, Text
from reenact.provider.counting import count_text

_DEFAULT_DIMENSIONS = 1536
_MOST_DIMENSIONS = 4096


def write_embeddings(prompt: Prompt) -> Json:
    """Return the body of an answer: one vector for each input, as floats or in base64 as asked for."""
    dimensions = min(whole(prompt.parameters, "dimensions") or _DEFAULT_DIMENSIONS, _MOST_DIMENSIONS)
    in_base64 = prompt.parameters.get("encoding_format") == "base64"
    texts = [
        part.text if isinstance(part, Text) else part.json
        for message in prompt.messages
        for part in message.parts
        if isinstance(part, Text | Opaque)
    ]
    data: list[Object] = []
    for at, text in enumerate(texts):
        vector = embed(text, dimensions)
        data.append({"object": "embedding", "index": at, "embedding": _packed(vector) if in_base64 else vector})
    tokens = sum(count_text(text) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": prompt.model, "usage": usage}


def embed(text: str, dimensions: int) -> list[float]:
    """Return a vector of length one and *dimensions* components; texts that share words lie near each other."""
    total = [0.0] * dimensions
    for word in text.lower().split() or [""]:
        for at, component in enumerate(_direction(word, dimensions)):
            total[at] += component
    length = math.sqrt(sum(component * component for component in total))
    return [component / (length or 1.0) for component in total]


def _direction(word: str, dimensions: int) -> list[int]:
    """Return the components of a word, each from -127 to 127 and not 0."""
    bits = hashlib.shake_128(word.encode()).digest(dimensions)
    return [byte - 127 if byte < 127 else byte - 126 if byte < 254 else 127 for byte in bits]


def _packed(vector: list[float]) -> str:
    """Return the vector as little-endian 32-bit floats in base64, as OpenAI's `encoding_format: base64` is."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

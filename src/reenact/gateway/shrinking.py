"""Shrinking a prompt that a provider found too long: the longest texts are cut to one length, short ones stay whole."""

import re
from collections.abc import Callable, Iterator

import msgspec

from reenact.domain.message import Json
from reenact.gateway.controls import Overflow

_NUMBER = re.compile(rb"\d[\d,]{2,11}")
_SPARE = 0.95
_USUAL_SHARE = 0.7
"""What is kept where the provider does not say how much too long a prompt is."""
_GAP = " [...] "
_TEXTS = ("content", "text", "output")
"""Under which keys of messages and their parts texts are."""

_Hold = tuple[str, Callable[[str], None]]
"""A text, and what puts another in its place."""


def kept_share(said: bytes) -> float:
    """Return how much of a prompt may stay, by the tokens that a provider's error names: the limit, and what there were."""
    counts = sorted(int(number.replace(b",", b"")) for number in _NUMBER.findall(said[:4096]))
    if len(counts) < 2 or not 0 < counts[0] < counts[-1]:
        return _USUAL_SHARE
    return counts[0] / counts[-1] * _SPARE


def shrink(body: bytes, share: float, overflow: Overflow) -> bytes | None:
    """Return a chat's *body* with *share* of its letters; None when it holds no text that could be cut.

    Args:
        body: JSON with `messages`, or `input` as in the Responses API.
        share: above 0 and below 1.
        overflow: whether a text loses its end or its middle.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    texts = [*_texts(value, "messages"), *_texts(value, "input")]
    level = _level([len(text) for text, _ in texts], share)
    is_cut = False
    for text, put in texts:
        if len(text) > level:
            put(_cut(text, level, overflow))
            is_cut = True
    return msgspec.json.encode(value) if is_cut else None


def _cut(text: str, length: int, overflow: Overflow) -> str:
    if overflow is not Overflow.MIDDLE_OUT:
        return text[:length]
    left = max(0, length - len(_GAP))
    return text[: left - left // 2] + _GAP + text[len(text) - left // 2 :]


def _level(lengths: list[int], share: float) -> int:
    """Return the length to which texts are cut so that *share* of all letters is left."""
    left, rest = int(sum(lengths) * share), len(lengths)
    for length in sorted(lengths):
        if length * rest >= left:
            return left // rest
        left -= length
        rest -= 1
    return max(lengths, default=0)


def _texts(holder: dict[str, Json], key: str) -> Iterator[_Hold]:
    """Yield the texts under *key*, in messages and their parts."""
    value = holder.get(key)
    if isinstance(value, str):

        def put(text: str) -> None:
            holder[key] = text

        yield value, put
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                for name in _TEXTS:
                    yield from _texts(item, name)

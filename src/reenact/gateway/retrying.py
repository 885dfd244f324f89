"""Retries: which answers are asked for again, and how long to wait before (surface 5.5)."""

import math
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

from reenact.domain.exchange import Header
from reenact.errors import UpstreamFailed
from reenact.gateway.controls import Retries

_FINAL_KINDS = frozenset({"internal_error", "disallowed"})
"""Failures of our own making: asking again gives the same."""


def is_retried_status(status: int) -> bool:
    """Return whether an answer with *status* is asked for again: too many requests, or a fault of the provider's."""
    return status == 429 or status >= 500


def is_retried_failure(failure: UpstreamFailed) -> bool:
    """Return whether a call that nothing came of is asked again: the network's faults are."""
    return failure.kind not in _FINAL_KINDS


def delay_s(retries: Retries, number: int, headers: Sequence[Header], now_s: float) -> float:
    """Return how long to wait before a retry, in seconds.

    Args:
        retries: how the call wants it.
        number: of the retry, counted from 0.
        headers: of the answer that failed; what its `Retry-After` asks for is waited at least, but never more than max_ms.
        now_s: seconds since the epoch.
    """
    grown_ms = retries.min_ms * _power(retries.factor, number)
    return min(float(retries.max_ms), max(grown_ms, 1000 * asked_s(headers, now_s))) / 1000


def asked_s(headers: Sequence[Header], now_s: float) -> float:
    """Return how long a provider asks to wait, in seconds: `Retry-After-Ms`, or `Retry-After` (RFC 9110, 10.2.3); else 0."""
    told = {name: value.decode("latin-1").strip() for name, value in headers if name.startswith(b"retry-after")}
    waits = (_number(told.get(b"retry-after-ms")) / 1000, _number(told.get(b"retry-after")))
    return max(waits[0], waits[1], _until(told.get(b"retry-after"), now_s))


def _power(factor: float, number: int) -> float:
    try:
        return factor**number
    except OverflowError:
        return math.inf


def _number(text: str | None) -> float:
    try:
        number = float(text or "")
    except ValueError:
        return 0.0
    return number if 0 <= number < math.inf else 0.0


def _until(text: str | None, now_s: float) -> float:
    """Return the seconds until the HTTP date *text*."""
    if text is None or "," not in text:
        return 0.0
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, OverflowError):
        return 0.0

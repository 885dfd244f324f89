"""Decide how long to wait: between calls for a provider's rate, and before a call that failed is asked again."""

import msgspec

from reenact.domain.replay import Rate

_FIRST_S, _MOST_S = 0.5, 30.0
LONGEST_WISH_S = 120.0
"""A provider that wants to be left alone for longer is not waited for."""


class Bucket(msgspec.Struct, frozen=True):
    """What may be used now of an allowance per minute: it fills steadily, and may be in debt.

    A call may go while it is not in debt: filled to one less than a second's worth, exactly that goes at once.
    """

    per_minute: float
    level: float
    at_s: float

    def taken(self, amount: float, now_s: float) -> "Bucket":
        """Return the bucket after *amount* was taken, which may leave it in debt."""
        return Bucket(self.per_minute, self._filled(now_s) - amount, now_s)

    def wait_s(self, now_s: float) -> float:
        """Return how long until it is out of debt; 0 when it is."""
        return max(0.0, -self._filled(now_s) * 60 / self.per_minute)

    def _filled(self, now_s: float) -> float:
        return min(burst(self.per_minute) - 1, self.level + (now_s - self.at_s) * self.per_minute / 60)


def burst(per_minute: float) -> float:
    """Return how much may be used at once: a second's worth, at least one."""
    return max(1.0, per_minute / 60)


class Pace(msgspec.Struct, frozen=True):
    """How fast a provider may be asked from now on."""

    requests: Bucket | None = None
    tokens: Bucket | None = None
    held_until_s: float = 0.0
    """When the provider wants to be asked again."""

    def wait_s(self, now_s: float) -> float:
        """Return how long the next call has to wait; 0 when it may go."""
        owed = [bucket.wait_s(now_s) for bucket in (self.requests, self.tokens) if bucket is not None]
        return max([0.0, self.held_until_s - now_s, *owed])

    def after_call(self, tokens: float, now_s: float) -> "Pace":
        """Return the pace after a call was let go that is expected to use so many *tokens*."""
        return Pace(
            self.requests and self.requests.taken(1, now_s),
            self.tokens and self.tokens.taken(tokens, now_s),
            self.held_until_s,
        )

    def corrected(self, tokens: float, now_s: float) -> "Pace":
        """Return the pace after a call used so many more *tokens* than were expected, fewer when negative."""
        return Pace(self.requests, self.tokens and self.tokens.taken(tokens, now_s), self.held_until_s)

    def held(self, until_s: float) -> "Pace":
        """Return the pace of a provider that wants to be left alone until then."""
        return Pace(self.requests, self.tokens, max(self.held_until_s, until_s))


def pace(rate: Rate, now_s: float) -> Pace:
    """Return the pace to begin with."""
    return Pace(_bucket(rate.requests_per_minute, now_s), _bucket(rate.tokens_per_minute, now_s))


def _bucket(per_minute: float | None, now_s: float) -> Bucket | None:
    return None if per_minute is None else Bucket(per_minute, burst(per_minute) - 1, now_s)


def delay_s(failures: int, wish_s: float | None, share: float) -> float | None:
    """Return how long to wait before a call is asked again that failed so many times.

    Args:
        failures: so far, counted from 1.
        wish_s: what the provider asks for (Retry-After).
        share: a random number in [0, 1), so that calls that failed together do not come back together.

    Returns:
        Seconds; None when the provider wants to be left alone for too long to wait.
    """
    if wish_s is not None:
        return None if wish_s > LONGEST_WISH_S else wish_s
    return float(min(_MOST_S, _FIRST_S * 2 ** (failures - 1)) * (0.5 + share / 2))

"""Rate limits: what a policy says, and how much of it is left (surface 5.4). A bucket that fills evenly over its window."""

import math
import re

import msgspec

from reenact.domain.exchange import Header
from reenact.domain.labels import Labels
from reenact.gateway.controls import Policy, Unit

_POLICY = re.compile(r"(\d{1,15});w=(\d{1,9})(?:;u=(request|cents))?(?:;s=([a-z0-9_-]+))?", re.IGNORECASE | re.ASCII)
_WINDOWS_S = range(60, 31_536_001)
_NOISE = 1e-9
"""What adding fractions up may be off by."""


class Bucket(msgspec.Struct, frozen=True):
    """How much was left of a policy, and when."""

    left: float
    """Requests or cents; below zero after a call that cost more than was left."""
    at_s: float


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a call may go on, and what its agent is told."""

    policy: Policy
    is_allowed: bool
    left: float
    """After this call."""

    @property
    def reset_s(self) -> int:
        """In how many whole seconds the next call may go on; 0 when it may now."""
        missing = demand(self.policy).least - self.left
        if missing <= 0:
            return 0
        return max(1, math.ceil(round(missing * self.policy.window_s / self.policy.quota, 6)))

    @property
    def headers(self) -> tuple[Header, ...]:
        """What the answer tells of the limit (surface 1.7)."""
        told: list[Header] = [
            (b"helicone-ratelimit-limit", b"%d" % self.policy.quota),
            (b"helicone-ratelimit-remaining", b"%d" % max(0, math.floor(self.left))),
            (b"helicone-ratelimit-policy", self.policy.text.encode()),
        ]
        if self.reset_s > 0:
            told.append((b"helicone-ratelimit-reset", b"%d" % self.reset_s))
        return tuple(told)


def read_policy(text: str) -> Policy | None:
    """Return the policy in a header; None when it is none, which limits nothing."""
    found = _POLICY.fullmatch(text.strip())
    if found is None or int(found[1]) == 0 or int(found[2]) not in _WINDOWS_S:
        return None
    return Policy(
        quota=int(found[1]),
        window_s=int(found[2]),
        unit=Unit((found[3] or "request").lower()),
        segment=found[4].lower() if found[4] else None,
    )


def bucket_key(policy: Policy, organisation_id: str, labels: Labels) -> str | None:
    """Return whose bucket a call draws on; None when it does not say who it is for, and so is not limited."""
    whose = _segment(policy.segment, labels)
    if whose is None:
        return None
    return msgspec.json.encode([organisation_id, policy.text, whose]).decode()


class Demand(msgspec.Struct, frozen=True):
    """What one call asks of a bucket before it is sent."""

    least: float
    """It goes on when at least so much is left."""
    amount: float
    """It then takes so much."""


def demand(policy: Policy) -> Demand:
    """Return what a call asks: one request, taken at once; or that a budget is not used up, its cost being known later."""
    return Demand(1 - _NOISE, 1.0) if policy.unit is Unit.REQUEST else Demand(_NOISE, 0.0)


def draw(bucket: Bucket | None, policy: Policy, now_s: float) -> tuple[Verdict, Bucket]:
    """Return whether one call may go on, and the bucket after it."""
    filled, need = fill(bucket, policy, now_s), demand(policy)
    is_allowed = filled.left >= need.least
    left = filled.left - need.amount if is_allowed else filled.left
    return Verdict(policy=policy, is_allowed=is_allowed, left=left), Bucket(left, filled.at_s)


def spend(bucket: Bucket | None, policy: Policy, now_s: float, amount: float) -> Bucket:
    """Return the bucket after *amount* more was used."""
    filled = fill(bucket, policy, now_s)
    return Bucket(filled.left - amount, filled.at_s)


def fill(bucket: Bucket | None, policy: Policy, now_s: float) -> Bucket:
    """Return the bucket with what has flowed in until now. A clock that goes back fills nothing, then or later."""
    if bucket is None:
        return Bucket(float(policy.quota), now_s)
    flowed = max(0.0, now_s - bucket.at_s) * policy.quota / policy.window_s
    return Bucket(min(float(policy.quota), bucket.left + flowed), max(bucket.at_s, now_s))


def _segment(segment: str | None, labels: Labels) -> str | None:
    if segment is None:
        return ""
    if segment == "user":
        return labels.user_id
    return next((value for name, value in labels.properties.items() if name.lower() == segment), None)

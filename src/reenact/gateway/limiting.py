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
        if _has_enough(self.policy, self.left):
            return 0
        missing = (1 if self.policy.unit is Unit.REQUEST else 0) - self.left
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


def draw(bucket: Bucket | None, policy: Policy, now_s: float) -> tuple[Verdict, Bucket]:
    """Return whether one call may go on and the bucket after it. A request is taken at once, cents when they are known."""
    left = level(bucket, policy, now_s)
    is_allowed = _has_enough(policy, left)
    if is_allowed and policy.unit is Unit.REQUEST:
        left -= 1
    return Verdict(policy=policy, is_allowed=is_allowed, left=left), Bucket(left, now_s)


def spend(bucket: Bucket | None, policy: Policy, now_s: float, amount: float) -> Bucket:
    """Return the bucket after *amount* more was used."""
    return Bucket(level(bucket, policy, now_s) - amount, now_s)


def level(bucket: Bucket | None, policy: Policy, now_s: float) -> float:
    """Return how much is left now: what was left, and what has flowed in since."""
    if bucket is None:
        return float(policy.quota)
    passed_s = max(0.0, now_s - bucket.at_s)
    return min(float(policy.quota), bucket.left + passed_s * policy.quota / policy.window_s)


def _has_enough(policy: Policy, left: float) -> bool:
    return left >= 1 - _NOISE if policy.unit is Unit.REQUEST else left > _NOISE


def _segment(segment: str | None, labels: Labels) -> str | None:
    if segment is None:
        return ""
    if segment == "user":
        return labels.user_id
    return next((value for name, value in labels.properties.items() if name.lower() == segment), None)

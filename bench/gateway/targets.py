"""What the gateway is to cost at most, and whether it did: ratios within one run."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

OURS = "reenact"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One target."""

    target: str
    measured: float
    is_met: bool


def _at_most(what: str, measured: float, most: float) -> Verdict:
    return Verdict(target=f"{what}: at most {most:g}", measured=round(measured, 2), is_met=measured <= most)


def _at_least(what: str, measured: float, least: float) -> Verdict:
    return Verdict(target=f"{what}: at least {least:g}", measured=round(measured, 2), is_met=measured >= least)


def verdicts(table: Mapping[str, Mapping[str, Any]]) -> Iterator[Verdict]:
    """Yield a verdict for each target whose scenarios and gateways were measured."""

    def has(name: str, *scenarios: str) -> bool:
        return all(scenario in table.get(name, {}) and scenario in table.get(OURS, {}) for scenario in scenarios)

    def times(scenario: str, other: str, one: str = OURS) -> float:
        ratio: float = table[one][scenario]["cpu_us"] / table[other][scenario]["cpu_us"]
        return ratio

    for scenario, most in (("1 KB", 5.0), ("SSE burst", 2.0), ("SSE paced, 20/s", 2.0)):
        if has("nginx", scenario):
            yield _at_most(f"{scenario}, CPU a call by nginx's", times(scenario, "nginx"), most)
    if has(OURS, "1 KB", "20 KB"):
        ratio = table[OURS]["20 KB"]["cpu_us"] / table[OURS]["1 KB"]["cpu_us"]
        yield _at_most("20 KB, CPU a call by our own for 1 KB", ratio, 1.5)
    for scenario in ("1 KB", "1 KB at 100/s", "1 KB at 500/s"):
        if has("tensorzero", scenario):
            yield _at_most(f"{scenario}, CPU a call by TensorZero's", times(scenario, "tensorzero"), 1.0)
    for peer, least in (("portkey", 10.0), ("mitmdump", 10.0), ("litellm", 80.0)):
        if has(peer, "1 KB"):
            yield _at_least(f"1 KB, {peer}'s CPU a call by ours", times("1 KB", OURS, peer), least)
    for scenario in ("1 KB at 100/s", "1 KB at 500/s"):
        if has(OURS, scenario):
            yield _at_most(f"{scenario}, added p50 in ms", table[OURS][scenario]["added_p50_ms"], 1.2)

"""The option `--tool NAME=POLICIES` of `reenact replay`."""

from collections.abc import Sequence

from reenact.domain.policy import ErrorResult, Policies, Recorded, Simulate, Static, Stop, ToolPolicy, ToolRule
from reenact.errors import InvalidInput


def read_tools(options: Sequence[str]) -> Policies:
    """Return the policies that *options* say, such as `search_*=recorded,error:not found`.

    Raises:
        InvalidInput: one is of another form or names an unknown policy.
    """
    return Policies(tools=tuple(_rule(option) for option in options))


def _rule(option: str) -> ToolRule:
    name, equals, policies = option.partition("=")
    if not name or not equals:
        raise InvalidInput(f"--tool wants NAME=POLICIES, such as 'search=recorded,simulate', not {option!r}.", "--tool")
    return ToolRule(tool=name, policies=tuple(_policy(one.strip(), option) for one in policies.split(",")))


def _policy(text: str, option: str) -> ToolPolicy:
    kind, _, said = text.partition(":")
    known: dict[str, ToolPolicy] = {
        "recorded": Recorded(),
        "static": Static(said),
        "error": ErrorResult(said) if said else ErrorResult(),
        "simulate": Simulate(said),
        "stop": Stop(),
    }
    if kind not in known:
        raise InvalidInput(f"--tool {option}: {kind!r} is no policy; known are {', '.join(known)}.", "--tool")
    return known[kind]

"""The options `--tool NAME=POLICIES` and `--tool-url NAME=URL` of `reenact replay`."""

from collections.abc import Sequence

from reenact.domain.policy import (
    Callback,
    ErrorResult,
    Policies,
    Recorded,
    Simulate,
    Static,
    Stop,
    ToolPolicy,
    ToolRule,
)
from reenact.errors import InvalidInput


def read_tools(options: Sequence[str], urls: Sequence[str] = (), *, is_keyed: bool = False) -> Policies:
    """Return the policies that *options* say, such as `search_*=recorded,error:not found`, after those of *urls*.

    Args:
        options: who answers which tools.
        urls: where tools are asked whose results were not recorded, such as `search_*=https://tools.example/run`.
        is_keyed: whether those are sent the key for tools.

    Raises:
        InvalidInput: one is of another form or names an unknown policy.
    """
    asked = tuple(_asked(option, is_keyed=is_keyed) for option in urls)
    return Policies(tools=asked + tuple(_rule(option) for option in options))


def _asked(option: str, *, is_keyed: bool) -> ToolRule:
    name, equals, url = option.partition("=")
    if not name or not equals or not url.startswith(("http://", "https://")):
        message = f"--tool-url wants NAME=URL, such as 'search=https://tools.example/search', not {option!r}."
        raise InvalidInput(message, "--tool-url")
    return ToolRule(tool=name, policies=(Recorded(), Callback(url, is_keyed=is_keyed), Stop()))


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

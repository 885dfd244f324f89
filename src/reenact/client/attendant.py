"""Attendant: answers the tool calls of a replay with functions of the caller's, in the caller's process."""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import msgspec

from reenact.domain.message import Json
from reenact.domain.policy import Callback, Policies, Recorded, Stop, ToolRule
from reenact.domain.replay import WaitingTool

Tool = Callable[..., Json]
"""Called with a tool call's arguments by name, or with their one value when they are no object."""

_AT_ONCE = 8


class Attendant:
    """Calls each waiting tool once; used in a `with` block, which ends when every function has returned."""

    def __init__(self, tools: Mapping[str, Tool], give: Callable[[str, Json], None]) -> None:
        """Take functions by the names of tools, and what sends a result."""
        self._tools = tools
        self._give = give
        self._known: set[str] = set()
        self._threads = ThreadPoolExecutor(_AT_ONCE)
        self._given: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    def attend(self, waiting: Iterable[WaitingTool]) -> None:
        """Begin with those that were not seen before.

        Raises:
            ReenactError: a result of before could not be sent.
        """
        for given in [one for one in self._given if one.done()]:
            self._given.remove(given)
            given.result()
        for one in waiting:
            if one.name in self._tools and one.id not in self._known:
                self._known.add(one.id)
                self._given.append(self._threads.submit(self._answer, one))

    def _answer(self, one: WaitingTool) -> None:
        self._give(one.id, outcome(self._tools[one.name], one.arguments))


def outcome(tool: Tool, arguments: str) -> dict[str, Json]:
    """Return what is sent for one tool call; an error is whatever the function raises."""
    try:
        given: Any = msgspec.json.decode(arguments)
        result = tool(**given) if isinstance(given, dict) else tool(given)
        return {"result": msgspec.to_builtins(result)}
    except Exception as error:  # noqa: BLE001 - the caller's function: whatever it raises is the tool's failure
        return {"error": f"{type(error).__name__}: {error}"}


def attended(policies: Policies, names: Collection[str]) -> Policies:
    """Return *policies* with the tools of these names answered from the record, else by the client."""
    rules = tuple(ToolRule(tool=name, policies=(Recorded(), Callback(), Stop())) for name in names)
    return msgspec.structs.replace(policies, tools=rules + policies.tools)

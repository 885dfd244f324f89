"""The attendant calls each waiting tool once, and gives what it returned or why it failed."""

import threading

import pytest

from reenact.client.attendant import Attendant, attended, outcome
from reenact.domain.message import Json
from reenact.domain.policy import Callback, Policies, Recorded, Stop, ToolRule
from reenact.domain.replay import WaitingTool
from reenact.errors import ServerUnreachable


def waiting(number: int, name: str = "add") -> WaitingTool:
    """Return a tool call."""
    return WaitingTool(id=f"tool-{number}", take=1, name=name, arguments='{"a": 1, "b": 2}')


def test_each_waiting_tool_is_called_once() -> None:
    """However often it is seen, and those alone that there is a function for."""
    given: dict[str, Json] = {}
    with Attendant({"add": lambda a, b: a + b}, given.__setitem__) as attendant:
        for _ in range(3):
            attendant.attend([waiting(1), waiting(2), waiting(3, "other")])

    assert {"tool-1": {"result": 3}, "tool-2": {"result": 3}} == given


def test_tools_run_side_by_side() -> None:
    """Two that wait for each other."""
    both = threading.Barrier(2, timeout=20)
    given: dict[str, Json] = {}
    with Attendant({"add": lambda a, b: both.wait() >= 0}, given.__setitem__) as attendant:
        attendant.attend([waiting(1), waiting(2)])

    assert {"tool-1": {"result": True}, "tool-2": {"result": True}} == given


def test_a_result_that_cannot_be_sent_is_told() -> None:
    """At the next look."""

    def refuse(tool_id: str, given: Json) -> None:
        raise ServerUnreachable(tool_id)

    attendant = Attendant({"add": lambda a, b: a + b}, refuse)
    attendant.attend([waiting(1)])
    attendant.__exit__()
    with pytest.raises(ServerUnreachable, match="tool-1"):
        attendant.attend([])


def test_what_a_function_raises_is_its_failure() -> None:
    """Arguments that it does not take, too, and what is no JSON."""
    assert "ZeroDivisionError" in str(outcome(lambda a: 1 // a, '{"a": 0}')["error"])
    assert "TypeError" in str(outcome(lambda: 1, '{"a": 0}')["error"])
    assert "DecodeError" in str(outcome(lambda: 1, "{")["error"])
    assert "TypeError" in str(outcome(object, "{}")["error"])
    assert {"result": [3]} == outcome(lambda one: [one], "3")


def test_functions_answer_what_the_record_cannot() -> None:
    """Before any other policy of the same tool."""
    other = ToolRule(tool="*", policies=(Stop(),))
    mine = ToolRule(tool="add", policies=(Recorded(), Callback(), Stop()))

    assert Policies(tools=(mine, other)) == attended(Policies(tools=(other,)), ["add"])

"""`--tool` says who answers a tool."""

import pytest

from reenact.cli.tool_options import read_tools
from reenact.domain.policy import Callback, ErrorResult, Policies, Recorded, Simulate, Static, Stop, ToolRule
from reenact.errors import InvalidInput


def test_policies_are_read_in_the_order_they_are_tried() -> None:
    """With what they say after a colon."""
    rules = (
        ToolRule(tool="search_*", policies=(Recorded(), Simulate("Be brief."))),
        ToolRule(tool="pay", policies=(Static("paid: 1"),)),
        ToolRule(tool="*", policies=(ErrorResult("down"), Stop())),
    )

    assert Policies(tools=rules) == read_tools(
        ["search_*=recorded,simulate:Be brief.", "pay=static:paid: 1", "*=error:down,stop"]
    )


@pytest.mark.parametrize("option", ["search", "=recorded", "search=guess", "search="])
def test_what_is_no_policy_is_refused(option: str) -> None:
    """By the name of the option."""
    with pytest.raises(InvalidInput) as refused:
        read_tools([option])

    assert "--tool" == refused.value.field


def test_addresses_answer_what_the_record_cannot() -> None:
    """Before the policies of the same tools; keyed when there is a key for tools."""
    address = "https://tools.example/run?a=b"
    rule = ToolRule(tool="search_*", policies=(Recorded(), Callback(address, is_keyed=True), Stop()))

    read = read_tools(["x=stop"], [f"search_*={address}"], is_keyed=True)
    assert Policies(tools=(rule, ToolRule(tool="x", policies=(Stop(),)))) == read
    with pytest.raises(InvalidInput, match="--tool-url wants NAME=URL"):
        read_tools([], ["https://tools.example/run"])

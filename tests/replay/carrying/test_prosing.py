"""Tool calls in words are known again, whatever stands around them."""

import pytest

from reenact.replay.carrying.prosing import prose_action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("Thought: hm\nAction: weather[Oslo]", "weather[Oslo]"),
        ("Other thought\n**Action:** weather[Oslo]", "weather[Oslo]"),
        ("Action: search\nAction Input: old  maps\n", "search Action Input: old maps"),
        ("So <tool_call>{}</tool_call> then", "<tool_call>{}</tool_call>"),
        ('{"tool": "weather", "input": 1}', "[('input', 1), ('tool', 'weather')]"),
        ("Final Answer: it rains", None),
        ('{"answer": "it rains"}', None),
        ("The action is over.", None),
    ],
)
def test_actions(text: str, action: str | None) -> None:
    """Spacing is made even; words around an action say nothing."""
    assert action == prose_action(text)

"""Two sessions side by side: pairs, differences, sums."""

from collections.abc import Sequence

import msgspec

from reenact.comparison.aligning import align
from reenact.comparison.differing import MAX_CHANGES, json_changes, word_spans
from reenact.comparison.folding import fold
from reenact.comparison.tooling import pair_tools
from reenact.comparison.totalling import total
from reenact.domain.comparison import Comparison, Pair, Turn
from reenact.domain.message import Answer, Prompt, ToolUse


def compare(left: Sequence[Turn], right: Sequence[Turn]) -> Comparison:
    """Return what is different between two sessions, each given in order of creation, all attempts of takes among them."""
    left, right = fold(left), fold(right)
    return Comparison(
        left_session_id=_session_id(left),
        right_session_id=_session_id(right),
        left_name=_name(left),
        right_name=_name(right),
        pairs=tuple(
            _compare_pair(left[one] if one is not None else None, right[other] if other is not None else None)
            for one, other in align(left, right)
        ),
        left=total([turn.call for turn in left], [call for turn in left for call in turn.attempts]),
        right=total([turn.call for turn in right], [call for turn in right for call in turn.attempts]),
    )


def _compare_pair(left: Turn | None, right: Turn | None) -> Pair:
    if left is None or right is None:
        return Pair(left=left, right=right)
    changes = json_changes(_body(left.prompt), _body(right.prompt), limit=MAX_CHANGES + 1)
    return Pair(
        left=left,
        right=right,
        prompt_changes=changes[:MAX_CHANGES],
        prompt_changes_are_cut=len(changes) > MAX_CHANGES,
        answer_spans=word_spans(answer_text(left.answer), answer_text(right.answer)),
        tools=pair_tools(_tools(left.answer), _tools(right.answer)),
    )


def answer_text(answer: Answer | None) -> str:
    """Return what an answer says in words: its text and its error; the JSON itself when it has neither."""
    if answer is None:
        return ""
    if answer.message is None and answer.error is None and answer.origin is not None:
        return msgspec.json.format(msgspec.json.encode(answer.origin), indent=2).decode()
    said = answer.message.text if answer.message else ""
    return "\n".join(filter(None, (said, answer.error)))


def _body(prompt: Prompt | None) -> object:
    return prompt.origin if prompt else None


def _tools(answer: Answer | None) -> tuple[ToolUse, ...]:
    return answer.message.tool_uses if answer and answer.message else ()


def _session_id(turns: Sequence[Turn]) -> str:
    return next((turn.call.labels.session_id or "" for turn in turns), "")


def _name(turns: Sequence[Turn]) -> str:
    return next((turn.call.labels.session_name for turn in turns if turn.call.labels.session_name), "")

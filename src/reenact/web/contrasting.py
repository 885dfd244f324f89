"""A comparison as the page shows it: sums with their differences, pairs with what stayed the same folded."""

from collections.abc import Iterator, Sequence

import msgspec

from reenact.comparison.comparing import answer_text
from reenact.comparison.differing import word_spans
from reenact.domain.comparison import Change, Comparison, JsonChange, Pair, Span, ToolPair, Turn
from reenact.domain.message import Json
from reenact.web import formatting
from reenact.web.conversing import pretty

_MAX_SAME = 600
"""Characters of an unchanged passage that are shown; the middle of a longer one is folded."""
_MAX_CHANGED = 20_000
_MAX_VALUE = 2_000
_MAX_SAME_VALUE = 160
_MAX_PLACES = 8
_MAX_WORDS = 40_000
"""Characters of a changed text inside JSON that are still compared word by word."""


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """One sum of both sides, and what changed."""

    label: str
    left: str
    right: str
    difference: str
    """With its sign; empty when there is none."""
    percent: str
    """Of the left side, with its sign; empty when there is none or the left side is zero."""
    note: str = ""
    """What the numbers leave out."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of words on one side of a pair."""

    change: str
    """`same`, `removed` or `added`."""
    text: str
    left_out: int = 0
    """Characters in the middle of a long run that are not shown."""
    rest: str = ""
    """What follows the part that is left out."""


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One place in which two JSON values differ, as text."""

    path: str
    runs: tuple[Run, ...]
    """What was there and what is there now; a changed text word by word."""


class Tooling(msgspec.Struct, frozen=True, kw_only=True):
    """Two tool calls side by side."""

    pair: ToolPair
    left: str
    """The arguments, indented; empty when the side is missing."""
    right: str
    changes: tuple[Contrast, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One pair, ready to be read."""

    number: int
    """Its position in the comparison, counted from 1; the anchor is `pair-N`."""
    kind: str
    """`same`, `different`, `only_left` or `only_right`."""
    pair: Pair
    title: str
    """The prompt id of the call, else its model."""
    path: str
    left: tuple[Run, ...]
    """The left answer: what stayed and what was removed."""
    right: tuple[Run, ...]
    """The right answer: what stayed and what was added."""
    tools: tuple[Tooling, ...]
    prompt: tuple[Contrast, ...]
    """Where the requests differ, the first places of many."""
    more_prompt: int
    """Places in which the requests differ and that are not shown."""


def deltas(comparison: Comparison) -> tuple[Delta, ...]:
    """Return the sums of both sides, one line each."""
    left, right = comparison.left, comparison.right
    unpriced = left.unpriced_calls + right.unpriced_calls
    note = f"{unpriced} call{'s' if unpriced > 1 else ''} of unknown price left out" if unpriced else ""
    return (
        _delta("Calls", left.calls, right.calls, formatting.count),
        _delta("Failed", left.failed_calls, right.failed_calls, formatting.count),
        _delta("Input tokens", left.input_tokens, right.input_tokens, formatting.count),
        _delta("Output tokens", left.output_tokens, right.output_tokens, formatting.count),
        msgspec.structs.replace(
            _delta("Cost", left.cost_nanodollars, right.cost_nanodollars, formatting.dollars), note=note
        ),
        _delta("Start to end", left.duration_us, right.duration_us, formatting.duration),
        _delta("In calls", left.model_us, right.model_us, formatting.duration),
    )


def _delta(label: str, left: int, right: int, written: formatting.Writer) -> Delta:
    change = right - left
    sign = "+" if change > 0 else ""
    return Delta(
        label=label,
        left=written(left),
        right=written(right),
        difference=f"{sign}{written(change)}" if change else "",
        percent=formatting.percent(change, left),
    )


def rows(pairs: Sequence[Pair], *, first: int) -> tuple[Row, ...]:
    """Return *pairs* ready to be read, the first of which has the number *first*."""
    return tuple(_row(pair, number) for number, pair in enumerate(pairs, start=first))


def kind_of(pair: Pair) -> str:
    """Return `same`, `different`, `only_left` or `only_right`."""
    if pair.left is None:
        return "only_right"
    if pair.right is None:
        return "only_left"
    return "same" if pair.is_same_answer else "different"


def _row(pair: Pair, number: int) -> Row:
    turn = pair.left or pair.right
    assert turn is not None
    left, right = _sides(pair)
    shown = pair.prompt_changes[: 2 * _MAX_PLACES]
    return Row(
        number=number,
        kind=kind_of(pair),
        pair=pair,
        title=turn.call.labels.prompt_id or turn.call.model,
        path=turn.call.labels.path,
        left=left,
        right=right,
        tools=tuple(_tooling(tool) for tool in _tool_pairs(pair)),
        prompt=_contrasts(shown),
        more_prompt=_places(pair.prompt_changes) - _places(shown),
    )


def _sides(pair: Pair) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Return what each side said; a lone answer is not marked as a change, its gap is."""
    if pair.left is None or pair.right is None:
        return _alone(pair.left), _alone(pair.right)
    return tuple(_runs(pair.answer_spans, Change.REMOVED)), tuple(_runs(pair.answer_spans, Change.ADDED))


def _alone(turn: Turn | None) -> tuple[Run, ...]:
    text = answer_text(turn.answer) if turn else ""
    return (_run("same", text, _MAX_CHANGED),) if text else ()


def _runs(spans: Sequence[Span], shown: Change) -> Iterator[Run]:
    for span in spans:
        if span.change is Change.SAME:
            yield _run("same", span.text, _MAX_SAME)
        elif span.change is shown:
            yield _run(shown.value, span.text, _MAX_CHANGED)


def _run(change: str, text: str, limit: int) -> Run:
    if len(text) <= limit:
        return Run(change=change, text=text)
    half = limit // 2
    return Run(change=change, text=text[:half], left_out=len(text) - 2 * half, rest=text[-half:])


def _tool_pairs(pair: Pair) -> tuple[ToolPair, ...]:
    """Return the tools of a pair; those of a lone call stand on its side."""
    if pair.tools:
        return pair.tools
    turn = pair.left or pair.right
    message = turn.answer.message if turn and turn.answer and (pair.left is None or pair.right is None) else None
    uses = message.tool_uses if message else ()
    if pair.left is not None:
        return tuple(ToolPair(left_name=use.name, right_name=None, left_arguments=use.arguments) for use in uses)
    return tuple(ToolPair(left_name=None, right_name=use.name, right_arguments=use.arguments) for use in uses)


def _tooling(pair: ToolPair) -> Tooling:
    return Tooling(
        pair=pair,
        left=pretty(pair.left_arguments or "")[:_MAX_VALUE],
        right=pretty(pair.right_arguments or "")[:_MAX_VALUE],
        changes=_contrasts(pair.changes),
    )


def _contrasts(changes: Sequence[JsonChange]) -> tuple[Contrast, ...]:
    """Return the places in order; what was removed and added at one place is one line."""
    found: list[Contrast] = []
    rest = list(changes)
    while rest:
        change = rest.pop(0)
        is_replaced = change.change is Change.REMOVED and rest and rest[0].path == change.path
        found.append(Contrast(path=change.path or "/", runs=_value_runs(change, rest.pop(0) if is_replaced else None)))
    return tuple(found)


def _places(changes: Sequence[JsonChange]) -> int:
    return len({change.path for change in changes})


def _value_runs(change: JsonChange, added: JsonChange | None) -> tuple[Run, ...]:
    """Return one value, or what became of it."""
    if added is None:
        return (_run(change.change.value, _written(change.value), _MAX_VALUE),)
    before, after = _written(change.value), _written(added.value)
    if isinstance(change.value, str) and isinstance(added.value, str) and len(before) + len(after) < _MAX_WORDS:
        return tuple(
            _run(span.change.value, span.text, _MAX_SAME_VALUE if span.change is Change.SAME else _MAX_VALUE)
            for span in word_spans(before, after)
        )
    return (_run("removed", before, _MAX_VALUE), _run("added", after, _MAX_VALUE))


def _written(value: Json) -> str:
    """Return text as it is and every other value as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()

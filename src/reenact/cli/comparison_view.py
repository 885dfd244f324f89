"""Two sessions side by side as a terminal shows them."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reenact.cli.printing import ADDED, CHANGED, QUIET, REMOVED, added, of, partly, plain, removed, short, signed, table
from reenact.domain.comparison import Change, Comparison, Pair, Span, ToolPair
from reenact.web.formatting import count, dollars, duration


def comparison_view(comparison: Comparison) -> RenderableType:
    """Return two sessions side by side: each pair with what differs, then both sides' sums."""
    legend = Text(" ").join([removed("only left"), added("only right")])
    pairs = [pair_view(number, pair) for number, pair in enumerate(comparison.pairs, start=1)]
    verdict = (
        f"{comparison.paired} of {of(len(comparison.pairs), 'call')} are paired; {comparison.different} of them differ."
    )
    return Group(legend, *pairs, Text(), _totals(comparison), Text(verdict))


def pair_view(number: int, pair: Pair) -> RenderableType:
    """Return one pair: how it ended, the words and the tool calls of both answers, tokens, cost and time."""
    known = pair.left or pair.right
    path = known.call.labels.path if known else "/"
    title = plain(f"\n{number}. {path}  ", "bold").append_text(_verdict(pair))
    if pair.is_same_answer:
        return Group(title, *_measures(pair))
    body = [_spans(pair.answer_spans), *(_tool(tool) for tool in pair.tools)]
    return Group(title, *_measures(pair), *(Padding(part, (0, 0, 0, 3)) for part in body if part is not None))


def _verdict(pair: Pair) -> Text:
    if pair.left is None:
        return Text("+ only right", ADDED)
    if pair.right is None:
        return Text("- only left", REMOVED)
    return Text("= same answer", QUIET) if pair.is_same_answer else Text("~ differs", CHANGED)


def _spans(spans: Sequence[Span]) -> Text | None:
    if not spans:
        return None
    text = Text()
    for span in spans:
        if span.change is Change.SAME:
            text.append_text(plain(span.text))
        elif span.change is Change.REMOVED:
            text.append_text(removed(span.text))
        else:
            text.append_text(added(span.text))
    return text


def _tool(tool: ToolPair) -> Text:
    if tool.is_same:
        return plain(f"= {tool.left_name}({tool.left_arguments or ''})", QUIET)
    if tool.left_name == tool.right_name:
        text = plain(f"~ {tool.left_name}", CHANGED)
        for change in tool.changes:
            sign, style = ("-", REMOVED) if change.change is Change.REMOVED else ("+", ADDED)
            text.append_text(plain(f"\n  {sign} {change.path} {short(change.value)}", style))
        return text
    lines = []
    if tool.left_name is not None:
        lines.append(plain(f"- {tool.left_name}({tool.left_arguments or ''})", REMOVED))
    if tool.right_name is not None:
        lines.append(plain(f"+ {tool.right_name}({tool.right_arguments or ''})", ADDED))
    return Text("\n").join(lines)


def _measures(pair: Pair) -> Iterator[Text]:
    """Yield one line of what both calls took, left before right."""
    sides = [(None, ()) if turn is None else (turn.call, turn.attempts) for turn in (pair.left, pair.right)]
    figures = [
        [
            f"status {call.status}",
            call.model,
            f"{count(call.usage.input_tokens)} + {count(call.usage.output_tokens)} tokens",
            dollars(call.cost_nanodollars),
            duration(call.duration_us),
            *([f"asked {len(attempts) + 1} times"] if attempts else []),
        ]
        if call
        else []
        for call, attempts in sides
    ]
    both = [
        left if left == right or right is None else right if left is None else f"{left} → {right}"
        for left, right in zip_longest(*figures)
    ]
    yield plain("   " + ", ".join(figure for figure in both if figure), QUIET)


def _totals(comparison: Comparison) -> Table:
    sums = table("", ">left", ">right", ">difference")
    left, right = comparison.left, comparison.right
    sums.add_row("name", plain(comparison.left_name), plain(comparison.right_name), "")
    for name, field in (
        ("calls", "calls"),
        ("failed", "failed_calls"),
        ("input", "input_tokens"),
        ("output", "output_tokens"),
    ):
        one, other = getattr(left, field), getattr(right, field)
        sums.add_row(f"{name} tokens" if "put" in name else name, count(one), count(other), signed(count, other - one))
    costs = [partly(side.cost_nanodollars, side.unpriced_calls) for side in (left, right)]
    sums.add_row("cost", *costs, signed(dollars, right.cost_nanodollars - left.cost_nanodollars))
    for name, field in (("time", "duration_us"), ("model time", "model_us")):
        one, other = getattr(left, field), getattr(right, field)
        sums.add_row(name, duration(one), duration(other), signed(duration, other - one))
    return sums

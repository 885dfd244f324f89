"""Plans and replays as a terminal shows them."""

from collections.abc import Sequence
from shlex import quote

from rich.console import Group, RenderableType
from rich.text import Text

from reenact.cli.printing import BAD, QUIET, REMOVED, ROWS, added, of, partly, plain, removed, short, table
from reenact.cli.take_view import take_view
from reenact.cli.worth_view import carried_words, lost_words, worth_view
from reenact.domain.replay import CallResult, FieldChange, Operation, Plan, PlannedCall, Replay, State, Take
from reenact.web.formatting import count, dollars, duration

_CONTEXT = 24
"""How many characters of a text are shown before what changed in it."""


def plan_view(plan: Plan) -> RenderableType:
    """Return what a replay will do: per call what changes, the tokens and the cost that are expected."""
    title = Text.assemble("Plan for ", plain(plan.session_name or plan.session_id, "bold"), f" ({plan.mode.value})")
    rows = table(">#", "path", "prompt id", "model", "what changes", ">tokens", ">cost")
    for call in plan.calls[:ROWS]:
        rows.add_row(*_planned(call))
    left_out = [Text(f"... and {of(len(plan.calls) - ROWS, 'more call')}", QUIET)] if len(plan.calls) > ROWS else []
    return Group(title, rows, *left_out, _outlook(plan))


def _planned(call: PlannedCall) -> list[RenderableType]:
    asked = call.action == "ask"
    what = _what(call)
    tokens = [count(number) for number in (call.expected_input_tokens, call.expected_output_tokens)] if asked else []
    return [
        str(call.index),
        plain(call.path),
        plain(call.prompt_id or ""),
        plain(call.model),
        what,
        " + ".join(tokens),
        dollars(call.expected_cost_nanodollars) if asked else "",
    ]


def _what(call: PlannedCall) -> RenderableType:
    if call.action == "serve":
        return Text("answered from the record", QUIET)
    if call.action == "skip":
        return plain(f"skipped: {call.reason}", QUIET)
    told = [plain(words, QUIET) for words in (carried_words(call), *map(lost_words, call.lost)) if words]
    if told:
        return Group(*([changes_view(call.changes)] if call.changes else []), *told)
    return changes_view(call.changes)


def _outlook(plan: Plan) -> Text:
    asked, changed = len(plan.asked), sum(bool(call.changes) for call in plan.asked)
    words = [
        f"{of(asked, 'call')} to ask",
        f"{changed} changed",
        f"{len(plan.calls) - asked - len(plan.served)} skipped",
    ]
    if plan.playback is not None:
        words.insert(0, f"{of(len(plan.served), 'call')} from the record")
    reused = sum(call.is_reused for call in plan.asked)
    if reused:
        words.append(f"{reused} answered from the record")
    if plan.takes > 1:
        words.append(f"{plan.takes} takes")
    if plan.control_takes:
        words.append(f"{of(plan.control_takes, 'control take')}")
    line = Text(", ".join(words) + "; expected cost ")
    line.append_text(partly(plan.expected_cost_nanodollars, plan.unpriced_calls * plan.takes))
    if plan.expected_duration_us is not None:
        line.append(f" and time {duration(plan.expected_duration_us)}")
    line.append(" (an estimate)")
    if not changed and plan.playback is None:
        line.append("\nNothing changes: this is the control.", QUIET)
    return line


def changes_view(changes: Sequence[FieldChange]) -> RenderableType:
    """Return a small diff, one place a line."""
    return Group(*(_change(change) for change in changes)) if changes else Text("as recorded", QUIET)


def _change(change: FieldChange) -> Text:
    before, after = change.before, change.after
    line = plain(f"{change.path} ")
    if isinstance(before, str) and isinstance(after, str):
        shared, old, new = _apart(before, after)
        line.append_text(plain(shared, QUIET))
        before, after = old, new
    if change.operation is not Operation.ADD and before != "":
        line.append_text(removed(short(before)))
    if change.operation is not Operation.REMOVE and after != "":
        line.append_text(added(short(after)))
    return line


def _apart(before: str, after: str) -> tuple[str, str, str]:
    """Return the end of what two texts begin with alike, and what is left of each until they end alike."""
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    shared = before[max(0, start - _CONTEXT) : start]
    return (
        ("…" if start > _CONTEXT else "") + shared,
        before[start : len(before) - end],
        after[start : len(after) - end],
    )


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    places = (place for place, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(places, min(len(one), len(other)))


def replay_view(replay: Replay) -> RenderableType:
    """Return how a replay ended, each failure, and how to go on."""
    parts: list[RenderableType] = []
    for take in replay.takes:
        if replay.plan.playback is not None:
            parts.append(take_view(take))
            continue
        parts += [
            _take_line(take),
            *worth_view(take),
            *(_failure(result) for result in take.results if result.failure and not result.skipped),
        ]
    if replay.state is not State.DONE:
        parts.append(plain(f"The replay is {replay.state.value}: {replay.detail or 'no reason is known'}.", BAD))
    if replay.spent.calls:
        parts.append(_spent_line(replay))
    return Group(*parts, *go_on(replay))


def _take_line(take: Take) -> Text:
    asked = [result for result in take.results if not result.skipped]
    failed = sum(result.failure is not None for result in asked)
    reused = sum(result.is_reused for result in asked)
    arm = " (control)" if take.arm == "control" else ""
    line = Text(f"Take {take.number}{arm}: {len(asked) - failed} answered, ")
    line.append(f"{reused} of them from the record, " if reused else "")
    line.append(f"{failed} failed", BAD if failed else "").append(
        f", {len(take.results) - len(asked)} skipped. Session "
    )
    return line.append_text(plain(take.session_id, "bold"))


def _failure(result: CallResult) -> Text:
    return plain(f"  call {result.index} ({result.source_call_id}): {result.failure}", REMOVED)


def _spent_line(replay: Replay) -> Text:
    spent = replay.spent
    line = Text(f"{of(spent.calls, 'request')} sent, ")
    return line.append_text(partly(spent.cost_nanodollars, spent.unpriced_calls)).append(" spent")


def go_on(replay: Replay) -> list[RenderableType]:
    """Return the commands that compare the takes with their source and with the control, or go on with what is left."""
    source = replay.plan.session_id
    changed = [take for take in replay.takes if take.arm != "control"]
    control = [take for take in replay.takes if take.arm == "control"]
    pairs = [(source, take.session_id) for take in changed]
    pairs += [(one.session_id, other.session_id) for one, other in zip(control, changed, strict=False)]
    again = replay.state in {State.PAUSED, State.CANCELLED, State.FAILED}
    resume = [plain(f"reenact replay resume {quote(replay.id)}", "bold")] if again else []
    return [*resume, *(plain(f"reenact compare {quote(left)} {quote(right)}", "bold") for left, right in pairs)]

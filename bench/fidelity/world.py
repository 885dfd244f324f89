"""The seam between an agent and the world: models, tools, what agents decide by themselves; and a clock that nobody waits for.

A truth is the agent run again with its change. What no record can tell (a tool asked anew, a decision on an answer that
changed) is run in several variants: the requests that are the same in all of them are those that the record determines.

A habit is known as far as it showed: one seen where an answer had space at its ends tells nothing of several lines, nor these
of blank lines between them (`kinds_of`). That an agent does not sort parallel answers, where nothing tells them apart, shows
only where they came in another order (`as_asked`). Of habits that did not show each may be another by itself: two that undo
each other (an answer that is trimmed, and a prompt that is) do not make a request known.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from bench.fidelity.model import Dice, answer

Json = Any
Patch = Callable[[str, str, Json], Json]
"""Changes a request's body, given its dialect and its path."""


def canonical(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


class Event:
    """One call as it was made."""

    def __init__(self, kind: str, path: str, started: int, body: Json, response: Json, status: int) -> None:
        self.kind = kind
        self.path = path
        self.started = started
        self.ended = started
        self.body = body
        self.response = response
        self.status = status


class World:
    """All that an agent can ask; remembers what it asked."""

    def __init__(
        self,
        patch: Patch | None = None,
        recorded: "World | None" = None,
        variant: int = 0,
        truth: "Counter[str] | None" = None,
        alone: str | None = None,
    ) -> None:
        self.alone = alone
        """The only habit that is another in this variant; all that did not show when None."""
        self.open_habits: dict[str, None] = {}
        """The habits that did not show in the record and would matter, in their order."""
        self.truth = truth
        """The requests of the true run: what else a variant asks, nobody knows the answer of."""
        self.patch = patch or (lambda kind, path, body: body)
        self.recorded = recorded
        self.variant = variant
        self.events: list[Event] = []
        self.tools: set[str] = set()
        self.decisions: set[str] = set()
        self.traced: set[str] = set()
        self.habits: list[tuple[str, str]] = []
        """What showed a habit, if it was sent: the habit's name and the text."""
        self.counts: set[tuple[int, int]] = set()
        """What was counted, in either of two ways."""
        self.came_sorted = False
        """Whether three parallel answers or more came in their sorted order."""
        self._attempts: Counter[str] = Counter()

    def root(self) -> "Branch":
        return Branch(self, 0)

    def respond(self, kind: str, body: Json) -> tuple[Json, int]:
        """Return a response and its status; a body that holds `[[fails once]]` fails at its first try."""
        key = canonical(body)
        self._attempts[key] += 1
        if "[[fails once]]" in key and self._attempts[key] == 1:
            return {"error": {"message": "Too many requests", "type": "rate_limit"}}, 429
        is_other = self.truth is not None and canonical([kind, body]) not in self.truth
        return answer(kind, {**body, "salt": self.variant} if is_other else body), 200

    @cached_property
    def shown(self) -> set[str]:
        """The habits that some request shows."""
        sent = " ".join(canonical(event.body) for event in self.events)
        return {label for label, text in self.habits if _shows(label, text, sent)}

    @property
    def requests(self) -> Counter[str]:
        return Counter(canonical([event.kind, event.body]) for event in self.events)


def _shows(label: str, text: str, sent: str) -> bool:
    """Return whether what was sent shows a habit: the words of the text, and the space at its ends where that is the habit."""
    runs = re.findall(r"[\w ,.]{12,}", text)
    if not runs or max(runs, key=len).strip() not in sent:
        return False
    if not label.endswith(", ends") or text == text.strip():
        return True
    once = canonical(text)[1:-1]
    return once in sent or canonical(once)[1:-1] in sent or json.dumps(text)[1:-1] in sent


def kinds_of(mine: Json, other: Json) -> list[str]:
    """Return in what a habit shows: in the space at the ends, between the lines of a text, in blank ones, or in the words."""
    if not isinstance(mine, str) or not isinstance(other, str):
        return ["value"]
    if mine.strip() == other.strip():
        return ["ends"]
    lines = other.strip().split("\n")
    ends = ["ends"] if other != other.strip() else []
    return (
        [*ends, "words"]
        if len(lines) == 1
        else [*ends, "lines", *(["blank lines"] if "" in map(str.strip, lines) else [])]
    )


def text_in(response: Json) -> str:
    """Return what a response says, in any format; empty when it says nothing in words."""
    message = response["choices"][0]["message"] if response.get("choices") else {}
    blocks = response.get("content") or [
        part for item in response.get("output", ()) for part in item.get("content", ())
    ]
    return message.get("content") or "".join(block.get("text", "") for block in blocks if isinstance(block, dict))


class Failed(Exception):
    """A call came back with an error."""


class Branch:
    """One thread of an agent, with its own clock."""

    def __init__(self, world: World, now: int) -> None:
        self.world = world
        self.now = now

    def call(self, body: Json, path: str = "/", kind: str = "openai_chat") -> Json:
        """Ask a model."""
        asked = self._ended(json.loads(json.dumps(body)))
        sent = self.world.patch(kind, path, asked)
        response, status = self.world.respond(kind, sent)
        event = Event(kind, path, self.now, sent, response, status)
        self.now += 500_000 + Dice(sent).number(1_500_000)
        event.ended = self.now
        self.now += 300_000
        self.world.events.append(event)
        if status >= 400:
            raise Failed
        return json.loads(json.dumps(response))

    def _ended(self, body: Json) -> Json:
        """Return a body whose prompts end as the agent ends them: one that ends with an answer may be trimmed as a whole."""
        for message in body.get("messages", ()):
            text = message.get("content") if message["role"] in ("system", "user") else None
            if not isinstance(text, str) or text == text.rstrip():
                continue
            for event in self.world.events:
                said = text_in(event.response).strip()
                if said and text.rstrip().endswith(said) and text.strip() != said:
                    label = f"end of a prompt:{event.path}"
                    message["content"] = self.quirk(label, applies=True, mine=text, other=text.rstrip())
                    break
        return body

    def tool(self, name: str, arguments: Json) -> str:
        """Run a tool, whose result depends on nothing but its arguments."""
        key = canonical([name, arguments])
        self.world.tools.add(key)
        self.now += 20_000
        record = self.world.recorded
        unknown = self.world.variant if record is not None and key not in record.tools else 0
        dice = Dice("tool", name, arguments, unknown)
        kind = dice.number(4)
        if kind == 0:
            return json.dumps({"result": dice.words(4), "count": dice.number(50)})
        return "Error: " + dice.words(3) if kind == 1 else f"{dice.words(6)}."

    def decide(
        self, label: str, inputs: Json, options: Sequence[Json], choice: int, *, leaves_trace: bool = True
    ) -> Json:
        """Return the option that the agent's own rule takes, told by *inputs*.

        A rule that never left a trace in the record (a check that never failed) counts as none, until it does leave one.
        """
        key = canonical([label, inputs])
        self.world.decisions.add(key)
        if leaves_trace:
            self.world.traced.add(label)
        record = self.world.recorded
        if record is not None and key not in record.decisions and (label in record.traced or leaves_trace):
            choice = (choice + self.world.variant) % len(options)
        return options[choice]

    def quirk(self, label: str, *, applies: bool, mine: Json, other: Json) -> Json:
        """Return what the agent's own habit makes of a text; one that never showed may be the other."""
        label = re.sub(r"\d+", "#", label)
        if not applies:
            return mine
        labels = [f"{label}, {kind}" for kind in kinds_of(mine, other)]
        self.world.habits += [(one, str(mine)) for one in labels]
        record = self.world.recorded
        if record is None or record.shown.issuperset(labels):
            return mine
        self.world.open_habits[label] = None
        is_other = self.world.variant > 0 and self.world.alone in (None, label)
        return other if is_other else mine

    def parallel(self, *threads: Callable[["Branch"], Json]) -> list[Json]:
        """Run several threads at once and wait for all."""
        branches = [Branch(self.world, self.now + number * 1000) for number in range(len(threads))]
        results = [thread(branch) for thread, branch in zip(threads, branches, strict=True)]
        self.now = max(branch.now for branch in branches)
        return results

    def as_asked(self, answers: list[str]) -> list[str]:
        """Return parallel answers as they were asked for: a habit that does not show where that is their sorted order.

        Two stand sorted half the time; nobody takes that for a sign, so that only three or more in a record leave it open.
        """
        self.world.came_sorted = self.world.came_sorted or (len(answers) > 2 and answers == sorted(answers))
        if self.world.recorded is None or not self.world.recorded.came_sorted:
            return answers
        return list(self.quirk("order", applies=answers != sorted(answers), mine=answers, other=sorted(answers)))


Agent = Callable[[Branch, int], Any]
VARIANTS = (1, 2, 3)


def run(
    agent: Agent,
    seed: int,
    patch: Patch | None = None,
    recorded: World | None = None,
    variant: int = 0,
    truth: Counter[str] | None = None,
    alone: str | None = None,
) -> World:
    """Return the world after the agent ran in it."""
    world = World(patch, recorded, variant, truth, alone)
    agent(world.root(), seed)
    world.events.sort(key=lambda event: event.started)
    return world


def knowable(agent: Agent, seed: int, patch: Patch, recorded: World) -> tuple[Counter[str], Counter[str]]:
    """Return the true requests of a changed run, and those of them that the record determines."""
    first = run(agent, seed, patch, recorded)
    truth = first.requests
    shared = truth
    habits = dict(first.open_habits)
    for variant in VARIANTS:
        other = run(agent, seed, patch, recorded, variant, truth)
        shared = shared & other.requests
        habits |= other.open_habits
    for label in habits if len(habits) > 1 else ():
        shared = shared & run(agent, seed, patch, recorded, VARIANTS[0], truth, label).requests
    return truth, shared

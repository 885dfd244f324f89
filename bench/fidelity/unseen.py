"""Shapes written against the engine, without looking at it, after it was built: what a first meeting with it shows.

First met, 57 % of 180 changed sessions were right, with 55 wrong requests (`--quick`). What was mended since was mended by
general rules. That only the first line of an answer is taken, where the recorded answers had but one, and that answers are
sorted, where they came in that order, no record shows: it is marked.
"""

import json
import re
from typing import Any

from bench.fidelity.model import Dice
from bench.fidelity.shapes import CITY, asked, chat, dumped, json_form
from bench.fidelity.shapes import ask as text_of
from bench.fidelity.world import Agent, Branch

Json = Any


def ask(w: Branch, system: str, user: str, path: str = "/", **fields: Json) -> str:
    """Return an answer's text as it came: a habit that the record may not show."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return text_of(w, chat(messages, **fields), path)


STEPS = {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 4}
YES = {"type": "string", "enum": ["yes", "no"]}


def replanning(w: Branch, seed: int) -> None:
    """A planner lists steps, an executor does them with what was found so far, and the planner is asked again in the end."""
    dice = Dice("replan", seed)
    goal = asked(dice)
    plan = json.loads(ask(w, "You plan.", f"Goal: {goal}", "/plan", response_format=json_form(steps=STEPS)))
    found: list[str] = []
    for step in plan["steps"]:
        lines = [f"{number}. {text}" for number, text in enumerate(found, start=1)]
        lines = w.quirk("log", applies=len(lines) > 1, mine=lines, other=["\n\n".join(lines)])
        log = "\n".join(lines) or "nothing yet"
        found.append(ask(w, "You execute.", f"Step: {step}\nDone so far:\n{log}", "/execute"))
    report = dumped(w, dict(zip(plan["steps"], found, strict=True)))
    check = json.loads(
        ask(w, "You plan.", f"Goal: {goal}\nResults: {report}", "/plan", response_format=json_form(done=YES))
    )
    if w.decide("done", check, [True, False], int(check["done"] == "no")):
        ask(w, "You report.", f"Write it up: {report}", "/report")
    else:
        ask(w, "You plan.", f"Goal: {goal}\nIt is not done. Results: {report}", "/again")


def sorted_merge(w: Branch, seed: int) -> None:
    """Several workers; their answers are sorted before they are merged."""
    dice = Dice("sorted", seed)
    topics = [dice.words(3) for _ in range(3)]
    answers = w.parallel(*(lambda b, t=t: ask(b, "You write.", f"What about the {t}?", "/worker") for t in topics))
    if w.world.recorded is None:
        w.world.came_sorted = answers == sorted(answers)
    as_recorded = answers if (w.world.recorded or w.world).came_sorted else sorted(answers, reverse=True)
    order = w.decide("sort", answers, [sorted(answers), as_recorded], 0)  # the other rule that may be behind it
    ask(w, "You merge.", "Merge these:\n\n" + "\n---\n".join(order), "/merge")


def swapped_roles(w: Branch, seed: int) -> None:
    """Two agents; each sees one shared transcript with its own turns as the assistant's and the other's as the user's."""
    dice = Dice("swapped", seed)
    log: list[tuple[str, str]] = [("judge", asked(dice))]
    for number in range(4):
        me = ("pro", "con")[number % 2]
        messages = [{"role": "system", "content": f"You are {me}."}]
        for who, text in log:
            messages.append({"role": "assistant" if who == me else "user", "content": text})
        log.append((me, text_of(w, chat(messages), f"/{me}")))
    ask(w, "You judge.", "\n".join(f"[{who}] {text}" for who, text in log), "/judge")


def rolling_memory(w: Branch, seed: int) -> None:
    """Every second turn the history becomes a summary that stands in the system prompt from then on."""
    dice = Dice("memory", seed)
    summary, messages = "", []
    for turn in range(4):
        messages.append({"role": "user", "content": asked(dice)})
        system = "You chat." + (f"\n\nWhat was said before: {summary}" if summary else "")
        answer = text_of(w, chat([{"role": "system", "content": system}, *messages]), "/chat")
        messages.append({"role": "assistant", "content": answer})
        if turn % 2:
            log = "\n".join(f"{one['role'].upper()}: {one['content']}" for one in messages)
            whole = f"{summary}\n\n{log}"
            told = w.quirk("end", applies=whole != whole.rstrip(), mine=whole.strip(), other=whole.lstrip())
            summary = ask(w, "You sum up.", told, "/sum")
            messages = []


def made_query(w: Branch, seed: int) -> None:
    """The model writes a query, a search answers it, and the passages stand in the next prompt beside the query."""
    dice = Dice("query", seed)
    question = asked(dice)
    query = json.loads(
        ask(w, "You write queries.", question, "/query", response_format=json_form(query={"type": "string"}))
    )
    passages = w.tool("search", {"query": query["query"], "top": 3})
    prompt = f"Question: {question}\nSearched for: {query['query']}\nPassages:\n{passages}"
    ask(w, "Answer from the passages.", prompt, "/answer")


def routed_prompt(w: Branch, seed: int) -> None:
    """The first answer is a label; it picks the system prompt of the next call, which says the label too."""
    dice = Dice("router", seed)
    question = asked(dice)
    label = json.loads(ask(w, "You route.", question, "/route", response_format=json_form(city=CITY)))["city"]
    prompts = {"Oslo": "You know the north.", "Lima": "You know the coast.", "Cairo": "You know the desert."}
    names = list(prompts)
    chosen = w.decide("route", label, [prompts[name] for name in (label, *(n for n in names if n != label))], 0)
    ask(w, chosen, f"{question} (asked of the {label} desk)", "/desk")


def tagged(w: Branch, seed: int) -> None:
    """An answer is put into tags; the next one's first line alone is passed on."""
    dice = Dice("tagged", seed)
    draft = ask(w, "You draft.", asked(dice), "/draft")
    review = ask(w, "You review.", f"<draft>\n{draft}\n</draft>\nOne remark a line.", "/review")
    line = next(line for line in review.splitlines() if line.strip())
    lines = re.sub(r"\n\s*\n", "\n", review)  # a first line is one, whether the next follows at once or not
    first = w.quirk("first line", applies=line != review, mine=line, other=lines)
    ask(w, "You revise.", f"<draft>{draft}</draft>\n<remark>{first}</remark>", "/revise")


def blackboard(w: Branch, seed: int) -> None:
    """Calls fill a board of JSON, which stands whole in every later prompt, keys in order."""
    dice = Dice("board", seed)
    board: dict[str, Json] = {"task": asked(dice)}
    for name in ("facts", "risks", "plan"):
        answer = ask(w, f"You are the {name} writer.", f"Board: {dumped(w, board, sort_keys=True)}", f"/{name}")
        board[name] = answer
    ask(w, "You close.", f"Board: {dumped(w, board, sort_keys=True, indent=1)}", "/close")


def shouted(w: Branch, seed: int) -> None:
    """The answer is changed on its way: in capitals, with its lines joined."""
    dice = Dice("shout", seed)
    text = ask(w, "You write.", asked(dice), "/write")
    joined, other = " ".join(text.split()).upper(), text.upper()
    ask(w, "You read aloud.", f"Read: {w.quirk('join', applies=joined != other, mine=joined, other=other)}", "/read")


def critic_loop(w: Branch, seed: int) -> None:
    """A writer keeps its conversation; a critic sees the draft alone; its words go back as the user's."""
    dice = Dice("critic", seed)
    messages: list[Json] = [{"role": "system", "content": "You write."}, {"role": "user", "content": asked(dice)}]
    for _ in range(3):
        draft = text_of(w, chat(messages), "/write")
        messages.append({"role": "assistant", "content": draft})
        remark = ask(w, "You criticise.", f"Draft:\n{draft}", "/critic")
        messages.append({"role": "user", "content": f"Your editor says: {remark}\nWrite it again."})
    w.call(chat(messages), "/write")


UNSEEN: dict[str, Agent] = {
    "replanning": replanning,
    "sorted merge": sorted_merge,
    "swapped roles": swapped_roles,
    "rolling memory": rolling_memory,
    "made query": made_query,
    "routed prompt": routed_prompt,
    "tagged": tagged,
    "blackboard": blackboard,
    "shouted": shouted,
    "critic loop": critic_loop,
}

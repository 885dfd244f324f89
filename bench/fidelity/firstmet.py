"""Shapes that the engine was not built with: what a first meeting with it showed, and what general rules mended since.

First met, 54 % of 480 changed sessions were right, with 417 wrong requests: scored drafts and interviews 99 %, none wrong;
mails quoted line by line 10 %, since one line tells no rule for several; counts of words 9 %, since an old count stood there
unmarked. Both are marked since where the record does not tell.
"""

import json
import re
from typing import Any

from bench.fidelity.model import Dice
from bench.fidelity.shapes import asked, dumped, json_form
from bench.fidelity.unseen import ask
from bench.fidelity.world import Agent, Branch

Json = Any

SCORES = {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3}
TITLE = {"type": "string"}


def quoted_reply(w: Branch, seed: int) -> None:
    """Mails: each answer stands in the next prompt as mails quote, every line behind a sign."""
    dice = Dice("mail", seed)
    mail = ask(w, "You write mails.", asked(dice), "/write")
    for name in ("boss", "clerk", "boss"):
        lines = mail.strip().splitlines()
        quoted, other = "\n".join(f"> {line}" for line in lines), f"> {mail}"
        thread = w.quirk("quote", applies=quoted != other, mine=quoted, other=other)
        mail = ask(w, f"You are the {name}.", f"Reply to this mail:\n{thread}\n\nKeep it short.", f"/{name}")


def scored_drafts(w: Branch, seed: int) -> None:
    """Three drafts at once, a judge gives scores, the best by score is polished; its title names the file it goes to."""
    dice = Dice("scores", seed)
    question = asked(dice)
    drafts = w.parallel(
        *(lambda b, t=tone: ask(b, f"You write {t}.", question, "/draft") for tone in ("drily", "warmly", "at length"))
    )
    listed = "\n\n".join(f"### Draft {number}\n{draft}" for number, draft in enumerate(drafts, start=1))
    scores = json.loads(ask(w, "You score.", listed, "/score", response_format=json_form(scores=SCORES)))["scores"]
    best = drafts[scores.index(max(scores))]
    picked = w.decide("best", [drafts, scores], [best, *(draft for draft in drafts if draft != best)], 0)
    named = json.loads(ask(w, "You name.", picked, "/name", response_format=json_form(title=TITLE)))
    ask(w, "You polish.", f"File: notes/{named['title'].replace(' ', '-').lower()}.md\n---\n{picked}", "/polish")


def counted_words(w: Branch, seed: int) -> None:
    """Each round tells the writer how many words its last version had: what was counted shows where two numbers differ."""
    dice = Dice("count", seed)
    text = ask(w, "You write.", asked(dice), "/write")
    for number in range(2):
        words, other = len(text.split()), len(re.findall(r"\w+", text))
        counts = (w.world.recorded or w.world).counts
        if w.world.recorded is None:
            counts.add((words, other))
        is_shown = len({one for one, _ in counts}) > 1 and (words == other or any(one != two for one, two in counts))
        options = [words] if is_shown else [words, words + 1, words + 2, words + 3]
        told = w.decide("count", [number, words], options, 0)
        text = ask(w, "You shorten.", f"This has {told} words:\n\n{text}\n\nMake it shorter.", "/shorten")
    ask(w, "You translate.", f"Into Dutch: {text}", "/translate")


def interview(w: Branch, seed: int) -> None:
    """One asks, another answers; the last two rounds stand as JSON in the asker's prompt, all of them in the report."""
    dice = Dice("interview", seed)
    topic = dice.words(4)
    rounds: list[Json] = []
    for _ in range(4):
        so_far = dumped(w, rounds[-2:], indent=2)
        question = ask(w, "You ask questions.", f"Topic: {topic}\nLast rounds:\n{so_far}", "/ask")
        reply = ask(w, f"You are an expert on {topic}.", question, "/reply")
        rounds.append({"question": question, "reply": reply})
    report = "\n\n".join(f"**{one['question']}**\n\n{one['reply']}" for one in rounds)
    ask(w, "You report.", f"# {topic}\n\n{report}", "/report")


FIRST_MET: dict[str, Agent] = {
    "quoted reply": quoted_reply,
    "scored drafts": scored_drafts,
    "counted words": counted_words,
    "interview": interview,
}

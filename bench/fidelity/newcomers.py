"""Shapes of the most ordinary kinds that teams run, written by one who never saw the engine: how it meets everyday agents.

First met, 41.7 % of 1,200 changed sessions were right, with 661 wrong requests.
"""

import json
from functools import partial
from typing import Any

from bench.fidelity.apart import NUMBER, assistant, claude, fields_of, respond, text_form, user, written
from bench.fidelity.model import Dice
from bench.fidelity.shapes import ask as text_of
from bench.fidelity.shapes import asked, chat, function, said, schema
from bench.fidelity.strangers import joined, numbered, one_of, some, system, words
from bench.fidelity.unseen import ask
from bench.fidelity.world import Agent, Branch

Json = Any


# --- OpenAI's chat format --------------------------------------------------------------------------------------------------


def help_desk(w: Branch, seed: int) -> None:
    """A customer is answered with tools and a knowledge base; a ticket is filed of it, and what is open is handed over."""
    dice = Dice("help desk", seed)
    customer = f"{dice.words(1).title()} {dice.words(1).title()}"
    tools = [
        function("search_help", schema(query=words(4))),
        function("get_order", schema(order=words(2))),
        function("open_return", schema(order=words(2), reason=words(3))),
    ]
    rules = f"Never promise a refund. Parcels of {dice.words(2)} cannot be sent back."
    messages = [system(f"You are the help desk of an outdoor shop.\nCustomer: {customer}\nRules: {rules}")]
    log: list[str] = []
    for _ in range(3):
        question = asked(dice)
        messages.append(user(question))
        while True:
            body = chat(messages, tools=tools, parallel_tool_calls=True, temperature=0.3)
            message = w.call(body, "/desk")["choices"][0]["message"]
            messages.append({key: value for key, value in message.items() if value is not None})
            if not message.get("tool_calls"):
                break
            for use in message["tool_calls"]:
                result = w.tool(use["function"]["name"], json.loads(use["function"]["arguments"]))
                messages.append({"role": "tool", "tool_call_id": use["id"], "content": result})
        text = message["content"]
        reply = w.quirk("log", applies=text != text.strip(), mine=text.strip(), other=text)
        log += [f"{customer}: {question}", f"Help desk: {reply}"]
    transcript = "\n".join(log)
    ticket = fields_of(
        w,
        "You file tickets.",
        f"Conversation:\n{transcript}",
        "/ticket",
        title=words(5),
        category=one_of("order", "return", "product", "other"),
        is_solved={"type": "boolean"},
    )
    is_open = not ticket["is_solved"]
    if w.decide("open", ticket["is_solved"], [is_open, not is_open], 0, leaves_trace=is_open):
        told = f"Ticket: {ticket['title']} ({ticket['category']})\n\n{transcript}\n\nWhat should a colleague know?"
        ask(w, "You hand conversations over to people.", told, "/handover")


def scratchpad(w: Branch, seed: int) -> None:
    """A plan is worked off step by step with tools; each step sees the ticked plan and a scratchpad of what was found."""
    dice = Dice("scratchpad", seed)
    goal = f"{asked(dice)} Find out and tell me."
    plan = fields_of(w, "You make short plans.", f"Goal: {goal}", "/plan", steps=some(words(6), 3, 4))
    steps = plan["steps"]
    pad: list[str] = []
    for number, step in enumerate(steps, start=1):
        ticked = "\n".join(f"[{'x' if at < number else ' '}] {one}" for at, one in enumerate(steps, start=1))
        notes = "\n".join(pad) or "(empty)"
        prompt = f"Goal: {goal}\n\nPlan:\n{ticked}\n\nScratchpad:\n{notes}\n\nNow do: {step}"
        act = fields_of(
            w,
            "You carry out one step. Pick a tool, or none.",
            prompt,
            "/step",
            thought=words(7),
            tool=one_of("search", "database", "none"),
            query=words(4),
        )
        entry = f"Step {number}: {act['thought']}"
        if act["tool"] == "none":
            pad.append(w.quirk("no tool", applies=True, mine=entry, other=f"{entry}\n  -> nothing"))
        else:
            result = w.tool(act["tool"], {"query": act["query"]})
            pad.append(f"{entry}\n  {act['tool']}({act['query']!r}) -> {result}")
    found = "\n".join(pad)
    answer = ask(w, "You answer from notes alone.", f"Goal: {goal}\n\nNotes:\n{found}", "/answer")
    ask(w, "You check answers against notes.", f"Notes:\n{found}\n\nAnswer:\n{answer}\n\nIs it all there?", "/check")


def mail_critic(w: Branch, seed: int) -> None:
    """Customers' mails are answered; a critic sends the draft back with remarks until it says ok, three times at most."""
    dice = Dice("mail critic", seed)
    policy = numbered([f"{dice.words(5).capitalize()}." for _ in range(3)])
    sent: list[str] = []
    for _ in range(2):
        number = 20_000 + dice.number(9000)
        account = w.tool("crm", {"customer": number})
        mail = f"Hello,\n{asked(dice)} I am waiting for my {dice.words(2)}.\n{dice.words(1).title()}"
        messages = [
            system(f"You answer the mails of customers.\nPolicy:\n{policy}"),
            user(f"Customer {number}: {account}\n\nTheir mail:\n{mail}\n\nDraft the reply."),
        ]
        for attempt in range(1, 6):
            draft = text_of(w, chat(messages, temperature=0.6), "/draft", trims=True)
            messages.append(assistant(draft))
            review = fields_of(
                w,
                f"You are the critic. Policy:\n{policy}",
                f"Mail:\n{mail}\n\nReply:\n{draft}\n\nIs it ok?",
                "/critic",
                verdict=one_of("ok", "revise"),
                remarks=some(words(5), 1, 3),
            )
            is_ok = review["verdict"] == "ok"
            ends = is_ok or attempt >= 3
            if w.decide("ends", "ok" if is_ok else ["revise", attempt], [ends, not ends], 0):
                break
            remarks = joined(w, "remarks", [f"- {remark}" for remark in review["remarks"]], "\n", "\n\n")
            messages.append(user(f"The critic wants changes:\n{remarks}\n\nSend the whole reply again."))
        note = ask(w, "You write one line for the CRM.", f"We wrote to customer {number}:\n\n{draft}", "/note")
        sent.append(f"#{number}: {note}")
    ask(w, "You report to the team.", "Answered today:\n" + "\n".join(sent) + "\n\nAny pattern?", "/pattern")


def handbook_chat(w: Branch, seed: int) -> None:
    """A question is rewritten with the summary and the last exchange, searched for and answered; the summary is kept up."""
    dice = Dice("handbook", seed)
    summary = ""
    last = ""
    for turn in range(3):
        question = asked(dice)
        query = question
        if turn:
            prompt = f"Summary: {summary}\n\nLast exchange:\n{last}\n\nNew question: {question}\n\nRewrite it to stand alone."
            messages = [system("You rewrite questions for a search engine."), user(prompt)]
            query = said(w.call(chat(messages, temperature=0), "/rewrite")).strip()
        passages = w.tool("vector_search", {"query": query, "k": 3})
        so_far = summary or "This is the first question."
        told = f"You answer from the staff handbook.\n\nSo far: {so_far}\n\nPassages:\n{passages}\n\nSay so if it is not there."
        answer = text_of(w, chat([system(told), user(question)]), "/answer", trims=True)
        last = f"User: {question}\nAssistant: {answer}"
        prompt = f"Summary so far: {so_far}\n\n{last}\n\nGive the new summary."
        summary = text_of(w, chat([system("You keep summaries."), user(prompt)]), "/summary", trims=True)


TOPICS = ("delivery", "price", "quality", "service")


def review_batches(w: Branch, seed: int) -> None:
    """Each week's reviews are labelled at once, stand by topic with their number in a report, and the next one looks back."""
    dice = Dice("review batches", seed)
    report = ""
    first = 100 + dice.number(800)

    def labelled(b: Branch, review: str) -> Json:
        return fields_of(
            b,
            f"You label reviews of a shop. Topics: {', '.join(TOPICS)}.",
            f'Review: "{review}"',
            "/label",
            topic=one_of(*TOPICS),
            mood=one_of("positive", "neutral", "negative"),
            gist=words(6),
        )

    for week in (1, 2):
        reviews = [f"{asked(dice)} {dice.words(4).capitalize()}." for _ in range(5)]
        labels = w.parallel(*(partial(labelled, review=review) for review in reviews))
        by_topic: dict[str, list[str]] = {}
        for number, label in enumerate(labels, start=first + 100 * week):
            by_topic.setdefault(label["topic"], []).append(f"- #{number} ({label['mood']}): {label['gist']}")
        groups = [(topic, by_topic[topic]) for topic in TOPICS if topic in by_topic]
        as_met = list(by_topic.items())
        by_size = sorted(as_met, key=lambda group: -len(group[1]))
        whole = [(topic, by_topic.get(topic, [])) for topic in TOPICS]
        shown = w.quirk("no reviews", applies=groups != whole, mine=groups, other=whole)
        shown = w.quirk("topics as met", applies=groups != as_met, mine=shown, other=as_met)
        shown = w.quirk("topics by size", applies=groups != by_size, mine=shown, other=by_size)
        sections = "\n\n".join("\n".join([f"## {topic}: {len(lines)}", *lines]) for topic, lines in shown)
        before = f"\n\nThe report of last week:\n{report}" if report else ""
        prompt = f"Week {week}, {len(reviews)} reviews\n\n{sections}{before}\n\nWrite the report."
        report = ask(w, "You write reports for the shop's owner.", prompt, "/report")
    ask(w, "You post to the team's channel.", f"Put this in three lines:\n\n{report}\n\nBe kind.", "/post")


# --- Anthropic's format ----------------------------------------------------------------------------------------------------


def market_research(w: Branch, seed: int) -> None:
    """A question is split; each part is researched with tools at once; a report is written, read by another and revised."""
    dice = Dice("market research", seed)
    question = asked(dice)
    tools = [
        {"name": "web_search", "description": "Searches the web.", "input_schema": schema(query=words(4))},
        {"name": "read_page", "description": "Reads a page.", "input_schema": schema(title=words(3))},
    ]
    split = fields_of(
        w, "You split questions in smaller ones.", question, "/split", questions=some(words(7), 2, 3), market=words(3)
    )

    def researched(b: Branch, part: str) -> str:
        messages: list[Json] = [user(f"We look into: {question}\nYour part: {part}\nMarket: {split['market']}")]
        sources: list[str] = []
        parts: list[str] = []
        while True:
            blocks = claude(b, "You research with care and name sources.", messages, "/research", tools=tools)
            messages.append({"role": "assistant", "content": blocks})
            parts += [block["text"] for block in blocks if block["type"] == "text"]
            uses = [block for block in blocks if block["type"] == "tool_use"]
            if not uses:
                break
            results = []
            for use in uses:
                found = b.tool(use["name"], use["input"])
                results.append({"type": "tool_result", "tool_use_id": use["id"], "content": found})
                sources += use["input"].values()
            messages.append({"role": "user", "content": results})
        text = str(b.quirk("finding", applies=len(parts) > 1, mine=parts[-1], other="\n\n".join(parts)))
        if not sources:
            return text + str(b.quirk("no sources", applies=True, mine="\n(no sources were used)", other=""))
        some_source = b.quirk("sources", applies=True, mine=sources, other=[])
        return f"{text}\n(sources: {joined(b, 'several sources', some_source, '; ', ', ')})"

    findings = w.parallel(*(partial(researched, part=part) for part in split["questions"]))
    sections = [
        f"<finding question={json.dumps(part)}>\n{text}\n</finding>"
        for part, text in zip(split["questions"], findings, strict=True)
    ]
    talk = [user(f"Question: {question}\n\n" + "\n\n".join(sections) + "\n\nWrite the report.")]
    report = written(claude(w, "You write reports for a board.", talk, "/report"))
    gaps = written(
        claude(w, "You look for gaps.", [user(f"Question: {question}\n\n<report>\n{report}\n</report>")], "/gaps")
    )
    talk += [assistant(report), user(f"A second reader says:\n{gaps}\n\nRevise the report.")]
    claude(w, "You write reports for a board.", talk, "/report")


def help_pages(w: Branch, seed: int) -> None:
    """Questions and answers of a help page are translated, criticised by a style guide and improved, one after another."""
    dice = Dice("help pages", seed)
    guide = numbered([f"{dice.words(6).capitalize()}." for _ in range(4)])
    product = dice.words(2).title()
    pages = [f"{asked(dice)}\n\nOpen the {dice.words(3)}. Then {dice.words(5)}." for _ in range(3)]
    told = [
        {"type": "text", "text": f"You translate the help of {product} from English into German."},
        {"type": "text", "text": f"<style_guide>\n{guide}\n</style_guide>", "cache_control": {"type": "ephemeral"}},
    ]
    whole = "\n\n---\n\n".join(pages)
    terms = written(
        claude(
            w, "You are a terminologist.", [user(f"<pages>\n{whole}\n</pages>\n\nList terms with German.")], "/terms"
        )
    )
    done: list[str] = []
    for page in pages:
        before = f"<page_before>\n{done[-1]}\n</page_before>\n\n" if done else ""
        source = f"<source>\n{page}\n</source>"
        prompt = f"<terms>\n{terms}\n</terms>\n\n{before}{source}\n\nTranslate the source."
        draft = written(claude(w, told, [user(prompt)], "/translate", temperature=0.2))
        pair = f"{source}\n\n<translation>\n{draft}\n</translation>"
        remarks = written(claude(w, told, [user(f"{pair}\n\nWhat is against the style guide?")], "/reflect"))
        prompt = f"{pair}\n\n<remarks>\n{remarks}\n</remarks>\n\nGive the improved translation."
        done.append(written(claude(w, told, [user(prompt)], "/improve")))
    all_done = "\n\n---\n\n".join(done)
    claude(w, "You sign translations off.", [user(f"{all_done}\n\nAre the terms the same throughout?")], "/sign-off")


def intake_interview(w: Branch, seed: int) -> None:
    """An interviewer has facts in the system prompt that a note taker adds after each turn; a profile is made of them."""
    dice = Dice("intake", seed)
    name = dice.words(1).title()
    facts: list[str] = []
    messages: list[Json] = []

    def known() -> str:
        return joined(w, "facts", [f"- {fact}" for fact in facts], "\n", "\n\n") or "Nothing yet."

    for _ in range(4):
        story = f"{asked(dice)} I have worked with {dice.words(3)} for years."
        messages.append(user(story))
        told = f"You interview {name}, who is new in the house. One question at a time.\n\n# What you know\n{known()}"
        reply = written(claude(w, told, messages[-5:], "/interview", temperature=0.8))
        messages.append(assistant(reply))
        note = fields_of(
            w,
            "You take notes in an interview. Note one new fact, or skip.",
            f"Known:\n{known()}\n\n{name}: {story}\nInterviewer: {reply}",
            "/memory",
            action=one_of("add", "add and mark", "skip"),
            fact=words(7),
        )
        is_kept = note["action"] != "skip"
        if w.decide("kept", note["action"], [is_kept, not is_kept], 0):
            mark = " (important)" if note["action"] == "add and mark" else ""
            plain = note["fact"]
            facts.append(w.quirk("marked", applies=bool(mark), mine=plain + mark, other=plain))
    profile = written(
        claude(w, "You write profiles of new colleagues.", [user(f"{name}\n\n{known()}\n\nIn five lines.")], "/profile")
    )
    claude(
        w, "You welcome people.", [user(f"<profile>{profile}</profile>\n\nA welcome to {name}, please.")], "/welcome"
    )


# --- the Responses format --------------------------------------------------------------------------------------------------


def bug_fixer(w: Branch, seed: int) -> None:
    """A code agent reads, edits and runs; its edits and last words become a pull request's text and a commit message."""
    dice = Dice("bug fixer", seed)
    files = [f"src/{dice.words(1)}.py", f"src/{dice.words(1)}_store.py", f"tests/test_{dice.words(1)}.py"]
    parameters = {
        "read_file": schema(path=one_of(*files)),
        "edit_file": schema(path=one_of(*files), old=words(3), new=words(3)),
        "run": schema(command=one_of("pytest -q", "ruff check", "mypy src")),
    }
    tools = [
        {"type": "function", "name": name, "description": f"Does {name}.", "parameters": one, "strict": True}
        for name, one in parameters.items()
    ]
    edits: list[Json] = []
    items: list[Json] = []

    def done(name: str, arguments: Json) -> str:
        if name == "edit_file":
            edits.append(arguments)
            result = f"Replaced one passage in {arguments['path']}."
            return str(w.quirk("use of edit_file", applies=True, mine=result, other=f"Unknown {w.world.variant}."))
        seen = [edit for edit in edits if name == "run" or edit["path"] == arguments["path"]]
        return w.tool(name, {**arguments, "after": seen})

    issue = f"Issue {300 + dice.number(600)}: {asked(dice)} It fails with {dice.words(3)}."
    for request in (issue, f"{asked(dice)} Mind that too, and see that the tests pass."):
        items.append(user(request))
        while True:
            body = {
                "model": "gpt-5-codex",
                "instructions": "You fix bugs in a Python project. Files:\n" + "\n".join(files),
                "input": items,
                "tools": tools,
                "reasoning": {"effort": "low"},
                "include": ["reasoning.encrypted_content"],
                "store": False,
            }
            output = w.call(body, "/agent", "openai_responses")["output"]
            items += output
            uses = [item for item in output if item["type"] == "function_call"]
            if not uses:
                break
            for use in uses:
                result = done(use["name"], json.loads(use["arguments"]))
                items.append({"type": "function_call_output", "call_id": use["call_id"], "output": result})
    text = output[-1]["content"][0]["text"]
    last = w.quirk("last words", applies=text != text.strip(), mine=text.strip(), other=text)
    lines = [f"{edit['path']}: {edit['old']!r} became {edit['new']!r}" for edit in edits]
    lines = w.quirk("edits", applies=bool(lines), mine=lines, other=[f"Unknown {w.world.variant}."])
    listed = joined(w, "several edits", [f"* {line}" for line in lines], "\n", "\n\n")
    listed = listed or w.quirk("no edits", applies=True, mine="* no edits were made", other="")
    told = f"{issue}\n\nEdits:\n{listed}\n\nThe agent says:\n{last}\n\nWrite the pull request's text."
    pull = respond(w, "You write for reviewers.", told, "/pull-request")
    respond(w, "You write commit messages.", f"{pull}\n\nOne line, imperative.", "/commit")


def sales_calls(w: Branch, seed: int) -> None:
    """Calls are judged by a rubric in JSON; its fields go into a letter to the seller and a table for the head of sales."""
    dice = Dice("sales calls", seed)
    rubric = text_form(
        discovery=NUMBER,
        pitch=NUMBER,
        closing=NUMBER,
        risk=one_of("low", "medium", "high"),
        objection=words(6),
        strengths=some(words(4), 2, 3),
        next_step=words(5),
    )
    rows: list[str] = []
    quotes: list[str] = []
    for _ in range(3):
        seller, customer = dice.words(1).title(), f"{dice.words(2).title()} AG"
        transcript = "\n".join(
            f"[0{minute}:{10 + dice.number(50)}] {('Seller', 'Customer')[minute % 2]}: {asked(dice)}"
            for minute in range(4)
        )
        told = f"Call of {seller} with {customer}\n\n{transcript}"
        card = json.loads(respond(w, "You judge sales calls by the rubric.", told, "/judge", text=rubric))
        strengths = "\n".join(f"+ {one}" for one in card["strengths"])
        points = f"Discovery {card['discovery']}/100, pitch {card['pitch']}/100, closing {card['closing']}/100"
        told = f"{points}\n{strengths}\nObjection: {card['objection']}\n\nWrite to {seller} what to do better."
        letter = respond(w, "You coach sellers, kindly.", told, "/coach")
        is_high = card["risk"] == "high"
        if w.decide("high risk", card["risk"], [is_high, not is_high], 0, leaves_trace=is_high):
            told = f"{customer} may be lost: {card['objection']}.\nPlanned: {card['next_step']}.\nWhat would save it?"
            respond(w, "You rescue deals.", told, "/rescue")
        scores = f"{card['discovery']} | {card['pitch']} | {card['closing']}"
        rows.append(f"| {seller} | {customer} | {scores} | {card['risk']} | {card['next_step']} |")
        quotes.append(f"To {seller}:\n{letter}")
    head = "| Seller | Customer | Discovery | Pitch | Closing | Risk | Next |\n|---|---|---|---|---|---|---|"
    table = "\n".join([head, *rows])
    report = respond(w, "You report to the head of sales.", f"{table}\n\nWhat stands out this week?", "/report")
    letters = "\n\n".join(quotes)
    told = f"{letters}\n\n<report>\n{report}\n</report>\n\nThree topics for the training, please."
    respond(w, "You plan trainings.", told, "/training")


NEWCOMERS: dict[str, Agent] = {
    "help desk": help_desk,
    "scratchpad": scratchpad,
    "mail critic": mail_critic,
    "handbook chat": handbook_chat,
    "review batches": review_batches,
    "market research": market_research,
    "help pages": help_pages,
    "intake interview": intake_interview,
    "bug fixer": bug_fixer,
    "sales calls": sales_calls,
}

"""Shapes written as teams write agents, by one who never saw the engine: how it meets what it was not built with.

First met, 14.8 % of 1,200 changed sessions were right, with 1,967 wrong requests.
"""

import json
from functools import partial
from typing import Any

from bench.fidelity.apart import (
    NUMBER,
    WORDS,
    assistant,
    claude,
    fields_of,
    respond,
    text_form,
    user,
    written,
)
from bench.fidelity.model import Dice
from bench.fidelity.shapes import ask as text_of
from bench.fidelity.shapes import asked, chat, json_form, schema
from bench.fidelity.unseen import ask
from bench.fidelity.world import Agent, Branch

Json = Any


def system(text: str) -> Json:
    return {"role": "system", "content": text}


def words(count: int) -> Json:
    return {"type": "string", "words": count}


def one_of(*options: str) -> Json:
    return {"type": "string", "enum": list(options)}


def some(items: Json, least: int, most: int) -> Json:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def numbered(items: list[str]) -> str:
    return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))


def looked_up(w: Branch, label: str, table: dict[str, str], key: str) -> str:
    """Return what the program's own table holds; a key that was never met in the record may have any entry."""
    others = [entry for name, entry in table.items() if name != key]
    return str(w.decide(label, key, [table[key], *others], 0))


def total(w: Branch, label: str, inputs: Json, number: int) -> int:
    """Return a number that the program works out: of other inputs, no record tells it."""
    return int(w.decide(label, inputs, [number, number + 1, number + 2, number + 3], 0))


def joined(w: Branch, label: str, parts: list[str], sign: str, other: str) -> str:
    """Return the parts put together; by which sign shows only where there were several."""
    several = w.quirk(label, applies=len(parts) > 1, mine=parts, other=[other.join(parts)])
    return sign.join(several)


# --- OpenAI's chat format --------------------------------------------------------------------------------------------------

DESKS = {
    "billing desk": "You work in billing. Refunds over fifty euros need a second signature.",
    "shipping desk": "You work in shipping. Parcels leave the house at noon.",
    "account desk": "You look after accounts. Passwords are never told to anybody.",
    "repairs desk": "You mend devices. Ask for the serial number first.",
}
PROMISES = {"low": "within five days", "normal": "within two days", "high": "within four hours"}


def ticket_desks(w: Branch, seed: int) -> None:
    """A ticket goes to all desks that the triage names, at once, and their replies under headings become one answer."""
    dice = Dice("desks", seed)
    history: list[str] = []

    def replied(b: Branch, desk: str, ticket: str, summary: str) -> str:
        mine = DESKS[desk]  # what a desk is told that was never asked is in no record
        told = b.quirk(desk, applies=True, mine=mine, other=f"Unknown {b.world.variant}.")
        return ask(b, told, f"In short: {summary}\n\nThe customer's own words:\n{ticket}", "/desk")

    for _ in range(3):
        number = 4000 + dice.number(900)
        ticket = f"{asked(dice)} I wrote of the {dice.words(2)} already."
        before = "\n\nThe same customer wrote before:\n" + "\n".join(history) if history else ""
        triage = fields_of(
            w,
            "You sort the tickets of a web shop.",
            f"Ticket #{number}\n{ticket}{before}",
            "/triage",
            summary=words(8),
            urgency=one_of(*PROMISES),
            desks=some(one_of(*DESKS), 1, 3),
        )
        named = triage["desks"]
        once = list(dict.fromkeys(named))
        desks = w.quirk("once", applies=once != named, mine=once, other=named)
        replies = w.parallel(*(partial(replied, desk=d, ticket=ticket, summary=triage["summary"]) for d in desks))
        sections = [f"## From the {desk}\n{reply}" for desk, reply in zip(desks, replies, strict=True)]
        told = joined(w, "sections", sections, "\n\n", "\n")
        promise = looked_up(w, "promise", PROMISES, triage["urgency"])
        prompt = f"Ticket #{number}: {ticket}\n\n{told}\n\nOne answer, please. Promise to be back {promise}."
        answer = ask(w, "You answer customers with one voice.", prompt, "/answer")
        ask(
            w,
            "You keep the ticket system.",
            f"Desks: {joined(w, 'names', desks, ', ', ' and ')}\nSent to the customer:\n{answer}",
            "/note",
        )
        history.append(f"- #{number} ({triage['urgency']}): {triage['summary']}")


def sql_examples(w: Branch, seed: int) -> None:
    """Queries are written, reviewed, run and mended; those that ran stand as examples before the next question."""
    dice = Dice("sql", seed)
    tables = "\n".join(f"CREATE TABLE {dice.words(1)}_{n} (id INTEGER, {dice.words(1)} TEXT);" for n in range(1, 4))
    form = json_form(sql=words(7), assumption=WORDS)
    examples: list[str] = []
    charts: list[str] = []
    for _ in range(3):
        question = asked(dice)
        shown = "\n\n".join(examples) or "(none)"
        messages = [
            system(f"You write SQL for these tables:\n{tables}\n\nGood queries so far:\n{shown}"),
            user(question),
        ]
        for _ in range(3):
            text = text_of(w, chat(messages, response_format=form, temperature=0), "/sql")
            query = json.loads(text)
            review = ask(
                w,
                "You know the database well. Say in a line what the query does.",
                f"Tables:\n{tables}\n\nQuery: {query['sql']};\nAssumes: {query['assumption']}",
                "/review",
            )
            rows = w.tool("run_sql", {"sql": query["sql"]})
            failed = rows.startswith("Error")
            if not w.decide("failed", query["sql"], [failed, not failed, not failed], 0):
                examples.append(f"-- {question}\n{query['sql']};")
                break
            messages += [assistant(text), user(f"The database said: {rows}\nA colleague said: {review}\nMend it.")]
        told = f"Question: {question}\nQuery: {query['sql']}\nRows: {rows}"
        answer = ask(w, "You explain figures to managers.", told, "/explain")
        chart = fields_of(
            w, "You draw charts.", answer, "/chart", kind=one_of("bar", "line", "pie"), title={"type": "string"}
        )
        charts.append(f"{chart['title']} ({chart['kind']} chart) from {query['sql']}")
    ask(w, "You lay out dashboards.", f"Place these charts:\n{numbered(charts)}", "/dashboard")


def subtitles(w: Branch, seed: int) -> None:
    """Cue by cue, with the last two pairs and a glossary that grows; the whole file is proofread, and one cue replaced."""
    dice = Dice("subtitles", seed)
    cues = [asked(dice) if number % 2 else f"{dice.words(6).capitalize()}." for number in range(6)]
    starts = [3 + 4 * number + dice.number(3) for number in range(6)]
    glossary: dict[str, str] = {}
    lines: list[str] = []
    for cue in cues:
        terms = joined(w, "terms", [f"{term} => {meaning}" for term, meaning in glossary.items()], "\n", "; ")
        pairs = list(zip(cues, lines, strict=False))[-2:]
        before = "".join(f"EN: {source}\nNL: {target}\n\n" for source, target in pairs)
        found = fields_of(
            w,
            f"You translate the subtitles of a series into Dutch.{f' Glossary: {terms}' if terms else ''}",
            f"{before}EN: {cue}\nNL:",
            "/cue",
            line=words(7),
            term=words(2),
            meaning=words(3),
            is_new={"type": "boolean"},
        )
        lines.append(found["line"])
        is_new = found["is_new"]
        if w.decide("new term", is_new, [is_new, not is_new], 0, leaves_trace=not is_new):
            glossary[found["term"]] = found["meaning"]

    def file() -> str:
        blocks = (
            f"{number}\n00:00:{start:02},000 --> 00:00:{start + 3:02},500\n{line}"
            for number, (start, line) in enumerate(zip(starts, lines, strict=True), start=1)
        )
        return "\n\n".join(blocks)

    places = [str(number) for number in range(1, 7)]
    worst = fields_of(w, "You proofread subtitles.", file(), "/proofread", cue=one_of(*places), better=words(6))
    named = int(worst["cue"]) - 1
    at = w.decide("worst cue", worst["cue"], [named, *(place for place in range(6) if place != named)], 0)
    lines[at] = worst["better"]
    ask(w, "You check how fast subtitles read.", f"```srt\n{file()}\n```\nToo fast anywhere?", "/speed")


PEOPLE = ("Ada Lovelace", "Barbara Liskov", "Edsger Dijkstra", "Grace Hopper")


def meeting_minutes(w: Branch, seed: int) -> None:
    """Minutes in JSON are written anew with each part of the transcript; each owner gets a mail of the own tasks."""
    dice = Dice("minutes", seed)
    task = schema(task=WORDS, owner=one_of(*PEOPLE), due=one_of("Monday", "Wednesday", "Friday"))
    form = json_form(summary=words(9), decisions=some(words(5), 2, 3), tasks=some(task, 2, 4))
    text = ""
    for part in range(1, 4):
        spoken = "\n".join(f"{dice.pick(PEOPLE)}: {asked(dice)}" for _ in range(3))
        so_far = f"The minutes so far:\n{text}" if text else "There are no minutes yet."
        prompt = f"{so_far}\n\nPart {part} of the transcript:\n{spoken}\n\nWrite the minutes anew, whole."
        text = ask(w, "You keep the minutes.", prompt, "/minutes", response_format=form)
    notes = json.loads(text)
    tasks = notes["tasks"]
    decisions = "\n".join(f"- {one}" for one in notes["decisions"])
    table = "\n".join(f"| {one['task']} | {one['owner']} | {one['due']} |" for one in tasks)
    page = f"# Minutes\n\n{notes['summary']}\n\n## Decisions\n{decisions}\n\n## Tasks\n| What | Who | When |\n{table}"
    cover = ask(w, "You send minutes round.", f"{page}\n\nWrite a few words to go before this.", "/cover")

    owners = list(dict.fromkeys(one["owner"] for one in tasks))
    by_owner = [[one for one in tasks if one["owner"] == owner] for owner in owners]
    alone = [[one] for one in tasks]
    groups = w.quirk("by owner", applies=by_owner != alone, mine=by_owner, other=alone)
    by_name = sorted(groups, key=lambda group: str(group[0]["owner"]))
    groups = w.quirk("order of owners", applies=by_name != groups, mine=groups, other=by_name)

    def mailed(b: Branch, group: list[Json]) -> str:
        listed = numbered([f"{one['task']} (by {one['due']})" for one in group])
        return ask(
            b, "You remind people kindly.", f"A mail to {group[0]['owner']}, whose tasks are:\n{listed}", "/mail"
        )

    mails = w.parallel(*(partial(mailed, group=group) for group in groups))
    outbox = [f"To: {group[0]['owner']}\n\n{mail}" for group, mail in zip(groups, mails, strict=True)]
    ask(w, "You check what leaves the house.", "\n\n=====\n\n".join([f"To: all\n\n{cover}", *outbox]), "/check")


GUIDES = {
    "formal": "Use full sentences and no contractions.",
    "friendly": "Write as to a good neighbour.",
    "firm": "Be short and name what happens next.",
    "apologetic": "Say first that we are sorry.",
}


def toned_mails(w: Branch, seed: int) -> None:
    """A mail of several answers' parts is revised by a list of wishes and checked; the next mail sees what was sent."""
    dice = Dice("toned", seed)
    sender = dice.words(2).title()
    thread: list[str] = []
    for _ in range(2):
        before = w.quirk("thread", applies=bool(thread), mine="This was sent earlier:", other="Earlier mail:")
        wanted = f"{asked(dice)} Tell them of {dice.words(3)}."
        plan = fields_of(
            w,
            "You plan mails.",
            f"I need a mail: {wanted}" + "".join(f"\n\n{before}\n{mail}" for mail in thread),
            "/plan",
            tone=one_of(*GUIDES),
            greeting=words(3),
            aim=words(7),
            points=some(words(5), 2, 4),
        )
        guide = looked_up(w, "guide", GUIDES, plan["tone"])
        style = system(f"You write the body of mails. {guide}")
        prompt = f"The mail should reach this: {plan['aim']}.\nMake these points:\n{numbered(plan['points'])}"
        body = text_of(w, chat([style, user(prompt)], temperature=0.7), "/body", trims=True)
        wishes: list[str] = []
        for wish in ("Shorter, please.", f"Do not name the {dice.words(2)}."):
            wishes.append(wish)
            prompt = f"The body now:\n---\n{body}\n---\nWishes of the sender: {' '.join(wishes)}\nWrite it anew."
            body = text_of(w, chat([style, user(prompt)], temperature=0.7), "/body", trims=True)
        subject = fields_of(w, "You write subject lines.", body, "/subject", subject=words(5))["subject"]
        mail = f"Subject: {subject}\n\n{plan['greeting'].capitalize()},\n\n{body}\n\nKind regards,\n{sender}"
        check = fields_of(
            w, "You check mails.", f"Aim: {plan['aim']}\n\n{mail}", "/check", verdict=one_of("send", "hold"), why=WORDS
        )
        holds = check["verdict"] == "hold"
        if w.decide("hold", check["verdict"], [holds, not holds], 0, leaves_trace=holds):
            prompt = f"{mail}\n\nThis was held back: {check['why']}. Whom should we ask?"
            ask(w, "You help clerks.", prompt, "/held")
        else:
            thread.append(mail)


# --- Anthropic's format ----------------------------------------------------------------------------------------------------


def game_narrator(w: Branch, seed: int) -> None:
    """A narrator's tools change a state that stands in each turn; of turns that are over only the words are kept."""
    dice = Dice("narrator", seed)
    tools = [
        {"name": "take", "description": "The hero takes a thing.", "input_schema": schema(thing=words(2))},
        {"name": "go", "description": "The hero goes elsewhere.", "input_schema": schema(place=words(2))},
        {"name": "pay", "description": "The hero pays.", "input_schema": schema(coins=NUMBER)},
    ]
    state: dict[str, Json] = {"place": dice.words(2), "coins": 900, "bag": [dice.words(2)]}
    told = f"You narrate a tale of {dice.words(3)}. Use the tools for all that changes."
    past: list[Json] = []
    tale: list[str] = []

    def done(name: str, arguments: Json) -> str:
        if name == "take":
            state["bag"].append(arguments["thing"])
            result = f"The bag holds {', '.join(state['bag'])}."
        elif name == "go":
            state["place"] = arguments["place"]
            result = f"The hero is at the {arguments['place']}. {w.tool('place', arguments)}"
        else:
            left = state["coins"] - arguments["coins"]
            state["coins"] = total(w, "purse", [state["coins"], arguments["coins"]], left)
            result = f"The purse now holds {state['coins']} coins."
        return str(w.quirk(f"use of {name}", applies=True, mine=result, other=f"Unknown {w.world.variant}."))

    for _ in range(4):
        action = asked(dice)
        now = {"type": "text", "text": f"<state>{json.dumps(state)}</state>"}
        messages = [*past[-4:], {"role": "user", "content": [now, {"type": "text", "text": action}]}]
        parts: list[str] = []
        while True:
            blocks = claude(w, told, messages, "/narrate", tools=tools)
            messages.append({"role": "assistant", "content": blocks})
            parts += [block["text"] for block in blocks if block["type"] == "text"]
            uses = [block for block in blocks if block["type"] == "tool_use"]
            if not uses:
                break
            results = [
                {"type": "tool_result", "tool_use_id": use["id"], "content": done(use["name"], use["input"])}
                for use in uses
            ]
            messages.append({"role": "user", "content": results})
        words_of_turn = "\n\n".join(parts)
        scene = w.quirk("scene", applies=len(parts) > 1, mine=words_of_turn, other=parts[-1])
        past += [user(action), assistant(scene)]
        tale.append(scene)
    chapters = "\n\n".join(f"Scene {number}\n{scene}" for number, scene in enumerate(tale, start=1))
    claude(
        w, "You write chronicles.", [user(f"{chapters}\n\nIn the end: {json.dumps(state)}\nSum it up.")], "/chronicle"
    )


def lesson_plans(w: Branch, seed: int) -> None:
    """Each lesson is begun in the model's place; it is told at three levels, and a remark goes on to the next week."""
    dice = Dice("lessons", seed)
    subject = dice.words(2)
    taught: list[str] = []
    quizzes: list[str] = []

    def told_at(b: Branch, level: str, lesson: str) -> str:
        prompt = f"Turn this lesson into a work sheet for the {level} group.\n\n{lesson}"
        return written(claude(b, "You write work sheets.", [user(prompt)], "/sheet"))

    for week in range(1, 4):
        blocks: list[Json] = [{"type": "text", "text": f"You plan a course on {subject}."}]
        if taught:
            course = "Taught so far:\n\n" + "\n\n".join(taught)
            blocks.append({"type": "text", "text": course, "cache_control": {"type": "ephemeral"}})
        start = f"Week {week}. Aim:"
        begun = [user(f"{asked(dice)} Plan a lesson of 45 minutes."), assistant(start)]
        lesson = f"{start} {written(claude(w, blocks, begun, '/lesson', temperature=0.4))}"
        levels = ("first", "middle", "advanced")
        sheets = w.parallel(*(partial(told_at, level=level, lesson=lesson) for level in levels))
        shown = "\n".join(
            f'<sheet level="{one}">\n{sheet}\n</sheet>' for one, sheet in zip(levels, sheets, strict=True)
        )
        talk = [user(f"{shown}\n\nWrite a quiz that all three groups can answer.")]
        talk.append({"role": "assistant", "content": claude(w, "You write quizzes.", talk, "/quiz")})
        quizzes.append(written(talk[-1]["content"]))
        talk.append(user("Now what a teacher should look out for, in a line or two."))
        remark = written(claude(w, "You write quizzes.", talk, "/quiz"))
        taught.append(f"{lesson}\n(Look out: {remark})")
    exam = "\n\n".join(f"From week {number}:\n{quiz}" for number, quiz in enumerate(quizzes, start=1))
    claude(w, f"You set exams on {subject}.", [user(f"Make an exam of these quizzes.\n\n{exam}")], "/exam")


def code_review(w: Branch, seed: int) -> None:
    """Files are reviewed at once in one format; nits are dropped, blockers mended, and another model writes the comment."""
    dice = Dice("review", seed)
    title = asked(dice)
    diffs = {
        f"src/{dice.words(1)}_{number}.py": f"- {dice.words(4).replace(' ', '_')}()\n+ {dice.words(4).replace(' ', '_')}()"
        for number in range(3)
    }
    finding = schema(line=NUMBER, severity=one_of("blocker", "warning", "nit"), message=words(7))

    def reviewed(b: Branch, name: str) -> list[Json]:
        prompt = f"Pull request: {title}\nFile: {name}\n```diff\n{diffs[name]}\n```"
        return list(fields_of(b, "You review code.", prompt, "/review", findings=some(finding, 1, 3))["findings"])

    def mended(b: Branch, name: str, one: Json) -> str:
        prompt = f"{name}, line {one['line']}: {one['message']}\n```diff\n{diffs[name]}\n```\nSuggest a change."
        return ask(b, "You mend code.", prompt, "/suggest")

    found = dict(zip(diffs, w.parallel(*(partial(reviewed, name=name) for name in diffs)), strict=True))
    sections: list[str] = []
    blockers: list[tuple[str, Json]] = []
    count = 0
    for name, findings in found.items():
        kept = []
        for one in findings:
            is_nit, is_blocker = one["severity"] == "nit", one["severity"] == "blocker"
            if w.decide("nit", one["severity"], [is_nit, not is_nit], 0, leaves_trace=is_nit):
                continue
            kept.append(f"- L{one['line']} **{one['severity']}**: {one['message']}")
            if w.decide("blocker", one["severity"], [is_blocker, not is_blocker], 0):
                blockers.append((name, one))
        clean = "" if kept else w.quirk("clean", applies=True, mine="- nothing to remark here", other="")
        sections.append(f"### {name}\n" + (joined(w, "findings", kept, "\n", "\n\n") or clean))
        count += len(kept)
    threads = [partial(mended, name=name, one=one) for name, one in blockers]
    suggestions = w.parallel(*threads) if threads else []
    comments = "\n\n".join(sections)
    summary = written(
        claude(w, "You lead a team.", [user(f"Pull request: {title}\n\n{comments}\n\nShall we merge?")], "/lead")
    )
    fixes = [
        f"<suggestion file={name!r} line='{one['line']}'>\n{text}\n</suggestion>"
        for (name, one), text in zip(blockers, suggestions, strict=True)
    ]
    told = "".join(["\n\n", joined(w, "suggestions", fixes, "\n\n", "\n")] if fixes else [])
    head = f"{total(w, 'findings', count, count)} findings in {len(diffs)} files"
    prompt = f"{head}. The lead says:\n{summary}{told}\n\nWrite the comment for the author."
    claude(w, "You write kind comments.", [user(prompt)], "/comment")


# --- the Responses format --------------------------------------------------------------------------------------------------


def invoice_checks(w: Branch, seed: int) -> None:
    """Invoices are read and booked; the program makes their sums and looks up their orders, and a table closes the day."""
    dice = Dice("invoices", seed)
    accounts: list[str] = []
    rows: list[str] = []
    form = text_form(
        supplier=words(2), order=words(2), net=NUMBER, tax=NUMBER, currency=one_of("EUR", "CHF"), goods=words(5)
    )
    for number in range(1, 4):
        scan = f"INVOICE {seed}-{number}\n{dice.words(3).title()} Ltd.\n{dice.words(6)}\nRemark: {asked(dice)}"
        content = [{"type": "input_text", "text": scan}]
        read = json.loads(respond(w, "You read invoices.", [{"role": "user", "content": content}], "/read", text=form))
        known = f"Accounts in use: {', '.join(accounts)}." if accounts else "No account is in use yet."
        told = f"{known}\nWhich account takes {read['goods']} of {read['supplier']}?"
        account = json.loads(respond(w, "You keep books.", told, "/account", text=text_form(account=words(2))))[
            "account"
        ]
        accounts.append(account)
        amount = f"{total(w, 'gross', [read['net'], read['tax']], read['net'] + read['tax'])} {read['currency']}"
        order = w.tool("find_order", {"order": read["order"]})
        is_missing = order.startswith("Error")
        if w.decide("missing", read["order"], [is_missing, not is_missing, not is_missing], 0):
            told = f"We have an invoice of {amount} for {read['goods']}, but find no order {read['order']!r} ({order})."
            respond(w, "You write to suppliers.", f"Dear {read['supplier'].title()},\n{told}\nFinish this.", "/query")
            state = "asked"
        else:
            told = f"Invoice: {amount}, {read['goods']}\nOrder: {order}\nDo they fit?"
            verdict = respond(w, "You compare.", told, "/compare", text=text_form(fits=one_of("yes", "no"), why=WORDS))
            state = json.loads(verdict)["why"]
        rows.append(f"| {read['supplier']} | {account} | {amount} | {state} |")
    table = "\n".join(["| Supplier | Account | Amount | State |", "|---|---|---|---|", *rows])
    respond(w, "You report to the treasurer.", f"{table}\n\nWhat needs care?", "/day")


def paper_notes(w: Branch, seed: int) -> None:
    """Papers are read with the notes so far; what is of no use is left out, the rest is cited by number in each section."""
    dice = Dice("papers", seed)
    question = asked(dice)
    notes: list[str] = []
    for number in range(1, 6):
        paper = f"{dice.words(1).title()} et al. ({2010 + dice.number(15)}). {dice.words(5)}.\n{dice.words(9)}."
        so_far = joined(w, "notes", notes, "\n", "\n\n") or "No notes yet."
        prompt = f"Question: {question}\n\nPaper {number}: {paper}\n\nNotes so far:\n{so_far}"
        use = one_of("central", "some", "none")
        found = json.loads(
            respond(w, "You read papers.", prompt, "/read", text=text_form(use=use, claim=words(8), doubt=words(4)))
        )
        is_useless = found["use"] == "none"
        if w.decide("useless", found["use"], [is_useless, not is_useless], 0, leaves_trace=is_useless):
            continue
        mine, other = (f"[{at}] {found['claim']} (but: {found['doubt']})" for at in (number, len(notes) + 1))
        notes.append(w.quirk("citation", applies=mine != other, mine=mine, other=other))
    listed = joined(w, "notes", notes, "\n", "\n\n") or "No notes yet."
    outline = json.loads(
        respond(
            w,
            "You outline reviews.",
            f"Question: {question}\n\nNotes:\n{listed}",
            "/outline",
            text=text_form(title=words(5), sections=some(words(4), 2, 3)),
        )
    )

    def section(b: Branch, heading: str) -> str:
        items = [
            user(f"Notes:\n{listed}"),
            user(f"Write the section '{heading}' of '{outline['title']}'. Cite as [1]."),
        ]
        return respond(b, "You write reviews.", items, "/section")

    texts = w.parallel(*(partial(section, heading=heading) for heading in outline["sections"]))
    review = "\n\n".join(f"## {head}\n\n{text}" for head, text in zip(outline["sections"], texts, strict=True))
    doubts = respond(w, "You are the second reader.", f"# {outline['title']}\n\n{review}", "/second-reader")
    items = [
        user(f"{question}\n\n# {outline['title']}\n\n{review}"),
        user(f"The second reader says:\n{doubts}\n\nAbstract?"),
    ]
    respond(w, "You write abstracts.", items, "/abstract")


STRANGERS: dict[str, Agent] = {
    "ticket desks": ticket_desks,
    "SQL examples": sql_examples,
    "subtitles": subtitles,
    "meeting minutes": meeting_minutes,
    "toned mails": toned_mails,
    "game narrator": game_narrator,
    "lesson plans": lesson_plans,
    "code review": code_review,
    "invoice checks": invoice_checks,
    "paper notes": paper_notes,
}

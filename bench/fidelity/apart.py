"""Shapes written apart from the mending of the engine, which was mended for them since.

First met, 27 % of 1,440 changed sessions were right, with 2,276 wrong requests: translated support and titled chats 100 %,
trees of summaries 59 %, the others 20 or less. A link kept its old title, a heading its old count, tests said of new code what
they had said of the old, and an expert's new words came back as a string where they had come in blocks.
"""

import datetime as dt
import html
import json
import re
from functools import partial
from typing import Any
from urllib.parse import quote

from bench.fidelity.model import Dice
from bench.fidelity.shapes import ask as text_of
from bench.fidelity.shapes import asked, chat, dumped, json_form, schema
from bench.fidelity.unseen import ask
from bench.fidelity.world import Agent, Branch

Json = Any

WORDS = {"type": "string", "words": 6}
NUMBER = {"type": "integer"}


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def assistant(text: str) -> Json:
    return {"role": "assistant", "content": text}


def fields_of(w: Branch, system: str, text: str, path: str, **properties: Json) -> Json:
    """Return the fields of a JSON answer."""
    return json.loads(ask(w, system, text, path, response_format=json_form(**properties)))


def claude(w: Branch, system: Json, messages: list[Json], path: str, **fields: Json) -> Json:
    """Return the blocks of an answer in Anthropic's format."""
    body = {"model": "claude-sonnet-4-5", "max_tokens": 800, "system": system, "messages": messages, **fields}
    return w.call(body, path, "anthropic_messages")["content"]


def written(blocks: list[Json]) -> str:
    return "".join(block["text"] for block in blocks if block["type"] == "text")


def respond(w: Branch, instructions: str, items: Json, path: str, **fields: Json) -> str:
    """Return the text of an answer in the Responses format; whether it is trimmed shows only where it has space around it."""
    body = {"model": "gpt-5-mini", "instructions": instructions, "input": items, "store": False, **fields}
    text = w.call(body, path, "openai_responses")["output"][-1]["content"][0]["text"]
    return str(w.quirk(f"trim:{path}", applies=text != text.strip(), mine=text.strip(), other=text))


def text_form(**properties: Json) -> Json:
    return {"format": {"type": "json_schema", "name": "answer", "schema": schema(**properties), "strict": True}}


# --- what a record tells to the end ----------------------------------------------------------------------------------------


def translated_support(w: Branch, seed: int) -> None:
    """A customer's turns are translated, answered in a history in English, and translated back; then all is summed up."""
    dice = Dice("support", seed)
    history: list[Json] = [{"role": "system", "content": f"You are the support of {dice.words(2)}. Be brief."}]
    log: list[str] = []
    for _ in range(3):
        question = asked(dice)
        english = ask(w, "You translate.", f"From Dutch into English, nothing else:\n\n{question}", "/translate-in")
        history.append(user(english))
        answer = text_of(w, chat(history, temperature=0.2), "/support", trims=True)
        history.append(assistant(answer))
        dutch = ask(w, "You translate.", f'Put "{answer}" into Dutch. Keep the tone.', "/translate-out")
        log += [f"Customer: {question}", f"Agent: {dutch}"]
    transcript = "\n".join(log)
    prompt = f"Summarise this conversation.\n\n{transcript}\n\nName the issue and what comes next."
    ticket = fields_of(w, "You file tickets.", prompt, "/ticket", issue=WORDS, next=WORDS)
    ask(
        w,
        "You write mails.",
        f"Issue: {ticket['issue']}\nNext step: {ticket['next']}\n\nWrite the closing mail.",
        "/mail",
    )


def cited_passages(w: Branch, seed: int) -> None:
    """The user's own words are searched for; passages stand in the prompt, and a checker reads question and answer escaped."""
    dice = Dice("cited", seed)
    system = [{"type": "text", "text": "Cite passages as [1].", "cache_control": {"type": "ephemeral"}}]
    messages: list[Json] = []
    for _ in range(2):
        question = f'{asked(dice)} I don\'t get "{dice.words(2)}".'
        found = "\n".join(f"[{rank}] {w.tool('search', {'query': question, 'rank': rank})}" for rank in (1, 2, 3))
        messages.append(user(f"{question}\n\nPassages:\n{found}"))
        answer = written(claude(w, system, messages, "/answer", temperature=0))
        claim = f"<question>{html.escape(question)}</question>\n<claim>{html.escape(answer)}</claim>"
        verdict = written(claude(w, "You check claims.", [user(f"{claim}\nIs the claim sound?")], "/check"))
        messages += [assistant(answer), user(f"A checker said: {verdict}\n\nAnswer once more.")]
        messages.append(assistant(written(claude(w, system, messages, "/answer", temperature=0))))


def tree_of_summaries(w: Branch, seed: int) -> None:
    """Four documents are summed up at once, then by twos, then as a whole; a headline is made of that."""
    dice = Dice("tree", seed)
    question = asked(dice)

    def reduced(b: Branch, parts: list[str], path: str) -> str:
        joined = "\n\n".join(f"## Part {number}\n{part}" for number, part in enumerate(parts, start=1))
        content = [{"type": "input_text", "text": f"{joined}\n\nAnswer from all parts: {question}"}]
        return respond(b, "You bring texts together.", [{"role": "user", "content": content}], path)

    documents = [f"{dice.words(9)}.\n{dice.words(7)}." for _ in range(4)]
    leaves = w.parallel(
        *(partial(respond, instructions="You sum up.", items=f"Sum up:\n\n{text}", path="/leaf") for text in documents)
    )
    pairs = w.parallel(*(partial(reduced, parts=leaves[at : at + 2], path="/pair") for at in (0, 2)))
    whole = reduced(w, pairs, "/whole")
    respond(w, "You write headlines.", f"<text>{whole}</text>\n\nOne headline, please.", "/headline")


def negotiators(w: Branch, seed: int) -> None:
    """A buyer and a seller, each with its own history of JSON answers; offer and words of the other stand in a sentence."""
    dice = Dice("deal", seed)
    thing = dice.words(3)
    histories = {
        name: [{"role": "system", "content": f"You are a {name}. The thing is: {thing}."}]
        for name in ("buyer", "seller")
    }
    form = json_form(offer=NUMBER, message={"type": "string", "words": 7})
    said = f"It is your turn to begin. {asked(dice)}"
    offers: list[str] = []
    for number in range(6):
        name = ("buyer", "seller")[number % 2]
        histories[name].append(user(said))
        text = text_of(w, chat(histories[name], response_format=form), f"/{name}")
        histories[name].append(assistant(text))
        fields = json.loads(text)
        said = f'The {name} offers {fields["offer"]} euros and says: "{fields["message"]}" What do you answer?'
        offers.append(f"{name}: {fields['offer']} euros, {fields['message']}")
    ask(w, "You are a notary.", "Write the contract.\n" + "\n".join(f"* {offer}" for offer in offers), "/contract")


def fenced_fields(w: Branch, seed: int) -> None:
    """JSON in a fence is cut out and read; its fields go to different prompts, one of them into a link as well."""
    dice = Dice("fenced", seed)
    for _ in range(2):
        answer = ask(w, "You run a blog.", f"{asked(dice)} Plan a post. In a JSON fence.", "/plan")
        found = re.search(r"```json\n(.*?)\n```", answer, re.DOTALL)
        assert found is not None
        post = json.loads(found[1])
        title = post["headline"]
        picture = ask(w, "You describe pictures.", f'A picture for "{title}", please: no text on it.', "/picture")
        text = ask(w, f"You write for {post['audience']}.", f"Write the post: {title}.", "/write")
        link = f"https://blog.example/find?title={quote(title)}"
        told = f"Link: {link}\nTags: {', '.join(post['tags'])}\n<post>\n{text}\n</post>\n<picture>{picture}</picture>"
        ask(w, "You write teasers.", told, "/tease")


def titled_chat(w: Branch, seed: int) -> None:
    """The first exchange gives a chat its title, which stands in the later instructions; in the end the chat is exported."""
    dice = Dice("titled", seed)
    persona = f"You are a pirate called {dice.words(2)}."
    items: list[Json] = []
    rounds: list[Json] = []
    title = "new chat"
    for number in range(4):
        question = asked(dice)
        items.append(user(question))
        answer = respond(w, f"{persona}\nThis chat is called: {title}.", items[-5:], "/chat")
        items.append(assistant(answer))
        rounds.append({"q": question, "a": answer})
        if number == 0:
            log = f"<user>{question}</user>\n<assistant>{answer}</assistant>"
            title = json.loads(respond(w, "You name chats.", log, "/title", text=text_form(title=WORDS)))["title"]
    lines = "\n".join(dumped(w, one) for one in rounds)
    respond(w, "You judge chats.", f"# {title}\n{lines}\n\nWas it a good chat?", "/judge")


def slot_memory(w: Branch, seed: int) -> None:
    """What is learnt fills one of three slots, an older note giving way; the slots are a list in the system prompt."""
    dice = Dice("slots", seed)
    slots = dict.fromkeys(("food", "travel", "work"), "unknown")
    slot = {"type": "string", "enum": list(slots)}
    for _ in range(5):
        question = asked(dice)
        known = "\n".join(f"- {name}: {note}" for name, note in slots.items())
        answer = ask(w, f"You are a concierge. Of the guest you know:\n{known}", question, "/answer")
        note = fields_of(w, "You take notes.", f"Guest: {question}\nYou: {answer}", "/note", slot=slot, note=WORDS)
        slots[note["slot"]] = note["note"]


# --- of which a part is in no record ---------------------------------------------------------------------------------------


def experts(w: Branch, seed: int) -> None:
    """The lead's tools are other agents, each with a prompt of its own; what they say comes back in blocks."""
    dice = Dice("experts", seed)
    desks = {"ask_lawyer": "You are a lawyer of long standing.", "ask_cook": "You are a cook in a large hotel."}
    task = schema(task={"type": "string", "words": 7})
    tools = [{"name": name, "description": "Asks an expert.", "input_schema": task} for name in desks]
    messages: list[Json] = []

    def expert(b: Branch, name: str, topic: str) -> str:
        mine = desks[name]  # what an expert is told that was never asked is in no record
        system = b.quirk(name, applies=True, mine=mine, other=f"Unknown {b.world.variant}.")
        draft = written(claude(b, system, [user(f"Task: {topic}")], f"/{name}"))
        return written(claude(b, system, [user(f"Make this shorter:\n\n{draft}")], f"/{name}/shorter"))

    for _ in range(2):
        messages.append(user(asked(dice)))
        while True:
            blocks = claude(w, "You lead a team.", messages, "/lead", tools=tools)
            messages.append({"role": "assistant", "content": blocks})
            uses = [block for block in blocks if block["type"] == "tool_use"]
            if not uses:
                break
            told = w.parallel(*(partial(expert, name=use["name"], topic=use["input"]["task"]) for use in uses))
            results = [
                {"type": "tool_result", "tool_use_id": use["id"], "content": [{"type": "text", "text": text}]}
                for use, text in zip(uses, told, strict=True)
            ]
            messages.append({"role": "user", "content": results})


def code_and_tests(w: Branch, seed: int) -> None:
    """Code is cut out of its fence, described, and run; what its tests say of code that was never run, nobody knows."""
    dice = Dice("code", seed)
    messages: list[Json] = [{"role": "system", "content": "You write Python."}]
    messages.append(user(f"{asked(dice)} Write it in a code block."))
    for _ in range(3):
        answer = text_of(w, chat(messages), "/code")
        code = answer.split("```python\n", 1)[1].split("\n```", 1)[0]
        note = ask(w, "You document code.", f"What does this do?\n\n```python\n{code}\n```", "/describe")
        report = w.tool("run_tests", {"code": code})
        passes = report.startswith("{")
        if w.decide("tests", code, [passes, not passes, not passes], 0):
            break
        messages += [assistant(answer), user(f"The tests failed:\n{report}\nMend it, whole, in a code block.")]
    ask(w, "You write commit messages.", f"<note>{note}</note>\nTests: {report}\n---\n{code}", "/commit")


def refused_values(w: Branch, seed: int) -> None:
    """Orders are read, each by itself; what the stock does not hold goes back with a complaint, for three rounds at most."""
    dice = Dice("refused", seed)
    form = text_form(item=WORDS, pieces=NUMBER)
    for order in range(4):
        items: list[Json] = [user(f"Order {order + 1}: {asked(dice)}")]
        for attempt in range(3):
            text = respond(w, "You read orders.", items, "/read", text=form)
            fields = json.loads(text)
            is_fine = Dice("stock", seed, fields).number(5) < 2
            options = [is_fine, not is_fine, not is_fine]
            if w.decide("fine", [order, attempt, text], options, 0, leaves_trace=not is_fine):
                break
            items += [assistant(text), user(f"There cannot be {fields['pieces']} pieces. Read it again.")]
        told = f"Confirm an order of {fields['pieces']} pieces ({fields['item']}) in one line."
        respond(w, "You confirm orders.", told, "/confirm")


def calendar(w: Branch, seed: int) -> None:
    """Tasks are estimated; the day that one is due is the next free one of a calendar that only the program sees."""
    dice = Dice("calendar", seed)
    plans: list[str] = []
    for _ in range(3):
        found = fields_of(w, "You estimate.", asked(dice), "/estimate", task=WORDS, days=NUMBER)
        risks = ask(w, "You see risks.", f"What can go wrong with {found['task']}?", "/risks")
        busy = Dice("busy", seed, found["days"]).number(4)
        days = [dt.date(2026, 3, 2) + dt.timedelta(days=found["days"] + more) for more in range(7)]
        due = w.decide("due", found, days[busy : busy + 4], 0)
        told = f"Task: {found['task']}\nEffort: {found['days']} days, so it is due on {due:%d %B %Y}.\nRisks: {risks}"
        plans.append(ask(w, "You assign tasks.", f"{told}\nWho does it?", "/assign"))
    ask(w, "You run the office.", "The week:\n" + "\n".join(f"- {plan}" for plan in plans), "/week")


def counted_lists(w: Branch, seed: int) -> None:
    """Lists of two to four items stand numbered in prompts that say how many there are; the first list always has three."""
    dice = Dice("counted", seed)
    notes: list[str] = []
    for team, least, most in (("sales", 3, 3), ("repairs", 2, 4), ("stock", 2, 4)):
        form = {"type": "array", "items": WORDS, "minItems": least, "maxItems": most}
        items = fields_of(w, f"You speak for {team}.", f"{asked(dice)} Open items?", "/collect", items=form)["items"]
        mine, other = (f"The {team} team has {count} open items" for count in (len(items), 3))
        head = w.quirk("count", applies=len(items) != 3, mine=mine, other=other)
        listed = "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))
        notes.append(ask(w, "You report.", f"{head}:\n{listed}\nWhich is the worst?", "/report"))
    ask(w, "You report.", "All teams:\n\n" + "\n\n".join(notes), "/all")


APART: dict[str, Agent] = {
    "translated support": translated_support,
    "cited passages": cited_passages,
    "tree of summaries": tree_of_summaries,
    "negotiators": negotiators,
    "fenced fields": fenced_fields,
    "titled chat": titled_chat,
    "slot memory": slot_memory,
    "experts": experts,
    "code and tests": code_and_tests,
    "refused values": refused_values,
    "calendar": calendar,
    "counted lists": counted_lists,
}

"""Agents of many shapes, as people write them: small, deterministic, each a function of its seed and what it is answered."""

import json
from functools import partial
from typing import Any

from bench.fidelity.model import Dice
from bench.fidelity.world import Agent, Branch, Failed

Json = Any
MODEL = "gpt-4o-mini"


def chat(messages: Json, **fields: Json) -> Json:
    return {"model": MODEL, "messages": messages, **fields}


def said(response: Json) -> str:
    return response["choices"][0]["message"]["content"] or ""


def ask(w: Branch, body: Json, path: str = "/", *, trims: bool = False) -> str:
    """Return the text of an answer, trimmed or not: a habit that shows only where an answer has space around it."""
    text = said(w.call(body, path))
    mine, other = (text.strip(), text) if trims else (text, text.strip())
    return str(w.quirk(f"trim:{path}", applies=text != text.strip(), mine=mine, other=other))


def dumped(w: Branch, value: Json, **how: Json) -> str:
    """Return JSON text; whether letters outside ASCII are escaped is a habit."""
    text = json.dumps(value, **how)
    plain = json.dumps(value, ensure_ascii=False, **how)
    return str(w.quirk("ascii", applies=text != plain, mine=[text], other=[plain])[0])


def asked(dice: Dice) -> str:
    return f"What about the {dice.words(4)}, and how does {dice.words(2)} follow?"


def function(name: str, schema: Json) -> Json:
    return {"type": "function", "function": {"name": name, "description": f"Does {name}.", "parameters": schema}}


def schema(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def json_form(**properties: Json) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema(**properties)}}


CITY = {"type": "string", "enum": ["Oslo", "Lima", "Cairo"]}
DAY = {"type": "string", "enum": ["today", "tomorrow"]}
WEATHER = function("weather", schema(city=CITY))
TRAINS = function("trains", schema(city=CITY, day=DAY))


# --- conversations -------------------------------------------------------------------------------------------------------


def plain_chat(w: Branch, seed: int) -> None:
    """A conversation; the answers are written back as OpenAI's client gives them, or cut down, in one of four ways."""
    dice = Dice("chat", seed)
    messages: list[Json] = [{"role": "system", "content": f"You are helpful. {dice.words(3)}."}]
    for _ in range(3 + dice.number(3)):
        messages.append({"role": "user", "content": asked(dice)})
        response = w.call(chat(messages, temperature=0.5), "/chat")
        messages.append(echoed(w, response["choices"][0]["message"], seed, "/chat"))


def echoed(w: Branch, message: Json, seed: int, path: str) -> Json:
    """Return an answer as agents write it into the next request."""
    way = seed % 5
    if way == 1:
        return message
    if way == 2:
        return {key: value for key, value in message.items() if value is not None}
    text = message["content"] or ""
    mine, other = (text.strip(), text) if way == 3 else (text, text.strip())
    content = w.quirk(f"trim:{path}", applies=text != text.strip(), mine=mine, other=other)
    if way == 4 and not text:
        return {"role": "assistant", **_tools_of(message)}
    return {"role": "assistant", "content": content or (None if way == 0 else ""), **_tools_of(message)}


def _tools_of(message: Json) -> Json:
    return {"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {}


def two_chats(w: Branch, seed: int) -> None:
    """Two conversations that have nothing to do with each other, at once, and ask the same first question."""
    dice = Dice("two", seed)
    first = asked(dice)

    def talk(name: str, branch: Branch) -> None:
        inner = Dice("two", seed, name)
        messages: list[Json] = [{"role": "system", "content": "You are helpful."}]
        for number in range(3):
            messages.append({"role": "user", "content": first if number == 0 else asked(inner)})
            messages.append({"role": "assistant", "content": ask(branch, chat(messages), f"/{name}")})

    w.parallel(lambda b: talk("a", b), lambda b: talk("b", b))


def debate(w: Branch, seed: int) -> None:
    """Two speakers, each with its own history, in which the other one is the user."""
    dice = Dice("debate", seed)
    pro: list[Json] = [{"role": "system", "content": f"Argue for {dice.words(3)}."}]
    con: list[Json] = [{"role": "system", "content": f"Argue against {dice.words(3)}."}]
    word = asked(dice)
    for _ in range(3):
        for mine, other in ((pro, con), (con, pro)):
            del other
            mine.append({"role": "user", "content": word})
            word = ask(w, chat(mine), "/debate")
            mine.append({"role": "assistant", "content": word})


def transcripts(w: Branch, seed: int) -> None:
    """Each speaker is given the transcript so far inside one user message."""
    dice = Dice("transcripts", seed)
    lines = [f"Moderator: {asked(dice)}"]
    way = seed % 3
    for number in range(4):
        name = ("Ada", "Ben")[number % 2]
        log = "\n".join(lines) if way == 0 else dumped(w, lines, indent=2) if way == 1 else str(lines)
        messages = [
            {"role": "system", "content": f"You are {name}."},
            {"role": "user", "content": f"The talk so far:\n{log}\n\nWhat do you say, {name}?"},
        ]
        lines.append(f"{name}: {ask(w, chat(messages), '/talk')}")


# --- tools ---------------------------------------------------------------------------------------------------------------


def tool_loop(w: Branch, seed: int) -> None:
    """User turns, each with as many rounds of tools as the model wants."""
    _tools(w, seed, parallel=False)


def parallel_tools(w: Branch, seed: int) -> None:
    """The same, with several tools in one answer."""
    _tools(w, seed, parallel=True)


def _tools(w: Branch, seed: int, *, parallel: bool) -> None:
    dice = Dice("tools", seed, parallel)
    messages: list[Json] = [{"role": "system", "content": f"You plan trips. {dice.words(3)}."}]
    for _ in range(2 + dice.number(2)):
        messages.append({"role": "user", "content": asked(dice)})
        react(w, messages, [WEATHER, TRAINS], "/trip", seed, parallel_tool_calls=parallel)


def react(w: Branch, messages: list[Json], tools: list[Json], path: str, seed: int, **fields: Json) -> str:
    """Ask and run tools until there are no more."""
    while True:
        message = w.call(chat(messages, tools=tools, **fields), path)["choices"][0]["message"]
        messages.append(echoed(w, message, seed, path))
        if not message.get("tool_calls"):
            return message["content"] or ""
        for use in message["tool_calls"]:
            result = w.tool(use["function"]["name"], json.loads(use["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": use["id"], "content": result})


def sub_agents(w: Branch, seed: int) -> None:
    """An orchestrator whose tool is another agent, with a history and tools of its own."""
    dice = Dice("sub", seed)
    expert = function("ask_expert", schema(task={"type": "string", "words": 7}))
    messages: list[Json] = [
        {"role": "system", "content": f"You lead. {dice.words(3)}."},
        {"role": "user", "content": asked(dice)},
    ]

    def help_with(branch: Branch, task: str, number: int) -> str:
        mine = "You are an expert."  # what a tool does that was never asked for is in no record
        system = branch.quirk("expert", applies=True, mine=mine, other=f"Unknown {branch.world.variant}.")
        own: list[Json] = [{"role": "system", "content": system}, {"role": "user", "content": task}]
        first = react(branch, own, [WEATHER], f"/lead/expert{number}", 0)
        if seed % 2:
            label = f"trim:/lead/expert{number}"
            return str(branch.quirk(label, applies=first != first.strip(), mine=first, other=first.strip()))
        own.append({"role": "user", "content": "Say it shorter."})
        return ask(branch, chat(own), f"/lead/expert{number}")

    while True:
        body = chat(messages, tools=[expert], parallel_tool_calls=bool(seed % 3))
        message = w.call(body, "/lead")["choices"][0]["message"]
        messages.append(echoed(w, message, seed, "/lead"))
        if not message.get("tool_calls"):
            return
        uses = message["tool_calls"]
        threads = [
            (lambda b, n=n, use=use: help_with(b, json.loads(use["function"]["arguments"])["task"], n))
            for n, use in enumerate(uses)
        ]
        for use, result in zip(uses, w.parallel(*threads), strict=True):
            messages.append({"role": "tool", "tool_call_id": use["id"], "content": result})


# --- pipelines -----------------------------------------------------------------------------------------------------------


def pipeline(w: Branch, seed: int) -> None:
    """Outline, draft, review, rewrite: each answer stands in the next prompts, in the system prompt too."""
    dice = Dice("pipeline", seed)
    topic = dice.words(4)
    outline = ask(w, chat([{"role": "user", "content": f"Outline an essay on {topic}."}]), "/outline")
    system = {"role": "system", "content": f"Write by this outline:\n{outline}"}
    draft = ask(w, chat([system, {"role": "user", "content": f"Write the essay on {topic}."}]), "/draft", trims=True)
    review = ask(w, chat([{"role": "user", "content": f"Review this essay:\n\n<essay>{draft}</essay>"}]), "/review")
    w.call(
        chat(
            [{"role": "user", "content": f"Essay: {draft}\n\nReview: {review}\n\nOutline was: {outline}\nRewrite it."}]
        ),
        "/rewrite",
    )


def json_fields(w: Branch, seed: int) -> None:
    """Fields of JSON answers stand in prompts: long ones, and short ones at a place that repeats from ticket to ticket."""
    dice = Dice("fields", seed)
    form = json_form(
        summary={"type": "string", "words": 8},
        area={"type": "string", "enum": ["billing", "shipping", "refunds", "access"]},
    )
    for _ in range(4):
        ticket = asked(dice)
        body = chat([{"role": "user", "content": f"Sort this ticket: {ticket}"}], response_format=form)
        fields = json.loads(said(w.call(body, "/sort")))
        prompt = f"Area: {fields['area']}\nSummary: {fields['summary']}\nTicket: {ticket}\nAnswer it."
        w.call(chat([{"role": "user", "content": prompt}]), "/answer")


def json_rewritten(w: Branch, seed: int) -> None:
    """A JSON answer is parsed and written into the next prompt in another spelling."""
    dice = Dice("rewritten", seed)
    form = json_form(
        title={"type": "string", "words": 5},
        points={"type": "array", "items": {"type": "string", "words": 4}, "minItems": 3, "maxItems": 3},
    )
    body = chat([{"role": "user", "content": f"Collect facts on {dice.words(3)}."}], response_format=form)
    facts = json.loads(said(w.call(body, "/collect")))
    ways = (
        lambda: json.dumps(facts, indent=2),
        lambda: str(facts),
        lambda: f"{facts['title']}\n" + "\n".join(f"- {point}" for point in facts["points"]),
        lambda: json.dumps({"facts": facts["points"], "about": facts["title"]}),
    )
    text = ask(w, chat([{"role": "user", "content": f"Write a page from this:\n{ways[seed % 4]()}"}]), "/write")
    w.call(chat([{"role": "user", "content": dumped(w, {"page": text, "task": "proofread"})}]), "/proofread")


def fan_out(w: Branch, seed: int) -> None:
    """A plan of three tasks, each done at once, all brought together."""
    _fan(w, seed, least=3)


def fan_out_free(w: Branch, seed: int) -> None:
    """A plan of two to four tasks: how many there are is the model's choice."""
    _fan(w, seed, least=2)


def _fan(w: Branch, seed: int, *, least: int) -> None:
    dice = Dice("fan", seed, least)
    tasks_form = {"type": "array", "items": {"type": "string", "words": 6}, "minItems": least, "maxItems": 6 - least}
    form = json_form(tasks=tasks_form)
    plan = json.loads(
        ask(w, chat([{"role": "user", "content": f"Plan: {asked(dice)}"}], response_format=form), "/plan")
    )
    threads = [
        (lambda b, task=task: ask(b, chat([{"role": "user", "content": f"Do this task: {task}"}]), "/work"))
        for task in plan["tasks"]
    ]
    results = w.as_asked(w.parallel(*threads))
    joined = "\n---\n".join(results)
    w.call(chat([{"role": "system", "content": "Bring it together."}, {"role": "user", "content": joined}]), "/merge")


def lines_of_text(w: Branch, seed: int) -> None:
    """A list is cut into its lines, and each line asked about."""
    dice = Dice("lines", seed)
    form = json_form(a={"type": "string", "words": 6}, b={"type": "string", "words": 6})
    values = json.loads(
        ask(w, chat([{"role": "user", "content": f"Two ideas on {dice.words(2)}"}], response_format=form))
    )
    one = ask(w, chat([{"role": "user", "content": f"Judge the idea '{values['a']}'."}]), "/judge")
    two = ask(w, chat([{"role": "user", "content": f"Judge the idea '{values['b']}'."}]), "/judge")
    w.call(chat([{"role": "user", "content": f"Which is better?\n1. {one}\n2. {two}"}]), "/compare")


# --- what the agent decides by itself ------------------------------------------------------------------------------------


def routing(w: Branch, seed: int) -> None:
    """A one-word answer chooses the prompt."""
    dice = Dice("routing", seed)
    for _ in range(2):
        ticket = asked(dice)
        system = "Sort the ticket. Answer with one word of: billing, shipping, refunds."
        word = said(
            w.call(chat([{"role": "system", "content": system}, {"role": "user", "content": ticket}]), "/route")
        )
        prompts = ["You know all about invoices.", "You know all about parcels.", "You give money back."]
        names = ["billing", "shipping", "refunds"]
        prompt = w.decide("route", [ticket, word], prompts, names.index(word))
        w.call(chat([{"role": "system", "content": prompt}, {"role": "user", "content": ticket}]), "/desk")


def best_of(w: Branch, seed: int) -> None:
    """Three answers to the same question; the agent goes on with the longest."""
    dice = Dice("best", seed)
    question = [{"role": "user", "content": asked(dice)}]
    answers = w.parallel(*[(lambda b, n=n: said(b.call(chat(question, seed=n), "/try"))) for n in range(3)])
    best = w.decide("longest", answers, answers, max(range(3), key=lambda at: len(answers[at])))
    best = w.quirk("trim:/try", applies=best != best.strip(), mine=best, other=best.strip())
    follow = [*question, {"role": "assistant", "content": best}, {"role": "user", "content": asked(dice)}]
    w.call(chat(follow), "/follow")


def judged(w: Branch, seed: int) -> None:
    """Three answers at once, a judge who names one, and a rewrite of that one."""
    dice = Dice("judged", seed)
    question = asked(dice)
    answers = w.parallel(
        *[
            (lambda b, n=n: ask(b, chat([{"role": "user", "content": f"{question} Way {n}."}]), "/try"))
            for n in range(3)
        ]
    )
    listed = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(answers))
    system = "Choose. Answer with one word of: 0, 1, 2."
    word = ask(w, chat([{"role": "system", "content": system}, {"role": "user", "content": listed}]), "/judge")
    best = w.decide("judge", word, answers, int(word))
    w.call(chat([{"role": "user", "content": f"Make this better:\n{best}"}]), "/better")


def retries(w: Branch, seed: int) -> None:
    """A provider that fails at first is asked again by the client."""
    dice = Dice("retries", seed)
    messages: list[Json] = [{"role": "system", "content": "You are helpful."}]
    for number in range(3):
        fault = " [[fails once]]" if (seed + number) % 2 else ""
        messages.append({"role": "user", "content": asked(dice) + fault})
        for _ in range(3):
            try:
                text = ask(w, chat(messages), "/chat")
                break
            except Failed:
                continue
        messages.append({"role": "assistant", "content": text})


def until_good(w: Branch, seed: int) -> None:
    """An answer is asked for again until the agent's own check takes it."""
    dice = Dice("until", seed)
    messages = [{"role": "user", "content": asked(dice)}]
    for number in range(3):
        text = said(w.call(chat(messages, seed=number), "/try"))
        options = [False, True, True] if number == 0 else [len(text) % 2 == 0, len(text) % 2 == 1, True]
        if w.decide("check", [number, text], options, 0) or number == 2:
            break
    text = w.quirk("trim:/try", applies=text != text.strip(), mine=text, other=text.strip())
    w.call(chat([{"role": "user", "content": f"Translate:\n{text}"}]), "/translate")


def trimming(w: Branch, seed: int) -> None:
    """A conversation of which only the last four messages are sent."""
    dice = Dice("trimming", seed)
    system = {"role": "system", "content": "You are helpful."}
    messages: list[Json] = []
    for _ in range(5):
        messages.append({"role": "user", "content": asked(dice)})
        messages.append({"role": "assistant", "content": ask(w, chat([system, *messages[-5:]]), "/chat")})


def summarising(w: Branch, seed: int) -> None:
    """The older half of a conversation is summed up by the model, and the summary takes its place."""
    dice = Dice("summarising", seed)
    messages: list[Json] = []
    system = "You are helpful."
    for number in range(5):
        messages.append({"role": "user", "content": asked(dice)})
        text = ask(w, chat([{"role": "system", "content": system}, *messages]), "/chat")
        messages.append({"role": "assistant", "content": text})
        if number == 2:
            log = "\n".join(f"{one['role']}: {one['content']}" for one in messages[:4])
            summary = ask(w, chat([{"role": "user", "content": f"Sum up:\n{log}"}]), "/sum")
            system = f"You are helpful. Earlier talk: {summary}"
            messages = messages[4:]


def cut_short(w: Branch, seed: int) -> None:
    """Only the first eighty characters of an answer go into the next prompt."""
    dice = Dice("cut", seed)
    text = ask(w, chat([{"role": "user", "content": asked(dice)}]), "/ask")
    head = w.decide("cut", text, [text[:80], text[:60], text[:70]], 0)
    w.call(chat([{"role": "user", "content": f"Go on from here: {head}..."}]), "/go-on")
    w.call(chat([{"role": "user", "content": f"Criticise this text.\n\n{text}"}]), "/criticise")


def retrieval(w: Branch, seed: int) -> None:
    """The model's question is embedded, the nearest text is looked up, and stands in the streamed question that follows."""
    dice = Dice("retrieval", seed)
    library = [f"Document {number}: {Dice('doc', number).words(9)}." for number in range(5)]
    for _ in range(2):
        question = asked(dice)
        rewritten = ask(w, chat([{"role": "user", "content": f"Rewrite for search: {question}"}]), "/rewrite")
        body = {"model": "text-embedding-3-small", "input": rewritten}
        vector = w.call(body, "/embed", "openai_embeddings")["data"][0]["embedding"]
        near = w.decide("nearest", vector, library, int(vector[0] * 1000) % 5)
        messages = [{"role": "system", "content": f"Use this:\n{near}"}, {"role": "user", "content": question}]
        w.call(chat(messages, stream=True), "/answer")


def words_that_collide(w: Branch, seed: int) -> None:
    """Short answers equal words that the prompts have anyway; nothing is copied."""
    dice = Dice("collide", seed)
    form = json_form(
        tone={"type": "string", "enum": ["formal", "warm"]}, size={"type": "string", "enum": ["short", "long"]}
    )
    fields = json.loads(ask(w, chat([{"role": "user", "content": asked(dice)}], response_format=form), "/style"))
    text = (
        f"Write a formal letter about {dice.words(3)}. Keep it short. Tone: formal. Be warm at the end, not too long."
    )
    text = w.decide("a coincidence", fields, [text, text + "?", text + "!"], 0)
    w.call(chat([{"role": "user", "content": text}]), "/letter")


def arithmetic(w: Branch, seed: int) -> None:
    """Numbers of JSON answers are added up, and the sum stands in the next prompt."""
    dice = Dice("sums", seed)
    form = json_form(price={"type": "integer"}, item={"type": "string", "words": 5})
    found = [
        json.loads(
            ask(w, chat([{"role": "user", "content": f"Price {dice.words(3)}."}], response_format=form), "/price")
        )
        for _ in range(2)
    ]
    prices = [one["price"] for one in found]
    total = w.decide("sum", prices, [sum(prices), sum(prices) + 1, sum(prices) + 2], 0)
    w.call(chat([{"role": "user", "content": f"Is {total} too much for {found[0]['item']}?"}]), "/ask")


# --- other formats -------------------------------------------------------------------------------------------------------


def anthropic_tools(w: Branch, seed: int) -> None:
    """Anthropic's format: results and words of the user in one message, thinking with its signature written back."""
    dice = Dice("anthropic", seed)
    tools = [
        {"name": "weather", "description": "Tells.", "input_schema": schema(city=CITY)},
        {"name": "trains", "description": "Tells.", "input_schema": schema(city=CITY, day=DAY)},
    ]
    messages: list[Json] = []
    extra = {"thinking": {"type": "enabled", "budget_tokens": 1024}} if seed % 2 else {}
    for _ in range(2 + dice.number(2)):
        messages.append({"role": "user", "content": asked(dice)})
        while True:
            body = {
                "model": "claude-sonnet-4-5",
                "max_tokens": 500,
                "system": "You plan trips.",
                "tools": tools,
                **extra,
            }
            response = w.call({**body, "messages": messages}, "/trip", "anthropic_messages")
            messages.append({"role": "assistant", "content": response["content"]})
            uses = [block for block in response["content"] if block["type"] == "tool_use"]
            if not uses:
                break
            results = [
                {"type": "tool_result", "tool_use_id": use["id"], "content": w.tool(use["name"], use["input"])}
                for use in uses
            ]
            messages.append({"role": "user", "content": results})


def responses_tools(w: Branch, seed: int) -> None:
    """OpenAI's Responses format: the output's items are written back whole."""
    _responses(w, seed, held=False)


def server_state(w: Branch, seed: int) -> None:
    """The provider holds the history; each request names the answer that it follows."""
    _responses(w, seed, held=True)


def _responses(w: Branch, seed: int, *, held: bool) -> None:
    dice = Dice("responses", seed, held)
    tools = [
        {"type": "function", "name": "weather", "parameters": schema(city=CITY)},
        {"type": "function", "name": "trains", "parameters": schema(city=CITY, day=DAY)},
    ]
    base: dict[str, Json] = {"model": "gpt-5-mini", "instructions": "You plan trips.", "tools": tools}
    if seed % 2 and not held:
        base |= {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
    items: list[Json] = []
    previous: Json = {}
    for _ in range(2 + dice.number(2)):
        items.append({"role": "user", "content": asked(dice)})
        while True:
            response = w.call({**base, **previous, "input": items}, "/trip", "openai_responses")
            items = [] if held else [*items, *response["output"]]
            if held:
                previous = {"previous_response_id": response["id"]}
            uses = [item for item in response["output"] if item["type"] == "function_call"]
            if not uses:
                break
            items += [
                {
                    "type": "function_call_output",
                    "call_id": use["call_id"],
                    "output": w.tool(use["name"], json.loads(use["arguments"])),
                }
                for use in uses
            ]


# --- further shapes ------------------------------------------------------------------------------------------------------


def react_in_prose(w: Branch, seed: int) -> None:
    """Tools are asked for in words (`Action: weather[Oslo]`) and answered in user messages (`Observation: ...`)."""
    dice = Dice("prose", seed)
    system = "Think, then act. Answer in the form of an action: weather of Oslo, Lima, Cairo."
    messages: list[Json] = [{"role": "system", "content": system}, {"role": "user", "content": asked(dice)}]
    for number in range(1, 13):
        if number > 10 and w.decide("gives up", number, [False, True, True, True], 0):
            return  # how long a loop may be shows only where one was as long
        text = said(w.call(chat(messages, stop=["Observation:"]), "/prose"))
        messages.append({"role": "assistant", "content": text})
        if "Action: " not in text:
            return
        city = text.split("Action: weather[", 1)[1].split("]", 1)[0]
        messages.append({"role": "user", "content": f"Observation: {w.tool('weather', {'city': city})}"})


def format_retry(w: Branch, seed: int) -> None:
    """An answer that is no JSON is sent back with a complaint, until it is."""
    dice = Dice("format", seed)
    messages: list[Json] = [{"role": "user", "content": f"Give JSON for {dice.words(3)}. Perhaps JSON."}]
    for number in range(3):
        text = said(w.call(chat(messages), "/json"))
        is_json = text.startswith("{")
        options = [is_json, not is_json, not is_json]
        if w.decide("is JSON", [number, text], options, 0, leaves_trace=not is_json) or number == 2:
            break
        messages += [
            {"role": "assistant", "content": text},
            {"role": "user", "content": "That is no JSON. Answer with a JSON object and nothing else."},
        ]
    w.call(chat([{"role": "user", "content": f"Describe this data: {text.strip()}"}]), "/describe")


def memory(w: Branch, seed: int) -> None:
    """Facts that the model notes are kept, and stand in the system prompt of every later turn."""
    dice = Dice("memory", seed)
    form = json_form(fact={"type": "string", "words": 6})
    facts: list[str] = []
    for _ in range(4):
        question = asked(dice)
        known = "\n".join(f"- {fact}" for fact in facts) or "nothing yet"
        system = {"role": "system", "content": f"You know:\n{known}"}
        text = ask(w, chat([system, {"role": "user", "content": question}]), "/answer")
        note = chat([{"role": "user", "content": f"Note a fact.\nQ: {question}\nA: {text}"}], response_format=form)
        facts.append(json.loads(said(w.call(note, "/note")))["fact"])


def numbered_lines(w: Branch, seed: int) -> None:
    """A numbered list in plain text is cut into its lines; each is asked about, and all answers are put together."""
    dice = Dice("numbered", seed)
    text = said(
        w.call(chat([{"role": "user", "content": f"List queries on {dice.words(3)}. Numbered list."}]), "/list")
    )
    queries = [line.split(". ", 1)[1].strip() for line in text.splitlines() if line[:1].isdigit()]
    threads = [
        (lambda b, query=query: ask(b, chat([{"role": "user", "content": f"Search: {query}"}]), "/search"))
        for query in queries
    ]
    found = w.parallel(*threads)
    joined = "\n\n".join(f"Result {number}: {one}" for number, one in enumerate(found, start=1))
    w.call(chat([{"role": "user", "content": f"Question: {dice.words(4)}\n\n{joined}\n\nAnswer now."}]), "/answer")


def extraction(w: Branch, seed: int) -> None:
    """Only the code block of an answer, or what follows `Answer:`, goes into the next prompt."""
    dice = Dice("extraction", seed)
    text = said(
        w.call(chat([{"role": "user", "content": f"Write code for {dice.words(3)}. In a code block."}]), "/code")
    )
    code = text.split("```python\n", 1)[1].split("\n```", 1)[0]
    review = said(
        w.call(chat([{"role": "user", "content": f"Review:\n\n{code}\n\nEnd with Answer: and a line."}]), "/review")
    )
    verdict = review.split("Answer: ", 1)[1].strip()
    w.call(chat([{"role": "user", "content": f"The code\n{code}\nwas judged: {verdict}"}]), "/report")


def checked(check: list[Json], b: Branch) -> str:
    return said(b.call(chat(check), "/check"))


def guardrail(w: Branch, seed: int) -> None:
    """A check runs beside the answer; only a bad check stops the agent."""
    dice = Dice("guard", seed)
    messages: list[Json] = [{"role": "system", "content": "You are helpful."}]
    for _ in range(3):
        question = asked(dice)
        messages.append({"role": "user", "content": question})
        system = "Is it safe? Answer with one word of: safe, fine, harmless."
        check = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        asked_too = partial(checked, check)
        word, text = w.parallel(asked_too, lambda b: ask(b, chat(messages), "/chat"))
        if not w.decide("guard", [question, word], [True, False, False], 0):
            return
        messages.append({"role": "assistant", "content": text})


def handoff(w: Branch, seed: int) -> None:
    """A tool call hands the conversation to another agent, with other instructions and tools, in the same history."""
    dice = Dice("handoff", seed)
    transfer = function("transfer", schema(to={"type": "string", "enum": ["sales", "repairs"]}))
    history: list[Json] = []
    agent = "front"
    for _ in range(3):
        history.append({"role": "user", "content": asked(dice)})
        for _ in range(5):
            tools = [transfer] if agent == "front" else [WEATHER]
            body = chat([{"role": "system", "content": f"You are the {agent} desk."}, *history], tools=tools)
            message = w.call(body, "/desk")["choices"][0]["message"]
            history.append(echoed(w, message, 0, "/desk"))
            if not message.get("tool_calls"):
                break
            for use in message["tool_calls"]:
                arguments = json.loads(use["function"]["arguments"])
                if use["function"]["name"] == "transfer":
                    agent = w.decide("transfer", [len(history), arguments], [arguments["to"], "other", "third"], 0)
                    result = "Transferred."
                else:
                    result = w.tool("weather", arguments)
                history.append({"role": "tool", "tool_call_id": use["id"], "content": result})


def voting(w: Branch, seed: int) -> None:
    """The same question five times; the answer given most often is used."""
    dice = Dice("voting", seed)
    system = "Answer with one word of: amber, cobalt, indigo."
    question = [{"role": "system", "content": system}, {"role": "user", "content": asked(dice)}]
    words = w.parallel(*[(lambda b, n=n: said(b.call(chat(question, seed=n), "/vote"))) for n in range(5)])
    best = max(sorted(set(words)), key=words.count)
    best = w.decide("vote", words, [best, "first", "last"], 0)
    w.call(chat([{"role": "user", "content": f"Paint the wall in the colour {best}."}]), "/paint")


def batch_embeddings(w: Branch, seed: int) -> None:
    """Several answers are embedded in one request, and one of them in a request of its own."""
    dice = Dice("batch", seed)
    texts = w.parallel(
        *[
            (lambda b, n=n: ask(b, chat([{"role": "user", "content": f"{dice.words(3)} {n}"}]), "/write"))
            for n in range(3)
        ]
    )
    w.call({"model": "text-embedding-3-small", "input": texts}, "/embed", "openai_embeddings")
    w.call({"model": "text-embedding-3-small", "input": texts[1]}, "/embed", "openai_embeddings")


def wrapped_sub_agent(w: Branch, seed: int) -> None:
    """A sub-agent's answer comes back inside JSON, with other fields."""
    dice = Dice("wrapped", seed)
    expert = function("research", schema(topic={"type": "string", "words": 6}))
    messages: list[Json] = [{"role": "user", "content": asked(dice)}]
    while True:
        message = w.call(chat(messages, tools=[expert]), "/lead")["choices"][0]["message"]
        messages.append(echoed(w, message, 0, "/lead"))
        if not message.get("tool_calls"):
            return
        for use in message["tool_calls"]:
            topic = json.loads(use["function"]["arguments"])["topic"]
            mine = "Research the topic: "
            start = w.quirk("research", applies=True, mine=mine, other=f"Unknown {w.world.variant}: ")
            text = ask(w, chat([{"role": "user", "content": start + topic}]), "/research")
            result = dumped(w, {"topic": topic, "status": "ok", "findings": text})
            messages.append({"role": "tool", "tool_call_id": use["id"], "content": result})


def legacy_functions(w: Branch, seed: int) -> None:
    """The format's first version: `functions` and `function_call`."""
    dice = Dice("legacy", seed)
    functions = [{"name": "weather", "parameters": schema(city=CITY)}]
    messages: list[Json] = [{"role": "system", "content": "You plan trips."}]
    for _ in range(2):
        messages.append({"role": "user", "content": asked(dice)})
        while True:
            message = w.call(chat(messages, functions=functions), "/trip")["choices"][0]["message"]
            use = message.get("function_call")
            text = message["content"] or ""
            content = w.quirk("trim:/trip", applies=text != text.strip(), mine=text, other=text.strip()) or None
            messages.append({"role": "assistant", "content": content, **({"function_call": use} if use else {})})
            if not use:
                break
            result = w.tool("weather", json.loads(use["arguments"]))
            messages.append({"role": "function", "name": "weather", "content": result})


SHAPES: dict[str, Agent] = {
    "chat": plain_chat,
    "two chats at once": two_chats,
    "debate": debate,
    "transcripts": transcripts,
    "tool loop": tool_loop,
    "parallel tools": parallel_tools,
    "sub-agents as tools": sub_agents,
    "pipeline": pipeline,
    "JSON fields": json_fields,
    "JSON rewritten": json_rewritten,
    "fan-out and merge": fan_out,
    "fan-out, free": fan_out_free,
    "quoted fields": lines_of_text,
    "routing": routing,
    "best of three": best_of,
    "judged": judged,
    "retries": retries,
    "until good": until_good,
    "trimming": trimming,
    "summarising": summarising,
    "cut short": cut_short,
    "retrieval, streamed": retrieval,
    "colliding words": words_that_collide,
    "arithmetic": arithmetic,
    "Anthropic tools": anthropic_tools,
    "Responses tools": responses_tools,
    "server-held state": server_state,
    "ReAct in prose": react_in_prose,
    "format retry": format_retry,
    "memory": memory,
    "numbered lines": numbered_lines,
    "extraction": extraction,
    "guardrail": guardrail,
    "handoff": handoff,
    "voting": voting,
    "batch of embeddings": batch_embeddings,
    "wrapped sub-agent": wrapped_sub_agent,
    "legacy functions": legacy_functions,
}

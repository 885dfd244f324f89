"""A model that is none: its answer is a pure function of the request's body, and every word of it counts."""

import hashlib
import json
from typing import Any

Json = Any

WORDS = [
    "amber", "bridge", "candle", "delta", "ember", "forest", "garden", "harbor", "island", "jungle", "kernel", "ladder",
    "meadow", "nectar", "orchid", "pepper", "quartz", "river", "saddle", "timber", "umbra", "valley", "walnut", "yonder",
    "zephyr", "cobalt", "falcon", "glacier", "hazel", "indigo", "lagoon", "marble",
]  # fmt: skip


class Dice:
    """A row of choices made from a seed."""

    def __init__(self, *seed: Json) -> None:
        self._seed = json.dumps(seed, sort_keys=True, default=str).encode()
        self._count = 0

    def number(self, below: int) -> int:
        self._count += 1
        drawn = hashlib.blake2b(self._seed, digest_size=8, salt=self._count.to_bytes(8, "big")).digest()
        return int.from_bytes(drawn, "big") % below

    def pick(self, items: Json) -> Json:
        return items[self.number(len(items))]

    def words(self, count: int) -> str:
        return " ".join(self.pick(WORDS) for _ in range(count))


def answer(kind: str, body: Json) -> Json:
    """Return the response body of a request of this dialect."""
    return _DIALECTS[kind](body)


def _seed(body: Json) -> Json:
    return {key: value for key, value in body.items() if key not in ("stream", "stream_options")}


# --- what is said --------------------------------------------------------------------------------------------------------


def speech(dice: Dice) -> str:
    """Return a text of one of the forms that models write: sentences, paragraphs, quotes, a list, a fence."""
    sentences = [f"The {dice.words(3)} holds a {dice.words(2)}." for _ in range(2 + dice.number(3))]
    form = dice.number(8)
    if form == 0:
        return "\n\n".join(sentences)
    if form == 1:
        return f'She said "{dice.words(4)}" and left.\n' + " ".join(sentences)
    if form == 2:
        return "Here is a list:\n" + "\n".join(f"- {dice.words(4)}" for _ in range(3))
    if form == 3:
        return f"It's {dice.words(3)} — naïve, isn't it? " + " ".join(sentences)
    if form == 4:
        return " ".join(sentences) + "\n"
    return " ".join(sentences)


def filled(schema: Json, dice: Dice) -> Json:
    """Return a value that fits a JSON schema."""
    if "enum" in schema:
        return dice.pick(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        return {name: filled(inner, dice) for name, inner in schema["properties"].items()}
    if kind == "array":
        least, most = schema.get("minItems", 2), schema.get("maxItems", 3)
        return [filled(schema["items"], dice) for _ in range(least + dice.number(most - least + 1))]
    if kind == "integer":
        return dice.number(90) + 10
    if kind == "boolean":
        return bool(dice.number(2))
    return dice.words(schema.get("words", 5))


def chosen_tools(tools: list[Json], question: str, round_number: int, dice: Dice) -> list[tuple[str, Json]]:
    """Return the tool calls of a round: mostly told by the question, sometimes by every word of the prompt."""
    if not tools or round_number >= 3:
        return []
    steady = Dice("tools", question, round_number) if dice.number(4) else dice
    if steady.number(10) < 3 * round_number + 1:
        return []
    count = 1 + (steady.number(2) if any(tool.get("parallel") for tool in tools) else 0)
    return [(tool["name"], filled(tool["schema"], steady)) for tool in (steady.pick(tools) for _ in range(count))]


# --- the wire ------------------------------------------------------------------------------------------------------------


def _text(content: Json) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [] if isinstance(part, dict))


def _salt(body: Json) -> str:
    """Return what sets a variant's answers apart (see `world`)."""
    return str(body.get("salt", ""))


def _chat(body: Json) -> Json:
    choices = []
    for number in range(body.get("n", 1)):
        dice = Dice(_seed(body), number)
        choices.append({"index": number, **_chat_choice(body, dice), "logprobs": None})
    return {
        "id": f"chatcmpl-{Dice(_seed(body)).number(10**12)}",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": choices,
        "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
    }


def _chat_choice(body: Json, dice: Dice) -> Json:
    messages = body["messages"]
    last_user = max((at for at, one in enumerate(messages) if one["role"] == "user"), default=0)
    rounds = sum(1 for one in messages[last_user:] if one["role"] == "assistant")
    tools = [
        {
            "name": one["function"]["name"],
            "schema": one["function"]["parameters"],
            "parallel": body.get("parallel_tool_calls"),
        }
        for one in body.get("tools", [])
    ]
    tools += [{"name": one["name"], "schema": one["parameters"]} for one in body.get("functions", [])]
    calls = chosen_tools(tools, _text(messages[last_user]["content"]) + _salt(body), rounds, dice)
    message: Json = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    if calls and body.get("functions"):
        name, arguments = calls[0]
        message["function_call"] = {"name": name, "arguments": json.dumps(arguments)}
        return {"message": message, "finish_reason": "function_call"}
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{dice.number(10**9)}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(args)},
            }
            for name, args in calls
        ]
        return {"message": message, "finish_reason": "tool_calls"}
    message["content"] = _said(body, dice)
    return {"message": message, "finish_reason": "stop"}


def _said(body: Json, dice: Dice) -> str:
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        return json.dumps(filled(form["json_schema"]["schema"], dice), ensure_ascii=False)
    messages = body["messages"]
    system = _text(messages[0]["content"])
    if "Answer with one word of" in system:
        options = system.split("Answer with one word of", 1)[1].split(":", 1)[1].split(".", 1)[0]
        return str(dice.pick([one.strip() for one in options.split(",")]))
    last = _text(messages[-1]["content"])
    if "form of an action" in system and dice.number(4):
        steady = Dice(len(messages), _text(messages[1]["content"]), _salt(body)) if dice.number(3) else dice
        return f"I think of the {dice.words(2)}.\nAction: weather[{steady.pick(['Oslo', 'Lima', 'Cairo'])}]"
    if "In a JSON fence" in last:
        found = {"headline": dice.words(5), "audience": dice.words(3), "tags": [dice.words(2) for _ in range(3)]}
        return f"Sure, here it is:\n\n```json\n{json.dumps(found, indent=2)}\n```\n"
    if "JSON" in last and dice.number(2):
        return json.dumps({"name": dice.words(2), "size": dice.number(90)})
    if "Numbered list" in last:
        return "Here:\n" + "\n".join(f"{number + 1}. {dice.words(5)}" for number in range(2 + dice.number(3)))
    if "code block" in last:
        return (
            f"Here it is.\n```python\nprint('{dice.words(3)}')\nreturn '{dice.words(2)}'\n```\nIt is {dice.words(2)}."
        )
    if "End with Answer:" in last:
        return f"{speech(dice).strip()}\nAnswer: the {dice.words(4)}"
    return speech(dice)


def _embeddings(body: Json) -> Json:
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vectors = [[Dice(one, place).number(1000) / 1000 for place in range(3)] for one in inputs]
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)],
        "model": body["model"],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


def _messages(body: Json) -> Json:
    dice = Dice(_seed(body))
    messages = body["messages"]
    asked = [at for at, one in enumerate(messages) if one["role"] == "user" and _text(one["content"])]
    last = asked[-1] if asked else 0
    tools = [{"name": one["name"], "schema": one["input_schema"], "parallel": True} for one in body.get("tools", [])]
    rounds = sum(1 for one in messages[last:] if one["role"] == "assistant")
    calls = chosen_tools(tools, _text(messages[last]["content"]) + _salt(body), rounds, dice)
    content: list[Json] = []
    if body.get("thinking"):
        content.append({"type": "thinking", "thinking": dice.words(6), "signature": f"sig{dice.number(10**9)}"})
    if not calls or dice.number(2):
        content.append({"type": "text", "text": speech(dice).strip()})
    content += [
        {"type": "tool_use", "id": f"toolu_{dice.number(10**9)}", "name": name, "input": args} for name, args in calls
    ]
    return {
        "id": f"msg_{dice.number(10**12)}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 9},
    }


def _responses(body: Json) -> Json:
    dice = Dice(_seed(body))
    items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
    asked = [at for at, one in enumerate(items) if one.get("role") == "user"]
    last = asked[-1] if asked else 0
    rounds = sum(1 for one in items[last:] if one.get("type") == "function_call_output")
    question = _text(items[last].get("content")) if asked else str(body.get("previous_response_id"))
    tools = [{"name": one["name"], "schema": one["parameters"], "parallel": True} for one in body.get("tools", [])]
    calls = chosen_tools(tools, question + _salt(body), rounds, dice)
    output: list[Json] = []
    if (body.get("reasoning") or {}).get("effort"):
        output.append(
            {"type": "reasoning", "id": f"rs_{dice.number(10**9)}", "summary": [], "encrypted_content": dice.words(2)}
        )
    output += [
        {
            "type": "function_call",
            "id": f"fc_{dice.number(10**9)}",
            "call_id": f"call_{dice.number(10**9)}",
            "name": name,
            "arguments": json.dumps(args),
            "status": "completed",
        }
        for name, args in calls
    ]
    if not calls:
        form = (body.get("text") or {}).get("format") or {}
        text = json.dumps(filled(form["schema"], dice)) if form.get("type") == "json_schema" else speech(dice)
        said = {"type": "output_text", "text": text, "annotations": []}
        output.append(
            {
                "type": "message",
                "id": f"msg_{dice.number(10**9)}",
                "role": "assistant",
                "status": "completed",
                "content": [said],
            }
        )
    return {
        "id": f"resp_{dice.number(10**12)}",
        "object": "response",
        "status": "completed",
        "model": body["model"],
        "output": output,
        "usage": {"input_tokens": 9, "output_tokens": 9, "total_tokens": 18},
    }


_DIALECTS = {
    "openai_chat": _chat,
    "openai_embeddings": _embeddings,
    "anthropic_messages": _messages,
    "openai_responses": _responses,
}

"""Deciding what to answer: a pure function of the request and the script."""

import math

from reenact.dialects.wire import inner, text, whole
from reenact.domain.digesting import canonical, digest
from reenact.domain.message import Json, Prompt, ToolUse
from reenact.provider.calling import call_id, choose_calls
from reenact.provider.choosing import Chooser
from reenact.provider.counting import count_prompt, count_text, count_tool_uses, pieces
from reenact.provider.faulting import without_marker
from reenact.provider.filling import Filler
from reenact.provider.manner import read_manner
from reenact.provider.reply import Choice, Reply, Stop
from reenact.provider.script import Rule
from reenact.provider.scripting import new_results, system_text, user_text
from reenact.provider.wording import word_result, word_speech

_EPOCH_SECONDS = 1_767_225_600
"""2026-01-01: the earliest `created` that is made up."""
_SPREAD_SECONDS = 90 * 24 * 3600
_HOW_IT_IS_SENT = frozenset({"stream", "stream_options"})
_MOST_CHOICES = 16


def answer(prompt: Prompt, rule: Rule | None = None) -> Reply:
    """Return the answer to *prompt*; streaming it or not makes no difference to what it says."""
    body = prompt.origin if isinstance(prompt.origin, dict) else {}
    asked = {key: value for key, value in body.items() if key not in _HOW_IT_IS_SENT}
    seed = digest(canonical([prompt.dialect, prompt.model, asked]))
    count = min(whole(prompt.parameters, "n") or 1, _MOST_CHOICES)
    choices = tuple(_choose(prompt, rule, seed + bytes([at])) for at in range(max(1, count)))
    return Reply(
        id=seed.hex(),
        created_seconds=_EPOCH_SECONDS + int.from_bytes(seed[:4], "big") % _SPREAD_SECONDS,
        model=prompt.model or "scripted",
        choices=choices,
        input_tokens=count_prompt(prompt),
        output_tokens=sum(count_text(one.text) + count_tool_uses(one.tool_uses) for one in choices),
    )


def _choose(prompt: Prompt, rule: Rule | None, seed: bytes) -> Choice:
    """Return one choice: what the rule says, else tool calls, else words."""
    chooser = Chooser(seed)
    uses = _scripted_calls(rule, seed)
    if not uses and (rule is None or rule.text is None):
        uses = choose_calls(prompt, seed.hex(), chooser)
    if uses:
        return Choice(text=(rule and rule.text) or "", tool_uses=uses, stop=Stop.TOOLS)
    return _limited(prompt, rule.text if rule and rule.text is not None else _words(prompt, chooser))


def _scripted_calls(rule: Rule | None, seed: bytes) -> tuple[ToolUse, ...]:
    calls = rule.tool_calls if rule else ()
    return tuple(
        ToolUse(call_id(seed.hex(), at), call.name, canonical(call.arguments).decode()) for at, call in enumerate(calls)
    )


def _words(prompt: Prompt, chooser: Chooser) -> str:
    user = without_marker(user_text(prompt))
    manner = read_manner(system_text(prompt), user)
    schema = answer_schema(prompt)
    if schema is not None:
        return canonical(Filler(schema, user, chooser).fill()).decode()
    results = new_results(prompt)
    if results:
        tools = {use.id: use.name for message in prompt.messages for use in message.tool_uses}
        return word_result(manner, user, [(tools.get(result.id, "the tool"), result) for result in results], chooser)
    speech = word_speech(manner, user, chooser)
    return canonical({"answer": speech}).decode() if _wants_json(prompt) else speech


def answer_schema(prompt: Prompt) -> Json:
    """Return the JSON Schema that the answer must follow, in OpenAI's (chat, responses) or Gemini's field; None for none."""
    chat = inner(inner(prompt.parameters, "response_format"), "json_schema").get("schema")
    responses = inner(inner(prompt.parameters, "text"), "format").get("schema")
    gemini = inner(prompt.parameters, "generationConfig")
    return chat or responses or gemini.get("responseJsonSchema") or gemini.get("responseSchema")


def _wants_json(prompt: Prompt) -> bool:
    """Return whether any JSON object is asked for."""
    chat = text(inner(prompt.parameters, "response_format"), "type")
    responses = text(inner(inner(prompt.parameters, "text"), "format"), "type")
    gemini = text(inner(prompt.parameters, "generationConfig"), "responseMimeType")
    return "json_object" in (chat, responses) or gemini == "application/json"


def _limited(prompt: Prompt, said: str) -> Choice:
    """Return *said* up to the first stop word and the most tokens allowed."""
    for stop in _stops(prompt):
        said = said.split(stop, 1)[0]
    limit = _most_tokens(prompt)
    cut = pieces(said)
    if len(cut) <= limit:
        return Choice(text=said)
    return Choice(text="".join(cut[: int(limit)]), stop=Stop.LENGTH)


def _stops(prompt: Prompt) -> list[str]:
    settings = prompt.parameters
    found = settings.get("stop") or settings.get("stop_sequences")
    found = found or inner(settings, "generationConfig").get("stopSequences") or []
    return [stop for stop in ([found] if isinstance(found, str) else found) if isinstance(stop, str) and stop]


def _most_tokens(prompt: Prompt) -> float:
    names = ("max_completion_tokens", "max_tokens", "max_output_tokens")
    limits = [whole(prompt.parameters, name) for name in names]
    limits.append(whole(prompt.parameters, "generationConfig", "maxOutputTokens"))
    return min((limit for limit in limits if limit is not None), default=math.inf)

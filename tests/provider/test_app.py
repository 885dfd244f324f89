"""The scripted provider as real clients meet it: OpenAI's SDK and plain HTTP, over a real socket."""

import asyncio
import base64
import math
import struct
from typing import Any

import httpx2
import msgspec
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from reenact.dialects.framing import read_events, read_stream
from reenact.dialects.openai_chat import OpenAIChat
from reenact.provider.app import Provider, create_provider
from reenact.provider.script import Match, Rule, Script, ScriptedCall
from tests.fakes.serving import serving

ARGUMENT = "I believe climate change is a natural cycle and not significantly influenced by human activities."
SYSTEM = "You're an AI debate assistant. Keep responses concise and insightful."
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["C", "F"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 10},
            },
            "required": ["city", "unit", "days"],
        },
    },
}


def body_of(text: str = ARGUMENT, **fields: Any) -> dict[str, Any]:
    """Return a chat request."""
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **fields}


def said(sdk: openai.OpenAI, system: str, user: str = ARGUMENT) -> str:
    """Return what is answered to *user* under *system*."""
    messages: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": system},
        {"role": "user", "content": user},
    ]
    return sdk.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content or ""


# --- answers -----------------------------------------------------------------------------------------------------------


def test_the_same_request_gets_the_same_bytes(http: httpx2.Client) -> None:
    """Ids and times too; one changed word, or the model alone, gives another answer."""
    one = http.post("/v1/chat/completions", json=body_of())
    assert one.status_code == 200
    assert http.post("/v1/chat/completions", json=body_of()).content == one.content
    for other in (body_of(ARGUMENT + " Indeed."), body_of(seed=7), body_of() | {"model": "gpt-4o"}):
        assert http.post("/v1/chat/completions", json=other).json()["id"] != one.json()["id"]


def test_spacing_and_order_of_a_request_make_no_difference(http: httpx2.Client) -> None:
    """The answer is to what was asked, however it was written."""
    body = body_of()
    other = msgspec.json.format(msgspec.json.encode(dict(reversed(body.items()))), indent=3)
    assert (
        http.post("/v1/chat/completions", json=body).content == http.post("/v1/chat/completions", content=other).content
    )


def test_a_stream_adds_up_to_the_unstreamed_answer(http: httpx2.Client) -> None:
    """Message, reason, usage, id and time: nothing depends on how the answer is sent."""
    variants: list[dict[str, Any]] = [{}, {"tools": [WEATHER]}, {"n": 2}, {"max_tokens": 5}]
    for more in variants:
        body = body_of("What is the weather in Paris and Rome for 3 days?", **more)
        whole = http.post("/v1/chat/completions", json=body).json()
        answer = http.post(
            "/v1/chat/completions", json=body | {"stream": True, "stream_options": {"include_usage": True}}
        )
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        stream = read_stream(answer.content)
        assert (stream.finished, stream.broken) == (True, 0)
        assert len(stream.events) >= 5
        merged = OpenAIChat().merge(stream.events)
        for choice in merged["choices"]:
            for call in choice["message"].get("tool_calls", []):
                del call["index"]
        assert merged == whole


def test_usage_in_streams_is_sent_only_when_asked_for(http: httpx2.Client) -> None:
    """As OpenAI does."""
    events = read_events(http.post("/v1/chat/completions", json=body_of(stream=True)).content)
    assert [event for event in events if "usage" in event or not event["choices"]] == []


def test_a_persona_is_heard(sdk: openai.OpenAI) -> None:
    """The guide's change makes the answer an expert's, and longer."""
    plain = said(sdk, SYSTEM)
    expert = said(sdk, SYSTEM + " Take the persona of a field expert and provide more persuasive arguments.")
    assert len(expert) > 1.5 * len(plain)
    assert any(word in expert for word in ("years", "expert", "specialist", "my own field work"))
    assert "climate change" in plain
    assert "climate change" in expert


def test_length_and_language_are_kept(sdk: openai.OpenAI) -> None:
    """Words, sentences, languages, and the very words to say."""
    assert len(said(sdk, "Answer in at most 12 words.").split()) <= 12
    assert said(sdk, "Reply in one sentence.").count(".") == 1
    assert len(said(sdk, "Be concise.")) < len(said(sdk, "Be thorough."))
    assert "«" in said(sdk, "Answer in French.")
    assert "„" in said(sdk, "Answer in German.")
    assert "¿" in said(sdk, "Answer in Spanish.") or "«" in said(sdk, "Answer in Spanish.")
    assert said(sdk, SYSTEM, 'Reply with exactly "pong".') == "pong"


def test_limits_and_stops_are_kept(sdk: openai.OpenAI) -> None:
    """`max_tokens` ends with `length` and is counted; `stop` cuts."""
    cut = sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": ARGUMENT}], max_tokens=7)
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 7
    stopped = sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": ARGUMENT}], stop=["climate"])
    assert stopped.choices[0].finish_reason == "stop"
    assert "climate" not in (stopped.choices[0].message.content or "")


def test_several_choices_differ(sdk: openai.OpenAI) -> None:
    """`n` gives as many answers."""
    answer = sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": ARGUMENT}], n=3)
    assert len({choice.message.content for choice in answer.choices}) == 3


def test_answers_keep_to_a_json_schema(sdk: openai.OpenAI) -> None:
    """Every kind of value, references and bounds; `json_object` gives some object."""
    schema: dict[str, object] = {
        "type": "object",
        "properties": {
            "verdict": {"enum": ["for", "against"]},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "reasons": {"type": "array", "items": {"$ref": "#/$defs/reason"}, "minItems": 2},
            "when": {"type": "string", "format": "date"},
            "note": {"type": ["string", "null"]},
        },
        "required": ["verdict", "score", "reasons", "when", "note"],
        "$defs": {"reason": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}},
    }
    answer = sdk.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": ARGUMENT}],
        response_format={"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema}},
    )
    value = msgspec.json.decode(answer.choices[0].message.content or "")
    assert set(value) == {"verdict", "score", "reasons", "when", "note"}
    assert value["verdict"] in ("for", "against")
    assert 0 <= value["score"] <= 1
    assert len(value["reasons"]) >= 2
    assert all(set(reason) == {"text"} and reason["text"] for reason in value["reasons"])
    loose = sdk.chat.completions.create(
        model="m", messages=[{"role": "user", "content": ARGUMENT}], response_format={"type": "json_object"}
    )
    assert isinstance(msgspec.json.decode(loose.choices[0].message.content or ""), dict)


# --- tools -------------------------------------------------------------------------------------------------------------


def test_a_tool_is_called_and_its_result_told(sdk: openai.OpenAI) -> None:
    """The whole loop: arguments from the user's words, then an answer that repeats what came back."""
    messages: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": "What is the weather in Paris for 3 days?"}
    ]
    first = sdk.chat.completions.create(model="m", messages=messages, tools=[WEATHER]).choices[0]
    assert first.finish_reason == "tool_calls"
    assert first.message.tool_calls is not None
    call = first.message.tool_calls[0]
    assert call.type == "function"
    assert call.function.name == "get_weather"
    arguments = msgspec.json.decode(call.function.arguments)
    assert (arguments["city"], arguments["days"], arguments["unit"] in ("C", "F")) == ("Paris", 3, True)
    messages += [
        first.message.to_dict(),  # type: ignore[list-item] # what the SDK's own guide does
        {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and light rain"},
    ]
    second = sdk.chat.completions.create(model="m", messages=messages, tools=[WEATHER]).choices[0]
    assert second.finish_reason == "stop"
    assert "18 degrees and light rain" in (second.message.content or "")


def test_tool_choice_is_honoured(sdk: openai.OpenAI) -> None:
    """None, required, a named one, several at once and one at a time."""
    flight: ChatCompletionToolParam = {
        "type": "function",
        "function": {"name": "book_flight", "parameters": {"type": "object", "properties": {"to": {"type": "string"}}}},
    }

    def called(text: str, **fields: Any) -> list[str]:
        answer = sdk.chat.completions.create(
            model="m", messages=[{"role": "user", "content": text}], tools=[WEATHER, flight], **fields
        )
        return [call.function.name for call in answer.choices[0].message.tool_calls or [] if call.type == "function"]

    assert called("Hello there") == []
    assert called("Weather in Rome, please", tool_choice="none") == []
    assert len(called("Hello there", tool_choice="required")) == 1
    assert called("Hello there", tool_choice={"type": "function", "function": {"name": "book_flight"}}) == [
        "book_flight"
    ]
    assert called("Call get_weather and book_flight for Rome") == ["get_weather", "book_flight"]
    assert called("Call get_weather and book_flight for Rome", parallel_tool_calls=False) == ["get_weather"]


def test_a_streamed_tool_call_is_whole(sdk: openai.OpenAI) -> None:
    """The SDK's own accumulator understands it."""
    with sdk.chat.completions.stream(
        model="m", messages=[{"role": "user", "content": "Weather in Paris?"}], tools=[WEATHER]
    ) as stream:
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert msgspec.json.decode(calls[0].function.arguments)["city"] == "Paris"


# --- other endpoints ---------------------------------------------------------------------------------------------------


def test_embeddings_are_unit_vectors(sdk: openai.OpenAI, http: httpx2.Client) -> None:
    """As floats and in base64 alike; near for texts that share words; of any dimension."""
    texts = ["the red house", "the red car", "quantum field theory"]
    vectors = [one.embedding for one in sdk.embeddings.create(model="e", input=texts, dimensions=256).data]
    assert [round(math.hypot(*vector), 5) for vector in vectors] == [1.0, 1.0, 1.0]
    near, far = (sum(a * b for a, b in zip(vectors[0], vectors[at], strict=True)) for at in (1, 2))
    assert near > far + 0.3
    packed = http.post("/v1/embeddings", json={"model": "e", "input": texts[0], "encoding_format": "base64"}).json()
    floats = http.post("/v1/embeddings", json={"model": "e", "input": texts[0]}).json()
    unpacked = struct.unpack("<1536f", base64.b64decode(packed["data"][0]["embedding"]))
    assert unpacked == pytest.approx(floats["data"][0]["embedding"], abs=1e-6)
    assert floats["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_text_completions_are_answered(sdk: openai.OpenAI) -> None:
    """Whole and streamed alike."""
    whole = sdk.completions.create(model="m", prompt="Write about the sea")
    stream = sdk.completions.create(model="m", prompt="Write about the sea", stream=True)
    assert "".join(chunk.choices[0].text for chunk in stream) == whole.choices[0].text
    assert "sea" in whole.choices[0].text


def test_models_are_listed(sdk: openai.OpenAI) -> None:
    """As an SDK asks for them."""
    assert "gpt-4o" in [model.id for model in sdk.models.list()]


# --- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content", "status", "param"),
    [
        ("/v1/chat/completions", b"{", 400, None),
        ("/v1/chat/completions", b"[]", 400, None),
        ("/v1/chat/completions", b'{"messages": [{"role": "user", "content": "Hi"}]}', 400, "model"),
        ("/v1/chat/completions", b'{"model": "m"}', 400, "messages"),
        ("/v1/chat/completions", b'{"model": "m", "messages": "Hi"}', 400, "messages"),
        ("/v1/embeddings", b'{"model": "m"}', 400, "input"),
        ("/v1/nothing", b"{}", 404, None),
    ],
)
def test_bad_requests_are_refused_in_openais_words(
    http: httpx2.Client, path: str, content: bytes, status: int, param: str | None
) -> None:
    """With the field at fault."""
    answer = http.post(path, content=content)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (sorted(error), error["param"]) == (["code", "message", "param", "type"], param)


def test_the_sdk_raises_its_own_errors(sdk: openai.OpenAI) -> None:
    """A fault named in the newest message is one that an agent can trigger without headers."""
    with pytest.raises(openai.RateLimitError) as caught:
        said(sdk, SYSTEM, "Hello [[fault: status=429;retry-after=1]]")
    assert caught.value.response.headers["retry-after"] == "1"
    with pytest.raises(openai.InternalServerError):
        said(sdk, SYSTEM, "Hello [[fault: status=500]]")
    with pytest.raises(openai.NotFoundError):
        sdk.get("/nothing", cast_to=object)


# --- faults ------------------------------------------------------------------------------------------------------------


def ask(http: httpx2.Client, fault: str, **fields: Any) -> httpx2.Response:
    """Ask with a fault wished for by header."""
    return http.post("/v1/chat/completions", json=body_of(**fields), headers={"x-provider-fault": fault})


def test_a_cut_stream_ends_without_its_end(http: httpx2.Client) -> None:
    """The connection breaks after as many events as asked for; what came is whole."""
    headers = {"x-provider-fault": "cut=3"}
    came: list[bytes] = []
    stream = http.stream("POST", "/v1/chat/completions", json=body_of(stream=True), headers=headers)
    with stream as answer, pytest.raises(httpx2.RemoteProtocolError):
        came.extend(answer.iter_raw())
    read = read_stream(b"".join(came))
    assert (len(read.events), read.finished, read.broken) == (3, False, 0)


def test_an_unstreamed_answer_is_cut_and_its_length_lied_about(http: httpx2.Client) -> None:
    """A client sees that less came than was promised."""
    for fault in ("cut=3", "wrong-length"):
        with pytest.raises(httpx2.RemoteProtocolError):
            ask(http, fault)


def test_a_malformed_answer_is_broken_in_one_place(http: httpx2.Client) -> None:
    """One event is no JSON, the others are; an unstreamed body is none."""
    stream = read_stream(ask(http, "malformed", stream=True).content)
    assert (stream.finished, stream.broken) == (True, 1)
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(ask(http, "malformed").content)


def test_delays_are_kept(http: httpx2.Client) -> None:
    """Before the head, and between pieces."""
    assert ask(http, "delay=100ms").elapsed.total_seconds() >= 0.1
    assert ask(http, "slow=20ms;delay=0ms").elapsed.total_seconds() >= 0.15


def test_a_hanging_answer_never_comes(http: httpx2.Client) -> None:
    """The client gives up, and the provider lets go."""
    with pytest.raises(httpx2.ReadTimeout):
        http.post("/v1/chat/completions", json=body_of(), headers={"x-provider-fault": "hang"}, timeout=0.2)


def test_a_fault_can_end_by_itself(http: httpx2.Client) -> None:
    """So that a client's retry is rewarded."""
    statuses = [ask(http, "status=503;times=2", user="retry").status_code for _ in range(4)]
    assert statuses == [503, 503, 200, 200]


def test_an_unknown_fault_is_told(http: httpx2.Client) -> None:
    """Rather than done as if nothing had been wished for."""
    answer = ask(http, "explode")
    assert answer.status_code == 400
    assert "`explode` is no fault" in answer.json()["error"]["message"]


# --- the script --------------------------------------------------------------------------------------------------------


def test_a_script_goes_first() -> None:
    """Fixed words, tool calls and faults, by model, prompt and whether tools have answered."""
    find = ScriptedCall(name="find", arguments={"a": 1})
    script = Script(
        rules=(
            Rule(match=Match(model="gpt-4o*", user="PING"), text="pong"),
            Rule(match=Match(system="librarian", after_tool=False), tool_calls=(find,)),
            Rule(match=Match(system="librarian", after_tool=True), text="Found it."),
            Rule(match=Match(model="broken"), fault="status=503"),
        )
    )
    with serving(create_provider(script)) as origin, httpx2.Client(base_url=origin) as http:

        def choice(model: str, *messages: dict[str, Any]) -> Any:
            return http.post("/v1/chat/completions", json={"model": model, "messages": messages}).json()["choices"][0]

        user = {"role": "user", "content": "Please ping me"}
        system = {"role": "system", "content": "You are a librarian."}
        assert choice("gpt-4o-mini", user)["message"]["content"] == "pong"
        asked = choice("m", system, user)
        assert asked["finish_reason"] == "tool_calls"
        assert asked["message"]["tool_calls"][0]["function"] == {"name": "find", "arguments": '{"a":1}'}
        result = {"role": "tool", "tool_call_id": asked["message"]["tool_calls"][0]["id"], "content": "shelf 3"}
        assert choice("m", system, user, asked["message"], result)["message"]["content"] == "Found it."
        assert http.post("/v1/chat/completions", json={"model": "broken", "messages": [user]}).status_code == 503


# --- what was received -------------------------------------------------------------------------------------------------


def test_what_was_received_is_told_without_secrets() -> None:
    """Counted, in order, keys of every provider redacted."""
    provider = create_provider()
    with serving(provider) as origin, httpx2.Client(base_url=origin) as http:
        headers = {"authorization": "Bearer sk-secret", "x-api-key": "sk-secret", "x-plain": "seen"}
        http.post("/v1/chat/completions?key=sk-secret&x=1", json=body_of(), headers=headers)
        http.get("/v1/models")
        told = http.get("/provider/requests")
    assert b"sk-secret" not in told.content
    assert told.json()["total"] == 2
    assert [(one["method"], one["path"], one["query"]) for one in told.json()["requests"]] == [
        ("POST", "/v1/chat/completions", "key=[redacted]&x=1"),
        ("GET", "/v1/models", ""),
    ]
    assert msgspec.json.decode(provider.seen[0].body) == body_of()
    assert ("x-plain", "seen") in provider.seen[0].headers


# --- many at once ------------------------------------------------------------------------------------------------------


async def test_slow_streams_do_not_wait_for_each_other(origin: str, provider: Provider) -> None:
    """Two hundred at once take little longer than one."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=origin, timeout=30, limits=limits) as http:
        body = body_of('Reply with "one two three four five six seven eight nine"', stream=True)
        headers = {"x-provider-fault": "slow=100ms"}
        asked = [http.post("/v1/chat/completions", json=body, headers=headers) for _ in range(200)]
        answers = await asyncio.gather(*asked)
    assert {answer.content for answer in answers} == {answers[0].content}
    assert read_stream(answers[0].content).finished
    assert max(answer.elapsed.total_seconds() for answer in answers) < 10

"""Traffic of LLM agents as a store sees it: readings in the order of their time, sessions overlapping, the same every time.

A session has 5 to 40 calls, each of which repeats the prompt before it and adds an answer and a tool's result: bodies of
34 KB in the mean, 2 KB of them new. Words are Zipf-distributed, so that neither compression nor search is flattered.
"""

import heapq
import itertools
import json
import random
import uuid
from collections.abc import Iterator

import msgspec

from reenact.domain.call import Call, Kind, Reading
from reenact.domain.exchange import Chunk, Ending, Exchange
from reenact.domain.labels import Labels
from reenact.domain.message import Usage

START_US = 1_750_000_000_000_000
DAYS = 90
DAY_US = 86_400_000_000
ORGANISATIONS = ("org-0", "org-1", "org-2")
"""The first has most of the calls."""
MODELS = tuple(
    f"{maker}-{size}" for maker in ("gpt", "claude", "gemini", "llama", "qwen") for size in ("s", "m", "l", "xl")
)
CALLS_OF_A_SESSION = 22
_HEADERS = (
    (b"content-type", b"application/json"), (b"accept", b"*/*"), (b"user-agent", b"OpenAI/Python 1.99.1"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"), (b"host", b"127.0.0.1:8585"), (b"x-stainless-lang", b"python"),
)  # fmt: skip
_ANSWER_HEADERS = (
    (b"content-type", b"application/json"), (b"server", b"cloudflare"), (b"openai-version", b"2020-10-01"),
    (b"x-ratelimit-limit-requests", b"10000"), (b"strict-transport-security", b"max-age=31536000"),
)  # fmt: skip


class Text:
    """Prose of words that occur as often as words do."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        starts, ends = "bcdfghjklmnpqrstvwz", "aeiou"
        self.words = [
            "".join(chance.choice(starts) + chance.choice(ends) for _ in range(chance.choice((1, 2, 2, 3, 3, 4))))
            for _ in range(30_000)
        ]
        weights = list(itertools.accumulate(1 / rank**1.02 for rank in range(1, 30_001)))
        drawn = chance.choices(self.words, cum_weights=weights, k=1_500_000)
        for place in range(0, len(drawn), 17):
            drawn[place] = f"src/{drawn[place]}.py:{place % 997}"
        for place in range(0, len(drawn), 53):
            drawn[place] = f"{chance.getrandbits(32):08x}"
        self._prose = " ".join(drawn)

    def take(self, characters: int) -> str:
        """Return so much of it, from anywhere."""
        start = self._chance.randrange(len(self._prose) - characters - 1)
        return self._prose[start : start + characters].strip()


class Session(msgspec.Struct):
    """An agent at work."""

    organisation_id: str
    labels: Labels
    model: str
    turns: int
    messages: list[bytes]
    tools: bytes
    newest: str
    done: int = 0


class Traffic:
    """The whole of it; what it was made with is told for queries."""

    def __init__(self, calls: int, seed: int = 1) -> None:
        self._calls = calls
        self._chance = random.Random(seed)
        self.text = Text(random.Random(4242))
        self._systems = [message("system", self.text.take(self._chance.randint(2000, 6000))) for _ in range(12)]
        self._tools = [self._make_tools() for _ in range(8)]
        self.raw_bytes = 0
        self.session_ids: list[str] = []
        self.call_ids: list[str] = []

    def __iter__(self) -> Iterator[Reading]:
        """Yield readings, oldest first."""
        count = self._calls // CALLS_OF_A_SESSION + 50
        starts = sorted(START_US + int(self._chance.random() * DAYS * DAY_US) for _ in range(count))
        waiting: list[tuple[int, int, Session]] = []
        numbers = itertools.count()
        coming = iter(starts)
        next_start = next(coming, None)
        for _ in range(self._calls):
            while next_start is not None and (not waiting or next_start <= waiting[0][0]):
                heapq.heappush(waiting, (next_start, next(numbers), self._begin()))
                next_start = next(coming, None)
            if not waiting:
                return
            now, _number, session = heapq.heappop(waiting)
            reading = self._turn(session, now)
            yield reading
            if session.done < session.turns:
                pause = reading.call.duration_us + int(self._chance.expovariate(1 / 15e6))
                heapq.heappush(waiting, (now + pause, next(numbers), session))

    def _begin(self) -> Session:
        chance = self._chance
        properties = {
            "env": chance.choice(("prod", "staging", "dev")),
            "feature": f"feature-{chance.randrange(25)}",
            "tier": chance.choice(("free", "pro", "enterprise")),
        }
        if chance.random() < 0.6:
            properties["customer"] = f"customer-{chance.randrange(2000)}"
        if chance.random() < 0.4:
            properties["version"] = f"1.{chance.randrange(40)}.{chance.randrange(9)}"
        labels = Labels(
            session_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            session_name=f"agent-{chance.randrange(15)}",
            user_id=f"user-{chance.randrange(800):04d}",
            properties=properties,
        )
        asked = self.text.take(chance.randint(300, 3000))
        return Session(
            organisation_id=ORGANISATIONS[min(2, int(chance.expovariate(1.2)))],
            labels=labels,
            model=MODELS[min(len(MODELS) - 1, int(chance.expovariate(0.25)))],
            turns=chance.randint(5, 40),
            messages=[chance.choice(self._systems), message("user", asked)],
            tools=chance.choice(self._tools),
            newest=asked,
        )

    def _turn(self, session: Session, now: int) -> Reading:
        chance = self._chance
        session.done += 1
        said = self.text.take(int(min(2600, 200 + chance.expovariate(1 / 500))))
        call_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        arguments = json.dumps({"q": self.text.take(chance.randint(20, 160))})
        use = {"id": f"call_{chance.getrandbits(64):016x}", "type": "function"}
        use["function"] = {"name": "run", "arguments": arguments}  # type: ignore[assignment]
        answer = {"role": "assistant", "content": said, "tool_calls": [use]}
        request = b'{"model":"%s","temperature":0.2,"stream":false,"tools":%s,"messages":[%s]}' % (
            session.model.encode(), session.tools, b",".join(session.messages),
        )  # fmt: skip
        usage = Usage(input_tokens=len(request) // 4, output_tokens=len(said) // 4)
        body = {
            "id": f"chatcmpl-{chance.getrandbits(128):032x}",
            "object": "chat.completion",
            "created": now // 1_000_000,
            "model": session.model,
            "choices": [{"index": 0, "message": answer, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens},
        }
        response = json.dumps(body, separators=(",", ":")).encode()
        reading = self._reading(session, call_id, now, request, response, usage)
        result = self.text.take(int(min(12_000, 80 + chance.expovariate(1 / 700))))
        reading = msgspec.structs.replace(
            reading, search_text=session.newest, answer_text=f"{said}\nrun {arguments}", answer=body
        )
        session.messages += [encoded(answer), message("tool", result, tool_call_id=str(use["id"]))]
        session.newest = result
        self.raw_bytes += len(request) + len(response)
        if session.organisation_id == ORGANISATIONS[0]:
            self.session_ids.append(str(session.labels.session_id))
            self.call_ids.append(call_id)
        return reading

    def _reading(
        self, session: Session, call_id: str, now: int, request: bytes, response: bytes, usage: Usage
    ) -> Reading:
        chance = self._chance
        duration_us = int(chance.lognormvariate(14.2, 0.7))
        status = 200 if chance.random() < 0.97 else chance.choice((400, 429, 500))
        scores = {"quality": round(chance.random(), 3)} if chance.random() < 0.15 else {}
        exchange = Exchange(
            id=call_id, organisation_id=session.organisation_id, started_us=now, duration_us=duration_us,
            first_byte_us=duration_us // 4, method="POST", url="http://127.0.0.1:8585/v1/chat/completions",
            target_url="https://api.openai.com/v1/chat/completions", provider=session.model.split("-")[0],
            labels=msgspec.structs.replace(session.labels, session_path=f"/plan/{session.done % 3}"),
            request_headers=(*_HEADERS, (b"content-length", str(len(request)).encode())), request_body=request,
            status=status, response_headers=(*_ANSWER_HEADERS, (b"x-request-id", f"req_{call_id}".encode())),
            response_body=response, chunks=(Chunk(len(response), duration_us // 4),), ending=Ending.ANSWERED,
        )  # fmt: skip
        call = Call(
            id=call_id, organisation_id=exchange.organisation_id, created_us=now, duration_us=duration_us,
            first_token_us=duration_us // 4, kind=Kind.MODEL, dialect="openai_chat", provider=exchange.provider,
            model=session.model, request_model=session.model, response_model=session.model, response_id=None,
            status=status, ending=exchange.ending, detail="", streamed=False, stop_reason="tool_calls", error=None,
            labels=exchange.labels, usage=usage, url=exchange.url, target_url=exchange.target_url, method="POST",
            cost_nanodollars=(usage.input_tokens or 0) * 3000 + (usage.output_tokens or 0) * 15000,
            request_body_bytes=len(request), response_body_bytes=len(response), scores=scores,
        )  # fmt: skip
        return Reading(call=call, exchange=exchange)

    def _make_tools(self) -> bytes:
        tools = []
        for number in range(self._chance.randint(6, 16)):
            parameters = {"type": "object", "properties": {"path": {"type": "string"}, "q": {"type": "string"}}}
            described = self.text.take(self._chance.randint(150, 500))
            function = {"name": f"tool_{number}", "description": described, "parameters": parameters}
            tools.append({"type": "function", "function": function})
        return encoded(tools)


def message(role: str, content: str, **more: str) -> bytes:
    """Return one message as the client wrote it."""
    return encoded({"role": role, "content": content, **more})


def encoded(value: object) -> bytes:
    """Return JSON without blanks."""
    return json.dumps(value, separators=(",", ":")).encode()

"""Tests of `ingest.sessioner`: calls that name no session are grouped by what they repeat, and never by less."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reenact.domain.call import Call
from reenact.domain.exchange import Cursor, Exchange
from reenact.domain.labels import Labels
from reenact.ingest.decoding import decode
from reenact.ingest.sessioner import Sessioner
from reenact.spool.reader import SpoolReader
from reenact.spool.writer import SpoolWriter
from reenact.store.sqlite.store import SqliteStore
from reenact.upkeep.archiving import annotations
from reenact.upkeep.reingester import Reingester, Selection, Summary
from tests.store.given import CREATED_US, given_exchange

IDLE_US = 1_800_000_000
SYSTEM = {"role": "system", "content": "You help."}
HI, HO = {"role": "user", "content": "Hi"}, {"role": "user", "content": "And then?"}
HELLO, WELL = {"role": "assistant", "content": "Hello there."}, {"role": "assistant", "content": "Then go."}


class Ingest:
    """A store, and a sessioner before it that saves each call at once."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path)
        self.sessioner = Sessioner(self.store, idle_us=IDLE_US)
        self.made = 0

    def restart(self, most_turns: int = 100) -> None:
        """Forget what was learnt, as a server does that is stopped."""
        self.sessioner = Sessioner(self.store, idle_us=IDLE_US, most_turns=most_turns)

    def take(self, exchange: Exchange) -> str | None:
        """Save an exchange and return the session that it is in."""
        self.store.save([self.sessioner.decode(exchange)])
        [call] = self.store.get(exchange.organisation_id, [exchange.id])
        assert call.session_inferred == (call.labels.session_id is not None and exchange.labels.session_id is None)
        return call.labels.session_id

    def say(self, *messages: dict[str, Any], answer: dict[str, Any] | None = HELLO, **changes: Any) -> str | None:
        """Take a chat of *messages* that got *answer*, a minute after the one before; return its session."""
        return self.take(self.chat(*messages, answer=answer, **changes))

    def chat(self, *messages: dict[str, Any], answer: dict[str, Any] | None = HELLO, **changes: Any) -> Exchange:
        """Return that chat."""
        said: dict[str, Any] = {"id": f"chatcmpl-{self.made}", "choices": [{"index": 0, "message": answer}]}
        asked = {"model": "gpt-4o", "messages": messages}
        return self.post(asked, said if answer else {}, **{"status": 200 if answer else 429, **changes})

    def post(self, asked: dict[str, Any], said: dict[str, Any], **changes: Any) -> Exchange:
        """Return a call that names no session, a minute after the one before."""
        self.made += 1
        given = {
            "id": f"{self.made:08d}-1111-4111-8111-111111111111",
            "started_us": CREATED_US + self.made * 60_000_000,
            "labels": Labels(),
            "request_body": json.dumps(asked).encode(),
            "response_body": json.dumps(said).encode(),
        }
        return given_exchange(**{**given, **changes})

    def calls(self) -> list[Call]:
        """All calls that were made, in order."""
        return self.store.get("one", [begun_by(number).removeprefix("inferred-") for number in range(1, self.made + 1)])


def begun_by(number: int) -> str:
    """The session that the call of this number begins."""
    return f"inferred-{number:08d}-1111-4111-8111-111111111111"


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    """An empty store and its sessioner."""
    made = Ingest(tmp_path / "calls.sqlite3")
    yield made
    made.store.close()


def asking(link: str) -> dict[str, Any]:
    """An answer that asks for a tool."""
    use = {"id": link, "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    return {"role": "assistant", "content": None, "tool_calls": [use]}


def result(link: str) -> dict[str, Any]:
    """What the tool gave back."""
    return {"role": "tool", "tool_call_id": link, "content": "seen"}


def test_a_conversation_is_one_session(ingest: Ingest) -> None:
    """Each call that repeats the one before and its answer is in the session that the first began."""
    first = ingest.say(SYSTEM, HI)
    second = ingest.say(SYSTEM, HI, HELLO, HO, answer=WELL)
    third = ingest.say(SYSTEM, HI, HELLO, HO, WELL, HI)
    assert [begun_by(1)] * 3 == [first, second, third]
    assert [1, 2, 3] == [int(call.id[:8]) for call in ingest.store.session("one", begun_by(1))]
    assert [3] == [summary.calls for summary in ingest.store.sessions("one")]


def test_a_common_beginning_is_not_enough(ingest: Ingest) -> None:
    """Neither a system prompt, nor the first words, nor an answer that was not given."""
    ingest.say(SYSTEM)
    assert begun_by(2) == ingest.say(SYSTEM, HI)
    assert begun_by(3) == ingest.say(SYSTEM, HO)
    assert begun_by(4) == ingest.say(SYSTEM, HI, WELL, HO)


def test_organisation_user_and_idle_time_keep_apart(ingest: Ingest) -> None:
    """The same words of somebody else, or hours later, are another session; a declared one is never joined."""
    ingest.say(SYSTEM, HI)
    longer = (SYSTEM, HI, HELLO, HO)
    late_us = CREATED_US + 60_000_000 + 1_500_000 + IDLE_US
    declared = Labels(session_id="declared")
    assert begun_by(2) == ingest.say(*longer, labels=Labels(user_id="ann"))
    assert begun_by(3) == ingest.say(*longer, organisation_id="two")
    assert begun_by(4) == ingest.say(*longer, started_us=late_us + 1)
    assert "declared" == ingest.say(*longer, labels=declared)
    assert begun_by(6) == ingest.say(*longer, HELLO, HI, started_us=late_us + 120_000_000_000)
    assert begun_by(1) == ingest.say(*longer, started_us=late_us)


def test_agents_that_begin_alike_stay_apart(ingest: Ingest) -> None:
    """Each goes on from its own answer; where even the answers are alike, each from a call that none went on from."""
    for answer in (HELLO, WELL, HELLO):
        ingest.say(SYSTEM, HI, answer=answer)
    assert begun_by(2) == ingest.say(SYSTEM, HI, WELL, HO)
    both = {ingest.say(SYSTEM, HI, HELLO, HO), ingest.say(SYSTEM, HI, HELLO, HO)}
    assert {begun_by(1), begun_by(3)} == both
    assert begun_by(7) == ingest.say(SYSTEM, HI, HELLO, HO), "nobody is left that it could continue"


def test_the_ids_of_tool_calls_decide(ingest: Ingest) -> None:
    """Of two agents with the same tool call, each is known by its id; a branch of one conversation stays in it."""
    ingest.say(HI, answer=asking("call_Aa1"))
    ingest.say(HI, answer=asking("call_Bb2"))
    assert begun_by(1) == ingest.say(HI, asking("call_Aa1"), result("call_Aa1"))
    assert begun_by(2) == ingest.say(HI, asking("call_Bb2"), result("call_Bb2"))
    assert begun_by(1) == ingest.say(HI, asking("call_Aa1"), result("call_Aa1"), HO)
    assert begun_by(1) == ingest.say(HI, asking("call_Aa1"), result("call_Aa1"), HI)


def test_a_history_cut_at_its_front_is_known_by_its_last_tool_call(ingest: Ingest) -> None:
    """An agent that drops or rewrites what came first; an id that any agent could have tells nothing."""
    ingest.say(SYSTEM, HI, answer=asking("call_Aa1"))
    assert begun_by(1) == ingest.say(HO, asking("call_Aa1"), result("call_Aa1"), answer=asking("look:0"))
    assert begun_by(3) == ingest.say(HO, asking("look:0"), result("look:0"))


def test_an_answer_is_known_however_it_is_written(ingest: Ingest) -> None:
    """JSON with other spacing, text without the blanks around it."""
    ingest.say(HI, answer={"role": "assistant", "content": ' {"go":  "on"}\n'})
    assert begun_by(1) == ingest.say(HI, {"role": "assistant", "content": '{"go": "on"}'}, HO)


def test_a_refused_call_is_asked_again_in_its_session(ingest: Ingest) -> None:
    """A client's retries belong to the call that they repeat, at the start and in the middle; a later run does not."""
    seconds = CREATED_US + 60_000_000
    assert begun_by(1) == ingest.say(HI, answer=None)
    assert begun_by(1) == ingest.say(HI, answer=None, started_us=seconds + 3_000_000)
    assert begun_by(1) == ingest.say(HI, started_us=seconds + 6_000_000)
    assert begun_by(1) == ingest.say(HI, HELLO, HO, answer=None, started_us=seconds + 9_000_000)
    assert begun_by(1) == ingest.say(HI, HELLO, HO, started_us=seconds + 12_000_000)
    assert begun_by(6) == ingest.say(HI, started_us=seconds + 15_000_000)


def test_a_stopped_server_goes_on_with_its_sessions(ingest: Ingest) -> None:
    """What was recorded is learnt from the store; a call that is read twice stays where it was."""
    ingest.say(SYSTEM, HI)
    again = ingest.chat(SYSTEM, HI, HELLO, HO, answer=WELL)
    assert begun_by(1) == ingest.take(again)
    ingest.restart()
    assert begun_by(1) == ingest.take(again)
    assert begun_by(1) == ingest.say(SYSTEM, HI, HELLO, HO, WELL, HI)


def test_what_is_remembered_is_bounded(ingest: Ingest) -> None:
    """The oldest calls are forgotten, and their sessions not continued."""
    ingest.restart(most_turns=2)
    for said in (HO, HI, HI):
        ingest.say(said)
    assert begun_by(4) == ingest.say(HO, HELLO, HI)
    assert begun_by(3) == ingest.say(HI, HELLO, HO)


def test_deriving_again_keeps_sessions(ingest: Ingest, tmp_path: Path) -> None:
    """And a call that was moved by hand is in no inferred session any more; an archive tells the move, not the guess."""
    ingest.say(HI)
    ingest.say(HI, HELLO, HO)
    ingest.store.set_property("one", ingest.calls()[1].id, "Helicone-Session-Id", "mine")
    before = ingest.calls()
    summary = Reingester(ingest.store, decode, tmp_path / "progress.json").run(Selection())
    assert Summary(calls=2) == summary
    assert before == ingest.calls()
    assert [(begun_by(1), True), ("mine", False)] == [(one.labels.session_id, one.session_inferred) for one in before]
    exchanges = ingest.store.exchanges("one", [one.id for one in before])
    told = [annotations(exchange, call).properties for exchange, call in zip(exchanges, before, strict=True)]
    assert [{}, {"helicone-session-id": "mine"}] == told


def test_responses_go_on_by_id_and_by_items(ingest: Ingest) -> None:
    """`previous_response_id` and `conversation` name what is continued; items repeat it, reasoning and all."""
    target = {"target_url": "https://api.openai.com/v1/responses"}
    text = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    call = {"type": "function_call", "call_id": "call_Aa1", "name": "look", "arguments": "{}"}
    output = [{"type": "reasoning", "id": "rs_1", "summary": []}, text, call]
    result = {"type": "function_call_output", "call_id": "call_Aa1", "output": "seen"}
    said = {"id": "resp_1", "object": "response", "status": "completed", "output": output}

    def take(**asked: Any) -> str | None:
        return ingest.take(ingest.post({"model": "gpt-4o", **asked}, said, **target))

    assert begun_by(1) == take(input=[HI])
    assert begun_by(1) == take(input=[result], previous_response_id="resp_1")
    assert begun_by(3) == take(input=[HO], previous_response_id="resp_0")
    assert begun_by(1) == take(input=[HI, text, call, result])
    assert begun_by(5) == take(input=[HI], conversation="conv_1")
    assert begun_by(5) == take(input=[HO], conversation={"id": "conv_1"})


def test_messages_and_gemini(ingest: Ingest) -> None:
    """The same in the other two formats."""
    anthropic = {"provider": "anthropic", "target_url": "https://api.anthropic.com/v1/messages"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}}
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "content": [thinking, use]}
    seen = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}]}
    asked = {"model": "claude-sonnet-4-5", "max_tokens": 9, "system": "You help.", "messages": [HI]}
    longer = {**asked, "messages": [HI, {"role": "assistant", "content": [use]}, seen]}
    assert begun_by(1) == ingest.take(ingest.post(asked, said, **anthropic))
    assert begun_by(1) == ingest.take(ingest.post(longer, said, **anthropic))
    model = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
    google = {"provider": "google", "target_url": model}
    contents = [{"role": "user", "parts": [{"text": "Hi"}]}]
    content = {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"at": 1}}}]}
    seen = {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"it": "is"}}}]}
    answered = {"candidates": [{"content": content}]}
    assert begun_by(3) == ingest.take(ingest.post({"contents": contents}, answered, **google))
    assert begun_by(3) == ingest.take(ingest.post({"contents": [*contents, content, seen]}, answered, **google))


def test_what_is_no_conversation_has_no_session(ingest: Ingest) -> None:
    """Embeddings, bodies that were not kept or cannot be read."""
    embeddings = "https://api.openai.com/v1/embeddings"
    asked = {"model": "text-embedding-3-small", "input": "Hi"}
    assert ingest.take(ingest.post(asked, {"data": []}, target_url=embeddings)) is None
    assert ingest.take(msgspec.structs.replace(ingest.chat(HI), request_body=b"{")) is None
    assert ingest.say() is None


def test_calls_in_several_journals_are_placed_as_if_in_one(ingest: Ingest, tmp_path: Path) -> None:
    """The thread of one journal comes to the second call before that of the other comes to the first, and to the third."""
    talk = [
        ingest.chat(HI),
        ingest.chat(HI, HELLO, HO, answer=WELL),
        ingest.chat(HI, HELLO, HO, WELL, HI),
        ingest.chat(HO, labels=Labels(session_id="declared")),
    ]
    for name, calls in (("a", (talk[0], talk[2], talk[3])), ("b", (talk[1],))):
        with closing(SpoolWriter(tmp_path / name, clock=lambda: CREATED_US)) as writer:
            for call in calls:
                writer.append(call)
        ingest.sessioner.journals.follow(name, SpoolReader(tmp_path / name), Cursor(), Cursor)
    decoded = [ingest.sessioner.decode(talk[at], "ab"[at == 1]).call.labels.session_id for at in (1, 2, 0, 3)]
    assert [*[begun_by(1)] * 3, "declared"] == decoded


def test_a_journal_that_cannot_be_read_ahead_holds_up_nothing(ingest: Ingest, tmp_path: Path) -> None:
    """Its own reader tells what is wrong with it."""
    (tmp_path / "file").touch()
    ingest.sessioner.journals.follow("a", SpoolReader(tmp_path / "file"), Cursor(), Cursor)
    assert begun_by(1) == ingest.say(HI)


def test_servers_that_share_a_store_know_of_each_others_calls(ingest: Ingest) -> None:
    """An agent that is passed from one to the other has one session, however often; nothing else is joined."""
    both = [Sessioner(ingest.store, idle_us=IDLE_US, is_shared=True) for _ in range(2)]
    for ingest.sessioner in both:
        ingest.say(WELL)  # each has looked into the store once
    for first in (3, 9):
        said: list[dict[str, Any]] = [HI]
        for number in range(6):
            ingest.sessioner = both[number % 2]
            assert begun_by(first) == ingest.say(*said)
            said += [HELLO, {"role": "user", "content": f"{first} and {number}"}]
    assert begun_by(15) == ingest.say(HO, WELL, HI)
    ingest.sessioner = both[0]
    assert begun_by(16) == ingest.say(HO, HELLO, HI)

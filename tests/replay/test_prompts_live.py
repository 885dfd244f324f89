"""A version of a prompt is used in replays of recorded sessions: a real server before the scripted provider."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.client import Client, append_system, change, patch, use_prompt
from reenact.client.rows import PromptVersion
from reenact.domain.patch import Patch, Selector, UsePrompt
from reenact.domain.playback import Fork, Playback
from reenact.domain.replay import Mode, Replay, State
from reenact.errors import ServerRefused
from reenact.provider.app import create_provider
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.fakes.serving import serving

FIRST: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You plan trips to {{hc:place:string}}."},
        {"role": "user", "content": "Plan it for {{hc:days:number}} days."},
    ]
}
SECOND: dict[str, Any] = {
    "model": "gpt-4o",
    "temperature": 0,
    "messages": [
        {"role": "system", "content": "{{hc:place:string}} is where you plan trips to."},
        {"role": "user", "content": "What are {{hc:days:number}} good days there?"},
    ],
}
KEYS = {"openai": "sk-x", "anthropic": "sk-x"}


class Stand(msgspec.Struct, frozen=True):
    """A server, a client of it, what its providers were asked, and the versions of a prompt."""

    url: str
    client: Client
    asked: list[Any]
    first: PromptVersion
    second: PromptVersion

    def ask(self, path: str, body: Any, base: str = "/v1/gateway", **headers: str) -> str:
        """Make one call of the recorded session and return what was said."""
        sent = {"authorization": "Bearer sk-agent", "x-api-key": "sk-agent", "helicone-session-id": "trip"}
        sent |= {"helicone-session-name": "Trip", **{name.replace("_", "-"): one for name, one in headers.items()}}
        answer = httpx2.post(f"{self.url}{base}{path}", json=body, headers=sent, trust_env=False, timeout=30)
        told = answer.raise_for_status().json()
        return str(told["choices"][0]["message"]["content"] if "choices" in told else told["content"][0]["text"])

    def record(self, *, tagged: bool = False) -> None:
        """Record two calls: one made from the template, and one that goes on from its answer."""
        days = '<helicone-prompt-input key="days" >3</helicone-prompt-input>' if tagged else "3"
        place = '<helicone-prompt-input key="place" >Rome</helicone-prompt-input>' if tagged else "Rome"
        said = [
            {"role": "system", "content": f"You plan trips to {place}."},
            {"role": "user", "content": f"Plan it for {days} days."},
        ]
        headers = {"helicone_prompt_id": "planner"} if tagged else {}
        for question in ("Shorter.", ""):
            answer = self.ask("/oai/v1/chat/completions", {"model": "gpt-4o-mini", "messages": said}, **headers)
            said += [{"role": "assistant", "content": answer}, {"role": "user", "content": question}]
        self.asked.clear()

    def replay(self, edits: Patch, **options: Any) -> Replay:
        """Replay it to its end."""
        self.asked.clear()
        return self.client.replay("trip", edits, control=False, provider_keys=KEYS, **options)

    @property
    def texts(self) -> list[list[str]]:
        """What each request at the provider said, message by message."""
        return [[message["content"] for message in body["messages"]] for body in self.asked]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A server with a prompt of two versions, the first of them in production."""
    asked: list[Any] = []
    provider = create_provider()

    async def noting(scope: Any, receive: Callable[[], Any], send: Any) -> None:
        async def heard() -> Any:
            message = await receive()
            if message["type"] == "http.request" and message["body"]:
                asked.append(msgspec.json.decode(message["body"]))
            return message

        await provider(scope, heard, send)

    with serving(noting, lifespan="off") as origin:
        settings = Settings(
            data=tmp_path / "data", port=0, fresh_within_s=20, upstreams={"openai": origin, "anthropic": origin}
        )
        with running_server(settings) as ready, Client(ready.url) as client:
            first = client.create_prompt("planner", FIRST, ["trips"])
            second = client.update_prompt(first, SECOND, "Say it otherwise.", environment="staging")
            yield Stand(ready.url, client, asked, first, second)


@pytest.mark.parametrize("tagged", [False, True])
def test_anchored(stand: Stand, tagged: bool) -> None:
    """The recorded history, with the version in place of the older one."""
    stand.record(tagged=tagged)
    recorded = [call.body["messages"] for call in stand.client.session("trip")]
    wanted = use_prompt("planner", version="0.1")
    edits = patch(change(wanted, select=Selector(prompt_id="planner" if tagged else None)))

    plan = stand.client.plan("trip", edits)
    done = stand.replay(edits)

    assert State.DONE is done.state
    begun = ["Rome is where you plan trips to.", "What are 3 good days there?"]
    assert [begun, [*begun, *(one["content"] for one in recorded[1][2:])]] == sorted(stand.texts)
    assert [("gpt-4o", 0)] * 2 == [(body["model"], body["temperature"]) for body in stand.asked]
    assert [["/model", "/messages/0/content", "/messages/1/content", "/temperature"]] * 2 == [
        [one.path for one in call.changes] for call in plan.calls
    ]


@pytest.mark.parametrize("tagged", [False, True])
def test_chained(stand: Stand, tagged: bool) -> None:
    """The second request holds the version and the new answer."""
    stand.record(tagged=tagged)

    done = stand.replay(patch(use_prompt("planner", environment="staging")), mode=Mode.CHAINED)

    [take] = done.takes
    taken = stand.client.session(take.session_id)
    answers = [call.response_body["choices"][0]["message"]["content"] for call in taken]
    begun = ["Rome is where you plan trips to.", "What are 3 good days there?"]
    assert [begun, [*begun, answers[0], "Shorter."]] == stand.texts
    assert [False, False] == [bool(result.doubts) for result in take.results]


@pytest.mark.parametrize("tagged", [False, True])
def test_chained_with_a_model_of_another_maker(stand: Stand, tagged: bool) -> None:
    """Its answers are carried on, and the template is found before a request is said in the other format."""
    stand.record(tagged=tagged)
    httpx2.post(
        f"{stand.url}/v1/prompt-2025/update",
        json={
            "promptId": stand.first.prompt_id,
            "promptVersionId": stand.second.id,
            "promptBody": SECOND | {"model": "claude-sonnet-4-5", "max_tokens": 99},
            "commitMessage": "Of Anthropic.",
            "environment": "moon",
        },
        trust_env=False,
    ).raise_for_status()

    done = stand.replay(patch(use_prompt("planner", environment="moon")), mode=Mode.CHAINED)

    taken = stand.client.session(done.takes[0].session_id)
    answers = [call.response_body["content"][0]["text"] for call in taken]
    assert ["Rome is where you plan trips to."] * 2 == [body["system"] for body in stand.asked]
    assert [99, 99] == [body["max_tokens"] for body in stand.asked]
    question = "What are 3 good days there?"
    assert [[question], [question, answers[0], "Shorter."]] == stand.texts


def test_a_chained_call_that_has_come_to_fit_no_more_is_left_out(stand: Stand) -> None:
    """With the reason: nothing is sent that may be wrong."""
    said = [{"role": "user", "content": "Which city?"}]
    answer = stand.ask("/oai/v1/chat/completions", {"model": "gpt-4o-mini", "messages": said})
    more = [{"role": "user", "content": f"Plan a trip to {answer} in three days."}]
    stand.ask("/oai/v1/chat/completions", {"model": "gpt-4o-mini", "messages": more})
    older = {"messages": [{"role": "user", "content": f"Plan a trip to {answer} in {{{{hc:time:string}}}}."}]}
    newer = {"messages": [{"role": "user", "content": "A trip, {{hc:time:string}}."}]}
    edit = UsePrompt(prompt="own", template=newer, known=(older,))

    done = stand.replay(
        patch(
            change(append_system("Name two."), select=Selector(calls=(1,))), change(edit, select=Selector(calls=(2,)))
        ),
        mode=Mode.CHAINED,
    )

    first, second = done.takes[0].results
    assert (None, True) == (first.failure, second.skipped)
    assert "The patch does not fit the request that the take has come to" in (second.failure or "")
    assert 1 == len(stand.asked)


def test_a_kept_patch_runs_again_when_the_prompt_is_gone(stand: Stand) -> None:
    """It has the version in it, by its number, and the others to find what calls were made from."""
    stand.record()
    done = stand.replay(patch(use_prompt("planner", environment="staging")))
    httpx2.delete(f"{stand.url}/v1/prompt-2025/{stand.first.prompt_id}", trust_env=False).raise_for_status()
    with pytest.raises(ServerRefused, match="no prompt with the id or name 'planner'") as told:
        stand.client.plan("trip", patch(use_prompt("planner")))
    sent = list(stand.texts)
    kept = stand.client.get_replay(done.id).plan.patch

    again = stand.replay(kept)

    [change] = kept.changes
    assert change.edits == (UsePrompt(prompt="planner", version="0.1", template=SECOND, known=(FIRST,)),)
    assert "changes[0].edits[0].prompt" == told.value.field
    assert State.DONE is again.state
    assert sorted(sent) == sorted(stand.texts)


def test_anthropics_calls(stand: Stand) -> None:
    """Are asked in their own format, without the version's model, which is another maker's."""
    body = {
        "model": "claude-haiku-4-5", "max_tokens": 50, "system": "You plan trips to Rome.",
        "messages": [{"role": "user", "content": "Plan it for 3 days."}],
    }  # fmt: skip
    stand.ask("/anthropic/v1/messages", body)

    done = stand.replay(patch(use_prompt("planner", version=stand.second.id, messages_only=True)))

    assert State.DONE is done.state
    question = [{"role": "user", "content": "What are 3 good days there?"}]
    assert [body | {"system": "Rome is where you plan trips to.", "messages": question}] == stand.asked
    swapped = stand.client.plan("trip", patch(use_prompt("planner", version="0.1")))
    assert ("openai", "openai_chat", "gpt-4o") == (
        swapped.calls[0].provider, swapped.calls[0].dialect, swapped.calls[0].model,
    )  # fmt: skip


@pytest.mark.parametrize("tagged", [False, True])
def test_a_fork_uses_it_in_what_is_asked_for_real(stand: Stand, tagged: bool) -> None:
    """Whatever its agent says there: the tags of its own request tell, and its other words are not looked at."""
    stand.record(tagged=tagged)
    edits = patch(use_prompt("planner", environment="staging"))
    replay = stand.client.start("trip", edits, mode=Mode.FORK, playback=Playback(fork=Fork(first_miss=True)))
    place = '<helicone-prompt-input key="place" >Bari</helicone-prompt-input>' if tagged else "Bari"
    days = 'Of <helicone-prompt-input key="days" >5</helicone-prompt-input>.' if tagged else "Plan it for 5 days."
    said = [{"role": "system", "content": f"You plan trips to {place}."}, {"role": "user", "content": days}]
    headers = {"helicone_prompt_id": "planner"} if tagged else {}
    stand.asked.clear()

    for messages in (said, [{"role": "user", "content": "Something else."}]):
        with contextlib.suppress(httpx2.HTTPStatusError):
            body = {"model": "gpt-4o-mini", "messages": messages}
            stand.ask("/oai/v1/chat/completions", body, replay.takes[0].base_path, **headers)
    done = stand.client.finish(replay.id)

    assert [["Bari is where you plan trips to.", "What are 5 good days there?"]] == stand.texts
    assert "gpt-4o" == stand.asked[0]["model"]
    first, refused = done.takes[0].played
    assert ["/model", "/messages/0/content", "/messages/1/content", "/temperature"] == [
        one.path for one in first.overrides
    ]
    assert "nothing in it was made from the prompt" in refused.reason


def test_a_batch_uses_the_version_that_was_meant_when_it_began(stand: Stand) -> None:
    """It is kept with it, whatever becomes of the prompt."""
    stand.record()
    begun = stand.client.start_batch(["trip"], patch(use_prompt("planner")), control=False, provider_keys=KEYS)
    *_, batch = stand.client.watch_batch(begun.id)

    [change] = batch.order.patch.changes
    assert State.DONE is batch.state
    assert change.edits == (UsePrompt(prompt="planner", version="0.0", template=FIRST, known=(SECOND,)),)


def test_calls_that_were_made_with_the_version_are_answered_from_the_record(stand: Stand) -> None:
    """With reuse: nothing of them changes."""
    stand.record()

    done = stand.replay(patch(use_prompt("planner")), reuse=True)

    assert (State.DONE, []) == (done.state, stand.asked)


def test_what_is_not_sure_is_refused_before_anything_is_sent(stand: Stand) -> None:
    """With the call and the field."""
    stand.record()
    said = [{"role": "user", "content": "Something else."}]
    stand.ask("/oai/v1/chat/completions", {"model": "gpt-4o-mini", "messages": said})
    stand.asked.clear()
    with pytest.raises(ServerRefused, match="Call 3: As far as the prompt's versions tell") as told:
        stand.client.plan("trip", patch(use_prompt("planner")))

    assert ("changes[0].edits[0].prompt", []) == (told.value.field, stand.asked)


def test_prompts_in_python(stand: Stand) -> None:
    """What is kept is listed."""
    [prompt] = stand.client.prompts("plan")
    third = stand.client.update_prompt(stand.second, FIRST, "Back.", major=True)

    assert ("planner", ["trips"], prompt.id) == (prompt.name, prompt.tags, stand.first.prompt_id)
    assert ["1.0", "0.1", "0.0"] == [one.number for one in stand.client.prompt_versions(prompt.id)]
    assert (FIRST, "Back.", []) == (third.prompt_body, third.commit_message, third.environments)

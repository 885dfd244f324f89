"""Branches that owe each other nothing run at once, and none waits for another: shown by who is open, never by a clock."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from reenact.client import Client, append_system, patch
from reenact.domain.replay import Mode, State
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.fakes.serving import serving

BRANCHES = 8
PATIENCE_S = 30


class Gathering:
    """A provider that, once it is armed, answers no branch before all have asked, and the first only after the others ended."""

    def __init__(self) -> None:
        self.is_armed = False
        self.first: list[int] = []
        """Branches whose first call came, in this order."""
        self.second: list[int] = []
        self.most_open = 0
        self._open = 0
        self._changed = asyncio.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a chat whose first question names its branch."""
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        turns = [turn["content"] for turn in msgspec.json.decode(body)["messages"] if turn["role"] != "system"]
        branch = int(turns[0].rpartition(" ")[2])
        is_met = not self.is_armed or await self._meet(branch, is_first=len(turns) == 1)
        said = {"role": "assistant", "content": f"What branch {branch} says when it has heard {len(turns)} turns."}
        content = msgspec.json.encode(
            {"id": "r", "model": "gpt-4o-mini", "choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}
        )
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200 if is_met else 418, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _meet(self, branch: int, *, is_first: bool) -> bool:
        """Wait for the others; return whether they came."""
        async with self._changed:
            self._open += 1
            self.most_open = max(self.most_open, self._open)
            (self.first if is_first else self.second).append(branch)
            self._changed.notify_all()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._changed.wait_for(lambda: not is_first or self._may_answer(branch))
            except TimeoutError:
                return False
            finally:
                self._open -= 1
            return True

    def _may_answer(self, branch: int) -> bool:
        """The first branch is held until every other one has come to its second call."""
        return len(self.first) == BRANCHES and (branch > 0 or len(self.second) == BRANCHES - 1)


@pytest.fixture
def gathering() -> Gathering:
    """The provider."""
    return Gathering()


@pytest.fixture
def url(tmp_path: Path, gathering: Gathering) -> Iterator[str]:
    """A server with a session of eight branches of two calls each."""
    with contextlib.ExitStack() as open_:
        origin = open_.enter_context(serving(gathering, lifespan="off"))
        settings = Settings(data=tmp_path / "data", port=0, fresh_within_s=20, upstreams={"openai": origin})
        ready = open_.enter_context(running_server(settings))
        with httpx2.Client(trust_env=False, timeout=PATIENCE_S) as agent:
            for branch in range(BRANCHES):
                converse(agent, ready.url, branch)
        yield ready.url


def converse(agent: httpx2.Client, url: str, branch: int) -> None:
    """Ask two questions, the second on top of the first one's answer."""
    headers = {"authorization": "Bearer sk", "helicone-session-id": "wide", "helicone-session-path": f"/part/{branch}"}
    turns: list[dict[str, str]] = [{"role": "system", "content": "You debate."}]
    for question in (f"The question of branch {branch}", "And why?"):
        turns.append({"role": "user", "content": question})
        told = agent.post(
            f"{url}/v1/gateway/oai/v1/chat/completions",
            json={"model": "gpt-4o-mini", "messages": turns},
            headers=headers,
        )
        turns.append(told.raise_for_status().json()["choices"][0]["message"])


@pytest.mark.parametrize("suffix", ["", " Be brief."])
def test_eight_branches_are_open_at_once_and_none_waits_for_another(
    url: str, gathering: Gathering, suffix: str
) -> None:
    """Though they were recorded one after the other; the unchanged session as the changed one."""
    gathering.is_armed = True
    edits = patch(append_system(suffix)) if suffix else patch()
    with Client(url) as client:
        replay = client.replay("wide", edits, mode=Mode.CHAINED, control=False)

    assert State.DONE is replay.state
    assert [200] * 2 * BRANCHES == [one.status for one in replay.takes[0].results]
    assert BRANCHES == gathering.most_open
    assert set(range(BRANCHES)) == set(gathering.first) == set(gathering.second)
    assert (0, 2 * BRANCHES) == (gathering.second[-1], len(gathering.first + gathering.second))

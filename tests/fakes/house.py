"""A whole server on loopback whose providers are the scripted one, and an agent that calls it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from reenact.provider.app import create_provider
from reenact.provider.script import Script
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.fakes.serving import serving

PROVIDERS = ("openai", "anthropic", "google")


class House(msgspec.Struct, frozen=True):
    """A running server."""

    url: str
    key: str
    """Of its first organisation."""
    settings: Settings

    def say(self, session_id: str, *texts: str, path: str = "/debate", prompt_id: str = "assistant-response") -> None:
        """Have an agent say *texts* to OpenAI, each in a call of its own with the system prompt of the guide."""
        headers = {
            "authorization": "Bearer sk-agent",
            "helicone-auth": f"Bearer {self.key}",
            "helicone-session-id": session_id,
            "helicone-session-name": "AI Debate",
            "helicone-session-path": path,
            "helicone-prompt-id": prompt_id,
        }
        with httpx2.Client(trust_env=False) as agent:
            for text in texts:
                body: dict[str, Any] = {
                    "model": "gpt-4o-mini",
                    "temperature": 0.5,
                    "messages": [{"role": "system", "content": "You debate."}, {"role": "user", "content": text}],
                }
                agent.post(
                    f"{self.url}/v1/gateway/oai/v1/chat/completions", json=body, headers=headers
                ).raise_for_status()


@contextmanager
def a_house(data: Path, *, require_key: bool = False, script: Script | None = None) -> Iterator[House]:
    """Run a server on the folder *data* while the block runs; its providers answer by *script* and by their own rules."""
    with serving(create_provider(script), lifespan="off") as origin:
        settings = Settings(
            data=data, port=0, fresh_within_s=20, upstreams=dict.fromkeys(PROVIDERS, origin), require_key=require_key
        )
        with running_server(settings) as ready:
            assert ready.key is not None
            yield House(ready.url, ready.key, settings)

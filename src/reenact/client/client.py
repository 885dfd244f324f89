"""Client: everything a Reenact server can do, from Python."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypedDict, TypeVar, Unpack
from urllib.parse import quote, urlsplit

import httpx2
import msgspec

from reenact.client.answering import refusal, understood
from reenact.client.attendant import Attendant, Tool, attended
from reenact.client.rows import ApiKey, Deletable, Deleted, NamedPrompt, Permissions, PromptVersion, Request, Session
from reenact.domain.batch import Batch
from reenact.domain.comparison import Comparison
from reenact.domain.message import Json
from reenact.domain.patch import Patch
from reenact.domain.playback import Driver, Playback
from reenact.domain.policy import Policies
from reenact.domain.replay import Budget, Mode, Plan, Progress, Rate, Replay, Take
from reenact.errors import ServerRefused, ServerUnreachable

T = TypeVar("T")

_DELETE_S = 660.0
_LONG_AGO_MS, _FAR_AHEAD_MS = 0, 4_102_444_800_000
"""1970 and 2100: Helicone's session query has no word for "any time"."""


class _MadeKey(msgspec.Struct, frozen=True, rename="camel"):
    api_key: str


class _MadePrompt(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    version_id: str


class _MadeVersion(msgspec.Struct, frozen=True):
    id: str


class ReplayOptions(TypedDict, total=False):
    """What may be said of a replay; see `POST /v1/replay`."""

    mode: Mode
    takes: int
    session_name: str | None
    playback: Playback
    policies: Policies
    """For mode chained: who answers the tools that the model asks for."""
    control: bool
    """As many takes of the unchanged session beside those of the patch; True when not said."""
    reuse: bool
    """Answer calls that the patch leaves as they are from the record."""
    concurrency: int
    budget: Budget
    rates: Mapping[str, Rate]
    """By provider."""
    retries: int
    provider_keys: Mapping[str, str]


class ResumeOptions(TypedDict, total=False):
    """What may be otherwise when a replay goes on; see `POST /v1/replay/{id}/resume`."""

    concurrency: int
    budget: Budget
    rates: Mapping[str, Rate]
    retries: int
    provider_keys: Mapping[str, str]


class Client:
    """Talks to one server. Use it in a `with` block, or close it.

    Every method raises ServerUnreachable when no server answers, and ServerRefused when it answers with an error.
    """

    def __init__(self, url: str = "http://127.0.0.1:8585", key: str | None = None, *, timeout_s: float = 60.0) -> None:
        """Take the server's address and, where it asks for one, a key; nothing is sent yet."""
        self.url = url.rstrip("/")
        host = urlsplit(self.url).hostname
        self._http = httpx2.Client(
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=timeout_s,
            trust_env=host not in {"127.0.0.1", "::1", "localhost"},  # no proxy stands before one's own machine
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def sessions(self, search: str = "", *, offset: int = 0, limit: int = 50) -> list[Session]:
        """Return sessions whose id or name contains *search*, newest first."""
        query = {
            "search": search,
            "timeFilter": {"startTimeUnixMs": _LONG_AGO_MS, "endTimeUnixMs": _FAR_AHEAD_MS},
            "timezoneDifference": 0,
            "filter": "all",
            "offset": offset,
            "limit": limit,
        }
        return self._post("/v1/session/query", query, list[Session])

    def session(self, session_id: str) -> list[Request]:
        """Return all calls of a session, oldest first; empty when there is no such session."""
        return list(self.requests({"properties": {"Helicone-Session-Id": {"equals": session_id}}}, direction="asc"))

    def requests(self, where: Json = "all", *, direction: str = "desc", page: int = 100) -> Iterator[Request]:
        """Yield the calls that Helicone's filter *where* selects, newest first (`desc`) or oldest first (`asc`).

        Reads *page* calls at a time.
        """
        offset = 0
        while True:
            query = {"filter": where, "sort": {"created_at": direction}, "offset": offset, "limit": page}
            rows = self._post("/v1/request/query-clickhouse", query, list[Request])
            yield from rows
            offset += len(rows)
            if len(rows) < page:
                return

    def plan(self, session_id: str, patch: Patch | None = None, **options: Unpack[ReplayOptions]) -> Plan:
        """Return what a replay would do and cost. Sends nothing to any provider."""
        return self._post("/v1/replay", _request(session_id, patch, options) | {"dry_run": True}, Plan)

    def start(self, session_id: str, patch: Patch | None = None, **options: Unpack[ReplayOptions]) -> Replay:
        """Begin a replay, which runs on in the server, and return it as it stands.

        A playback or a fork waits for its agent, whose SDK is to call `base_url` of a take, until it is finished.
        """
        return self._post("/v1/replay", _request(session_id, patch, options), Replay)

    def replay(
        self,
        session_id: str,
        patch: Patch | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        tools: Mapping[str, Tool] | None = None,
        **options: Unpack[ReplayOptions],
    ) -> Replay:
        """Run a session again and return the replay when it is over, *on_progress* told how far it has come.

        In mode chained, *tools* are functions of yours that answer the tools of their names where the record cannot; they run
        here, and nowhere else.

        A playback is driven by the server: every recorded request is made again. A fork needs its agent: see `start`.
        """
        if options.get("mode") is Mode.PLAYBACK:
            playback = options.get("playback", Playback())
            options["playback"] = msgspec.structs.replace(playback, driver=Driver.SERVER)
        if tools:
            options["policies"] = attended(options.get("policies", Policies()), tools)
        replay = self.start(session_id, patch, **options)
        for progress in self.attend(replay.id, tools or {}):
            if on_progress is not None:
                on_progress(progress)
        return self.get_replay(replay.id)

    def get_replay(self, replay_id: str) -> Replay:
        """Return a replay as it stands."""
        return self._get(f"/v1/replay/{_segment(replay_id)}", Replay)

    def replays(self, session_id: str) -> list[Replay]:
        """Return the replays made of a session, newest first."""
        return self._get("/v1/replay", list[Replay], session_id=session_id)

    def watch(self, replay_id: str) -> Iterator[Progress]:
        """Yield how far a replay has come, at once and whenever that changes; the last one is over."""
        return self._events(f"/v1/replay/{_segment(replay_id)}/progress", Progress)

    def attend(self, replay_id: str, tools: Mapping[str, Tool]) -> Iterator[Progress]:
        """Watch a replay as `watch` does, and answer the tool calls that wait for its client with *tools*, by name.

        Each is called once with the arguments that the model wrote, several at a time, in threads; what it returns is its
        result, and what it raises stops the branch. What was answered before is not asked again when a replay is resumed.
        """
        with Attendant(tools, lambda tool, given: self._give(replay_id, tool, given)) as attendant:
            for progress in self.watch(replay_id):
                attendant.attend(progress.tools)
                yield progress

    def _give(self, replay_id: str, tool_id: str, given: Json) -> None:
        try:
            self._post(f"/v1/replay/{_segment(replay_id)}/tools/{_segment(tool_id)}", given, object)
        except ServerRefused as refused:
            if refused.status != 404:  # it waits no more: it took too long, or the replay was stopped
                raise

    def cancel(self, replay_id: str) -> Replay:
        """Stop a replay at once and return it; one that is over stays as it is."""
        return self._post(f"/v1/replay/{_segment(replay_id)}/cancel", {}, Replay)

    def finish(self, replay_id: str) -> Replay:
        """End a playback or fork whose agent is through, and return it; one that is over stays as it is."""
        return self._post(f"/v1/replay/{_segment(replay_id)}/finish", {}, Replay)

    def base_url(self, take: Take) -> str:
        """Return what an agent whose calls are to be *take*'s is given: a provider's name and path follow, as in `/oai/v1`."""
        return self.url + take.base_path

    def start_batch(
        self,
        sessions: Sequence[str] | None = None,
        patch: Patch | None = None,
        *,
        where: Json = None,
        name: str = "Batch",
        **options: Unpack[ReplayOptions],
    ) -> Batch:
        """Freeze sessions, those named or those with a call that the filter *where* selects, and begin to replay each."""
        given: dict[str, Any] = {
            "sessions": sessions,
            "filter": where,
            "name": name,
            "patch": patch or Patch(),
            **options,
        }
        body = {field: value for field, value in given.items() if value is not None}
        return self._post("/v1/replay/batch", body, Batch)

    def get_batch(self, batch_id: str) -> Batch:
        """Return a batch as it stands, with what became of each session."""
        return self._get(f"/v1/replay/batch/{_segment(batch_id)}", Batch)

    def batches(self) -> list[Batch]:
        """Return the batches, newest first, without their items."""
        return self._get("/v1/replay/batch", list[Batch])

    def watch_batch(self, batch_id: str) -> Iterator[Batch]:
        """Yield a batch as it stands, at once and again and again; the last one is over."""
        return self._events(f"/v1/replay/batch/{_segment(batch_id)}/progress", Batch)

    def cancel_batch(self, batch_id: str) -> Batch:
        """Stop a batch at once and return it; one that is over stays as it is."""
        return self._post(f"/v1/replay/batch/{_segment(batch_id)}/cancel", {}, Batch)

    def resume_batch(self, batch_id: str, **changed: Unpack[ResumeOptions]) -> Batch:
        """Go on with a batch that is not done: what is answered stays, only the rest is asked."""
        return self._post(f"/v1/replay/batch/{_segment(batch_id)}/resume", dict(changed), Batch)

    def pause(self, replay_id: str) -> Replay:
        """Stop a replay at once, to be resumed, and return it; one that is not under way stays as it is."""
        return self._post(f"/v1/replay/{_segment(replay_id)}/pause", {}, Replay)

    def resume(self, replay_id: str, **changed: Unpack[ResumeOptions]) -> Replay:
        """Go on with a replay that is not done, as before but for what is *changed*: only what is not answered is asked."""
        return self._post(f"/v1/replay/{_segment(replay_id)}/resume", dict(changed), Replay)

    def compare(self, left: str, right: str) -> Comparison:
        """Return two sessions side by side, by their ids."""
        return self._get("/v1/comparison", Comparison, left=left, right=right)

    def create_prompt(self, name: str, body: Json, tags: Sequence[str] = ()) -> PromptVersion:
        """Keep a prompt under a name and return its first version, 0.0, which is in use in production.

        *body* is a request of OpenAI's chat format with `{{hc:name:type}}` where it is left open.
        """
        made = self._post("/v1/prompt-2025", {"name": name, "promptBody": body, "tags": list(tags)}, _MadePrompt)
        return self._version(made.version_id)

    def update_prompt(
        self, after: PromptVersion, body: Json, message: str, *, major: bool = False, environment: str | None = None
    ) -> PromptVersion:
        """Keep another version of a prompt and return it: the next of the major version of *after*, or a major one.

        It is in use in *environment* from then on, in place of the version that was.
        """
        given: dict[str, Any] = {
            "promptId": after.prompt_id,
            "promptVersionId": after.id,
            "promptBody": body,
            "commitMessage": message,
            "newMajorVersion": major,
        }
        named = {"environment": environment} if environment is not None else {}
        return self._version(self._post("/v1/prompt-2025/update", given | named, _MadeVersion).id)

    def prompts(self, search: str = "", *, page: int = 0, page_size: int = 50) -> list[NamedPrompt]:
        """Return the prompts whose name contains *search*, newest first."""
        query = {"search": search, "tagsFilter": [], "page": page, "pageSize": page_size}
        return self._post("/v1/prompt-2025/query", query, list[NamedPrompt])

    def prompt_versions(self, prompt_id: str) -> list[PromptVersion]:
        """Return the versions of a prompt, newest first, without their bodies."""
        return self._post("/v1/prompt-2025/query/versions", {"promptId": prompt_id}, list[PromptVersion])

    def _version(self, version_id: str) -> PromptVersion:
        return self._post("/v2/prompt-2025/query/version", {"promptVersionId": version_id}, PromptVersion)

    def score(self, request_id: str, scores: Mapping[str, float | bool]) -> None:
        """Set scores of a call by name; the last write of a name wins."""
        self._post(f"/v1/request/{_segment(request_id)}/score", {"scores": dict(scores)}, object)

    def feedback(self, request_id: str, rating: bool) -> None:
        """Say whether a call went well."""
        self._post(f"/v1/request/{_segment(request_id)}/feedback", {"rating": rating}, object)

    def delete(self, scope: Deletable, name: str) -> Deleted:
        """Delete what was recorded, for good: a request, a session, a user's, or all of the key's organisation, by id.

        Waits until no byte of it is left on the server, which takes the longer the more it has.
        """
        with self._reaching():
            answer = self._http.delete(
                f"{self.url}/v1/{scope}/{quote(name, safe='')}", params={"wait": "true"}, timeout=_DELETE_S
            )
        return understood(answer.status_code, answer.content, Deleted)

    def keys(self) -> list[ApiKey]:
        """Return the API keys that work, oldest first."""
        return self._get("/v1/api-keys", list[ApiKey])

    def new_key(self, name: str, permissions: Permissions = "rw") -> str:
        """Make an API key and return it: nobody can find it out again."""
        body = {"api_key_name": name, "key_permissions": permissions}
        with self._reaching():
            answer = self._http.post(f"{self.url}/v1/api-keys", json=body)
        # As at Helicone this answer has no envelope.
        if answer.status_code >= 400:
            raise refusal(answer.status_code, answer.content)
        return understood(answer.status_code, b'{"data":' + answer.content + b"}", _MadeKey).api_key

    def revoke_key(self, key_id: int | str) -> None:
        """Let an API key work no more, at once."""
        with self._reaching():
            answer = self._http.delete(f"{self.url}/v1/api-keys/{_segment(str(key_id))}")
        if answer.status_code >= 400:
            raise refusal(answer.status_code, answer.content)

    def _events(self, path: str, kind: type[T]) -> Iterator[T]:
        with self._reaching(), self._http.stream("GET", self.url + path, timeout=None) as answer:
            if answer.status_code >= 400:
                raise refusal(answer.status_code, answer.read())
            for event in httpx2.EventSource(answer):
                yield msgspec.json.decode(event.data, type=kind)

    def _get(self, path: str, kind: type[T], **query: str) -> T:
        with self._reaching():
            answer = self._http.get(self.url + path, params=query)
        return understood(answer.status_code, answer.content, kind)

    def _post(self, path: str, body: Json, kind: type[T]) -> T:
        with self._reaching():
            answer = self._http.post(
                self.url + path, content=msgspec.json.encode(body), headers={"content-type": "application/json"}
            )
        return understood(answer.status_code, answer.content, kind)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TimeoutException as error:
            raise ServerUnreachable(f"The server at {self.url} did not answer in time.") from error
        except (httpx2.TransportError, httpx2.InvalidURL, UnicodeError) as error:
            why = str(error) or type(error).__name__
            raise ServerUnreachable(
                f"No Reenact server answers at {self.url}: {why}. Start one with `reenact serve`, or name another."
            ) from error


def _request(session_id: str, patch: Patch | None, options: ReplayOptions) -> dict[str, Any]:
    """Return the body of `POST /v1/replay`."""
    given: dict[str, Any] = {"session_id": session_id, "patch": patch or Patch(), **options}
    return {name: value for name, value in given.items() if value is not None}


def _segment(name: str) -> str:
    return quote(name, safe="")

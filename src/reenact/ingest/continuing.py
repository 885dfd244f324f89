"""Which earlier call one continues that names no session, told by what its messages repeat of it.

A call continues another when it says that one's whole prompt again, digest for digest, and then its answer: what is common to
two beginnings, such as a system prompt, ties nothing. An answer is compared by its text and its tool calls alone, since agents
send it back without its reasoning and with other spacing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

import msgspec

from reenact.dialects.conversing import named_conversation
from reenact.domain.call import Call, Kind, Reading
from reenact.domain.digesting import canonical, digest
from reenact.domain.digesting import message_digest as said_by
from reenact.domain.message import Json, Message, Role, Text, ToolUse
from reenact.ingest.decoding import Understood

PREFIX = "inferred-"
"""What the id of an inferred session begins with; the id of its first call follows."""
RETRY_WITHIN_US = 60_000_000
"""How soon an agent that got no answer asks the same again."""
_CONVERSING = frozenset({"openai_chat", "openai_responses", "anthropic_messages", "gemini"})


class Said(msgspec.Struct, frozen=True):
    """What an answer says, as its agent would send it back."""

    digest: bytes
    links: tuple[str, ...]
    """The ids of its tool calls."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A call that names no session, as far as it can be tied to others; every name holds its organisation and its user."""

    call_id: str
    started_us: int
    ended_us: int
    whole: bytes
    """The name of its whole prompt."""
    answer: Said | None
    """None when it got none."""
    prefixes: tuple[tuple[bytes, int], ...] = ()
    """The names of what its prompt begins with, the longest first, and how many messages each is; never the whole."""
    messages: tuple[Message, ...] = ()
    names: tuple[bytes, ...]
    """What later calls may know it by: its prompt, its answer's id, its conversation's, its answer's tool calls."""
    follows: bytes | None = None
    """The name of the answer or of the conversation that it says by id that it goes on from."""
    answers: bytes | None = None
    """The name of the tool calls that it brings the last results of."""
    is_deep: bool = False
    """Whether its prompt holds an answer: two conversations hardly share one by chance."""


class Turn(msgspec.Struct, kw_only=True):
    """What is remembered of a call: digests, and who went on from it."""

    call_id: str
    session_id: str
    started_us: int
    ended_us: int
    answer: Said | None
    names: tuple[bytes, ...]
    is_deep: bool
    followers: list[bytes] = []
    """The whole prompts of the calls that went on from it and were answered."""

    def admits(self, whole: bytes) -> bool:
        """Return whether no call that says just *whole* has gone on from it."""
        return whole not in self.followers


def thread(understood: Understood) -> Thread | None:
    """Return what ties a call to others; None when it names its session, or is no turn of a conversation."""
    call, prompt = understood.reading.call, understood.prompt
    if call.labels.session_id or call.kind is not Kind.MODEL or prompt is None or prompt.dialect not in _CONVERSING:
        return None
    scope = digest(canonical([call.organisation_id, call.labels.user_id, prompt.dialect]))
    chain = list(_chain(scope, prompt.messages))
    held = _held(prompt.parameters)
    if held is not None:  # the provider keeps what was said before
        chain.append(digest(chain[-1] + held.encode()))
    if len(chain) == 1:
        return None
    answer = None if call.status >= 400 or understood.said is None else said([understood.said])
    named = [
        chain[-1],
        _response(scope, call.response_id),
        _response(scope, named_conversation(prompt.parameters)),
        _tools(scope, answer, understood.said),
    ]
    return Thread(
        call_id=call.id,
        started_us=call.created_us,
        ended_us=call.created_us + call.duration_us,
        whole=chain[-1],
        answer=answer,
        prefixes=() if held else tuple((chain[count], count) for count in range(len(chain) - 2, 0, -1)),
        messages=prompt.messages,
        names=tuple(name for name in named if name is not None),
        follows=_response(scope, held),
        answers=_last_tools(scope, prompt.messages),
        is_deep=any(message.role is Role.ASSISTANT for message in prompt.messages),
    )


def may_continue(thread: Thread) -> bool:
    """Return whether a call says that something was before it."""
    return thread.is_deep or thread.follows is not None


def said(messages: Sequence[Message]) -> Said:
    """Return what an answer says that may stand in several messages, as reasoning, text and tool calls do in Responses."""
    parts = [part for message in messages for part in message.parts]
    text = "".join(part.text for part in parts if isinstance(part, Text))
    uses = [part for part in parts if isinstance(part, ToolUse)]
    content = [_meant(text.strip()), [[use.name, _meant(use.arguments)] for use in uses]]
    return Said(digest(canonical(content)), tuple(use.id for use in uses))


def said_after(thread: Thread, count: int) -> Said | None:
    """Return the answer that follows the first *count* messages of a prompt; None when there is none."""
    spoken = list(takewhile(lambda one: one.role is Role.ASSISTANT, thread.messages[count:]))
    return said(spoken) if spoken else None


def retried(thread: Thread, alike: Sequence[Turn]) -> Turn | None:
    """Return which of the calls with the very same prompt got no answer and is asked again by *thread*."""
    for turn in reversed(alike):
        if turn.answer is None and turn.admits(thread.whole):
            return turn if 0 <= thread.started_us - turn.ended_us <= RETRY_WITHIN_US else None
    return None


def continued(thread: Thread, count: int, begun: Sequence[Turn]) -> Turn | None:
    """Return which call *thread* continues, of those whose whole prompt are its first *count* messages, oldest first.

    The one whose answer it repeats, by the ids of the tool calls where it has some. Where several gave that answer, one that
    no other call continues: agents that said the same so far stay apart. A call that was continued may be so once more by
    another prompt, not by the same. Where no answer is repeated, the only call that can be meant, or none.
    """
    words = said_after(thread, count)
    sure = [
        (turn, turn.answer == words) for turn in begun if words and turn.answer and turn.answer.digest == words.digest
    ]
    if sure:
        meant = [turn for turn, is_linked in sure if is_linked] or [turn for turn, _ in sure]
        free = [turn for turn in meant if not turn.followers] or [turn for turn in meant if turn.admits(thread.whole)]
        return free[-1] if free else None
    if all(message.role is Role.SYSTEM for message in thread.messages[:count]):
        return None
    loose = [
        turn
        for turn in begun
        if turn.ended_us <= thread.started_us
        and not turn.followers
        and (words is None or turn.answer is None or turn.is_deep)
    ]
    return loose[0] if len(loose) == 1 else None


def within(thread: Thread, turns: Sequence[Turn], idle_us: int) -> list[Turn]:
    """Return the turns that *thread* may follow: begun before it, and ended no more than *idle_us* before it."""
    return [
        turn
        for turn in turns
        if turn.call_id != thread.call_id
        and turn.started_us <= thread.started_us
        and thread.started_us - turn.ended_us <= idle_us
    ]


def kept(call: Call, reading: Reading) -> Reading:
    """Return *reading*, derived again, in the inferred session that its *call* is in, if it is in one."""
    return in_session(reading, call.labels.session_id) if call.session_inferred else reading


def in_session(reading: Reading, session_id: str | None) -> Reading:
    """Return *reading* as a call of the inferred session *session_id*."""
    labels = msgspec.structs.replace(reading.call.labels, session_id=session_id)
    call = msgspec.structs.replace(reading.call, labels=labels, session_inferred=True)
    return msgspec.structs.replace(reading, call=call)


def _chain(scope: bytes, messages: Sequence[Message]) -> Iterator[bytes]:
    """Yield *scope*, and the name of each beginning of *messages*, shortest first."""
    yield scope
    for message in messages:
        scope = digest(scope + said_by(message))
        yield scope


def _held(parameters: Mapping[str, Json]) -> str | None:
    """Return the id that Responses tells the provider by what was said before (`previous_response_id`, `conversation`)."""
    previous = parameters.get("previous_response_id")
    return previous if isinstance(previous, str) and previous else named_conversation(parameters)


def _response(scope: bytes, held_id: str | None) -> bytes | None:
    return digest(scope + b"response" + held_id.encode()) if held_id else None


def _last_tools(scope: bytes, messages: Sequence[Message]) -> bytes | None:
    """Return the name of the last tool calls in a prompt: what a history that was cut at its front is known by."""
    at = next((at for at in range(len(messages) - 1, -1, -1) if messages[at].tool_uses), None)
    if at is None:
        return None
    first = at
    while first and messages[first - 1].role is Role.ASSISTANT:
        first -= 1
    spoken = list(takewhile(lambda one: one.role is Role.ASSISTANT, messages[first:]))
    return _tools(scope, said(spoken), *spoken)


def _tools(scope: bytes, answer: Said | None, *spoken: Message | None) -> bytes | None:
    """Return the name of an answer by its tool calls; None when it has none, or their ids are made of their names."""
    uses = [use for message in spoken if message is not None for use in message.tool_uses]
    if answer is None or not uses or any(not use.id or use.name in use.id for use in uses):
        return None
    return digest(scope + b"tools" + answer.digest + canonical(answer.links))


def _meant(text: str) -> Json:
    """Return *text* as JSON where it is an object or a list, which agents write anew; else itself."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text

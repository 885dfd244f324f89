"""Recording: a recorded session as planning needs it, and what each of its calls says and why one cannot be asked again."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from reenact.dialects.conversing import conversation_place, named_conversation
from reenact.dialects.dialect import Dialect
from reenact.dialects.registry import dialect_named
from reenact.domain.call import Bodies, Call, Kind
from reenact.domain.exchange import Ending
from reenact.domain.message import Answer, Json, Prompt, Usage
from reenact.errors import InvalidInput
from reenact.ingest.unpacking import unpack
from reenact.replay.expanding import NOTHING_EARLIER, Earlier, Missing, expanded, with_own
from reenact.replay.patching import decoded, written

_MISSING_IMAGE = b"<helicone-asset-id "
"""What stands in logs of Helicone in place of an image that it keeps elsewhere."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded session as planning needs it."""

    session_id: str
    calls: Sequence[Call]
    """Oldest first; their order gives the positions."""
    bodies: Mapping[str, Bodies]
    """By call id."""
    earlier: Earlier = NOTHING_EARLIER
    """Calls of other sessions that this one goes on from."""

    @property
    def name(self) -> str:
        """The session's name; empty when no call gives one."""
        return next((call.labels.session_name for call in self.calls if call.labels.session_name), "")


class Recorded:
    """One recorded call, read no further than it is asked."""

    def __init__(self, position: int, call: Call, bodies: Bodies | None, earlier: Earlier) -> None:
        """Take the call at a *position*, counted from 1, and the calls that it may go on from."""
        self.position = position
        self._earlier = earlier
        self.call = call
        self.body = bodies.request if bodies else b""
        self.headers = bodies.request_headers if bodies else ()
        self._bodies = bodies
        self.has_bodies = bodies is not None
        self.has_answer = bool(bodies and bodies.response)

    @cached_property
    def hindrance(self) -> str:
        """Why the call cannot be asked again; empty when it can."""
        call = self.call
        if call.kind in {Kind.TOOL, Kind.VECTOR, Kind.DATA}:
            return f"a {call.kind.value} event: the server never runs an agent's tools"
        if call.ending is Ending.REFUSED:
            return f"the gateway refused it when it was recorded: {call.detail}"
        if conversation_place(call.target_url) is not None:
            return "it asks no model: what it tells a conversation at the provider goes into the requests that go on from it"
        if not self.body:
            return "its request body was not recorded"
        if dialect_named(call.dialect) is None:
            return "its format is not known"
        if _MISSING_IMAGE in self.body:
            return "an image of its request was not recorded: the log that told of it holds a reference only"
        if call.unreadable:
            return f"its body could not be read: {call.unreadable}"
        if self.converses and isinstance(self.explicit, Missing):
            return f"asking it again would write into a conversation at the provider, and {self.explicit.why}"
        return ""

    @cached_property
    def converses(self) -> bool:
        """Whether the provider adds it to a conversation, so that it must never be sent as it was recorded."""
        prompt = self.readable() if self.call.dialect == "openai_responses" else None
        return prompt is not None and named_conversation(prompt.parameters) is not None

    @cached_property
    def dialect(self) -> Dialect:
        """Its wire format."""
        found = dialect_named(self.call.dialect)
        assert found is not None
        return found

    @cached_property
    def usage(self) -> Usage:
        """What its answer took: one out of the cache took nothing, but its provider is asked now."""
        if self.call.handling.cache_reference_id is None:
            return self.call.usage
        try:
            return self.dialect.read_answer(self._bodies.answer if self._bodies else None).usage
        except InvalidInput:
            return Usage()

    @cached_property
    def json(self) -> Json:
        """Its request body, out of its content encoding."""
        return decoded(unpack(self.body, self.headers))

    @property
    def tagged_template(self) -> str | None:
        """What the tags in it left of its template, as the gateway kept it; None when it had none."""
        tagged = self._bodies.tagged if self._bodies else None
        return None if tagged is None else tagged.template

    @cached_property
    def prompt(self) -> Prompt:
        """What it says."""
        return self.dialect.read_prompt(self.json)

    @cached_property
    def answer(self) -> Answer | None:
        """What it was answered; None for failures and for what broke off."""
        call, bodies = self.call, self._bodies
        if call.status >= 400 or call.ending is not Ending.ANSWERED or bodies is None or bodies.answer_json is None:
            return None
        try:
            return self.dialect.read_answer(bodies.answer)
        except InvalidInput:
            return None

    @cached_property
    def explicit(self) -> Prompt | Missing:
        """What it says with the history that its provider holds for it, or what of that was not recorded."""
        return expanded(self.prompt, self.call, self._earlier)

    def in_full(self, prompt: Prompt) -> Prompt | Missing:
        """Return *prompt*, what a patch made of the call, with the conversation that it names said in full."""
        return prompt if named_conversation(prompt.parameters) is None else expanded(prompt, self.call, self._earlier)

    @property
    def whole(self) -> Prompt:
        """What it says with its history where that was recorded, else what it says itself."""
        return self.prompt if isinstance(self.explicit, Missing) else self.explicit

    @cached_property
    def whole_bytes(self) -> int | None:
        """How long the body is that says all of it; None where the recorded one does."""
        prompt = self.readable()
        if prompt is None or self.whole is prompt:
            return None
        return len(msgspec.json.encode(written(self.whole)))

    def readable(self) -> Prompt | None:
        """Return what it says, None when that cannot be read: a selector of words then means it not."""
        try:
            return self.prompt
        except InvalidInput:
            return None


def recorded_calls(recording: Recording) -> list[Recorded]:
    """Return the calls of a session, with all that they may go on from."""
    earlier = with_own(recording.earlier, recording.calls, recording.bodies)
    return [
        Recorded(position, call, recording.bodies.get(call.id), earlier)
        for position, call in enumerate(recording.calls, start=1)
    ]

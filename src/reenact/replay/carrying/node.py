"""Node: one call of a take, recorded or beyond the record, and what has become of it so far."""

import msgspec

from reenact.domain.divergence import Divergence, Doubt, Rewrite, Unknown, Validity
from reenact.domain.message import Answer, Lost, Message, ToolUse
from reenact.domain.replay import Answered, CallResult, PlannedCall
from reenact.replay.carrying.cloning import Swap
from reenact.replay.carrying.strand import ListPlace, Strand
from reenact.replay.performing import result


class Node(msgspec.Struct, kw_only=True):
    """One call of a take. Changes as the take goes on."""

    strand: Strand
    """What its request is made of; its index is the node's id."""
    form: int
    """The recorded call that it asks again, or whose form it has."""
    needed: frozenset[int] = frozenset()
    """Without whose answers its request cannot be made."""
    gathered: frozenset[ListPlace] = frozenset()
    first_try: int | None = None
    """The failed call that it repeats."""
    next_round: int | None = None
    """The call that gives back the results of its tools."""
    twins: dict[int, int] = {}
    """For a copy of a recorded call: the copy of each call that was copied with it."""
    swap: Swap | None = None
    """For a copy: the item that it is for."""
    is_given: bool = False
    """Whether it is no call at all, only an answer that copies are made of."""

    round: int = 0
    """How many times its form was asked beyond the record, this one included; 0 for a recorded call."""
    messages: tuple[Message, ...] = ()
    """What was sent, before the patch."""
    setting: Strand | None = None
    """The recorded call whose instructions and tools it has, where those are not its own: nobody handed it over in the take."""
    answer: Answer | None = None
    answered: Answered | None = None
    reason: str = ""
    """Why nothing stands for it, when nothing does."""
    stands_in: int | None = None
    """The call that stands for it: that with which its tool loop ended, sooner or later than recorded."""
    extra_rounds: int = 0
    """How many rounds its loop is beyond the record already."""
    begins: int | None = None
    """For a round beyond the record: the recorded call after which its loop went on."""
    divergence: Divergence | None = None
    was_diverged: bool = False
    """Whether something that it depends on left the source's actions."""
    is_simulated: bool = False
    doubts: tuple[Doubt, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    lost: tuple[Lost, ...] = ()
    """What its request says less than the agent's would."""
    stop: Doubt | None = None
    """Why its tool loop could not go on to an end."""

    @property
    def id(self) -> int:
        """Its name in the take; a recorded call's is its position."""
        return self.strand.index

    @property
    def is_beyond(self) -> bool:
        """Whether it is no recorded call."""
        return self.id != self.form

    @property
    def is_diverged(self) -> bool:
        """Whether it, or something that it depends on, left the source's actions."""
        return self.was_diverged or self.divergence is not None

    @property
    def uses(self) -> tuple[ToolUse, ...]:
        """The tools that the answer asks for."""
        return self.answer.message.tool_uses if self.answer and self.answer.message else ()

    @property
    def validity(self) -> Validity:
        """What it is worth."""
        if self.answered is None:
            return Validity.DROPPED
        if self.is_simulated:
            return Validity.SIMULATED
        return Validity.AFTER_DIVERGENCE if self.was_diverged or self.doubts else Validity.ON_TAPE

    def doubt(self, unknown: Unknown, detail: str) -> None:
        """Note what is unknown of its request."""
        self.doubts = (*self.doubts, Doubt(unknown=unknown, detail=detail, source=self.form))

    def result(self, planned: PlannedCall) -> CallResult:
        """Return what became of it."""
        answered = self.answered
        base = (
            result(planned, answered)
            if answered is not None
            else CallResult(
                index=planned.index,
                source_call_id=planned.call_id,
                call_id=None,
                status=None,
                failure=self.reason,
                skipped=True,
            )
        )
        return msgspec.structs.replace(
            base,
            round=self.round,
            validity=self.validity,
            divergence=self.divergence,
            doubts=self.doubts,
            stop=self.stop,
            rewrites=self.rewrites,
            lost=self.lost,
        )

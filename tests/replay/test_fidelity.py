"""The bench's agents, a few sessions each: the control is exact, nothing is rewritten wrongly, nothing invalid is sent."""

import pytest
from bench.fidelity.apart import APART
from bench.fidelity.firstmet import FIRST_MET
from bench.fidelity.newcomers import NEWCOMERS
from bench.fidelity.replaying import chained, recording_of, tape_of
from bench.fidelity.shapes import SHAPES
from bench.fidelity.strangers import STRANGERS
from bench.fidelity.truth import PATCHES, body_patch, fitting
from bench.fidelity.unseen import UNSEEN
from bench.fidelity.world import knowable, run

from reenact.replay.carrying.fabric import Fabric


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("patch", PATCHES)
def test_chained_takes_are_true(shape: str, patch: str) -> None:
    """What is claimed is what the agent sends when it runs again with the change, as far as the record determines it."""
    for seed in range(3):
        recorded = run(SHAPES[shape], seed)
        recording = recording_of(recorded)
        change = fitting(PATCHES[patch], shape)
        truth, known = knowable(SHAPES[shape], seed, body_patch(change), recorded)

        sent = chained(recording, change, Fabric(tape_of(recording)))

        assert [] == sent.invalid
        assert not sent.claimed - truth
        assert sent.claimed == (truth if patch == "control" else known)


@pytest.mark.parametrize("shape", UNSEEN | FIRST_MET)
def test_shapes_not_built_for_are_played_exactly_and_never_wrongly(shape: str) -> None:
    """The control is exact, and no changed take claims what the agent would not send, or what a provider would refuse."""
    for seed in range(3):
        recorded = run((UNSEEN | FIRST_MET)[shape], seed)
        recording = recording_of(recorded)
        fabric = Fabric(tape_of(recording))
        for name, patch in PATCHES.items():
            change = fitting(patch, shape)
            truth, known = knowable((UNSEEN | FIRST_MET)[shape], seed, body_patch(change), recorded)

            sent = chained(recording, change, fabric)

            assert [] == sent.invalid
            assert not sent.claimed - truth
            assert name != "control" or sent.claimed == truth
            assert (
                not known - sent.claimed or shape == "counted words"
            )  # of two ways to count, one gives another number


@pytest.mark.parametrize("shape", APART | STRANGERS | NEWCOMERS)
def test_shapes_written_apart_are_played_exactly_and_validly(shape: str) -> None:
    """The control is exact, and no changed take sends what a provider would refuse; the bench tells the rest."""
    for seed in range(3):
        recorded = run((APART | STRANGERS | NEWCOMERS)[shape], seed)
        recording = recording_of(recorded)
        fabric = Fabric(tape_of(recording))
        for name, patch in PATCHES.items():
            change = fitting(patch, shape)
            truth, _ = knowable((APART | STRANGERS | NEWCOMERS)[shape], seed, body_patch(change), recorded)

            sent = chained(recording, change, fabric)

            assert [] == sent.invalid
            assert name != "control" or sent.claimed == truth

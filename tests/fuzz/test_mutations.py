"""Valid dialogues with mutations, by the thousand; `campaign` (AMQ_FUZZ_INPUTS) by the hundred thousand."""

import gc
import os
from collections.abc import Callable
from random import Random

import pytest

from tests.fuzz.dialogues import OPENING, TALKS, Frames, whole
from tests.fuzz.mutations import MUTATIONS, chunks, mutate
from tests.fuzz.trial import Bench
from tests.fuzz.wire import spoken

# Inputs to one broker; then the next one is made, so that a finding is found again quickly.
BENCH = 500


def play(seed: int, inputs: int) -> int:
    """Try so many inputs of mutated dialogues; returns how many objects that took for good.

    The seed of a failure is shown. Every other seed is for a broker with a journal.
    """
    dialogues = [whole(talk) for talk in TALKS]
    random = Random(seed)
    bench = Bench(keeps=seed % 2 == 1)
    held = 0
    for number in range(inputs):
        if number == 50:
            gc.collect()
            held = len(gc.get_objects())
        own_seed = random.getrandbits(64)
        try:
            one(bench, Random(own_seed), dialogues)
        except Exception as error:
            error.add_note(f"input {number} of seed {seed}, its own seed {own_seed}")
            raise
    gc.collect()
    return len(gc.get_objects()) - held


def one(bench: Bench, random: Random, dialogues: list[Frames]) -> None:
    """One input: mostly one client, sometimes two that use the same queues and exchanges."""
    clients = []
    for _ in range(random.choice((1, 1, 2))):
        frames = mutate(random, random.choice(dialogues), OPENING)
        clients.append(chunks(random, b"".join(frames)))
    bench.try_out(*clients)


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.__name__)
@pytest.mark.parametrize("step", [1_000_000, 50, 1], ids=["at once", "in pieces", "octet by octet"])
def test_the_dialogues_are_valid_as_they_stand(talk: Callable[[], Frames], step: int) -> None:
    octets = b"".join(whole(talk))
    (said,) = Bench().try_out([octets[at : at + step] for at in range(0, len(octets), step)])
    heard = [method for _, method in spoken(said)]
    assert [method for method in heard if method.name in ("channel.close", "connection.close")] == []
    assert heard[-1].name == "connection.close-ok"


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.__name__)
def test_a_dialogue_may_end_after_any_frame(talk: Callable[[], Frames]) -> None:
    frames = whole(talk)
    bench = Bench()
    for count in range(len(frames)):
        bench.try_out(frames[:count])


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_each_mutation_is_answered_with_a_fault_or_goes_unnoticed(
    mutation: Callable[[Random, Frames], None],
) -> None:
    random = Random(mutation.__name__)
    bench = Bench()
    for talk in TALKS:
        for _ in range(5):
            frames = whole(talk)
            said = frames[OPENING:]
            mutation(random, said)
            bench.try_out([b"".join(frames[:OPENING] + said)])


@pytest.mark.parametrize("seed", range(6))
def test_mutated_dialogues_leave_nothing_behind(seed: int) -> None:
    assert play(seed, BENCH) < 1_000


@pytest.mark.campaign
def test_a_campaign_of_mutated_dialogues() -> None:
    inputs = int(os.environ.get("AMQ_FUZZ_INPUTS", "200000"))
    first = int(os.environ.get("AMQ_FUZZ_SEED", "1000"))
    for seed in range(first, first + inputs // BENCH):
        assert play(seed, BENCH) < 1_000, f"seed {seed}"

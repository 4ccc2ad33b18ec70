"""The broker against the naive broker, by random commands.

A failure prints its seed and the fewest commands that fail. More seeds: AMQ_MODEL_SEEDS=5000 pytest -m campaign;
from another one on: AMQ_MODEL_FROM=123.
"""

import os

import pytest

from tests.model.commands import generate
from tests.model.shrink import failure, report

STEPS = 250
BATCH = 20
SEEDS = 200
CAMPAIGN = int(os.environ.get("AMQ_MODEL_SEEDS", "0"))
FIRST = int(os.environ.get("AMQ_MODEL_FROM", "100000"))


def play(first: int, count: int) -> None:
    for seed in range(first, first + count):
        commands = generate(seed, STEPS)
        if failure(seed, commands):
            pytest.fail(report(seed, commands), pytrace=False)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_the_broker_does_what_the_naive_broker_does(first: int) -> None:
    play(first, BATCH)


@pytest.mark.campaign
@pytest.mark.skipif(not CAMPAIGN, reason="AMQ_MODEL_SEEDS says how many seeds to play")
def test_the_broker_does_what_the_naive_broker_does_for_many_seeds() -> None:
    play(FIRST, CAMPAIGN)

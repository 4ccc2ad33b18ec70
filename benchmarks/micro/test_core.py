"""The whole core, for the loads of compare.py: from a chunk of a publisher's octets to octets for the consumers.

Without sockets, tasks and the disk; so it is what the interpreter takes, and compare.py is what users see.
"""

import gc

import pytest

from benchmarks.micro.conftest import PerItem
from tests.harness.load import SCENARIOS, Running

# Messages in a row, of which a publisher's chunk is a part.
COUNT = 1000


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_message_all_the_way(per_item: PerItem, name: str) -> None:
    running = Running(SCENARIOS[name])
    turns = max(COUNT // running.published, 1)

    def prepare() -> tuple[list[bytes]]:
        return (running.acknowledgements(turns),)

    def move(acks: list[bytes]) -> None:
        for each in acks:
            running.turn(each)

    gc.collect()
    per_item(move, turns * running.published, prepare)
    assert running.deliveries() == running.turns * running.delivered

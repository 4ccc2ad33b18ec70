"""Much at once, and a kill in the middle of it: a large transaction, and thousands of messages that die together."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.client import Gone
from tests.faults.history import History, Transaction
from tests.faults.quiet import client, declare, eventually, fill, restarted, taken
from tests.faults.target import Target, started
from tests.faults.test_kill import NARROW, target_in

QUEUES = ("a", "b", "c")
MANY = 3000
SIZES = (0, 100, 3000)


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with started(target_in(tmp_path, NARROW)) as target:
        yield target
    assert "Traceback" not in target.output(), target.output()[-4000:]


def test_a_large_transaction_is_there_as_a_whole_or_not_at_all(target: Target, history: History) -> None:
    rng = random.Random(1)
    with client(target, history) as session:
        for queue in QUEUES:
            declare(session, queue)
    rounds = 0
    for turn in range(4):
        with client(target, history) as session:
            session.select_transactions()
            for number in range(MANY):
                session.publish([QUEUES[number % 3]], size=rng.choice(SIZES), tx=f"t{turn}")
            session.barrier()
            history.add(Transaction(f"t{turn}", "commit"))
            session.client.send(1, "tx.commit")
            time.sleep(rng.uniform(0, 0.15))
            restarted(target, history, kill=True)
            with suppress(Gone):
                session.client.answer(1, "tx.commit-ok")
                rounds += 1
        with client(target, history) as session:
            counts = {session.count(queue) for queue in QUEUES}
        assert len(counts) == 1, counts
        (found,) = counts
        # One whose answer was lost may be there.
        assert found in [((rounds + more) * MANY // 3, 0) for more in (0, 1)]
        rounds = found[0] * 3 // MANY


def test_of_thousands_that_expire_together_each_is_in_one_place_after_every_kill(
    target: Target, history: History
) -> None:
    rng = random.Random(1)
    with client(target, history) as session:
        declare(session, "dead")
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead", "x-message-ttl": 2000}
        declare(session, "living", arguments)
        fill(session, "living", MANY, size=500)
        history.fault("kill")
        target.kill()
    time.sleep(2.0)
    for _ in range(5):
        target.launch()
        target.wait_until_it_speaks()
        time.sleep(rng.uniform(0, 0.1))
        target.kill()
    target.start()
    with client(target, history) as session:
        eventually(lambda: session.count("living") == (0, 0), "they do not expire")
        assert [counter for counter, _ in taken(session, "dead")] == list(range(1, MANY + 1))
    assert target.stop() == 0

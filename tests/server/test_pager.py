"""Messages in memory are kept within their budget."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from amq.broker import Broker
from amq.queues import backlog
from amq.queues.classic import ClassicQueue
from amq.server.loader import Loader
from amq.server.pager import OVERHEAD, Pager
from amq.server.paging import Paging
from tests.harness.dialogue import Dialogue, enter, new_broker

BODY = b"x" * 1000
EACH = len(BODY) + OVERHEAD


class Machine:
    """A broker whose process is as large as its messages."""

    def __init__(self, folder: Path, budget: int) -> None:
        self.broker: Broker = new_broker()
        self.paging = Paging(folder)
        self.pager = Pager(self.broker, budget, self.resident, self.paging, lambda: None)
        # Of what is in the journal there is nothing here.
        self.loader = Loader(self.broker, None, self.paging, lambda: None)  # type: ignore[arg-type]

    def resident(self) -> int:
        return sum(self.held(name) for name in self.broker.vhosts["/"].queues)

    def held(self, name: bytes) -> int:
        """Octets of the messages that a queue has in memory."""
        queue = self.broker.vhosts["/"].queues[name]
        assert isinstance(queue, ClassicQueue)
        return sum(fifo.in_memory() * EACH for _, fifo in queue.backlog.levels_in_order())

    def fill(self, count: int, name: str = "q") -> Dialogue:
        client = enter(self.broker, channels=[1])
        client.declare(1, name)
        for number in range(count):
            client.publish(1, name, (b"%d " % number).ljust(len(BODY), b"x"))
        return client


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Machine]:
    """Makes a machine with so much room for messages; spans are of 10 messages."""
    monkeypatch.setattr(backlog, "SPAN", 10)
    return lambda budget: Machine(tmp_path, budget)


async def run_for(machine: Machine, seconds: float) -> None:
    """Let the pager and the loader work."""
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(machine.pager.run)
            nursery.start_soon(machine.loader.run)


async def settled(machine: Machine) -> None:
    """Let the pager work until it has nothing to do."""
    for _ in range(100):
        if machine.resident() <= machine.pager.budget:
            return
        await run_for(machine, 0.1)
    raise AssertionError("too much is in memory")


async def taken(machine: Machine, client: Dialogue) -> list[int]:
    """The numbers of the messages in queue `q`, in the order in which they are delivered."""
    client.consume(1, "q", no_ack=True)
    bodies: list[bytes] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(machine.loader.run)
        for _ in range(10_000):
            machine.loader.kick()
            bodies += [heard.body for heard in client.hear_all()]
            if not machine.broker.vhosts["/"].queues[b"q"].ready_count():
                break
            await trio.sleep(0.001)
        nursery.cancel_scope.cancel()
    return [int(body.split()[0]) for body in bodies]


async def test_what_is_too_much_goes_to_paging_files_and_comes_back_in_order(
    machine: Callable[[int], Machine],
) -> None:
    there = machine(100 * EACH)
    client = there.fill(500)
    await settled(there)
    assert there.resident() <= 100 * EACH
    assert await taken(there, client) == list(range(500))
    there.paging.close()


async def test_nothing_is_paged_out_within_the_budget(machine: Callable[[int], Machine]) -> None:
    there = machine(600 * EACH)
    there.fill(500)
    await run_for(there, 0.3)
    assert there.resident() == 500 * EACH
    there.paging.close()


async def test_the_largest_queue_goes_first(machine: Callable[[int], Machine]) -> None:
    there = machine(300 * EACH)
    there.fill(50, "small")
    there.fill(400, "large")
    await settled(there)
    assert there.held(b"small") == 50 * EACH
    assert there.held(b"large") <= 250 * EACH
    there.paging.close()


async def test_many_short_queues_together_are_too_much_as_well(machine: Callable[[int], Machine]) -> None:
    m = machine(20 * EACH)
    clients = [m.fill(5, f"q{number}") for number in range(10)]
    await settled(m)
    assert m.resident() <= 20 * EACH
    assert [client.broker.vhosts["/"].queues[b"q%d" % n].ready_count() for n, client in enumerate(clients)] == [5] * 10


async def test_messages_stay_where_they_are_found_when_the_disk_takes_no_pages(
    machine: Callable[[int], Machine], caplog: pytest.LogCaptureFixture
) -> None:
    there = machine(100 * EACH)
    client = there.fill(500)
    there.paging.folder = there.paging.folder / "gone"
    await run_for(there, 0.5)
    assert [record.getMessage() for record in caplog.records] == [
        f"messages cannot be paged out: [Errno 2] No such file or directory: '{there.paging.folder}/0.page'"
    ]
    assert await taken(there, client) == list(range(500))

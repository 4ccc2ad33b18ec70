"""Long work on definitions leaves turns to everybody else, and does not run ahead of the disk."""

import json

import httpx
import trio

from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions.apply import applying
from amq.definitions.parse import parse
from amq.definitions.steps import Steps
from amq.journal.batch import Batch
from amq.management.slicing import WAITING, in_slices
from amq.vhost import topology
from tests.management.conftest import new_node

# More than can be done in one slice of a millisecond.
MANY = 3000


def document(count: int) -> str:
    queues = [{"name": f"q{number}", "vhost": "/", "durable": True} for number in range(count)]
    bindings = [
        {"source": "amq.direct", "vhost": "/", "destination": queue["name"], "destination_type": "queue"}
        for queue in queues
    ]
    return json.dumps({"queues": queues, "bindings": bindings})


class Turns:
    """Counts how often somebody else gets a turn."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self) -> None:
        while True:
            self.count += 1
            await trio.lowlevel.checkpoint()


async def test_others_get_turns_while_very_much_is_imported_exported_and_deleted(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    turns = Turns()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns.run)
        headers = {"content-type": "application/json"}
        answer = await client.post("/definitions", content=document(MANY), headers=headers)
        assert (answer.status_code, len(broker.vhosts["/"].queues)) == (204, MANY)
        assert turns.count > 3
        turns.count = 0
        assert len((await client.get("/definitions")).json()["queues"]) == MANY
        assert turns.count > 3
        turns.count = 0
        assert (await client.delete("/vhosts/%2F")).status_code == 204
        assert turns.count > 3
        nursery.cancel_scope.cancel()


async def test_a_result_comes_of_work_in_slices(broker: Broker) -> None:
    def steps() -> Steps[int]:
        yield
        yield
        return 7

    assert await in_slices(new_node(broker), steps()) == 7


async def test_no_more_changes_are_made_than_are_on_their_way_to_the_disk() -> None:
    """Publishers wait for the same disk."""
    broker = Broker(Settings(), 0.0, 0.0, Batch(keeps=True))
    broker.journal.landed(broker.journal.take())
    most = 0

    async def writer() -> None:
        nonlocal most
        while True:
            await trio.sleep(0.002)
            work = broker.journal.take()
            most = max(most, len(work.changes))
            broker.journal.landed(work)
            broker.durable(work.ticket)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer)
        await in_slices(new_node(broker), applying(parse(document(MANY)), broker))
        nursery.cancel_scope.cancel()
    assert len(broker.vhosts["/"].queues) == MANY
    # As many as one slice has more.
    assert WAITING < most < 5 * WAITING


async def test_a_vhost_that_is_deleted_while_somebody_declares_in_it_is_gone_all_the_same(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    vhost = broker.add_vhost("v")
    for number in range(MANY):
        topology.create_queue(vhost, b"q%d" % number, True, None, False, {})

    async def declare() -> None:
        for number in range(MANY):
            topology.create_queue(vhost, b"new%d" % number, True, None, False, {})
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(declare)
        assert (await client.delete("/vhosts/v")).status_code == 204
        assert "v" not in broker.vhosts
        nursery.cancel_scope.cancel()

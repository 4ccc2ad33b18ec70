"""A client that reads nothing: its socket takes nothing, and its connection ends all the same."""

import time

import trio
import trio.testing

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from amq.server.transport import Transport, Wire, send_all
from tests.fuzz import wire as octets


class StuckWire(Wire):
    """What is to be read comes at once, and then nothing; what is written is never taken."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)
        self.ended = False

    async def read(self) -> bytes:
        if not self.chunks:
            await trio.sleep_forever()
        return self.chunks.pop(0)

    def write_some(self, data: bytes) -> int:
        return 0

    async def write(self, data: bytes) -> None:
        await trio.sleep_forever()

    async def end(self) -> None:
        self.ended = True


def transport(broker: Broker, *chunks: bytes) -> tuple[Transport, StuckWire]:
    connection = Connection(broker, Peer("127.0.0.1", 1, "127.0.0.1", 2), time.monotonic())
    wire = StuckWire(*chunks)
    return Transport(connection, wire, lambda: None), wire


def new_broker() -> Broker:
    return Broker(Settings(), time.monotonic(), time.time())


async def test_a_client_that_says_goodbye_and_does_not_read_the_answer_is_dropped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    broker = new_broker()
    stuck, wire = transport(broker, *octets.handshake(), octets.method(0, "connection.close", reply_code=200))
    with trio.fail_after(10):
        await stuck.run()
    assert wire.ended
    assert broker.clients == {}


async def test_a_connection_that_ends_for_a_client_that_does_not_read_is_dropped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    broker = new_broker()
    stuck, wire = transport(broker, *octets.handshake())
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stuck.run)
            await trio.testing.wait_all_tasks_blocked()
            stuck.connection.end()
            send_all(broker)
    assert wire.ended
    assert stuck.connection.outbox.pieces == []

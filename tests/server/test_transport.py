"""Sockets that take nothing, everything, or everything in their own time."""

import time

import trio
import trio.testing

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.outbox import Piece
from amq.connection.peer import Peer
from amq.server.transport import CHUNK, LEAST_CHUNK, QUICK, TOO_LONG, send_all
from amq.server.wired import Wire, WiredTransport
from tests.fuzz import wire as octets


class StuckWire(Wire):
    """What is to be read comes at once, and then nothing; what is written is never taken."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)
        self.ended = False

    async def read(self, most: int) -> bytes:
        if not self.chunks:
            await trio.sleep_forever()
        return self.chunks.pop(0)

    def write_some(self, data: Piece) -> int:
        return 0

    async def write(self, data: Piece) -> None:
        await trio.sleep_forever()

    async def end(self) -> None:
        self.ended = True


class GreedyWire(StuckWire):
    """What is written is taken at once, all of it."""

    def __init__(self, *chunks: bytes) -> None:
        super().__init__(*chunks)
        self.taken = 0

    def write_some(self, data: Piece) -> int:
        self.taken += len(data)
        return len(data)

    async def write(self, data: Piece) -> None:
        await trio.sleep(0)
        self.taken += len(data)


class PatientWire(GreedyWire):
    """Nothing is taken at once, and everything as soon as `opened`."""

    def __init__(self, *chunks: bytes) -> None:
        super().__init__(*chunks)
        self.opened = trio.Event()

    def write_some(self, data: Piece) -> int:
        return 0

    async def write(self, data: Piece) -> None:
        await self.opened.wait()
        self.taken += len(data)


def transport(broker: Broker, *chunks: bytes) -> tuple[WiredTransport, StuckWire]:
    connection = Connection(broker, Peer("127.0.0.1", 1, "127.0.0.1", 2), time.monotonic())
    wire = StuckWire(*chunks)
    return WiredTransport(connection, lambda: send_all(broker), wire), wire


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


def serving(broker: Broker, wire: Wire) -> WiredTransport:
    connection = Connection(broker, Peer("127.0.0.1", 1, "127.0.0.1", 2), time.monotonic())
    return WiredTransport(connection, lambda: send_all(broker), wire)


def entering(*methods: bytes) -> bytes:
    return b"".join([*octets.handshake(), octets.method(1, "channel.open"), *methods])


async def test_a_backlog_goes_out_to_the_last_message_to_a_socket_that_always_has_room(
    autojump_clock: trio.testing.MockClock,
) -> None:
    body, count = bytes(60_000), 100
    wire = GreedyWire(
        entering(
            octets.method(1, "queue.declare", queue="q"),
            octets.method(1, "basic.consume", queue="q", no_ack=True),
            *octets.publish(1, "q", body),
        ),
        b"".join(octets.publish(1, "q", body) * (count - 1)),
    )
    with trio.move_on_after(1):
        await serving(new_broker(), wire).run()
    assert wire.taken > len(body) * count


def pass_time(seconds: float) -> None:
    """Let messages expire behind a socket that has no room for them; the broker's clock is the machine's."""
    time.sleep(seconds)


async def test_what_room_in_a_socket_sets_off_for_others_is_sent_to_them(
    autojump_clock: trio.testing.MockClock,
) -> None:
    broker, body = new_broker(), bytes(60_000)
    heir = GreedyWire(
        entering(
            octets.method(1, "queue.declare", queue="dead"),
            octets.method(1, "basic.consume", queue="dead", no_ack=True),
        )
    )
    fleeting = {"x-message-ttl": 5, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    slow = PatientWire(
        entering(
            octets.method(1, "queue.declare", queue="q", arguments=fleeting),
            octets.method(1, "basic.consume", queue="q", no_ack=True),
            *octets.publish(1, "q", body) * 10,
        )
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serving(broker, heir).run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(serving(broker, slow).run)
        await trio.testing.wait_all_tasks_blocked()
        assert heir.taken < len(body)
        pass_time(0.01)
        slow.opened.set()
        await trio.testing.wait_all_tasks_blocked()
        assert heir.taken > len(body)
        nursery.cancel_scope.cancel()


def test_a_client_whose_chunks_take_long_is_read_in_small_ones_and_in_large_ones_again_when_they_do_not() -> None:
    connection = Connection(Broker(Settings(), 0.0, 0.0), Peer("127.0.0.1", 1, "127.0.0.1", 2), 0.0)
    transport = WiredTransport(connection, lambda: None, StuckWire())
    for _ in range(10):
        transport._measure(0.0001)
    assert transport._chunk == CHUNK
    for _ in range(20):
        transport._measure(0.1)
    assert transport._chunk == LEAST_CHUNK
    transport._measure((TOO_LONG + QUICK) / 2)
    assert transport._chunk == LEAST_CHUNK
    transport._measure(0.0001)
    assert transport._chunk == 2 * LEAST_CHUNK

"""Clients on plain sockets, whose other ends do as they please."""

import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import attrs
import pytest
import trio
import trio.testing

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from amq.server.plain import PlainTransport
from amq.server.reactor import READ, Reactor
from amq.server.transport import send_all
from tests.fuzz import wire as octets

RESET = struct.pack("ii", 1, 0)


@attrs.define(eq=False)
class Shell:
    """A broker, its reactor, and the clients that are not gone."""

    nursery: trio.Nursery
    reactor: Reactor
    broker: Broker = attrs.field(factory=lambda: Broker(Settings(), time.monotonic(), time.time()))
    clients: list[PlainTransport] = attrs.field(factory=list)

    def flush(self) -> None:
        send_all(self.broker)

    def start(self, action: Callable[[], Awaitable[None]]) -> None:
        self.nursery.start_soon(action)

    def connect(self) -> tuple[PlainTransport, socket.socket]:
        served, client = connected()
        return self.serve(served.detach()), client

    def serve(self, fd: int) -> PlainTransport:
        connection = Connection(self.broker, Peer("127.0.0.1", 1, "127.0.0.1", 2), time.monotonic())
        transport = PlainTransport(connection, self.flush, fd, self.reactor, self.start, self.clients.remove)
        self.clients.append(transport)
        transport.begin()
        return transport


def connected() -> tuple[socket.socket, socket.socket]:
    """The broker's end of a connection, and the client's; neither blocks."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    client.setblocking(False)
    served, _ = listener.accept()
    listener.close()
    served.setblocking(False)
    return served, client


@pytest.fixture
async def shell(nursery: trio.Nursery) -> AsyncIterator[Shell]:
    reactor = Reactor()
    nursery.start_soon(reactor.run)
    shell = Shell(nursery, reactor)
    yield shell
    for transport in list(shell.clients):
        transport.end()
    nursery.cancel_scope.cancel()
    reactor.close()


def entering(*methods: bytes) -> bytes:
    return b"".join([*octets.handshake(), octets.method(1, "channel.open"), *methods])


def heard(client: socket.socket) -> bytes:
    """All that has arrived, and what marks an end."""
    data = b""
    while True:
        try:
            piece = client.recv(1 << 20)
        except BlockingIOError:
            return data
        if not piece:
            return data + b"(end)"
        data += piece


async def settled() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)


async def test_a_client_that_leaves_in_good_order_hears_the_answer_and_then_the_end(shell: Shell) -> None:
    _, client = shell.connect()
    with client:
        client.sendall(entering(octets.method(0, "connection.close", reply_code=200)))
        await settled()
        assert heard(client).endswith(b"\x00\x0a\x00\x33\xce(end)")
        assert len(shell.clients) == 1
    await settled()
    assert shell.clients == []
    assert shell.broker.clients == {}


async def test_a_client_that_is_gone_is_forgotten_at_once(shell: Shell) -> None:
    _, client = shell.connect()
    with client:
        client.sendall(entering())
        await settled()
        assert len(shell.broker.clients) == 1
    await settled()
    assert shell.clients == []
    assert shell.broker.clients == {}


async def test_a_client_that_says_goodbye_and_never_ends_its_side_is_dropped(
    shell: Shell, autojump_clock: trio.testing.MockClock
) -> None:
    _, client = shell.connect()
    with client:
        client.sendall(entering(octets.method(0, "connection.close", reply_code=200)))
        with trio.fail_after(10):
            await trio.sleep(5)
    assert shell.clients == []


@pytest.mark.parametrize("begun", [True, False], ids=["in the middle of it", "at the very start"])
async def test_a_client_that_is_cut_off_while_it_departs_leaves_nothing_to_whoever_gets_its_descriptor(
    shell: Shell, begun: bool
) -> None:
    leaving, client = shell.connect()
    served, other = connected()
    with client, served, other:
        client.sendall(entering(octets.method(0, "connection.close", reply_code=200)))
        if begun:
            await settled()
        else:
            leaving.ready(READ)
        leaving.cut()
        os.dup2(served.fileno(), leaving.fd)
        shell.serve(leaving.fd)
        served.close()
        other.sendall(entering(octets.method(0, "connection.close", reply_code=200)))
        await settled()
        assert heard(other).endswith(b"\x00\x0a\x00\x33\xce(end)")
    await settled()
    assert shell.clients == []


async def test_what_was_published_before_a_reset_counts_even_if_it_was_not_wanted_yet(shell: Shell) -> None:
    _, client = shell.connect()
    client.sendall(entering(octets.method(1, "queue.declare", queue="q")))
    await settled()
    shell.broker.set_alarm("memory", True)
    client.sendall(b"".join(octets.publish(1, "q", b"first")))
    await settled()
    client.sendall(b"".join(octets.publish(1, "q", b"second")))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()
    await settled()
    # Its socket is broken, which the system goes on saying; nobody is kept busy by that.
    assert len(shell.clients) == 1
    shell.broker.set_alarm("memory", False)
    shell.flush()
    await settled()
    assert shell.clients == []
    queue = shell.broker.vhosts["/"].queues[b"q"]
    assert queue.ready_count() >= 1


async def test_a_long_backlog_goes_out_to_a_client_that_reads_in_its_own_time(shell: Shell) -> None:
    body, count = bytes(100_000), 100
    _, client = shell.connect()
    with client:
        client.sendall(entering(octets.method(1, "queue.declare", queue="q")))
        await settled()
        for _ in range(count):
            client.setblocking(True)
            await trio.to_thread.run_sync(client.sendall, b"".join(octets.publish(1, "q", body)))
            client.setblocking(False)
        await settled()
        client.sendall(octets.method(1, "basic.consume", queue="q", no_ack=True))
        arrived = 0
        with trio.fail_after(20):
            while arrived < count * len(body):
                await trio.sleep(0.001)
                arrived += len(heard(client))
        assert shell.broker.vhosts["/"].queues[b"q"].ready_count() == 0


async def test_many_sockets_that_break_at_once_end_one_after_the_other(shell: Shell) -> None:
    clients = []
    for number in range(300):
        _, client = shell.connect()
        client.sendall(
            entering(
                octets.method(1, "exchange.declare", exchange="all", type="fanout"),
                octets.method(1, "queue.declare", queue=f"q{number}"),
                octets.method(1, "queue.bind", queue=f"q{number}", exchange="all"),
                octets.method(1, "basic.consume", queue=f"q{number}", no_ack=True),
            )
        )
        clients.append(client)
    await settled()
    for client in clients[1:]:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
    # All of them break while one message is sent to all.
    clients[0].sendall(b"".join(octets.publish(1, "", b"news", exchange="all")))
    await settled()
    assert len(shell.clients) == 1
    clients[0].close()

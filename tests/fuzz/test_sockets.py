"""Mutated dialogues and random octets over sockets, many clients at once, against a broker process."""

import os
import socket
from collections.abc import Iterator
from random import Random

import pytest

from tests.conformance import methods
from tests.conformance.client import Connection
from tests.fuzz import wire
from tests.fuzz.dialogues import EXCHANGES, OPENING, QUEUES, TALKS, Frames, whole
from tests.fuzz.mutations import chunks, mutate
from tests.fuzz.siege import MIB, Siege, served
from tests.fuzz.trial import HARD, SOFT
from tests.harness.process import BrokerProcess

AT_ONCE = 20
ROUNDS = int(os.environ.get("AMQ_FUZZ_ROUNDS", "1000"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    yield from served(tmp_path_factory.mktemp("amq"), "log.console.level = error\n")


def assail(broker: BrokerProcess, random: Random, clients: int) -> None:
    """So many clients at once, each with a dialogue of its own; AssertionError when one hears nonsense."""
    dialogues = [whole(talk) for talk in TALKS]
    sockets = [socket.create_connection((broker.host, broker.port), 10) for _ in range(clients)]
    try:
        inputs = [one(random, dialogues) for _ in sockets]
        for turn in range(max(len(pieces) for pieces in inputs)):
            for each, pieces in zip(sockets, inputs, strict=True):
                if turn < len(pieces):
                    send(each, pieces[turn])
        for each in sockets:
            if random.random() < 0.7:
                check(farewell(each))
    finally:
        for each in sockets:
            each.close()


def sweep(broker: BrokerProcess) -> None:
    """Delete what dialogues declare, with the messages in it; mutated names stay."""
    connection = Connection((broker.host, broker.port))
    connection.enter()
    channel = connection.channel(1)
    for name in QUEUES:
        channel.say("queue.delete", queue=name)
        if connection.next_method(1, "queue.delete-ok").name == "channel.close":
            channel.call_again()
    for name in EXCHANGES:
        channel.call("exchange.delete", exchange=name)
    connection.leave()


def one(random: Random, dialogues: list[Frames]) -> list[bytes]:
    """A mutated dialogue, sometimes random octets, in at most a few pieces."""
    if random.random() < 0.1:
        return [random.randbytes(random.randrange(1, 400))]
    pieces = chunks(random, b"".join(mutate(random, random.choice(dialogues), OPENING)))
    return [*pieces[:10], b"".join(pieces[10:])]


def send(each: socket.socket, octets: bytes) -> None:
    """Send, unless the broker has closed the socket, as it may."""
    try:
        each.sendall(octets)
    except (BrokenPipeError, ConnectionResetError):
        return


def farewell(each: socket.socket) -> bytes:
    """Say that nothing more comes; returns everything that the broker says until it closes too."""
    said = bytearray()
    try:
        each.shutdown(socket.SHUT_WR)
        while octets := each.recv(1 << 16):
            said += octets
    except TimeoutError:
        raise
    except OSError:
        # Octets that nobody read when the broker closed: what it said before is lost then.
        return b""
    return bytes(said)


def check(said: bytes) -> None:
    """Whole frames, and closes with a code of the specification."""
    if said == wire.PROTOCOL_HEADER:
        return
    for kind, _, payload in wire.split(said):
        if kind == wire.METHOD:
            method = methods.decode(payload)
            if method.name in ("channel.close", "connection.close"):
                assert method.fields["reply_code"] in SOFT | HARD, method


def test_mutated_dialogues_over_sockets_disturb_nobody(broker: BrokerProcess) -> None:
    random = Random(1)
    with Siege(broker) as siege:
        for _ in range(30):
            assail(broker, random, AT_ONCE)
        sweep(broker)
        siege.serves()


@pytest.mark.campaign
def test_a_campaign_of_mutated_dialogues_over_sockets(broker: BrokerProcess) -> None:
    random = Random(int(os.environ.get("AMQ_FUZZ_SEED", "7")))
    # What thousands of clients in a few seconds took, the allocator keeps, in pieces; the next thousands must fit in.
    for slack in (256 * MIB, 32 * MIB):
        # The broker collects its garbage once a minute.
        with Siege(broker, slack, patience=80.0) as siege:
            for turn in range(ROUNDS // 2):
                assail(broker, random, AT_ONCE)
                if turn % 20 == 0:
                    sweep(broker)
            sweep(broker)
            siege.serves()

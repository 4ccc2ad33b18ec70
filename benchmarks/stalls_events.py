"""What stalls.py lets happen beside the flow. Each event is a generator: it prepares, yields, and then does it.

What comes behind the `yield` is what may hold others up; the event ends when the broker has answered for it.
"""

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
from raw_client import BODY, HEADER, PERSISTENT, Client, frame, method, short

Event = Callable[["Stage"], Iterator[None]]

HUGE: Final = 1 << 26
FRAME: Final = 131072 - 8
DELIVERY_MODE: Final = 0x1000
EXPIRATION: Final = 0x0100
HEADERS: Final = 0x2000
# Messages published in one send.
PORTION: Final = 2000
VHOST: Final = "doomed"


@attrs.define
class Stage:
    """The broker's port, that of its HTTP API (0: not used), and how many messages are a long queue, and a wave."""

    port: int
    web: int
    long: int
    wave: int

    def client(self, vhost: str = "/") -> Client:
        """Another connection."""
        return Client(self.port, vhost)

    def ask(self, verb: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """A request of the HTTP API."""
        return self.send(verb, path, b"" if body is None else json.dumps(body).encode())

    def send(self, verb: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The same with octets. Raises OSError where the answer is no success."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=120)
        authorization = "Basic " + base64.b64encode(b"guest:guest").decode()
        connection.request(verb, path, body, {"authorization": authorization, "content-type": "application/json"})
        answer = connection.getresponse()
        octets = answer.read()
        connection.close()
        if answer.status >= 300:
            raise OSError(f"{verb} {path}: {answer.status} {octets[:200]!r}")
        return answer.status, octets


# -- what events are made of --


def table(**arguments: int | str) -> bytes:
    """Arguments of a declaration; an underscore is a dash."""
    octets = b""
    for name, value in arguments.items():
        key = short(name.replace("_", "-"))
        if isinstance(value, int):
            octets += key + b"l" + value.to_bytes(8, "big")
        else:
            octets += key + b"S" + len(value).to_bytes(4, "big") + value.encode()
    return len(octets).to_bytes(4, "big") + octets


def declare(client: Client, name: str, durable: bool = False, exclusive: bool = False, **arguments: int | str) -> int:
    """A queue; how many messages are in it."""
    flags = bytes([2 * durable + 4 * exclusive])
    answer = client.ask((50, 10), b"\0\0" + short(name) + flags + table(**arguments), (50, 11))
    return int.from_bytes(answer[1 + answer[0] :][:4], "big")


def count(client: Client, name: str) -> int:
    """How many messages are in a queue."""
    answer = client.ask((50, 10), b"\0\0" + short(name) + b"\x01" + bytes(4), (50, 11))
    return int.from_bytes(answer[1 + answer[0] :][:4], "big")


def until(client: Client, name: str, wanted: int, seconds: float = 60.0) -> None:
    """Wait until so many messages are in a queue, which everybody has to wait for, too."""
    end = time.monotonic() + seconds
    while count(client, name) != wanted:
        if time.monotonic() > end:
            sys.exit(f"{name} has {count(client, name)} messages, not {wanted}")
        time.sleep(0.05)


def content(queue: str, size: int, properties: bytes = bytes(2), exchange: str = "") -> bytes:
    """A message of so many octets, with properties as they stand in a header."""
    octets = [method(1, (60, 40), b"\0\0" + short(exchange) + short(queue) + b"\0")]
    octets.append(frame(HEADER, 1, (60).to_bytes(2, "big") + bytes(2) + size.to_bytes(8, "big") + properties))
    octets += [frame(BODY, 1, bytes(min(FRAME, size - at))) for at in range(0, size, FRAME)]
    return b"".join(octets)


def properties(durable: bool = False, expiration: str = "", delay: int = -1) -> bytes:
    """Flags and values."""
    flags = DELIVERY_MODE * durable | EXPIRATION * bool(expiration) | HEADERS * (delay >= 0)
    values = table(x_delay=delay) if delay >= 0 else b""
    values += bytes([PERSISTENT]) if durable else b""
    return flags.to_bytes(2, "big") + values + (short(expiration) if expiration else b"")


def fill(client: Client, queue: str, messages: int, octets: bytes) -> None:
    """Publish so many messages, and wait until they are in a queue."""
    portion = octets * PORTION
    for _ in range(messages // PORTION):
        client.socket.sendall(portion)
    client.socket.sendall(octets * (messages % PORTION))
    count(client, queue)


def filled(stage: Stage, messages: int, durable: bool = False, **arguments: int | str) -> Client:
    """A client, and a queue `long` with so many messages of 16 octets."""
    client = stage.client()
    declare(client, "long", durable, **arguments)
    fill(client, "long", messages, content("long", 16, properties(durable)))
    return client


def consume(client: Client, queue: str, no_ack: bool = False) -> None:
    """A consumer, whose deliveries nobody reads yet."""
    client.ask((60, 20), b"\0\0" + short(queue) + short("c") + bytes([2 * no_ack]) + bytes(4), (60, 21))


def take(client: Client, messages: int) -> None:
    """Read so many deliveries of one size."""
    size = sum(len(client.frame_payload()) + 8 for _ in range(3))
    left = size * (messages - 1)
    while left:
        left -= len(client.exactly(min(left, 1 << 20)))


def unacknowledged(stage: Stage, messages: int, durable: bool = False) -> Client:
    """A client to whom all messages of the queue `long` were delivered."""
    filled(stage, messages, durable).close()
    client = stage.client()
    consume(client, "long")
    take(client, messages)
    # No more than these: what comes back stays there.
    client.ask((60, 30), short("c") + b"\0", (60, 31))
    return client


def huge(client: Client, queue: str, durable: bool = False, exchange: str = "") -> None:
    """Publish a huge message, and wait until it is there."""
    client.ask((85, 10), b"\0", (85, 11))
    client.socket.sendall(content(queue, HUGE, properties(durable), exchange))
    client.expect((60, 80))


def skip(client: Client) -> None:
    """Read a huge body."""
    left = HUGE
    while left:
        kind, size = client.skip_frame()
        if kind == BODY:
            left -= size


# -- who does not read, and what is huge --


def stuck_consumer(stage: Stage) -> Iterator[None]:
    """A consumer without limits does not read, and its queue is flooded with 400 MB."""
    client, publisher = stage.client(), stage.client()
    declare(client, "long")
    consume(client, "long", no_ack=True)
    yield
    fill(publisher, "long", 400_000, content("long", 1024))


def slow_consumer(stage: Stage) -> Iterator[None]:
    """A consumer reads 64 KiB every 10 ms, and its queue is flooded."""
    client, publisher = stage.client(), stage.client()
    declare(client, "long")
    consume(client, "long", no_ack=True)
    done = threading.Event()

    def read() -> None:
        while not done.wait(0.01):
            client.socket.recv(1 << 16)

    reader = threading.Thread(target=read)
    reader.start()
    yield
    fill(publisher, "long", 300_000, content("long", 1024))
    done.set()
    reader.join()


def huge_published(durable: bool, queues: int = 1) -> Event:
    """64 MiB are published to so many queues."""

    def event(stage: Stage) -> Iterator[None]:
        client = stage.client()
        for number in range(queues):
            declare(client, f"q{number}", durable)
            client.bind(f"q{number}", "amq.fanout", "")
        yield
        for _ in range(3):
            huge(client, "", durable, "amq.fanout")

    return event


def huge_delivered(durable: bool, queues: int = 1) -> Event:
    """64 MiB go through so many queues to a consumer each."""

    def event(stage: Stage) -> Iterator[None]:
        consumers = [stage.client() for _ in range(queues)]
        for number, client in enumerate(consumers):
            declare(client, f"q{number}", durable)
            client.bind(f"q{number}", "amq.fanout", "")
            consume(client, f"q{number}", no_ack=True)
        publisher = stage.client()
        yield
        huge(publisher, "", durable, "amq.fanout")
        for client in consumers:
            skip(client)

    return event


def huge_got(stage: Stage) -> Iterator[None]:
    """64 MiB are fetched with basic.get."""
    client = stage.client()
    declare(client, "q")
    huge(client, "q")
    yield
    client.get("q")
    skip(client)


def huge_slow(stage: Stage) -> Iterator[None]:
    """Ten times 64 MiB for a consumer that reads nothing for a while."""
    client, publisher = stage.client(), stage.client()
    declare(client, "q")
    consume(client, "q", no_ack=True)
    yield
    for _ in range(10):
        huge(publisher, "q")
    for _ in range(10):
        skip(client)


def huge_rejected(durable: bool, dead: bool) -> Event:
    """64 MiB are delivered and rejected: to a dead-letter exchange, or back into the queue and delivered again."""

    def event(stage: Stage) -> Iterator[None]:
        client = stage.client()
        declare(client, "morgue", durable)
        arguments: dict[str, str] = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": "morgue"}
        declare(client, "q", durable, **(arguments if dead else {}))
        huge(client, "q", durable)
        consume(client, "q")
        skip(client)
        yield
        client.socket.sendall(method(1, (60, 90), (1).to_bytes(8, "big") + bytes([not dead])))
        if dead:
            until(stage.client(), "morgue", 1)
        else:
            skip(client)

    return event


def huge_limited(stage: Stage) -> Iterator[None]:
    """64 MiB come into a queue with a max-length-bytes that is full of small messages, which have to go."""
    client = filled(stage, stage.wave, x_max_length_bytes=HUGE + 1600)
    yield
    huge(client, "long")
    until(client, "long", 101)


# -- what is long --


def purge(durable: bool, paged: bool = False) -> Event:
    """A long queue is purged."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, stage.long, durable)
        if paged:
            time.sleep(10)
        yield
        answer = client.ask((50, 30), b"\0\0" + short("long") + b"\0", (50, 31))
        assert int.from_bytes(answer[:4], "big") == stage.long
        assert count(client, "long") == 0

    return event


def delete(durable: bool) -> Event:
    """A long queue is deleted."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, stage.long, durable)
        yield
        client.ask((50, 40), b"\0\0" + short("long") + b"\0", (50, 41))

    return event


def delete_vhost(stage: Stage) -> Iterator[None]:
    """The vhost of a long queue is deleted."""
    stage.ask("PUT", f"/api/vhosts/{VHOST}")
    stage.ask("PUT", f"/api/permissions/{VHOST}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    client = stage.client(VHOST)
    declare(client, "long")
    fill(client, "long", stage.long, content("long", 16))
    yield
    stage.ask("DELETE", f"/api/vhosts/{VHOST}")


def exclusive_closed(stage: Stage) -> Iterator[None]:
    """The connection of a long exclusive queue is closed."""
    client = stage.client()
    declare(client, "long", exclusive=True)
    fill(client, "long", stage.wave, content("long", 16))
    yield
    client.socket.sendall(method(0, (10, 50), (200).to_bytes(2, "big") + short("bye") + bytes(4)))
    client.expect((10, 51))


def expired_queue(stage: Stage) -> Iterator[None]:
    """A long queue that nobody uses expires."""
    client = stage.client()
    declare(client, "long", x_expires=1000 + stage.long // 100)
    fill(client, "long", stage.long, content("long", 16))
    client.ask((50, 10), b"\0\0" + short("long") + b"\x01" + bytes(4), (50, 11))
    yield
    time.sleep(stage.long / 100_000 + 1)


def limited_by_policy(dead: bool) -> Event:
    """A policy with a max-length comes over a long queue, with or without a dead-letter exchange."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, stage.wave if dead else stage.long)
        definition: dict[str, Any] = {"max-length": 10}
        if dead:
            declare(client, "morgue")
            definition |= {"dead-letter-exchange": "", "dead-letter-routing-key": "morgue"}
        yield
        stage.ask("PUT", "/api/policies/%2F/short", {"pattern": "^long$", "definition": definition})
        until(client, "long", 10)
        if dead:
            until(client, "morgue", stage.wave - 10, 180)

    return event


def long_consumed(durable: bool) -> Event:
    """A consumer takes everything out of a long queue."""

    def event(stage: Stage) -> Iterator[None]:
        filled(stage, stage.long, durable).close()
        client = stage.client()
        yield
        consume(client, "long", no_ack=True)
        take(client, stage.long)

    return event


# -- what is outstanding --


def closed(connection: bool, durable: bool = False) -> Event:
    """A channel, or a connection, with very many unacknowledged messages is closed."""

    def event(stage: Stage) -> Iterator[None]:
        client = unacknowledged(stage, stage.wave, durable)
        other = stage.client()
        yield
        if connection:
            client.close()
        else:
            client.ask((20, 40), (200).to_bytes(2, "big") + short("bye") + bytes(4), (20, 41))
        until(other, "long", stage.wave)

    return event


def recovered(stage: Stage) -> Iterator[None]:
    """basic.recover of very many messages."""
    client = unacknowledged(stage, stage.wave)
    yield
    client.ask((60, 110), b"\x01", (60, 111))
    assert count(client, "long") == stage.wave


def nacked(stage: Stage) -> Iterator[None]:
    """One basic.nack requeues very many messages."""
    client = unacknowledged(stage, stage.wave)
    yield
    client.socket.sendall(method(1, (60, 120), stage.wave.to_bytes(8, "big") + b"\x03"))
    assert count(client, "long") == stage.wave


def acknowledged(durable: bool) -> Event:
    """One basic.ack acknowledges very many messages."""

    def event(stage: Stage) -> Iterator[None]:
        client = unacknowledged(stage, stage.wave, durable)
        yield
        client.socket.sendall(method(1, (60, 80), stage.wave.to_bytes(8, "big") + b"\x01"))
        assert count(client, "long") == 0

    return event


def committed(durable: bool) -> Event:
    """tx.commit of 200,000 messages."""

    def event(stage: Stage) -> Iterator[None]:
        client = stage.client()
        declare(client, "long", durable)
        client.ask((90, 10), b"", (90, 11))
        fill(client, "long", stage.wave // 5, content("long", 16, properties(durable)))
        yield
        client.ask((90, 20), b"", (90, 21))
        assert count(client, "long") == stage.wave // 5

    return event


# -- what is due --


def wave(own: bool, dead: bool, durable: bool = False) -> Event:
    """Very many messages expire at once, by the queue's time to live or by their own."""

    def event(stage: Stage) -> Iterator[None]:
        client = stage.client()
        # Each with a time to live of its own takes longer to publish.
        ttl = 2000 + stage.wave // (50 if own else 100)
        arguments: dict[str, int | str] = {} if own else {"x_message_ttl": ttl}
        if dead:
            declare(client, "morgue", durable)
            arguments |= {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": "morgue"}
        declare(client, "long", durable, **arguments)
        began = time.monotonic()
        # All at once: each portion lives a little shorter than the one before it.
        if own:
            portions = stage.wave // PORTION
            for _ in range(portions):
                left = ttl - int((time.monotonic() - began) * 1000)
                client.socket.sendall(content("long", 16, properties(durable, str(max(left, 1)))) * PORTION)
            count(client, "long")
        else:
            fill(client, "long", stage.wave, content("long", 16, properties(durable)))
            # Its messages are kept from expiring one after the other: the first one lives longest.
        yield
        until(client, "long", 0, 120)
        if dead:
            until(client, "morgue", stage.wave, 180)

    return event


def delayed(stage: Stage) -> Iterator[None]:
    """A delayed exchange releases very many messages at once."""
    client = stage.client()
    arguments = table(x_delayed_type="direct")
    client.ask((40, 10), b"\0\0" + short("later") + short("x-delayed-message") + b"\0" + arguments, (40, 11))
    declare(client, "long")
    client.bind("long", "later", "k")
    began = time.monotonic()
    messages = stage.wave // 10
    for _ in range(messages // PORTION):
        left = 4000 - int((time.monotonic() - began) * 1000)
        client.socket.sendall(content("k", 16, properties(delay=left), "later") * PORTION)
    count(client, "long")
    yield
    until(client, "long", messages)


# -- operators --


def document(messages: int) -> dict[str, Any]:
    """Definitions of so many things."""
    queues = [
        {"name": f"d{number}", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
        for number in range(messages // 2)
    ]
    bindings = [
        {
            "source": "amq.direct",
            "vhost": "/",
            "destination": f"d{number}",
            "destination_type": "queue",
            "routing_key": f"k{number}",
            "arguments": {},
        }
        for number in range(messages // 2)
    ]
    return {"queues": queues, "bindings": bindings}


def imported(stage: Stage) -> Iterator[None]:
    """10,000 definitions are imported over HTTP."""
    octets = json.dumps(document(10_000)).encode()
    yield
    stage.send("POST", "/api/definitions", octets)


def imported_by_command(stage: Stage) -> Iterator[None]:
    """10,000 definitions are imported with the command."""
    octets = json.dumps(document(10_000)).encode()
    environment = {**os.environ, "AMQ_URL": f"http://guest:guest@127.0.0.1:{stage.web}"}
    yield
    command = [sys.executable, "-m", "amq", "definitions", "import", "-"]
    subprocess.run(command, input=octets, env=environment, check=True, stdout=subprocess.DEVNULL)


def listed(stage: Stage) -> Iterator[None]:
    """Lists of 20,000 queues and bindings, and all definitions, are asked for."""
    stage.ask("POST", "/api/definitions", document(40_000))
    time.sleep(2)
    yield
    for path in ("queues", "bindings", "definitions", "exchanges", "queues?page=1&page_size=500&sort=name"):
        stage.ask("GET", f"/api/{path}")


def large_document(stage: Stage) -> Iterator[None]:
    """A JSON document of 10 MB is checked, and messages of 4 MB are published and fetched over HTTP."""
    octets = json.dumps(document(80_000)).encode()
    declare(stage.client(), "q")
    payload = {"properties": {}, "routing_key": "q", "payload": "x" * (1 << 22), "payload_encoding": "string"}
    wanted = {"count": 10, "ackmode": "ack_requeue_false", "encoding": "auto"}
    yield
    stage.send("POST", "/api/amq/definitions/check", octets)
    for _ in range(2):
        stage.ask("POST", "/api/exchanges/%2F/amq.default/publish", payload)
    stage.ask("POST", "/api/queues/%2F/q/get", wanted)


def moved(durable: bool) -> Event:
    """50,000 messages are moved over HTTP."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, 50_000, durable)
        declare(client, "there", durable)
        yield
        stage.ask("POST", "/api/amq/queues/%2F/long/move", {"to": {"queue": "there"}})
        until(client, "there", 50_000)

    return event


def logins(stage: Stage) -> Iterator[None]:
    """Twenty users with new passwords come in."""
    stage.ask("PUT", "/api/users/new", {"password": "secret", "tags": "administrator"})
    yield
    authorization = "Basic " + base64.b64encode(b"new:secret").decode()
    for _ in range(20):
        connection = http.client.HTTPConnection("127.0.0.1", stage.web, timeout=120)
        connection.request("GET", "/api/whoami", headers={"authorization": authorization})
        assert connection.getresponse().status == 200
        connection.close()


def connected(stage: Stage) -> Iterator[None]:
    """1,000 connections are opened at once, and closed at once."""
    clients: list[Client] = []
    yield

    def some() -> None:
        clients.extend([stage.client() for _ in range(100)])

    threads = [threading.Thread(target=some) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()


# Name: the event, and whether it needs the HTTP API.
EVENTS: Final[dict[str, tuple[Event, bool]]] = {
    "stuck-consumer": (stuck_consumer, False),
    "slow-consumer": (slow_consumer, False),
    "huge-published": (huge_published(False), False),
    "huge-published-5": (huge_published(False, 5), False),
    "huge-published-durable": (huge_published(True), False),
    "huge-published-durable-5": (huge_published(True, 5), False),
    "huge-delivered": (huge_delivered(False), False),
    "huge-delivered-5": (huge_delivered(False, 5), False),
    "huge-delivered-durable": (huge_delivered(True), False),
    "huge-got": (huge_got, False),
    "huge-slow-reader": (huge_slow, False),
    "huge-dead-lettered": (huge_rejected(False, True), False),
    "huge-dead-lettered-durable": (huge_rejected(True, True), False),
    "huge-requeued": (huge_rejected(False, False), False),
    "huge-max-length-bytes": (huge_limited, False),
    "purge": (purge(False), False),
    "purge-durable": (purge(True), False),
    "purge-paged": (purge(False, True), False),
    "purge-durable-paged": (purge(True, True), False),
    "delete": (delete(False), False),
    "delete-durable": (delete(True), False),
    "delete-vhost": (delete_vhost, True),
    "exclusive-closed": (exclusive_closed, False),
    "expired-queue": (expired_queue, False),
    "policy-max-length": (limited_by_policy(False), True),
    "policy-max-length-dead": (limited_by_policy(True), True),
    "long-consumed": (long_consumed(False), False),
    "long-consumed-durable": (long_consumed(True), False),
    "channel-closed": (closed(False), False),
    "channel-closed-durable": (closed(False, True), False),
    "connection-closed": (closed(True), False),
    "recover": (recovered, False),
    "nack-multiple": (nacked, False),
    "ack-multiple": (acknowledged(False), False),
    "ack-multiple-durable": (acknowledged(True), False),
    "commit": (committed(False), False),
    "commit-durable": (committed(True), False),
    "ttl-queue": (wave(False, False), False),
    "ttl-queue-dead": (wave(False, True), False),
    "ttl-message": (wave(True, False), False),
    "ttl-message-dead": (wave(True, True), False),
    "ttl-message-durable": (wave(True, False, True), False),
    "delayed": (delayed, True),
    "import-http": (imported, True),
    "import-command": (imported_by_command, True),
    "lists": (listed, True),
    "large-document": (large_document, True),
    "move": (moved(False), True),
    "move-durable": (moved(True), True),
    "logins": (logins, True),
    "connections": (connected, False),
}
# These need the budget for messages in memory to be small.
PAGED: Final = frozenset({"purge-paged", "purge-durable-paged"})

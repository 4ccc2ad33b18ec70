"""Events of stalls.py: who does not read, and what is huge."""

import threading
from collections.abc import Iterator

from raw_client import method
from stalls_stage import HUGE, Event, Stage, consume, content, declare, fill, filled, huge, skip, until


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
        arguments: dict[str, int | str] = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": "morgue"}
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

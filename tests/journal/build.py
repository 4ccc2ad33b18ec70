"""What a batch has taken down, read from its octets, and messages to give it."""

from collections.abc import Iterable
from typing import Any

import attrs

from amq.journal import record
from amq.journal.batch import Batch, Work
from amq.journal.record import HEAD
from amq.message import Message, address
from amq.wire import properties as props
from amq.wire.properties import Properties

ADDRESS = address(b"x", b"key")


@attrs.frozen
class Pair:
    """A message on record, for queues by id."""

    lsn: int
    body: bytes
    queues: list[int]
    address: bytes = ADDRESS


def records(octets: bytes) -> list[tuple[int, int]]:
    """Kind and place of every record."""
    found = []
    at = 0
    while at < len(octets):
        size, _, kind = HEAD.unpack_from(octets, at)
        found.append((kind, at))
        at += 8 + size
    assert at == len(octets)
    return found


def published(work: Work) -> list[Pair]:
    """The messages that a batch records, in their order."""
    octets = b"".join(work.pieces)
    pairs = []
    for kind, at in records(octets):
        if kind == record.RUN:
            run = record.read_run(octets, at)
            shared = record.content_like(octets, at, run, None)
            for message in record.messages(octets, at, run, shared):
                pairs.append(Pair(message.lsn, message.body, list(run.queues), message.address))
    return pairs


def settled(work: Work) -> list[tuple[int, int]]:
    """Queue id and LSN of everything that a batch settles, in its order."""
    octets = b"".join(work.pieces)
    found = []
    for kind, at in records(octets):
        if kind == record.SETTLED:
            queue, lsns = record.read_settled(octets, at)
            found += [(queue, lsn) for lsn in lsns]
    return found


def header(body_size: int = 0, **changes: bytes | None) -> bytes:
    """A content header; `changes` by the names of `amq.wire.properties`."""
    plain = bytes((0, 60, 0, 0)) + body_size.to_bytes(8, "big") + bytes(2)
    return props.rewrite(plain, {getattr(props, name): value for name, value in changes.items()})


def some_properties(ttl: int = -1, priority: int = 0, blind: list[bytes] | None = None) -> tuple[bytes, Properties]:
    """A content header of a persistent message, and what was read of it."""
    octets = header(DELIVERY_MODE=b"\2", PRIORITY=bytes((priority,)) if priority else None)
    properties = props.read(octets)
    properties.ttl = ttl
    properties.blind = blind
    return octets, properties


def run(batch: Batch, bodies: Iterable[bytes], queues: list[int], **options: Any) -> int:
    """Record messages of one size under the next LSNs; returns the first LSN."""
    bodies = list(bodies)
    octets, properties = some_properties(**options)
    first = batch.next_lsn
    batch.next_lsn += len(bodies)
    batch.run(first, bodies, ADDRESS, octets, properties, queues)
    return first


def message(body: bytes = b"m", **options: Any) -> Message:
    """A persistent message that has no number yet."""
    octets, properties = some_properties(**options)
    return Message(ADDRESS, octets, body, properties)

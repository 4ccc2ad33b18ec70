"""The most of what an operator looks for: /amq/top/{kind}. Everything is looked at, in slices; little is kept."""

from collections.abc import AsyncIterator, Callable, Mapping
from heapq import heappush, heappushpop
from itertools import islice
from typing import Any, Final

from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.connection.ledger import Delivery, Subscriber
from amq.exchanges.base import Exchange
from amq.management.answers import Answer, ok
from amq.management.call import Call
from amq.management.endpoint import MONITORING, Endpoint, Parameter, Schema
from amq.management.errors import BadRequest, NotFound
from amq.metrics import stats
from amq.metrics.objects import opened, text
from amq.metrics.sizes import sizes_of
from amq.metrics.slices import Slices
from amq.queues.base import Queue
from amq.vhost.vhost import Vhost

USUAL: Final = 20
MOST: Final = 500
# Of a channel with more unacknowledged deliveries than that, the oldest are looked at; the others are taken to be like
# them.
LOOKED_AT: Final = 5000

Item = dict[str, Any]
# What it is sorted by, and how it is described if it is among the most.
Candidate = tuple[tuple[float, ...], Callable[[], Item]]


async def top(call: Call) -> Answer:
    """The most of one kind, the most first."""
    kind = KINDS.get(call.path["kind"])
    if kind is None:
        raise NotFound(f"there are {', '.join(KINDS)}", "not_found")
    return ok(await most(kind(call), limit_of(call)))


def limit_of(call: Call) -> int:
    """How many are wanted. Raises BadRequest."""
    asked = call.query.get("limit", str(USUAL))
    if not (asked.isascii() and asked.isdigit() and len(asked) < 5 and 1 <= int(asked) <= MOST):
        raise BadRequest(f"limit must be a whole number from 1 to {MOST}, not {asked!r}")
    return int(asked)


async def most(candidates: AsyncIterator[Candidate], limit: int) -> list[Item]:
    """The `limit` greatest; of equals those that come first."""
    heap: list[tuple[tuple[float, ...], int, Callable[[], Item]]] = []
    order = 0
    async for rank, describe in candidates:
        order -= 1
        if len(heap) < limit:
            heappush(heap, (rank, order, describe))
        else:
            heappushpop(heap, (rank, order, describe))
    return [describe() for _, _, describe in sorted(heap, key=lambda entry: entry[:2], reverse=True)]


# -- queues --


async def by_memory(call: Call) -> AsyncIterator[Candidate]:
    """Queues by the memory that they take."""
    async for vhost, queue in queues(call):
        sizes = sizes_of(call.node.sampler, queue)
        yield (sizes.memory, sizes.octets), queue_item(call, vhost, queue)


async def by_octets(call: Call) -> AsyncIterator[Candidate]:
    """Queues by the octets of their messages, wherever these are."""
    async for vhost, queue in queues(call):
        sizes = sizes_of(call.node.sampler, queue)
        if sizes.messages:
            yield (sizes.octets, sizes.messages), queue_item(call, vhost, queue)


async def by_messages(call: Call) -> AsyncIterator[Candidate]:
    """Queues by their length."""
    async for vhost, queue in queues(call):
        messages = queue.ready_count() + queue.unacked
        if messages:
            yield (messages,), queue_item(call, vhost, queue)


async def queues(call: Call) -> AsyncIterator[tuple[Vhost, Queue]]:
    """All queues."""
    slices = Slices()
    for vhost in list(call.node.broker.vhosts.values()):
        for queue in list(vhost.queues.values()):
            yield vhost, queue
            await slices.breathe()


def queue_item(call: Call, vhost: Vhost, queue: Queue) -> Callable[[], Item]:
    """How a queue is described."""

    def describe() -> Item:
        sampler = call.node.sampler
        sizes = sizes_of(sampler, queue)
        return {
            "vhost": vhost.name,
            "name": text(queue.name),
            "memory": sizes.memory,
            "message_bytes": sizes.octets,
            "consumers": queue.consumer_count(),
            "consumer_utilisation": sampler.capacity(queue),
            **stats.queue_totals(sampler, queue),
        }

    return describe


# -- consumers --


async def by_slowness(call: Call) -> AsyncIterator[Candidate]:
    """Consumers by how long their oldest delivery has been waiting for its acknowledgement."""
    slices = Slices()
    for connection in opened(call.node.broker):
        for channel in list(connection.channels.values()):
            for candidate in slow_consumers(call, connection, channel):
                yield candidate
            await slices.breathe()


def slow_consumers(call: Call, connection: Connection, channel: Channel) -> list[Candidate]:
    """The consumers of a channel that have not acknowledged something, and the queues that it got something from."""
    unacked = channel.ledger.unacked
    oldest: dict[tuple[Subscriber | None, Queue], Delivery] = {}
    counts: dict[tuple[Subscriber | None, Queue], int] = {}
    for delivery in islice(unacked.values(), LOOKED_AT):
        key = delivery[0], delivery[1]
        # They stand in the order in which they went out.
        oldest.setdefault(key, delivery)
        counts[key] = counts.get(key, 0) + 1
    looked_at = min(len(unacked), LOOKED_AT)
    now = call.node.broker.clock.now
    found: list[Candidate] = []
    for key, delivery in oldest.items():
        count = counts[key] * len(unacked) // looked_at
        age = max(now - delivery[4], 0.0)
        found.append(((age, count), consumer_item(call, connection, channel, key, (age, count))))
    return found


def consumer_item(
    call: Call,
    connection: Connection,
    channel: Channel,
    key: tuple[Subscriber | None, Queue],
    waiting: tuple[float, int],
) -> Callable[[], Item]:
    """How a consumer is described; `waiting` are the age of its oldest delivery in s, and how many there are."""

    def describe() -> Item:
        consumer, queue = key
        session = connection.session
        return {
            "vhost": connection.vhost_name(),
            "queue": text(queue.name),
            # basic.get has none.
            "consumer_tag": None if consumer is None else text(consumer.tag),
            "connection": str(connection.peer),
            "channel": f"{connection.peer} ({channel.number})",
            "user": None if session is None else session.user.name,
            "prefetch_count": channel.prefetch,
            "oldest_delivery_age": round(waiting[0], 3),
            "messages_unacknowledged": waiting[1],
            "consumer_utilisation": call.node.sampler.capacity(queue),
        }

    return describe


# -- exchanges --


async def by_unroutable(call: Call) -> AsyncIterator[Candidate]:
    """Exchanges by the messages that no queue took."""
    slices = Slices()
    for vhost in list(call.node.broker.vhosts.values()):
        for exchange in list(vhost.exchanges.values()):
            if exchange.unroutable:
                yield (exchange.unroutable,), exchange_item(call, vhost, exchange)
            await slices.breathe()


def exchange_item(call: Call, vhost: Vhost, exchange: Exchange) -> Callable[[], Item]:
    """How an exchange is described."""

    def describe() -> Item:
        return {
            "vhost": vhost.name,
            "name": text(exchange.name),
            "type": exchange.type_name,
            "publish_in": exchange.published_in,
            "unroutable": exchange.unroutable,
            "unroutable_details": stats.rate_details(call.node.sampler, exchange, "unroutable"),
            "return_unroutable": exchange.returned,
            "drop_unroutable": exchange.unroutable - exchange.returned,
        }

    return describe


KINDS: Final[Mapping[str, Callable[[Call], AsyncIterator[Candidate]]]] = {
    "queues-by-memory": by_memory,
    "queues-by-bytes": by_octets,
    "queues-by-messages": by_messages,
    "slow-consumers": by_slowness,
    "unroutable": by_unroutable,
}
ITEMS: Final[Schema] = {"type": "array", "maxItems": MOST, "items": {"type": "object", "required": ["vhost"]}}
TABLE: Final = (
    Endpoint(
        "GET",
        "/amq/top/{kind}",
        MONITORING,
        top,
        f"The most of: {', '.join(KINDS)}",
        {200: ITEMS, 400: "a limit out of range", 404: "no such kind"},
        query=(
            Parameter("limit", f"how many, {USUAL} unless told", {"type": "integer", "minimum": 1, "maximum": MOST}),
        ),
    ),
)

"""What must hold inside the broker whenever it has nothing left to do."""

from collections import Counter
from itertools import pairwise
from math import inf

from amq.connection.channel import Channel
from amq.connection.consumer import UNLIMITED
from amq.connection.ledger import Delivery
from amq.queues.classic import ClassicQueue
from amq.server.storage import kept_queues
from amq.vhost.expiry import QueueExpiry
from amq.vhost.vhost import Vhost
from amq.wire import methods, spec
from tests.model import commands
from tests.model.compare import waiting
from tests.model.real import Real
from tests.model.records import Sent
from tests.model.storage import Storage
from tests.queues.build import lsns_in

# What a consumer's credit and deliveries may add up to: a prefetch that the player uses, or no limit.
PREFETCHES = (*commands.PREFETCHES, UNLIMITED)


def validate(real: Real) -> None:
    """Raise AssertionError for what is not as it must be."""
    vhost = real.vhost
    agenda = vhost.agenda
    assert not agenda.touched and not agenda.dead and not vhost.expired, "work is left over"
    channels = [channel for connection in real.connections for channel in connection.channels.values()]
    out: Counter[object] = Counter()
    for channel in channels:
        validate_channel(vhost, channel)
        for delivery in held(channel):
            out[delivery[1]] += 1
    for name, queue in vhost.queues.items():
        assert isinstance(queue, ClassicQueue) and queue.name == name and not queue.deleted
        assert queue.unacked == out[queue], f"{name!r} counts {queue.unacked} out, its ledgers {out[queue]}"
        validate_queue(real, queue)
        validate_consumers(queue, channels)
    validate_bindings(vhost)
    validate_routes(real)
    if real.storage is not None:
        validate_storage(real, real.storage, channels)
    for connection in real.connections:
        session = connection.session
        assert session is not None
        owned = {queue for queue in vhost.queues.values() if queue.owner is session}
        listed = {queue for queue in session.exclusive if not queue.deleted}
        assert owned == listed, "exclusive queues differ from their owner's list"


def validate_storage(real: Real, storage: Storage, channels: list[Channel]) -> None:
    """The log counts what the queues hold; and when all is written, a recovery would find just that."""
    held_by: dict[int, list[int]] = {}
    for queue in kept_queues(real.broker):
        assert isinstance(queue, ClassicQueue)
        lsns = [lsn for _, fifo in queue.backlog.levels_in_order() for lsn in lsns_in(fifo)]
        for channel in channels:
            lsns += [delivery[3].lsn for delivery in held(channel) if delivery[1] is queue and delivery[3].lsn]
        if lsns:
            held_by[queue.id] = sorted(lsns)
    assert all(len(set(lsns)) == len(lsns) for lsns in held_by.values()), "a number is in a queue twice"
    log = storage.files.log
    safe = real.broker.journal.safe_lsn
    written = storage.flying is None and real.broker.journal.idle()
    for segment in log.segments:
        counts = {
            number: len([lsn for lsn in lsns if lsn <= safe and log.segment_of(lsn) is segment])
            for number, lsns in held_by.items()
        }
        for number, count in counts.items():
            assert segment.alive.get(number, 0) >= count, f"{segment.name} counts too little of {number}"
        if written and storage.salvage is None and not storage.interrupted:
            assert segment.alive == {number: count for number, count in counts.items() if count}
    if written:
        assert storage.alive() == held_by, "a recovery would find something else"


def held(channel: Channel) -> list[Delivery]:
    """What a channel has not settled, or has but not committed."""
    transaction = channel.publisher.transaction
    return [*channel.ledger.unacked.values(), *(transaction.deliveries() if transaction else [])]


def validate_channel(vhost: Vhost, channel: Channel) -> None:
    ledger = channel.ledger
    if channel.closing:
        assert not ledger.unacked and not ledger.subscribers, "a closing channel holds something"
        return
    deliveries = held(channel)
    consumed = [delivery for delivery in deliveries if delivery[0] is not None]
    assert ledger.outstanding == len(consumed), "the channel's count of deliveries is off"
    assert all(ledger.lowest <= tag < ledger.next_tag for tag in ledger.unacked), "a tag is out of its range"
    for tag, delivery in ledger.unacked.items():
        assert delivery[5] == tag
    for name, consumer in ledger.subscribers.items():
        assert consumer.tag == name and vhost.queues.get(consumer.queue.name) is consumer.queue
        mine = len([delivery for delivery in consumed if delivery[0] is consumer])
        assert consumer.no_ack or consumer.credit + mine in PREFETCHES, "credit is off"
    confirms = channel.publisher.confirms
    assert confirms is None or not confirms.waiting() or confirms.pending, "a confirm is overdue"


def validate_queue(real: Real, queue: ClassicQueue) -> None:
    ready = waiting(real, queue)
    positions = [position for position, _, _ in ready]
    assert len(set(positions)) == len(positions) == queue.ready_count(), "positions are not unique, or miscounted"
    if queue.fifo is not None:
        assert all(one < other for one, other in pairwise(positions)), "positions do not ascend"
    if queue.limits is not None:
        assert queue.size == sum(len(message.body) for _, message, _ in ready), "octets are miscounted"
        assert queue.limits.overflow != 0 or not queue.limits.exceeded(len(ready), queue.size), "beyond its limits"
    assert len(queue.deadlines) <= len(ready) + queue.unacked, "deadlines are left of messages that are gone"
    deadline = queue.deadlines.get(positions[0], inf) if positions else inf
    planned = [due for due, _, timed in real.broker.timers.heap if timed is queue.head_expiry]
    assert deadline > real.now, "the head has expired and is still there"
    assert min([due for due in planned if due > real.now], default=inf) <= deadline, "no timer for the head"
    if queue.options.expires >= 0:
        watches = [timed for _, _, timed in real.broker.timers.heap if isinstance(timed, QueueExpiry)]
        assert any(timed.queue is queue for timed in watches), "no timer for x-expires"


def validate_consumers(queue: ClassicQueue, channels: list[Channel]) -> None:
    consumers = queue.consumers
    known = {consumer for channel in channels for consumer in channel.ledger.subscribers.values()}
    assert set(consumers.all) == {consumer for consumer in known if consumer.queue is queue}, "consumers differ"
    line = [consumer for _, ring in consumers.rings for consumer in ring]
    taking = list(consumers.all)[: 1 if consumers.single_active else None]
    assert len(set(line)) == len(line), "a consumer stands in line twice"
    assert set(line) == {consumer for consumer in taking if not consumer.blocked}, "the line is not as it should be"
    assert [priority for priority, _ in consumers.rings] == sorted({c.priority for c in line}, reverse=True)
    assert not line or not queue.ready_count(), "messages wait although a consumer is in line"
    if queue.ready_count():
        assert not any(consumer.room() > 0 for consumer in taking), "messages wait although a consumer has room"


def validate_bindings(vhost: Vhost) -> None:
    """Each binding stands at both of its ends, and both ends exist."""
    leaving = [binding for exchange in vhost.exchanges.values() for binding in exchange.bindings.values()]
    arriving = [binding for bindings in vhost.incoming.values() for binding in bindings.values()]
    assert set(leaving) == set(arriving) and len(leaving) == len(arriving), "a binding has only one end"
    there = {*vhost.exchanges.values(), *vhost.queues.values()}
    assert all(binding.source in there and binding.destination in there for binding in leaving), "a binding dangles"
    assert all(vhost.incoming.values()), "an empty dict is left of a destination"


def validate_routes(real: Real) -> None:
    """What publishers were routed to before is what they would be routed to now."""
    for routes in real.vhost.routes.values():
        for arguments, route in routes.items():
            if route.queues is None:
                continue
            payload = spec.BASIC_PUBLISH.to_bytes(4, "big") + arguments
            _, exchange, key, _, _ = methods.decode(spec.BASIC_PUBLISH, payload)
            assert isinstance(exchange, bytes) and isinstance(key, bytes)
            fresh = real.route(exchange, [key], Sent(exchange, key, {}, 0, None, False, b""))
            assert [queue.name for queue in route.queues] == fresh, f"the route of {arguments!r} is stale"
            assert not any(queue.deleted for queue in route.queues)

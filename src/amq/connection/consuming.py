"""The consuming half of the basic class: consume, cancel, get, qos, ack, nack, reject, recover."""

from struct import Struct
from typing import Final

from amq.connection import ledger as deliveries
from amq.connection.channel import Channel
from amq.connection.consumer import content_frames, origin
from amq.connection.entities import queue_name, table_in, usable_queue
from amq.connection.errands import MANY, Acknowledging, Errand, Rejecting, Returning
from amq.connection.ledger import Delivery
from amq.connection.reply_to import REPLY_PREFIX, ReplyQueue
from amq.errors import (
    ACCESS_REFUSED,
    NOT_ALLOWED,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    ChannelFault,
    ConnectionFault,
)
from amq.message import Message
from amq.queues.arguments import consumer_priority
from amq.queues.base import Queue
from amq.wire import methods, spec
from amq.wire.methods import Arguments
from amq.wire.properties import REPLY_TO_QUEUE

# A frame of basic.ack in octets; its last ones are the tag, the bits of its flags and the frame's end.
ACK: Final = 21
_unpack_tag: Final = Struct(">QH").unpack_from


def basic_qos(channel: Channel, arguments: Arguments) -> None:
    """basic.qos. Per consumer it is for those to come; global it is for the channel as a whole, at once."""
    size, count, for_channel = arguments
    assert isinstance(count, int)
    if size:
        raise ConnectionFault(NOT_IMPLEMENTED, f"prefetch_size!=0 ({size})")
    if for_channel:
        channel.ledger.limit = count
        channel.ledger.relieve_all()
    else:
        channel.prefetch = count
    channel.reply(spec.BASIC_QOS_OK, [])


def basic_consume(channel: Channel, arguments: Arguments) -> None:
    """basic.consume."""
    _, raw, tag, _no_local, no_ack, exclusive, nowait, table = arguments
    assert isinstance(tag, bytes)
    if raw == REPLY_TO_QUEUE:
        consume_replies(channel, tag, bool(no_ack), bool(nowait))
        return
    if tag in channel.ledger.subscribers:
        raise reused(tag)
    name = queue_name(channel, raw)
    session = channel.session
    session.access.read("queue", name)
    queue = usable_queue(channel, name)
    check_count(channel)
    priority = consumer_priority(session.vhost.named("queue", name), table_in(table))
    check_exclusive(channel, queue, bool(exclusive))
    tag = tag or new_tag(channel)
    consumer = channel.add_consumer(queue, tag, bool(no_ack), bool(exclusive), priority, table_in(table))
    if not nowait:
        channel.reply(spec.BASIC_CONSUME_OK, [tag])
    queue.add_consumer(consumer)


def check_count(channel: Channel) -> None:
    """Raise ConnectionFault(530) when a channel may have no more consumers."""
    most = channel.session.broker.settings.consumer_max_per_channel
    if most and len(channel.ledger.subscribers) >= most:
        raise ConnectionFault(NOT_ALLOWED, f"reached maximum ({most}) of consumers per channel")


def new_tag(channel: Channel) -> bytes:
    """A consumer tag for a client that leaves it to the broker."""
    return b"amq.ctag-" + channel.session.broker.unique_name()


def reused(tag: bytes) -> ConnectionFault:
    """The fault of giving a second consumer of a channel the tag of the first."""
    return ConnectionFault(NOT_ALLOWED, f"attempt to reuse consumer tag '{tag.decode('utf-8', 'replace')}'")


def check_exclusive(channel: Channel, queue: Queue, exclusive: bool) -> None:
    """Raise ChannelFault(403) where exclusive consumers and others would meet."""
    if not queue.admits(exclusive):
        label = channel.session.vhost.named("queue", queue.name)
        raise ChannelFault(ACCESS_REFUSED, f"{label} in exclusive use")


def consume_replies(channel: Channel, tag: bytes, no_ack: bool, nowait: bool) -> None:
    """Consume from the direct reply-to pseudo queue."""
    publisher = channel.publisher
    if tag in channel.ledger.subscribers:
        raise reused(tag)
    if publisher.reply_queue is not None:
        raise ChannelFault(PRECONDITION_FAILED, "reply consumer already set")
    if not no_ack:
        raise ChannelFault(PRECONDITION_FAILED, "reply consumer cannot acknowledge")
    session = channel.session
    tag = tag or new_tag(channel)
    queue = ReplyQueue(REPLY_PREFIX + b"g1" + session.broker.unique_name(), session.vhost.agenda)
    queue.consumer = channel.add_consumer(queue, tag, True, False, 0, {})
    publisher.reply_queue = queue
    session.vhost.replies[queue.name] = queue
    if not nowait:
        channel.reply(spec.BASIC_CONSUME_OK, [tag])


def basic_cancel(channel: Channel, arguments: Arguments) -> None:
    """basic.cancel."""
    tag, nowait = arguments
    assert isinstance(tag, bytes)
    channel.cancel(tag)
    if not nowait:
        channel.reply(spec.BASIC_CANCEL_OK, [tag])


def basic_get(channel: Channel, arguments: Arguments) -> None:
    """basic.get."""
    _, raw, no_ack = arguments
    name = queue_name(channel, raw)
    channel.session.access.read("queue", name)
    queue = usable_queue(channel, name)
    taken = take(channel, queue, bool(no_ack))
    if taken is None:
        if queue.cold_head():
            channel.session.await_head(queue)
        else:
            channel.reply(spec.BASIC_GET_EMPTY, [b""])
        return
    tag, message, redelivered = taken
    session = channel.session
    head: list[object] = [tag, redelivered, message.exchange(), message.routing_key(), queue.ready_count()]
    session.outbox.put(methods.encode(channel.number, spec.BASIC_GET_OK, head))
    for piece in content_frames(channel.number, message.header, message.body, session.room_in_frame):
        session.outbox.put(piece)


def take(channel: Channel, queue: Queue, no_ack: bool) -> tuple[int, Message, bool] | None:
    """Take the head of a queue: its delivery tag, the message, whether it was delivered before.

    None: there is none, or it has to be waited for (`queue.cold_head`). With `no_ack` it is settled already.
    """
    found = queue.get()
    if found is None:
        if not queue.cold_head():
            channel.tally.got_empty += 1
            queue.tally.got_empty += 1
        return None
    position, message, redelivered = found
    tracer = queue.agenda.tracer
    if tracer is not None:
        tracer.delivered(origin(channel.session.outbox, channel.number), queue, [message], redelivered)
    ledger = channel.ledger
    tag = ledger.next_tag
    ledger.next_tag = tag + 1
    if redelivered:
        channel.tally.redelivered += 1
    if no_ack:
        queue.settle(position, message)
        channel.tally.got_no_ack += 1
        queue.tally.got_no_ack += 1
        queue.tally.got -= 1
    else:
        channel.tally.got += 1
        ledger.unacked[tag] = (None, queue, position, message, channel.session.broker.clock.now, tag)
    return tag, message, redelivered


def basic_ack(channel: Channel, tag: int, multiple: bool) -> None:
    """basic.ack; in a transaction it counts at commit."""
    transaction = channel.publisher.transaction
    if transaction is None:
        ledger = channel.ledger
        if multiple and ledger.many(tag, MANY):
            Acknowledging(channel.session, ledger, tag or ledger.next_tag - 1).start()
        else:
            ledger.ack(tag, multiple)
    else:
        transaction.acked += channel.ledger.take(tag, multiple)


def more_acks(channel: Channel, buf: bytes, pos: int, end: int) -> int:
    """Take the frames from `pos` on that repeat the one before them, a basic.ack of a single delivery, but for its tag.

    Returns the position of the first frame that is not one, or that needs a closer look.
    """
    if channel.publisher.transaction is not None:
        return pos
    ledger = channel.ledger
    unacked = ledger.unacked
    head = buf[pos - ACK : pos - 10]
    while pos + ACK <= end and buf.startswith(head, pos):
        tag, rest = _unpack_tag(buf, pos + 11)
        # Not multiple, and the frame's end.
        if rest != 0x00CE or tag not in unacked:
            break
        ledger.ack_one(tag)
        pos += ACK
    return pos


def basic_reject(channel: Channel, tag: int, multiple: bool, requeue: bool) -> None:
    """basic.reject and basic.nack; in a transaction they count at commit."""
    transaction = channel.publisher.transaction
    ledger = channel.ledger
    if multiple and transaction is None and ledger.many(tag, MANY):
        last = tag or ledger.next_tag - 1
        kind: type[Errand] = Returning if requeue else Rejecting
        kind(channel.session, ledger, last).start()
        return
    taken = ledger.take(tag, multiple)
    if transaction is not None:
        if requeue:
            transaction.requeued += taken
        else:
            transaction.rejected += taken
        return
    give_back(channel, taken, requeue)


def give_back(channel: Channel, taken: list[Delivery], requeue: bool) -> None:
    """Requeue deliveries, or drop them (or leave them to a dead-letter exchange)."""
    if requeue:
        deliveries.put_back(taken)
    else:
        deliveries.refuse(taken)
    channel.tally.given_back += len(taken)
    channel.ledger.release(taken)


def basic_recover(channel: Channel, requeue: bool) -> None:
    """basic.recover: everything outstanding goes back to its queue."""
    if not requeue:
        raise ConnectionFault(NOT_IMPLEMENTED, "requeue=false")
    ledger = channel.ledger
    if ledger.many(0, MANY):
        Returning(channel.session, ledger, ledger.next_tag - 1).start()
    else:
        give_back(channel, ledger.take_all(), True)

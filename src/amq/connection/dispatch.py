"""Methods of an open channel, each to the function that knows it."""

from amq.connection import consuming, entities, framing
from amq.connection.channel import Channel
from amq.connection.committing import check_not_committing, commit, rollback
from amq.connection.confirms import Confirms
from amq.connection.transaction import Transaction
from amq.errors import (
    COMMAND_INVALID,
    FRAME_ERROR,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    ChannelFault,
    ConnectionFault,
)
from amq.wire import methods, spec
from amq.wire.methods import Arguments, MethodError, TextError


def arguments_of(method: int, payload: bytes) -> Arguments:
    """Decode a method; raises ConnectionFault: 503 for one that does not exist, 501 for octets that are not its own."""
    if method not in methods.SIGNATURES:
        raise ConnectionFault(COMMAND_INVALID, f"unknown method {method >> 16}/{method & 0xFFFF}")
    try:
        return methods.decode(method, payload)
    except TextError as error:
        raise ConnectionFault(FRAME_ERROR, str(error), blamed=False) from None
    except MethodError:
        raise framing.undecodable(payload) from None


def handle(channel: Channel, method: int, payload: bytes) -> None:
    """Do what a method asks for. channel.open and channel.close are the connection's business."""
    check_not_committing(channel)
    arguments = arguments_of(method, payload)
    kind = method >> 16
    if kind == spec.CLASS_BASIC:
        basic(channel, method, arguments)
    elif kind == spec.CLASS_QUEUE:
        queue(channel, method, arguments)
    elif kind == spec.CLASS_EXCHANGE:
        exchange(channel, method, arguments)
    elif method == spec.CONFIRM_SELECT:
        confirm_select(channel, bool(arguments[0]))
    elif kind == spec.CLASS_TX:
        tx(channel, method)
    elif method == spec.CHANNEL_FLOW:
        if not arguments[0]:
            raise ConnectionFault(NOT_IMPLEMENTED, "active=false")
        channel.reply(spec.CHANNEL_FLOW_OK, [True])
    elif method == spec.ACCESS_REQUEST:
        channel.reply(spec.ACCESS_REQUEST_OK, [1])
    else:
        raise unimplemented()


def unimplemented() -> ConnectionFault:
    """The fault of a method that only a broker sends."""
    return ConnectionFault(COMMAND_INVALID, "unimplemented method")


def basic(channel: Channel, method: int, arguments: Arguments) -> None:
    """The basic class, except basic.publish."""
    if method == spec.BASIC_ACK:
        tag, multiple = arguments
        assert isinstance(tag, int)
        consuming.basic_ack(channel, tag, bool(multiple))
    elif method == spec.BASIC_NACK:
        tag, multiple, requeue = arguments
        assert isinstance(tag, int)
        consuming.basic_reject(channel, tag, bool(multiple), bool(requeue))
    elif method == spec.BASIC_REJECT:
        tag, requeue = arguments
        assert isinstance(tag, int)
        consuming.basic_reject(channel, tag, False, bool(requeue))
    elif method == spec.BASIC_GET:
        consuming.basic_get(channel, arguments)
    elif method == spec.BASIC_CONSUME:
        consuming.basic_consume(channel, arguments)
    elif method == spec.BASIC_CANCEL:
        consuming.basic_cancel(channel, arguments)
    elif method == spec.BASIC_QOS:
        consuming.basic_qos(channel, arguments)
    elif method == spec.BASIC_RECOVER:
        consuming.basic_recover(channel, bool(arguments[0]))
        channel.reply_after_errand(spec.BASIC_RECOVER_OK)
    elif method == spec.BASIC_RECOVER_ASYNC:
        consuming.basic_recover(channel, bool(arguments[0]))
    elif method != spec.BASIC_CANCEL_OK:
        raise unimplemented()


def queue(channel: Channel, method: int, arguments: Arguments) -> None:
    """The queue class."""
    if method == spec.QUEUE_DECLARE:
        entities.queue_declare(channel, arguments)
    elif method == spec.QUEUE_BIND:
        entities.queue_bind(channel, arguments)
    elif method == spec.QUEUE_UNBIND:
        entities.queue_unbind(channel, arguments)
    elif method == spec.QUEUE_PURGE:
        entities.queue_purge(channel, arguments)
    elif method == spec.QUEUE_DELETE:
        entities.queue_delete(channel, arguments)
    else:
        raise unimplemented()


def exchange(channel: Channel, method: int, arguments: Arguments) -> None:
    """The exchange class."""
    if method == spec.EXCHANGE_DECLARE:
        entities.exchange_declare(channel, arguments)
    elif method == spec.EXCHANGE_DELETE:
        entities.exchange_delete(channel, arguments)
    elif method == spec.EXCHANGE_BIND:
        entities.exchange_bind(channel, arguments)
    elif method == spec.EXCHANGE_UNBIND:
        entities.exchange_unbind(channel, arguments)
    else:
        raise unimplemented()


def confirm_select(channel: Channel, nowait: bool) -> None:
    """confirm.select; a second one changes nothing."""
    publisher = channel.publisher
    if publisher.transaction is not None:
        raise ChannelFault(PRECONDITION_FAILED, "cannot switch from tx to confirm mode")
    if publisher.confirms is None:
        session = channel.session
        publisher.confirms = Confirms(channel.number, session.outbox, session.broker.journal, channel.tally)
    if not nowait:
        channel.reply(spec.CONFIRM_SELECT_OK, [])


def tx(channel: Channel, method: int) -> None:
    """The tx class."""
    publisher = channel.publisher
    if method == spec.TX_SELECT:
        if publisher.confirms is not None:
            raise ChannelFault(PRECONDITION_FAILED, "cannot switch from confirm to tx mode")
        if publisher.transaction is None:
            publisher.transaction = Transaction()
        channel.reply(spec.TX_SELECT_OK, [])
        return
    if method != spec.TX_COMMIT and method != spec.TX_ROLLBACK:
        raise unimplemented()
    if publisher.transaction is None:
        raise ChannelFault(PRECONDITION_FAILED, "channel is not transactional")
    if method == spec.TX_COMMIT:
        commit(channel, publisher.transaction)
    else:
        rollback(channel, publisher.transaction)

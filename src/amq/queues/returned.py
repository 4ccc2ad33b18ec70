"""Messages that count how often they came back, in queues with a delivery limit."""

from typing import Final

from amq.journal.record import Kept
from amq.message import Message
from amq.wire import properties as props
from amq.wire import tables

X_DELIVERY_COUNT: Final = "x-delivery-count"


class Returned(Kept):
    """A message that was handed out and came back `returns` times; consumers see that in `x-delivery-count`."""

    __slots__ = ("returns",)

    def __init__(self, message: Message, header: bytes, properties: props.Properties, returns: int) -> None:
        super().__init__(message.address, header, message.body, properties, message.lsn)
        self.returns: int = returns


def counted(message: Message) -> Returned:
    """The message as it waits after it has come back once more."""
    returns = message.returns + 1 if isinstance(message, Returned) else 1
    headers = dict(message.properties.headers())
    message.properties.forget()
    headers[X_DELIVERY_COUNT] = ("l", returns)
    header = props.rewrite(message.header, {props.HEADERS: tables.encode(headers)})
    properties = props.read(header)
    properties.ttl = message.properties.ttl
    properties.blind = message.properties.blind
    properties.forget()
    return Returned(message, header, properties, returns)

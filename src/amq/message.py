"""A message as the broker holds it: the publisher's bytes, untouched, and what was read from them once.

One Message stands in every queue that it was routed to; nobody changes it after it was made. What differs
from queue to queue (position, redelivered, expiry) belongs to the queue.
"""

from amq.wire.properties import Properties


class Message:
    """What a publisher sent.

    `address` is exchange and routing key as the wire spells them (two shortstr), which is how a delivery
    repeats them; `header` the payload of the content header frame; `body` the whole body. `lsn` is its number in the
    journal; 0: it has no record there (`amq.journal.record.Kept` has).
    """

    __slots__ = ("address", "header", "body", "properties")
    lsn: int = 0

    def __init__(self, address: bytes, header: bytes, body: bytes, properties: Properties) -> None:
        self.address = address
        self.header = header
        self.body = body
        self.properties = properties

    def exchange(self) -> bytes:
        """Name of the exchange that it was published to."""
        return self.address[1 : 1 + self.address[0]]

    def routing_key(self) -> bytes:
        """The routing key that it was published with."""
        return self.address[2 + self.address[0] :]


def address(exchange: bytes, routing_key: bytes) -> bytes:
    """The wire form of an exchange name and a routing key, each at most 255 octets."""
    return b"%c%b%c%b" % (len(exchange), exchange, len(routing_key), routing_key)

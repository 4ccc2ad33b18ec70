"""The octets of many messages at once: what is the same in all of them is repeated, what differs is written over it.

A message's body, as PerfTest has it, so that both understand each other's:

    0           4                      12
    +-----------+----------------------+------------
    | sequence  | stamp                | zeros
    +-----------+----------------------+------------

The stamp is the clock's at the moment when the batch was made, in nanoseconds. Messages of one size stand at equal
distances in a batch, so an octet that differs is written into all of them by one assignment to every nth octet.
"""

from typing import Final

from amq.management.properties_json import content_header
from amq.perf.load import SMALLEST
from amq.wire import methods, spec

SEQUENCE: Final = 4
STAMP: Final = 8
# A batch is about so long (octets), and is one write.
BATCH: Final = 1 << 16
_RAMP: Final = bytes(range(256))


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Any frame."""
    return b"%c%b%b%b\xce" % (kind, channel.to_bytes(2, "big"), len(payload).to_bytes(4, "big"), payload)


def ramp(first: int, count: int) -> bytes:
    """The lowest octets of `count` numbers in a row."""
    start = first & 255
    return (_RAMP * ((start + count >> 8) + 1))[start : start + count]


def write_numbers(target: bytearray, at: int, width: int, size: int, first: int, count: int) -> None:
    """Write numbers in a row, of `size` octets each, at `at` of every `width` octets, where zeros stand."""
    last = first + count - 1
    for place in range(size):
        column = _column(first, count, place)
        if column is not None:
            target[at + size - 1 - place :: width] = column
        if first >> 8 * place == last >> 8 * place == 0:
            return


def _column(first: int, count: int, place: int) -> bytes | None:
    """The octets at one place (0 is the lowest) of numbers in a row; None when all are zero."""
    if not place:
        return ramp(first, count)
    low, high = first >> 8 * place, first + count - 1 >> 8 * place
    if low == high:
        return bytes((low & 255,)) * count if low & 255 else None
    pieces = []
    step = 1 << 8 * place
    for number in range(low, high + 1):
        stop = min((number + 1) * step, first + count)
        pieces.append(bytes((number & 255,)) * (stop - max(number * step, first)))
    return b"".join(pieces)


class Publishing:
    """How the messages of one channel are published. `size` is that of a body, in octets (at least SMALLEST).

    `random_key` stands for a routing key of other letters in each message, of the length of `key`.
    """

    __slots__ = ("size", "width", "most", "_one", "_stamp", "_key", "_key_size")

    def __init__(
        self,
        channel: int,
        exchange: bytes,
        key: bytes,
        mandatory: bool,
        properties: dict[str, object],
        size: int,
        frame_max: int,
        random_key: bool = False,
    ) -> None:
        self.size: Final = max(size, SMALLEST)
        method = methods.encode(channel, spec.BASIC_PUBLISH, [0, exchange, key, mandatory, False])
        head = method + frame(spec.FRAME_HEADER, channel, content_header(properties, self.size))
        room = frame_max - spec.ENVELOPE
        bodies = [frame(spec.FRAME_BODY, channel, bytes(min(room, self.size - at))) for at in range(0, self.size, room)]
        self._one: Final = bytearray(head + b"".join(bodies))
        self.width: Final = len(self._one)
        # How many messages make a batch.
        self.most: Final = max(1, BATCH // self.width)
        self._stamp: Final = len(head) + spec.ENVELOPE - 1 + SEQUENCE
        # Class, method and ticket stand before the exchange's name.
        self._key: Final = 7 + 6 + 1 + len(exchange) + 1
        self._key_size: Final = len(key) if random_key else 0

    def batch(self, count: int, sequence: int, stamp: int, keys: bytes = b"") -> bytearray:
        """`count` messages in a row, at least one. `keys`: that many octets for each octet of the random key."""
        one = self._one
        at = self._stamp
        one[at : at + STAMP] = stamp.to_bytes(STAMP, "big")
        made = one * count
        write_numbers(made, at - SEQUENCE, self.width, SEQUENCE, sequence, count)
        for place in range(self._key_size):
            made[self._key + place :: self.width] = keys[place * count : (place + 1) * count]
        return made


def acknowledgements(method: bytes, first: int, count: int) -> bytes:
    """`count` frames like this one, whose delivery tag is the longlong after class and method, with tags in a row."""
    made = bytearray(method) * count
    write_numbers(made, 11, len(method), 8, first, count)
    return bytes(made)


def stepped(method: bytes, tags: list[int]) -> bytes:
    """Frames like this one with these delivery tags."""
    head, rest = method[:11], method[19:]
    return b"".join([b"".join((head, tag.to_bytes(8, "big"), rest)) for tag in tags])

"""How a client's messages repeat: the octets of a whole message up to its body, and what they mean."""

from struct import Struct
from typing import Final

from amq.journal.record import Kept
from amq.message import Message
from amq.tally import size_class
from amq.vhost.vhost import Route
from amq.wire import properties as props
from amq.wire import spec
from amq.wire.properties import Properties, PropertiesError

_unpack_head: Final = Struct(">BHI").unpack_from
_pack_head: Final = Struct(">BHI").pack
_CLASS_BASIC: Final = b"\x00\x3c\x00\x00"


class Lead:
    """The last whole message up to its body: basic.publish, the content header, the head of the only body frame.

    A message that begins with the same `octets` has the same `route`, `header`, `properties` and `need` (the size of
    its body, in octets, which is in the class `size_class`), as long as the route is still the one; it takes
    `step` octets in all.
    """

    __slots__ = ("octets", "route", "header", "need", "step", "size_class", "properties")

    def __init__(self) -> None:
        self.octets: bytes = b""
        self.route: Route | None = None
        self.header: bytes = b""
        self.need: int = 0
        self.step: int = 0
        self.size_class: int = 0
        self.properties = Properties()

    def learn(self, buf: bytes, pos: int, at: int, end: int, route: Route, number: int, room: int, most: int) -> bool:
        """Read the content header at `at` of the message at `pos`, for it and those that repeat it.

        `number` is its channel, `room` the largest payload of a frame, `most` the largest body. False when the message
        is not whole or in any way special.
        """
        if end - at < 8:
            return False
        kind, channel, size = _unpack_head(buf, at)
        stop = at + 7 + size
        if kind != spec.FRAME_HEADER or channel != number or size > room or stop >= end or buf[stop] != 0xCE:
            return False
        header = buf[at + 7 : stop]
        need = int.from_bytes(header[4:12], "big")
        if header[:4] != _CLASS_BASIC or need > room or need > most:
            return False
        try:
            properties = props.read(header)
        except PropertiesError:
            return False
        if properties.special:
            return False
        body = stop + 1
        if need:
            if not buf.startswith(_pack_head(spec.FRAME_BODY, number, need), body):
                return False
            body += 7
        self.octets = buf[pos:body]
        self.route = route
        self.header = header
        self.need = need
        self.step = len(self.octets) + (need + 1 if need else 0)
        self.size_class = size_class(need)
        properties.forget()
        self.properties = properties
        return True

    def repeated(self, buf: bytes, pos: int, end: int, address: bytes, lsn: int) -> list[Message]:
        """Whole messages from `pos` on, each of which begins with these octets, as the one at `pos` is known to.

        `lsn` is the number of the first in the journal, 0 when they are not recorded there.
        """
        octets = self.octets
        size = len(octets)
        need = self.need
        header = self.header
        properties = self.properties
        messages: list[Message] = []
        body = b""
        step = self.step
        last = step - 1
        for start in range(pos, end - last, step):
            if not buf.startswith(octets, start):
                break
            if need:
                stop = start + last
                if buf[stop] != 0xCE:
                    break
                body = buf[start + size : stop]
            if lsn:
                messages.append(Kept(address, header, body, properties, lsn))
                lsn += 1
            else:
                messages.append(Message(address, header, body, properties))
        return messages

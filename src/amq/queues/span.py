"""A stretch of a backlog that is not in memory: enough to find the messages again.

Those that stand in the journal are found there by their numbers. The others are written to a paging file, which need
not survive anything:

    address size u16 | header size u32 | body size u32 | BCC keys size u32 | address | header | body | BCC keys
"""

from array import array
from bisect import bisect_left
from struct import Struct
from typing import Final

from amq.journal.loading import Page
from amq.journal.record import Lsns, compact, pack_blind, read_blind
from amq.message import Message
from amq.wire import properties as props

_PAGED: Final = Struct("<HIII")


# Stands in a backlog where an operator has removed a message, so that all others keep their positions.
GONE: Final = Message(b"\0\0", b"", b"", props.Properties())


class Span:
    """`count` messages in a row, with bodies of about `octets` together.

    Some of them may be gone: `missing` are the places of those that are not stored either, ascending, `struck` of those
    that were removed when it was too late for that.
    """

    __slots__ = ("count", "octets", "missing", "struck")

    def __init__(self, count: int, octets: int, missing: list[int]) -> None:
        self.count = count
        self.octets = octets
        self.missing = missing
        self.struck: list[int] = []

    def stored(self) -> int:
        """How many of its messages are stored."""
        return self.count - len(self.missing)

    def places(self) -> list[int]:
        """The places of the messages that are stored."""
        if not self.missing:
            return list(range(self.count))
        missing = set(self.missing)
        return [place for place in range(self.count) if place not in missing]

    def filled(self, messages: list[Message]) -> list[Message]:
        """Those that were stored, with GONE in the place of every one that is not there any more."""
        if self.missing:
            places = self.places()
            found = [GONE] * self.count
            for place, message in zip(places, messages, strict=True):
                found[place] = message
            messages = found
        for place in self.struck:
            messages[place] = GONE
        return messages


class KeptSpan(Span):
    """Messages that stand in the journal under these numbers, ascending."""

    __slots__ = ("lsns",)

    def __init__(self, lsns: Lsns, octets: int, missing: list[int] | None = None) -> None:
        missing = missing or []
        super().__init__(len(lsns) + len(missing), octets, missing)
        self.lsns: Lsns = lsns

    @classmethod
    def of(cls, messages: list[Message], octets: int) -> "KeptSpan":
        """A span of these, of which some may be GONE, but not all."""
        missing = [place for place, message in enumerate(messages) if message is GONE]
        return cls(compact([message.lsn for message in messages if message is not GONE]), octets, missing)

    def remove(self, lsn: int) -> None:
        """Forget one of them: it must not be read any more."""
        at = bisect_left(self.lsns, lsn)
        self.missing = sorted([*self.missing, self.places()[at]])
        left = list(self.lsns)
        del left[at]
        self.lsns = compact(left) if left else range(0)

    def extend(self, part: range, octets: int, most: int, most_octets: int) -> bool:
        """Take further messages in; False when that would be too many, or too much."""
        if self.count + len(part) > most or self.octets + octets > most_octets:
            return False
        lsns = self.lsns
        if isinstance(lsns, range) and lsns.stop == part.start:
            self.lsns = range(lsns.start, part.stop)
        else:
            joined = array("Q", lsns)
            joined.extend(part)
            self.lsns = joined
        self.count += len(part)
        self.octets += octets
        return True


class PagedSpan(Span):
    """Messages that stand in a paging file."""

    __slots__ = ("page",)

    def __init__(self, messages: list[Message], octets: int) -> None:
        missing = [place for place, message in enumerate(messages) if message is GONE]
        super().__init__(len(messages), octets, missing)
        self.page = Page([piece for message in messages if message is not GONE for piece in packed(message)])


def packed(message: Message) -> list[bytes]:
    """A message for the paging file."""
    body = message.body
    blind = pack_blind(message.properties.blind)
    sizes = _PAGED.pack(len(message.address), len(message.header), len(body), len(blind))
    return [sizes, message.address, message.header, body, blind]


def unpacked(octets: bytes) -> list[Message]:
    """The messages back from a paging file; those that are alike share what they have in common."""
    found: list[Message] = []
    pos = 0
    address = header = b""
    properties = None
    while pos < len(octets):
        address_size, header_size, body_size, blind_size = _PAGED.unpack_from(octets, pos)
        pos += _PAGED.size
        middle = pos + address_size
        start = middle + header_size
        end = start + body_size
        if octets[pos:middle] != address:
            address = octets[pos:middle]
        if properties is None or octets[middle:start] != header or blind_size or properties.blind:
            header = octets[middle:start]
            properties = props.read(header)
            if blind_size:
                properties.blind = read_blind(octets[end : end + blind_size])
            properties.forget()
        found.append(Message(address, header, octets[start:end], properties))
        pos = end + blind_size
    return found

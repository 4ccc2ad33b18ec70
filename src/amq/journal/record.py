"""The records of the journal: what must survive, as octets. All numbers are little-endian.

    record     size u32 | crc u32 of all that follows | kind u8 | body

    RUN        lsn u64 | count u32 | body size u32 | time u64, ms since 1970 | expires i64, the same, -1: never |
               priority u8 | queues u32 | address size u16 | header size u32 | blind size u32 |
               queue ids, u64 each | address | header | blind | the bodies
    SETTLED    queue id u64 | form u8 | lsns: one range (first u64, count u64), or as many u64 as fit
    CLEAN      as often as there is one: queue id u64 | priority u8 | lsn u64

A RUN is one message or several that differ in their bodies only; these have consecutive numbers (LSNs) from `lsn` on.
It stands in every queue that it names until a SETTLED names the pair of queue and LSN; in which order the two are found
does not matter. A RUN may be repeated further on with fewer queues or cut into smaller ones (salvage); the LSNs stay.
CLEAN is the last record of a broker that was stopped in good order: up to which LSN messages of a priority that still
wait had been delivered before.
"""

from array import array
from struct import Struct, unpack
from typing import Final, Union
from zlib import crc32

from amq.interpreter import PYPY
from amq.journal.checksum import continued
from amq.message import Message
from amq.wire import properties as props

RUN: Final = 1
SETTLED: Final = 2
CLEAN: Final = 3

# Forms of a SETTLED.
RANGE: Final = 0
LIST: Final = 1

NEVER: Final = -1

# Numbers of messages: a range, or as they come. (Arrays take no parameter at run time before Python 3.12.)
Lsns = Union[range, "array[int]"]

HEAD: Final = Struct("<IIB")
_SIZE_CRC: Final = Struct("<II")
_RUN: Final = Struct("<QIIQqBIHII")
_SETTLED: Final = Struct("<QB")
_RANGE: Final = Struct("<QQ")
_CLEAN: Final = Struct("<QBQ")
_BIG_ENDIAN: Final = array("H", [1]).tobytes() == b"\0\1"
# Where the queue ids of a RUN begin, from the start of the record.
IDS_AT: Final = HEAD.size + _RUN.size


class RecordError(ValueError):
    """Octets that are no record; the text says why."""


class Run:
    """A RUN as read: all but its bodies, which begin at `bodies_at` from the start of the record."""

    __slots__ = ("lsn", "count", "body_size", "time", "expires", "priority", "queues", "sizes", "bodies_at")

    def __init__(
        self,
        lsn: int,
        count: int,
        body_size: int,
        time: int,
        expires: int,
        priority: int,
        queues: "array[int]",
        sizes: tuple[int, int, int],
        bodies_at: int,
    ) -> None:
        self.lsn = lsn
        self.count = count
        self.body_size = body_size
        self.time = time
        self.expires = expires
        self.priority = priority
        self.queues = queues
        # Of address, header and blind.
        self.sizes = sizes
        self.bodies_at = bodies_at


class Kept(Message):
    """A message that has a record: `lsn` is its number in the log, for the SETTLED that will name it."""

    __slots__ = ("lsn",)

    def __init__(self, address: bytes, header: bytes, body: bytes, properties: props.Properties, lsn: int) -> None:
        self.address = address
        self.header = header
        self.body = body
        self.properties = properties
        self.lsn: int = lsn


def u64s(numbers: "list[int] | array[int]") -> bytes:
    """Numbers of 64 bits, one after the other."""
    packed = array("Q", numbers)
    if _BIG_ENDIAN:
        packed.byteswap()
    return packed.tobytes()


def read_u64s(octets: bytes) -> "array[int]":
    """The same back."""
    if PYPY:
        # What PyPy 7.3.19 makes of `frombytes` after a while, once it is compiled, corrupts its heap.
        return array("Q", unpack(f"<{len(octets) // 8}Q", octets))
    numbers = array("Q")
    numbers.frombytes(octets)
    if _BIG_ENDIAN:
        numbers.byteswap()
    return numbers


def seal(kind: int, pieces: list[bytes]) -> list[bytes]:
    """The pieces of a record of that kind with its head; a long last piece stays what it is, uncopied."""
    head = b"%c%b" % (kind, b"".join(pieces[:-1]))
    crc = continued(crc32(head), pieces[-1])
    size = len(head) + len(pieces[-1])
    front = b"%b%b" % (_SIZE_CRC.pack(size, crc), head)
    return [front, pieces[-1]]


def run_front(
    lsn: int,
    count: int,
    body_size: int,
    time: int,
    expires: int,
    priority: int,
    queues: bytes,
    address: bytes,
    header: bytes,
    blind: bytes,
) -> bytes:
    """A RUN up to its bodies, without the record's head; `queues` are the ids as `u64s` packs them."""
    fixed = _RUN.pack(
        lsn,
        count,
        body_size,
        time,
        expires,
        priority,
        len(queues) // 8,
        len(address),
        len(header),
        len(blind),
    )
    return b"%b%b%b%b%b" % (fixed, queues, address, header, blind)


def compact(lsns: list[int]) -> Lsns:
    """The same numbers, as a range where they are one; at least one, in any order."""
    first = lsns[0]
    count = len(lsns)
    if lsns[-1] - first == count - 1:
        whole = range(first, first + count)
        if lsns == list(whole):
            return whole
    return array("Q", lsns)


def settled(queue: int, lsns: Lsns) -> list[bytes]:
    """The record that some messages, at least one, are gone from a queue."""
    if isinstance(lsns, range):
        return seal(SETTLED, [_SETTLED.pack(queue, RANGE), _RANGE.pack(lsns.start, len(lsns))])
    return seal(SETTLED, [_SETTLED.pack(queue, LIST), u64s(lsns)])


def clean(delivered: list[tuple[int, int, int]]) -> list[bytes]:
    """The record of a stop in good order: queue id, priority, and the LSN up to which messages had been delivered."""
    return seal(CLEAN, [b"".join([_CLEAN.pack(*each) for each in delivered])])


def read_run_front(octets: bytes, at: int) -> tuple[int, int, int, int, int, int, bytes, tuple[int, int, int], int]:
    """The fields of a Run, for who reads very many of them; the queue ids as they stand there. Raises RecordError."""
    lsn, count, body_size, time, expires, priority, queues, address, header, blind = _RUN.unpack_from(
        octets, at + HEAD.size
    )
    ids_size = 8 * queues
    bodies_at = IDS_AT + ids_size + address + header + blind
    size = int.from_bytes(octets[at : at + 4], "little") + 8
    if bodies_at + count * body_size != size:
        raise RecordError(f"a RUN of {size} octets whose parts take {bodies_at + count * body_size}")
    ids = octets[at + IDS_AT : at + IDS_AT + ids_size]
    return lsn, count, body_size, time, expires, priority, ids, (address, header, blind), bodies_at


def read_run(octets: bytes, at: int) -> Run:
    """The RUN whose record starts at `at`. Raises RecordError."""
    lsn, count, body_size, time, expires, priority, ids, sizes, bodies_at = read_run_front(octets, at)
    return Run(lsn, count, body_size, time, expires, priority, read_u64s(ids), sizes, bodies_at)


def content(octets: bytes, at: int, run: Run) -> tuple[bytes, bytes, bytes]:
    """Address, header and blind of the RUN at `at`."""
    address, header, blind = run.sizes
    start = at + IDS_AT + 8 * len(run.queues)
    middle = start + address
    return octets[start:middle], octets[middle : middle + header], octets[middle + header : middle + header + blind]


def part_of(octets: bytes, at: int, run: Run, lsn: int, count: int, queues: list[int]) -> list[bytes]:
    """A RUN of `count` messages, from `lsn` on, of the RUN at `at`, for some of its queues; sealed."""
    address, header, blind = content(octets, at, run)
    ids = u64s(queues)
    front = run_front(lsn, count, run.body_size, run.time, run.expires, run.priority, ids, address, header, blind)
    start = at + run.bodies_at + (lsn - run.lsn) * run.body_size
    return seal(RUN, [front, octets[start : start + count * run.body_size]])


def read_settled(octets: bytes, at: int) -> tuple[int, Lsns]:
    """Queue id and LSNs of the SETTLED whose record starts at `at`. Raises RecordError."""
    size = int.from_bytes(octets[at : at + 4], "little") + 8
    queue, form = _SETTLED.unpack_from(octets, at + HEAD.size)
    start = at + HEAD.size + _SETTLED.size
    if form == RANGE:
        first, count = _RANGE.unpack_from(octets, start)
        return queue, range(first, first + count)
    if form != LIST or (at + size - start) % 8:
        raise RecordError(f"a SETTLED of form {form} and {size} octets")
    return queue, read_u64s(octets[start : at + size])


def read_clean(octets: bytes, at: int) -> dict[int, dict[int, int]]:
    """What the CLEAN whose record starts at `at` says: LSNs by queue id and priority."""
    end = at + int.from_bytes(octets[at : at + 4], "little") + 8
    delivered: dict[int, dict[int, int]] = {}
    for pos in range(at + HEAD.size, end, _CLEAN.size):
        queue, priority, lsn = _CLEAN.unpack_from(octets, pos)
        delivered.setdefault(queue, {})[priority] = lsn
    return delivered


def pack_blind(keys: list[bytes] | None) -> bytes:
    """Routing keys of BCC, as shortstrs."""
    return b"".join([props.shortstr(key) for key in keys]) if keys else b""


def read_blind(octets: bytes) -> list[bytes] | None:
    """The same back; None when there are none."""
    keys = []
    pos = 0
    while pos < len(octets):
        end = pos + 1 + octets[pos]
        keys.append(octets[pos + 1 : end])
        pos = end
    return keys or None


class Content:
    """What the messages of a RUN have in common."""

    __slots__ = ("address", "header", "blind", "properties")

    def __init__(self, address: bytes, header: bytes, blind: bytes) -> None:
        self.address = address
        self.header = header
        self.blind = blind
        self.properties = props.read(header)
        if blind:
            self.properties.blind = read_blind(blind)
        self.properties.forget()


def content_like(octets: bytes, at: int, run: Run, previous: Content | None) -> Content:
    """What the messages of the RUN at `at` have in common: `previous` itself if that is the same."""
    address, header, blind = content(octets, at, run)
    if previous is not None and (address, header, blind) == (previous.address, previous.header, previous.blind):
        return previous
    return Content(address, header, blind)


def messages(octets: bytes, at: int, run: Run, shared: Content) -> list[Message]:
    """The messages of the RUN at `at`, each with its own LSN."""
    address = shared.address
    header = shared.header
    properties = shared.properties
    size = run.body_size
    lsn = run.lsn
    if not size:
        return [Kept(address, header, b"", properties, lsn + i) for i in range(run.count)]
    start = at + run.bodies_at
    return [
        Kept(address, header, octets[start + i * size : start + i * size + size], properties, lsn + i)
        for i in range(run.count)
    ]

"""Records: what is written comes back, and what is no record is told from one."""

from array import array
from zlib import crc32

import pytest

from amq.journal import record
from amq.journal.record import HEAD, NEVER, Kept, RecordError
from amq.wire import properties as props
from amq.wire import tables
from tests.journal.build import ADDRESS, header

MOST = (1 << 64) - 1


def run_octets(
    bodies: list[bytes],
    lsn: int = 1,
    queues: list[int] | None = None,
    expires: int = NEVER,
    priority: int = 0,
    content: bytes = b"",
    blind: list[bytes] | None = None,
    before: bytes = b"",
) -> bytes:
    """A RUN behind other octets."""
    front = record.run_front(
        lsn,
        len(bodies),
        len(bodies[0]),
        1_700_000_000_123,
        expires,
        priority,
        record.u64s([7] if queues is None else queues),
        ADDRESS,
        content or header(len(bodies[0])),
        record.pack_blind(blind),
    )
    return before + b"".join(record.seal(record.RUN, [front, b"".join(bodies)]))


def read_all(octets: bytes, at: int = 0) -> list[tuple[int, bytes]]:
    run = record.read_run(octets, at)
    shared = record.content_like(octets, at, run, None)
    return [(message.lsn, message.body) for message in record.messages(octets, at, run, shared)]


@pytest.mark.parametrize("bodies", [[b""], [b"", b"", b""], [b"a"], [b"aa", b"bb"], [b"x" * 100_000]])
def test_bodies_come_back_with_consecutive_numbers(bodies: list[bytes]) -> None:
    assert read_all(run_octets(bodies, lsn=41)) == list(enumerate(bodies, 41))


def test_a_record_is_read_wherever_it_stands() -> None:
    octets = run_octets([b"aa", b"bb"], before=b"?" * 13) + b"what follows"
    assert read_all(octets, 13) == [(1, b"aa"), (2, b"bb")]


def test_all_that_a_run_says_comes_back() -> None:
    content = header(2, PRIORITY=b"\x09")
    octets = run_octets([b"aa"], MOST - 1, [1, 1 << 63, MOST], 1 << 62, 9, content)
    run = record.read_run(octets, 0)
    assert (run.lsn, run.count, run.body_size) == (MOST - 1, 1, 2)
    assert (run.time, run.expires, run.priority) == (1_700_000_000_123, 1 << 62, 9)
    assert list(run.queues) == [1, 1 << 63, MOST]
    assert record.content(octets, 0, run) == (ADDRESS, content, b"")


def test_queues_and_octets_of_bcc_keys_may_be_more_than_16_bits_count() -> None:
    queues = list(range(1, 70_000))
    blind = [b"k" * 255] * 300
    octets = run_octets([b"aa"], 1, queues, blind=blind)
    run = record.read_run(octets, 0)
    assert list(run.queues) == queues
    assert record.content_like(octets, 0, run, None).properties.blind == blind


def test_messages_are_as_they_were_published() -> None:
    table = tables.encode({"h": ("S", b"v")})
    content = header(4, HEADERS=table, DELIVERY_MODE=b"\2", PRIORITY=b"\x03", EXPIRATION=props.shortstr(b"60000"))
    octets = run_octets([b"body"], 5, content=content, blind=[b"first", b""])
    run = record.read_run(octets, 0)
    (message,) = record.messages(octets, 0, run, record.content_like(octets, 0, run, None))
    assert isinstance(message, Kept)
    assert (message.address, message.header, message.body, message.lsn) == (ADDRESS, content, b"body", 5)
    assert (message.exchange(), message.routing_key()) == (b"x", b"key")
    assert message.properties.persistent
    assert message.properties.priority == 3
    assert message.properties.expiration == b"60000"
    assert message.properties.blind == [b"first", b""]
    assert message.properties.headers() == {"h": ("S", b"v")}


def test_runs_that_are_alike_share_what_was_read_of_them() -> None:
    octets = run_octets([b"aa"]) + run_octets([b"bb"], 2) + run_octets([b"cc"], 3, content=header(2, PRIORITY=b"\1"))
    at = len(run_octets([b"aa"]))
    first = record.content_like(octets, 0, record.read_run(octets, 0), None)
    assert record.content_like(octets, at, record.read_run(octets, at), first) is first
    other = record.content_like(octets, 2 * at, record.read_run(octets, 2 * at), first)
    assert other is not first
    assert other.properties.priority == 1


def test_the_crc_covers_everything_behind_it() -> None:
    octets = run_octets([b"abc"] * 3)
    size, crc, kind = HEAD.unpack_from(octets)
    assert (size, crc, kind) == (len(octets) - 8, crc32(octets[8:]), record.RUN)


def test_a_run_whose_parts_do_not_fill_it_is_none() -> None:
    octets = bytearray(run_octets([b"abc"] * 3))
    at = HEAD.size + 8
    assert octets[at] == 3
    octets[at] = 2
    with pytest.raises(RecordError, match="whose parts take"):
        record.read_run(bytes(octets), 0)


def test_a_long_last_piece_is_not_copied() -> None:
    body = b"x" * 100_000
    assert record.seal(record.RUN, [b"front", body])[1] is body


@pytest.mark.parametrize("lsns", [[1], [5, 6, 7], [MOST], [5, 7, 6], [9, 5], [1, 3, 1 << 40], [3, 3]])
def test_settled_numbers_come_back_in_their_order(lsns: list[int]) -> None:
    octets = b"".join(record.settled(MOST, record.compact(lsns)))
    queue, found = record.read_settled(b"??" + octets, 2)
    assert queue == MOST
    assert list(found) == lsns


def test_numbers_that_follow_one_another_take_no_more_room_than_one() -> None:
    assert record.compact([5, 6, 7]) == range(5, 8)
    assert record.compact([5]) == range(5, 6)
    assert record.compact([5, 7, 6]) == array("Q", [5, 7, 6])
    assert record.compact([5, 5, 7]) == array("Q", [5, 5, 7])
    many = b"".join(record.settled(1, record.compact(list(range(10_000)))))
    assert len(many) == len(b"".join(record.settled(1, record.compact([1]))))


def test_a_settled_of_an_unknown_form_or_an_odd_size_is_none() -> None:
    octets = bytearray(b"".join(record.settled(1, record.compact([1, 3]))))
    form = HEAD.size + 8
    assert octets[form] == record.LIST
    octets[form] = 9
    with pytest.raises(RecordError):
        record.read_settled(bytes(octets), 0)
    short = b"".join(record.seal(record.SETTLED, [b"\0" * 8 + bytes((record.LIST,)), b"\0" * 7]))
    with pytest.raises(RecordError):
        record.read_settled(short, 0)


def test_a_stop_in_good_order_says_what_had_been_delivered() -> None:
    octets = b"?" + b"".join(record.clean([(7, 0, 5), (7, 255, MOST), (1 << 63, 3, 1)])) + b"?"
    assert record.read_clean(octets, 1) == {7: {0: 5, 255: MOST}, 1 << 63: {3: 1}}
    assert record.read_clean(b"".join(record.clean([])), 0) == {}


@pytest.mark.parametrize("numbers", [[], [0], [1, MOST, 1 << 33]])
def test_numbers_of_64_bits_are_little_endian(numbers: list[int]) -> None:
    octets = record.u64s(numbers)
    assert octets == b"".join(number.to_bytes(8, "little") for number in numbers)
    assert list(record.read_u64s(octets)) == numbers


@pytest.mark.parametrize("keys", [None, [b""], [b"a", b"", b"k" * 255]])
def test_keys_of_bcc_come_back(keys: list[bytes] | None) -> None:
    assert record.read_blind(record.pack_blind(keys)) == keys

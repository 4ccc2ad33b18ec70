"""Batches of messages: octet for octet what one message after the other would be."""

import struct

import pytest

from amq.perf.publishing import Publishing, acknowledgements, frame, stepped, write_numbers
from amq.wire import methods, spec


def frames(octets: bytes) -> list[tuple[int, int, bytes]]:
    """(type, channel, payload) of each frame."""
    found = []
    while octets:
        kind, channel, size = struct.unpack(">BHI", octets[:7])
        assert octets[7 + size] == spec.FRAME_END
        found.append((kind, channel, octets[7 : 7 + size]))
        octets = octets[8 + size :]
    return found


def some(size: int = 20, frame_max: int = 131072, key: bytes = b"key", random_key: bool = False) -> Publishing:
    return Publishing(3, b"logs", key, True, {"delivery_mode": 2}, size, frame_max, random_key)


@pytest.mark.parametrize("sequence", [0, 250, 65_530, 2**24 - 3, 2**32 - 5])
def test_a_batch_is_one_message_after_the_other(sequence: int) -> None:
    found = frames(bytes(some().batch(1000, sequence, 123_456_789_012_345)))
    publish = methods.encode(3, spec.BASIC_PUBLISH, [0, b"logs", b"key", True, False])[7:-1]
    for number in range(1000):
        method, header, body = found[3 * number : 3 * number + 3]
        assert method == (spec.FRAME_METHOD, 3, publish)
        assert header == (spec.FRAME_HEADER, 3, struct.pack(">HHQHB", 60, 0, 20, 0x1000, 2))
        assert body == (
            spec.FRAME_BODY,
            3,
            struct.pack(">IQ", (sequence + number) & 0xFFFFFFFF, 123_456_789_012_345) + bytes(8),
        )


def test_a_batch_does_not_depend_on_the_one_before() -> None:
    publishing = some()
    publishing.batch(5, 2**31 + 77, 2**60)
    assert publishing.batch(2, 1, 5) == some().batch(2, 1, 5)


def test_a_body_that_is_larger_than_a_frame_comes_in_several() -> None:
    publishing = some(size=10_000, frame_max=4096)
    found = frames(bytes(publishing.batch(2, 7, 9)))
    assert [len(payload) for kind, _, payload in found if kind == spec.FRAME_BODY] == [4088, 4088, 1824] * 2
    assert found[2][2][:12] == struct.pack(">IQ", 7, 9)
    assert found[7][2][:12] == struct.pack(">IQ", 8, 9)


def test_a_body_has_room_for_number_and_stamp_at_least() -> None:
    assert some(size=0).size == 12
    assert len(frames(bytes(some(size=0).batch(1, 0, 1)))[2][2]) == 12


def test_each_message_gets_the_random_key_that_was_given() -> None:
    publishing = some(key=b"0000", random_key=True)
    planes = b"abc" + b"def" + b"ghi" + b"jkl"
    found = frames(bytes(publishing.batch(3, 0, 1, planes)))
    keys = [methods.decode(spec.BASIC_PUBLISH, payload)[2] for kind, _, payload in found if kind == spec.FRAME_METHOD]
    assert keys == [b"adgj", b"behk", b"cfil"]


def test_large_messages_make_small_batches() -> None:
    assert some(size=1_000_000).most == 1
    assert some().most > 500


@pytest.mark.parametrize("first", [1, 255, 256, 65_535, 2**40 - 1, 2**63 - 600])
def test_numbers_in_a_row_are_written_wherever_they_begin(first: int) -> None:
    target = bytearray(b"\xff\0\0\0\0\0\0\0\0" * 600)
    write_numbers(target, 1, 9, 8, first, 600)
    assert target == b"".join(b"\xff" + (first + n).to_bytes(8, "big") for n in range(600))


def test_acknowledgements_are_one_frame_for_each_tag() -> None:
    one = methods.encode(9, spec.BASIC_ACK, [0, False])
    expected = b"".join(methods.encode(9, spec.BASIC_ACK, [tag, False]) for tag in range(200, 800))
    assert acknowledgements(one, 200, 600) == expected


def test_every_nth_tag_has_a_frame() -> None:
    one = methods.encode(9, spec.BASIC_NACK, [0, True, True])
    assert stepped(one, [10, 20]) == b"".join(methods.encode(9, spec.BASIC_NACK, [tag, True, True]) for tag in (10, 20))


def test_a_frame_has_its_length_and_its_mark() -> None:
    assert frame(8, 0, b"") == b"\x08\0\0\0\0\0\0\xce"

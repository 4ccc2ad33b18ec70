"""What a broker sends, however it is cut: the fast way and the slow one find the same."""

import random
import struct
from collections import Counter

import pytest

from amq.perf.incoming import NO_STAMP, Incoming, Run, WireError
from amq.perf.publishing import frame
from amq.wire import methods, spec

Seen = list[tuple[int, int, int]]


def content(channel: int, body: bytes, properties: bytes = b"\x10\0\x02", frame_max: int = 131072) -> bytes:
    header = frame(spec.FRAME_HEADER, channel, struct.pack(">HHQ", 60, 0, len(body)) + properties)
    room = frame_max - 8
    bodies = [frame(spec.FRAME_BODY, channel, body[at : at + room]) for at in range(0, len(body), room)]
    return header + b"".join(bodies)


def delivery(channel: int, tag: int, body: bytes, key: bytes = b"key", redelivered: bool = False, **more: int) -> bytes:
    method = methods.encode(channel, spec.BASIC_DELIVER, [b"c", tag, redelivered, b"logs", key])
    return method + content(channel, body, **more)  # type: ignore[arg-type]


def body(sequence: int, stamp: int, size: int = 20) -> bytes:
    return struct.pack(">IQ", sequence, stamp).ljust(size, b"\0")


def seen(runs: list[Run]) -> Seen:
    """(channel, tag, stamp) of every delivery."""
    found = []
    for run in runs:
        stamps = [stamp for stamp, count in run.stamps.items() for _ in range(count)]
        assert len(stamps) == run.count
        found += [(run.channel, run.first + place, stamp) for place, stamp in enumerate(stamps)]
    return found


def fed(octets: bytes, cuts: list[int], incoming: Incoming) -> Seen:
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        found += seen(incoming.feed(octets[start:stop]))
    return found


def alike(count: int, stamp: int = 7) -> tuple[bytes, Seen]:
    """Deliveries of one shape, a few with each stamp."""
    octets = b"".join(delivery(1, tag, body(tag * 3, stamp + tag // 50)) for tag in range(1, count + 1))
    return octets, [(1, tag, stamp + tag // 50) for tag in range(1, count + 1)]


def test_deliveries_of_one_shape_become_one_run() -> None:
    octets, expected = alike(3000)
    incoming = Incoming()
    runs = incoming.feed(octets)
    assert seen(runs) == expected
    assert len(runs) == 1


def test_nearly_all_deliveries_of_one_shape_are_taken_by_the_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    octets, expected = alike(10_000)
    slowly = []
    incoming = Incoming()
    one_by_one = Incoming._method

    def counted(self: Incoming, data: bytes, pos: int, stop: int, end: int) -> int:
        slowly.append(1)
        return one_by_one(self, data, pos, stop, end)

    monkeypatch.setattr(Incoming, "_method", counted)
    assert fed(octets, list(range(50_000, len(octets), 50_000)), incoming) == expected
    assert len(slowly) < 100


def test_every_octet_on_its_own_is_the_same() -> None:
    octets, expected = alike(40)
    assert fed(octets, list(range(1, len(octets))), Incoming()) == expected


def mixed(dice: random.Random) -> tuple[bytes, Seen, int]:
    """Deliveries of several shapes and channels, with acknowledgements, returned messages and heartbeats between."""
    pieces, expected, returned = [], [], 0
    tags = {1: 0, 2: 0, 300: 0}
    stamp = 5
    for _ in range(dice.randrange(5, 60)):
        kind = dice.choice(["run", "run", "run", "one", "ack", "return", "beat", "short", "large"])
        channel = dice.choice(list(tags))
        if kind == "ack":
            pieces.append(methods.encode(channel, spec.BASIC_ACK, [5, True]))
        elif kind == "return":
            pieces.append(methods.encode(channel, spec.BASIC_RETURN, [312, b"NO_ROUTE", b"logs", b"key"]))
            pieces.append(content(channel, body(1, 1)))
            returned += 1
        elif kind == "beat":
            pieces.append(frame(spec.FRAME_HEARTBEAT, 0, b""))
        else:
            for _ in range(dice.randrange(1, 80) if kind == "run" else 1):
                tags[channel] += 1
                stamp += dice.choice([0, 0, 0, 1])
                size = {"large": 9000, "short": 5}.get(kind, 20)
                key = b"key" if kind == "run" else b"k" * dice.randrange(5)
                filled = body(dice.randrange(2**32), stamp, size)[:size]
                made = delivery(channel, tags[channel], filled, key, dice.random() < 0.1, frame_max=4096)
                pieces.append(made)
                expected.append((channel, tags[channel], NO_STAMP if kind == "short" else stamp))
    return b"".join(pieces), expected, returned


def summed(found: Seen) -> tuple[list[tuple[int, int]], Counter[tuple[int, int]]]:
    """Tags by channel, and how often each stamp was on a channel; a run does not say which tag had which."""
    return sorted((channel, tag) for channel, tag, _ in found), Counter((channel, stamp) for channel, _, stamp in found)


@pytest.mark.parametrize("seed", range(60))
def test_any_mixture_is_read_the_same_however_it_is_cut(seed: int) -> None:
    dice = random.Random(seed)
    octets, expected, returned = mixed(dice)
    incoming = Incoming()
    cuts = sorted(dice.sample(range(1, len(octets)), min(len(octets) - 1, dice.choice([0, 1, 5, 200]))))
    found = fed(octets, cuts, incoming)
    assert summed(found) == summed(expected)
    assert incoming.returned == returned


def test_other_methods_are_handed_out_with_their_channel() -> None:
    incoming = Incoming()
    incoming.feed(methods.encode(4, spec.BASIC_ACK, [5, True]) + frame(spec.FRAME_HEARTBEAT, 0, b""))
    assert [(channel, methods.decode(spec.BASIC_ACK, payload)) for channel, payload in incoming.methods] == [
        (4, [5, True])
    ]


def test_a_run_ends_where_tags_do_not_follow_each_other() -> None:
    octets = b"".join(delivery(1, tag, body(1, 9)) for tag in [*range(1, 40), *range(100, 140)])
    runs = Incoming().feed(octets)
    assert [(run.first, run.count) for run in runs] == [(1, 39), (100, 40)]


@pytest.mark.parametrize("place", ["length", "mark", "key", "class"])
def test_the_fast_way_does_not_take_what_is_a_little_different(place: str) -> None:
    octets, expected = alike(200)
    width = len(octets) // 200
    broken = bytearray(octets)
    at = 150 * width
    if place == "mark":
        broken[at + width - 1] = 0
    elif place == "length":
        broken[at + width - 22] ^= 1
    elif place == "class":
        broken[at + 8] ^= 1
    else:
        broken[octets.index(b"key", at)] = ord("x")
    if place == "key":
        assert seen(Incoming().feed(bytes(broken))) == expected
    else:
        with pytest.raises((WireError, KeyError)):
            Incoming().feed(bytes(broken))


def test_random_keys_of_one_length_are_taken_by_the_hundred_too() -> None:
    pieces = [delivery(1, tag, body(1, 9), b"%08x" % (tag * 7919)) for tag in range(1, 500)]
    incoming = Incoming(ignore_key=True)
    incoming.feed(b"".join(pieces[:5]))
    (shape,) = incoming._shapes.values()
    assert shape.run(b"".join(pieces[5:]), 0, 6) is not None


def test_shapes_that_are_remembered_are_few() -> None:
    pieces = [delivery(1, tag, body(1, 9), b"%08d" % (tag // 3)) for tag in range(1, 3000)]
    incoming = Incoming()
    assert len(seen(incoming.feed(b"".join(pieces)))) == 2999
    assert 1 < len(incoming._shapes) <= 256


@pytest.mark.parametrize(
    "octets",
    [
        b"\x01\0\x01\0\0\0\x04\0\0\0\0\xff",
        b"HTTP/1.1 400 Bad Request",
        b"AMQP\0\0\x09\x01",
        b"\x01\0\0\xff\xff\xff\xff\0\x0a\0\x0a",
        content(1, b"nobody announced this"),
        delivery(1, 1, b"x" * 20)[:-28] + frame(spec.FRAME_BODY, 1, b"x" * 21),
    ],
)
def test_what_is_no_frame_or_out_of_place_is_refused(octets: bytes) -> None:
    with pytest.raises(WireError):
        Incoming().feed(octets)

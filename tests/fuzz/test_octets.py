"""Hypothesis against `Connection.receive`: octets of no sense at all, frames of no sense, arguments of no sense."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance import methods
from tests.conformance.values import Typed
from tests.fuzz.dialogues import OPENING
from tests.fuzz.trial import Bench
from tests.fuzz.wire import PROTOCOL_HEADER, content, frame, handshake, method

# One broker for all examples: what one leaves behind, the next one trips over.
BENCH = Bench()
OPENED = [*handshake(), method(1, "channel.open")]
FEW = settings(max_examples=700, deadline=None, derandomize=True, database=None)
MANY = settings(
    max_examples=int(os.environ.get("AMQ_FUZZ_EXAMPLES", "20000")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# Names that exist, names that do not, names that mean something, and any others.
names = st.one_of(
    st.sampled_from(
        ["", "fuzz-q", "fuzz-x", "amq.direct", "amq.topic", "amq.headers", "amq.rabbitmq.reply-to", "fanout"]
    ),
    st.binary(max_size=255),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.binary(max_size=300),
    st.builds(Typed, st.just("x"), st.binary(max_size=20)),
    st.builds(Typed, st.just("T"), st.integers(0, 2**64 - 1)),
    st.builds(Typed, st.just("f"), st.floats(width=32)),
    st.builds(Typed, st.just("D"), st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1))),
    st.builds(Typed, st.sampled_from("sbI"), st.integers(-128, 127)),
    st.builds(Typed, st.sampled_from("uBi"), st.integers(0, 255)),
)
keys = st.one_of(
    st.sampled_from(
        [
            "x-message-ttl",
            "x-expires",
            "x-max-length",
            "x-max-length-bytes",
            "x-overflow",
            "x-max-priority",
            "x-dead-letter-exchange",
            "x-dead-letter-routing-key",
            "x-single-active-consumer",
            "x-queue-type",
            "x-queue-mode",
            "x-match",
            "x-priority",
            "alternate-exchange",
            "hash-header",
            "hash-property",
            "x-recent-history-length",
            "x-death",
            "CC",
            "BCC",
            "count",
            "queue",
            "reason",
        ]
    ),
    st.text(max_size=60),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
tables = st.dictionaries(keys, values, max_size=5)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "s": names,
    "S": st.binary(max_size=300),
    "T": tables,
    "b": st.booleans(),
    "o": st.integers(0, 255),
    "h": st.integers(0, 65_535),
    "l": st.integers(0, 2**32 - 1),
    "q": st.one_of(st.integers(0, 4), st.integers(0, 2**64 - 1)),
}
TYPES = ["direct", "fanout", "topic", "headers", "x-consistent-hash", "x-random", "x-recent-history"]
PROPERTIES = {name: KINDS[kind] for name, kind in methods.PROPERTIES}


@st.composite
def any_method(draw: st.DrawFn) -> bytes:
    """A sound frame of any method with any arguments."""
    shape = draw(st.sampled_from(list(methods.BY_NAME.values())))
    arguments = {field: draw(KINDS[kind]) for field, kind in shape.fields}
    if shape.name == "exchange.declare" and draw(st.booleans()):
        arguments["type"] = draw(st.sampled_from(TYPES))
    if "passive" in arguments and draw(st.booleans()):
        arguments["passive"] = False
    return method(draw(st.sampled_from([1, 1, 1, 1, 0, 2, 65_535])), shape.name, **arguments)


@st.composite
def any_message(draw: st.DrawFn) -> bytes:
    """A sound message with any properties."""
    body = draw(st.binary(max_size=40))
    properties = draw(st.fixed_dictionaries({}, optional=PROPERTIES))
    head = method(1, "basic.publish", exchange=draw(names), routing_key=draw(names), mandatory=draw(st.booleans()))
    return head + b"".join(content(1, body, part=draw(st.sampled_from([7, 131_064])), **properties))


any_frame = st.builds(frame, st.integers(0, 255), st.integers(0, 65_535), st.binary(max_size=60))
likely_frame = st.builds(frame, st.sampled_from([1, 2, 3, 8]), st.sampled_from([0, 1, 2]), st.binary(max_size=60))
prefixes = st.integers(0, OPENING)


def try_octets(octets: bytes) -> None:
    BENCH.try_out([octets])


def try_behind_the_opening(count: int, octets: bytes) -> None:
    BENCH.try_out([*OPENED[:count], octets])


def try_frames(count: int, frames: list[bytes], together: bool) -> None:
    said = [*OPENED[:count], *frames]
    BENCH.try_out([b"".join(said)] if together else said)


def try_talk(said: list[bytes], together: bool) -> None:
    talk = [*OPENED, method(1, "queue.declare", queue="fuzz-q"), *said]
    BENCH.try_out([b"".join(talk)] if together else talk)


OCTETS = (st.one_of(st.binary(max_size=200), st.builds(PROTOCOL_HEADER.__add__, st.binary(max_size=200))),)
BEHIND = (prefixes, st.binary(max_size=300))
FRAMES = (prefixes, st.lists(st.one_of(any_frame, likely_frame), max_size=6), st.booleans())
TALK = (st.lists(st.one_of(any_method(), any_message(), likely_frame), max_size=8), st.booleans())

test_random_octets_do_no_harm = FEW(given(*OCTETS)(try_octets))
test_random_octets_after_any_part_of_a_handshake_do_no_harm = FEW(given(*BEHIND)(try_behind_the_opening))
test_random_frames_do_no_harm = FEW(given(*FRAMES)(try_frames))
test_methods_and_messages_with_random_arguments_do_no_harm = FEW(given(*TALK)(try_talk))

test_many_random_octets = pytest.mark.campaign(MANY(given(*OCTETS)(try_octets)))
test_many_random_octets_after_a_handshake = pytest.mark.campaign(MANY(given(*BEHIND)(try_behind_the_opening)))
test_many_random_frames = pytest.mark.campaign(MANY(given(*FRAMES)(try_frames)))
test_many_random_methods_and_messages = pytest.mark.campaign(MANY(given(*TALK)(try_talk)))

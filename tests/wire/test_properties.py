"""Content headers: read by flag, written anew where one property changes, refused where they are malformed."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.wire import properties as props
from amq.wire import tables
from amq.wire.properties import Properties, PropertiesError, read, rewrite, shortstr

HEADERS = tables.encode({"k": ("I", 7)})
# Each property's octets on the wire, by flag, from the highest down.
OCTETS = {
    props.CONTENT_TYPE: shortstr(b"text/plain"),
    props.CONTENT_ENCODING: shortstr(b"utf-8"),
    props.HEADERS: HEADERS,
    props.DELIVERY_MODE: b"\x02",
    props.PRIORITY: b"\x09",
    props.CORRELATION_ID: shortstr(b"correlation"),
    props.REPLY_TO: shortstr(b"reply"),
    props.EXPIRATION: shortstr(b"1000"),
    props.MESSAGE_ID: shortstr(b"message"),
    props.TIMESTAMP: (1_700_000_000).to_bytes(8, "big"),
    props.TYPE: shortstr(b"type"),
    props.USER_ID: shortstr(b"guest"),
    props.APP_ID: shortstr(b"app"),
    props.CLUSTER_ID: shortstr(b""),
}
FLAGS = list(OCTETS)


def header(flags: tuple[int, ...] | list[int], octets: dict[int, bytes] = OCTETS) -> bytes:
    """A content header with these properties, of a body of 5 octets."""
    head = b"\x00\x3c\x00\x00" + (5).to_bytes(8, "big") + sum(flags).to_bytes(2, "big")
    return head + b"".join([octets[flag] for flag in FLAGS if flag in flags])


EVERY_COMBINATION = [present for count in range(15) for present in combinations(FLAGS, count)]


def says(found: Properties) -> dict[int, object]:
    """What was read, by flag, without what is not there."""
    values: dict[int, object] = {
        props.EXPIRATION: found.expiration,
        props.REPLY_TO: found.reply_to,
        props.USER_ID: found.user_id,
        props.CORRELATION_ID: found.correlation_id,
        props.MESSAGE_ID: found.message_id,
        props.TIMESTAMP: found.timestamp,
        props.PRIORITY: found.priority or None,
        props.DELIVERY_MODE: found.persistent or None,
        props.HEADERS: found.headers() or None,
    }
    return {flag: value for flag, value in values.items() if value is not None}


MEANT = {
    props.EXPIRATION: b"1000",
    props.REPLY_TO: b"reply",
    props.USER_ID: b"guest",
    props.CORRELATION_ID: b"correlation",
    props.MESSAGE_ID: b"message",
    props.TIMESTAMP: 1_700_000_000,
    props.PRIORITY: 9,
    props.DELIVERY_MODE: True,
    props.HEADERS: {"k": ("I", 7)},
}


def test_every_combination_of_properties_is_read() -> None:
    for present in EVERY_COMBINATION:
        assert says(read(header(present))) == {flag: MEANT[flag] for flag in MEANT if flag in present}


def test_every_combination_is_rewritten_with_one_property_gone_or_changed() -> None:
    for present in EVERY_COMBINATION[::7]:
        whole = header(present)
        assert rewrite(whole, {}) == whole
        for flag in FLAGS:
            without = [other for other in present if other != flag]
            assert rewrite(whole, {flag: None}) == header(without)
            changed = OCTETS | {flag: b"!" + OCTETS[flag]}
            assert rewrite(whole, {flag: changed[flag]}) == header([*without, flag], changed)


def test_a_header_cut_anywhere_is_an_error() -> None:
    for present in [*EVERY_COMBINATION[:120], tuple(FLAGS)]:
        whole = header(present)
        for size in range(len(whole)):
            with pytest.raises(PropertiesError):
                read(whole[:size])


def test_octets_after_the_last_property_are_an_error() -> None:
    for present in EVERY_COMBINATION[:120]:
        with pytest.raises(PropertiesError):
            read(header(present) + b"\0")


@pytest.mark.parametrize("flags", [b"\x00\x01", b"\x00\x02", b"\x10\x01", b"\xff\xff"])
def test_flags_that_name_no_property_are_an_error(flags: bytes) -> None:
    with pytest.raises(PropertiesError, match="that class basic does not have"):
        read(b"\0\x3c\0\0" + bytes(8) + flags + b"\x02")


def test_headers_that_cannot_be_read_are_an_error_of_the_header() -> None:
    with pytest.raises(PropertiesError, match="headers: unknown field type"):
        read(header([props.HEADERS], {props.HEADERS: b"\0\0\0\x03\x01kz"}))


@given(st.integers(0, 0xFFFF), st.binary(max_size=60))
def test_any_octets_are_properties_or_an_error(flags: int, octets: bytes) -> None:
    whole = b"\0\x3c\0\0" + bytes(8) + flags.to_bytes(2, "big") + octets
    try:
        read(whole)
    except PropertiesError:
        return
    assert rewrite(whole, {}) == whole


@pytest.mark.parametrize(
    ("octet", "persistent"), [(b"\x00", False), (b"\x01", False), (b"\x02", True), (b"\x03", False)]
)
def test_delivery_mode_2_alone_is_persistent(octet: bytes, persistent: bool) -> None:
    alone = header([props.DELIVERY_MODE], {props.DELIVERY_MODE: octet})
    assert read(alone).persistent is persistent
    among = header([props.DELIVERY_MODE, props.APP_ID], {props.DELIVERY_MODE: octet, props.APP_ID: shortstr(b"a")})
    assert read(among).persistent is persistent


def table(**fields: tables.Field) -> bytes:
    return tables.encode(fields)


@pytest.mark.parametrize(
    ("flag", "octets", "special"),
    [
        (props.EXPIRATION, shortstr(b""), True),
        (props.USER_ID, shortstr(b"guest"), True),
        (props.REPLY_TO, shortstr(b"amq.rabbitmq.reply-to"), True),
        (props.REPLY_TO, shortstr(b"amq.gen-1"), False),
        (props.HEADERS, table(CC=("A", [])), True),
        (props.HEADERS, table(BCC=("A", [])), True),
        (props.HEADERS, table(cc=("A", [])), False),
        (props.PRIORITY, b"\x05", False),
        (props.CONTENT_TYPE, shortstr(b"CC"), False),
    ],
)
def test_publishing_looks_closer_only_at_what_asks_for_something(flag: int, octets: bytes, special: bool) -> None:
    assert read(header([flag], {flag: octets})).special is special

"""The arguments of queue.declare: what is taken, and RabbitMQ's words for what is not."""

import pytest

from amq.errors import ChannelFault, ConnectionFault
from amq.queues.arguments import COMPARED, FOREIGN, MAX_MS, equivalent, parse, shown
from amq.queues.limits import DROP_HEAD, REJECT_PUBLISH, REJECT_PUBLISH_DLX
from amq.wire.tables import Field, Table

Q = "queue 'q' in vhost '/'"


def refusal(arguments: Table) -> str:
    """What is said of arguments that close the channel."""
    with pytest.raises(ChannelFault) as caught:
        parse(Q, arguments)
    assert caught.value.code == 406
    return caught.value.text


def test_no_arguments_ask_for_nothing() -> None:
    options = parse(Q, {})
    assert (options.expires, options.ttl, options.max_priority) == (-1, -1, 0)
    assert (options.dead_letter_exchange, options.dead_letter_routing_key) == (None, None)
    assert options.limits is None
    assert options.single_active is False


def test_everything_that_can_be_asked_for() -> None:
    options = parse(
        Q,
        {
            "x-expires": ("I", 1),
            "x-message-ttl": ("l", 0),
            "x-max-length": ("B", 3),
            "x-max-length-bytes": ("s", 4),
            "x-overflow": ("S", b"reject-publish"),
            "x-dead-letter-exchange": ("S", b""),
            "x-dead-letter-routing-key": ("S", b"k"),
            "x-max-priority": ("b", 5),
            "x-single-active-consumer": ("t", True),
            "x-queue-mode": ("S", b"lazy"),
            "x-queue-version": ("I", 2),
            "x-queue-type": ("S", b"classic"),
            "x-of-somebody-else": ("F", {}),
        },
    )
    assert (options.expires, options.ttl, options.max_priority) == (1, 0, 5)
    assert (options.dead_letter_exchange, options.dead_letter_routing_key) == (b"", b"k")
    assert options.limits is not None
    assert (options.limits.length, options.limits.size, options.limits.overflow) == (3, 4, REJECT_PUBLISH)
    assert options.single_active is True


@pytest.mark.parametrize(
    ("name", "value", "term"),
    [
        ("x-expires", 0, "{value_zero,0}"),
        ("x-expires", -1, "{value_negative,-1}"),
        ("x-expires", MAX_MS + 1, f"{{value_too_large,{MAX_MS + 1}}}"),
        ("x-message-ttl", -5, "{value_negative,-5}"),
        ("x-message-ttl", MAX_MS + 1, f"{{value_too_large,{MAX_MS + 1}}}"),
        ("x-max-length", -1, "{value_negative,-1}"),
        ("x-max-length-bytes", -1, "{value_negative,-1}"),
        ("x-max-priority", -1, "{value_negative,-1}"),
        ("x-max-priority", 256, "{max_value_exceeded,256}"),
        ("x-queue-version", 3, "\"unsupported queue version '3'\""),
    ],
)
def test_a_number_out_of_range_is_refused(name: str, value: int, term: str) -> None:
    assert refusal({name: ("l", value)}) == f"invalid arg '{name}' for {Q}: {term}"


@pytest.mark.parametrize("value", [1, MAX_MS])
def test_times_reach_from_one_to_ten_years(value: int) -> None:
    assert parse(Q, {"x-expires": ("l", value)}).expires == value


@pytest.mark.parametrize(
    "name", ["x-expires", "x-message-ttl", "x-max-length", "x-max-length-bytes", "x-max-priority", "x-queue-version"]
)
@pytest.mark.parametrize(("field", "kind"), [(("S", b"5"), "longstr"), (("d", 5.0), "double"), (("t", True), "bool")])
def test_a_number_must_be_an_integer(name: str, field: Field, kind: str) -> None:
    assert refusal({name: field}) == f"invalid arg '{name}' for {Q}: \"expected integer, got {kind}\""


@pytest.mark.parametrize(
    "name", ["x-dead-letter-exchange", "x-dead-letter-routing-key", "x-overflow", "x-queue-mode", "x-queue-type"]
)
def test_a_text_must_be_a_longstr(name: str) -> None:
    assert refusal({name: ("I", 1)}) == f"invalid arg '{name}' for {Q}: {{unacceptable_type,signedint}}"


def test_a_flag_must_be_a_boolean() -> None:
    text = refusal({"x-single-active-consumer": ("S", b"true")})
    assert text == f"invalid arg 'x-single-active-consumer' for {Q}: {{unacceptable_type,longstr}}"


@pytest.mark.parametrize(
    ("name", "value", "term"),
    [
        ("x-overflow", b"drop-tail", "invalid_overflow"),
        ("x-queue-mode", b"eager", "\"unsupported queue mode 'eager'\""),
        ("x-queue-type", b"heap", "\"unsupported queue type 'heap'\""),
        ("x-queue-type", b"\xff", "\"unsupported queue type '\ufffd'\""),
    ],
)
def test_a_text_must_be_one_of_those_that_mean_something(name: str, value: bytes, term: str) -> None:
    assert refusal({name: ("S", value)}) == f"invalid arg '{name}' for {Q}: {term}"


def test_a_dead_letter_routing_key_needs_an_exchange() -> None:
    text = refusal({"x-dead-letter-routing-key": ("S", b"k")})
    assert text == f"invalid arg 'x-dead-letter-routing-key' for {Q}: routing_key_but_no_dlx_defined"


def test_a_dead_letter_routing_key_must_fit_a_frame() -> None:
    arguments: Table = {"x-dead-letter-exchange": ("S", b""), "x-dead-letter-routing-key": ("S", b"k" * 255)}
    assert parse(Q, arguments).dead_letter_routing_key == b"k" * 255
    arguments["x-dead-letter-routing-key"] = ("S", b"k" * 256)
    assert refusal(arguments).endswith("{max_value_exceeded,256}")


@pytest.mark.parametrize("kind", [b"quorum", b"stream"])
def test_a_type_that_is_still_to_come_ends_the_connection(kind: bytes) -> None:
    with pytest.raises(ConnectionFault) as caught:
        parse(Q, {"x-queue-type": ("S", kind)})
    assert caught.value.code == 540
    assert caught.value.text == f"queue type '{kind.decode()}' of {Q} is not supported"


@pytest.mark.parametrize("name", FOREIGN)
def test_an_argument_of_another_type_is_refused(name: str) -> None:
    assert refusal({name: ("I", 1)}) == f"invalid arg '{name}' for {Q} of queue type rabbit_classic_queue"


@pytest.mark.parametrize(
    ("name", "overflow"),
    [(b"drop-head", DROP_HEAD), (b"reject-publish", REJECT_PUBLISH), (b"reject-publish-dlx", REJECT_PUBLISH_DLX)],
)
def test_the_ways_to_overflow(name: bytes, overflow: int) -> None:
    limits = parse(Q, {"x-max-length": ("I", 1), "x-overflow": ("S", name)}).limits
    assert limits is not None
    assert limits.overflow == overflow


def test_a_way_to_overflow_alone_is_no_limit() -> None:
    assert parse(Q, {"x-overflow": ("S", b"reject-publish")}).limits is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (None, None, True),
        (("I", 1), None, False),
        (None, ("I", 1), False),
        (("I", 1), ("l", 1), True),
        (("b", 1), ("I", 2), False),
        (("S", b"1"), ("I", 1), False),
        (("t", True), ("I", 1), False),
        (("S", b"a"), ("S", b"a"), True),
    ],
)
def test_integers_of_any_width_are_equal_and_nothing_else_of_different_types(
    one: Field | None, other: Field | None, equal: bool
) -> None:
    assert equivalent("x-max-length", one, other) is equal


def test_the_classic_type_is_the_same_as_none() -> None:
    assert equivalent("x-queue-type", None, ("S", b"classic"))
    assert equivalent("x-queue-type", ("S", b"classic"), None)
    assert not equivalent("x-queue-type", ("S", b"quorum"), None)


@pytest.mark.parametrize(
    ("field", "beside", "text"),
    [
        (None, ("I", 1), "none"),
        (("I", 5), None, "the value '5' of type 'signedint'"),
        (("S", b"a"), None, "the value 'a' of type 'longstr'"),
        (("t", True), None, "the value 'true' of type 'bool'"),
        (("t", False), ("t", True), "'false'"),
        (("I", 5), ("I", 6), "'5'"),
        (("I", 5), ("S", b"5"), "the value '5' of type 'signedint'"),
    ],
)
def test_an_argument_is_shown_with_its_type_where_that_differs(
    field: Field | None, beside: Field | None, text: str
) -> None:
    assert shown(field, beside) == text


def test_no_argument_is_both_compared_and_refused() -> None:
    assert not set(COMPARED) & set(FOREIGN)

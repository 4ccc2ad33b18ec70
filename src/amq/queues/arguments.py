"""The arguments of queue.declare and basic.consume: checked as RabbitMQ checks them, once, and made plain fields.

Error texts end with the term that RabbitMQ prints, such as `{value_negative,-1}`.
"""

from typing import Final

from amq.errors import NOT_IMPLEMENTED, PRECONDITION_FAILED, ChannelFault, ConnectionFault
from amq.queues.limits import DROP_HEAD, OVERFLOWS, Limits
from amq.wire.tables import INTEGERS, Field, Table, type_name

# Ten years in milliseconds, RabbitMQ's bound on times.
MAX_MS: Final = 315_360_000_000
MAX_PRIORITY: Final = 255
# Octets of a routing key.
MAX_KEY: Final = 255

# What a redeclaration is compared by; every other argument is accepted, kept and not looked at.
COMPARED: Final = (
    "x-expires",
    "x-message-ttl",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-length",
    "x-max-length-bytes",
    "x-single-active-consumer",
    "x-max-priority",
    "x-overflow",
    "x-queue-mode",
    "x-queue-version",
    "x-queue-type",
    "x-queue-master-locator",
)

# Arguments that only another type of queue knows: a classic queue refuses them.
FOREIGN: Final = (
    "x-delivery-limit",
    "x-quorum-initial-group-size",
    "x-queue-leader-locator",
    "x-initial-cluster-size",
    "x-max-in-memory-length",
    "x-max-in-memory-bytes",
    "x-dead-letter-strategy",
    "x-max-age",
    "x-stream-max-segment-size-bytes",
    "x-stream-filter-size-bytes",
)


class Options:
    """What a classic queue's arguments say, and policies where they add to them. Times in ms; -1: not given."""

    __slots__ = (
        "expires",
        "ttl",
        "limits",
        "dead_letter_exchange",
        "dead_letter_routing_key",
        "max_priority",
        "single_active",
        "delivery_limit",
        "consumer_timeout",
    )

    def __init__(self) -> None:
        self.expires: int = -1
        self.ttl: int = -1
        self.limits: Limits | None = None
        self.dead_letter_exchange: bytes | None = None
        self.dead_letter_routing_key: bytes | None = None
        self.max_priority: int = 0
        self.single_active: bool = False
        # These two come from policies alone.
        self.delivery_limit: int = -1
        self.consumer_timeout: int = -1


# Of all queues that were declared without arguments.
DEFAULTS: Final = Options()


def parse(queue: str, arguments: Table) -> Options:
    """Check and read the arguments of a classic queue; `queue` is how errors name it.

    Raises ChannelFault(406), or ConnectionFault(540) for the queue types that do not exist here.
    """
    if not arguments:
        return DEFAULTS
    # The values in RabbitMQ's order, then whether they belong here at all: of two mistakes that one is named.
    options = Options()
    _queue_type(queue, arguments)
    options.expires = _integer(queue, arguments, "x-expires", 1, MAX_MS)
    options.ttl = _integer(queue, arguments, "x-message-ttl", 0, MAX_MS)
    options.dead_letter_exchange = _string(queue, arguments, "x-dead-letter-exchange")
    options.dead_letter_routing_key = _string(queue, arguments, "x-dead-letter-routing-key")
    if options.dead_letter_routing_key is not None and options.dead_letter_exchange is None:
        raise _invalid(queue, "x-dead-letter-routing-key", "routing_key_but_no_dlx_defined")
    key_size = len(options.dead_letter_routing_key or b"")
    if key_size > MAX_KEY:
        # RabbitMQ takes it, and fails when it has to write such a key into a frame.
        raise _invalid(queue, "x-dead-letter-routing-key", f"{{max_value_exceeded,{key_size}}}")
    length = _integer(queue, arguments, "x-max-length", 0, None)
    size = _integer(queue, arguments, "x-max-length-bytes", 0, None)
    options.max_priority = max(0, _priority(queue, arguments))
    overflow = _overflow(queue, arguments)
    if length >= 0 or size >= 0:
        options.limits = Limits(length, size, overflow)
    _choice(queue, arguments, "x-queue-mode", (b"default", b"lazy"), "unsupported queue mode")
    options.single_active = _boolean(queue, arguments, "x-single-active-consumer")
    _version(queue, arguments)
    for name in FOREIGN:
        if name in arguments:
            raise _foreign(queue, name)
    return options


def consumer_priority(queue: str, arguments: Table) -> int:
    """The priority (`x-priority`, 0 without it) of a consumer of a classic queue; `queue` is how errors name it.

    Raises ChannelFault(406).
    """
    if "x-stream-offset" in arguments:
        raise _foreign(queue, "x-stream-offset")
    field = arguments.get("x-priority")
    if field is None:
        return 0
    if field[0] not in INTEGERS:
        raise _no_integer(queue, "x-priority", field)
    return int(field[1])


def equivalent(name: str, one: Field | None, other: Field | None) -> bool:
    """True when a redeclaration may say `one` where the queue has `other`.

    Integers of different width are equal, and the type `classic` is the same as none.
    """
    if name == "x-queue-type":
        one = one or ("S", b"classic")
        other = other or ("S", b"classic")
    if one is None or other is None:
        return one is other
    if one[0] in INTEGERS and other[0] in INTEGERS:
        return bool(one[1] == other[1])
    return one == other


def shown(field: Field | None, beside: Field | None) -> str:
    """An argument as the inequivalence text prints it next to the one that it differs from."""
    if field is None:
        return "none"
    kind, value = field
    if kind in ("S", "x"):
        text = value.decode("utf-8", "replace")
    elif kind == "t":
        text = "true" if value else "false"
    else:
        text = str(value)
    if beside is not None and beside[0] == kind:
        return f"'{text}'"
    return f"the value '{text}' of type '{type_name(kind)}'"


def _invalid(queue: str, name: str, term: str) -> ChannelFault:
    return ChannelFault(PRECONDITION_FAILED, f"invalid arg '{name}' for {queue}: {term}")


def _unacceptable(queue: str, name: str, field: Field) -> ChannelFault:
    return _invalid(queue, name, f"{{unacceptable_type,{type_name(field[0])}}}")


def _no_integer(queue: str, name: str, field: Field) -> ChannelFault:
    return _invalid(queue, name, f'"expected integer, got {type_name(field[0])}"')


def _foreign(queue: str, name: str) -> ChannelFault:
    return ChannelFault(PRECONDITION_FAILED, f"invalid arg '{name}' for {queue} of queue type rabbit_classic_queue")


def _queue_type(queue: str, arguments: Table) -> None:
    field = arguments.get("x-queue-type")
    if field is None:
        return
    if field[0] != "S":
        raise _unacceptable(queue, "x-queue-type", field)
    if field[1] in (b"quorum", b"stream"):
        raise ConnectionFault(NOT_IMPLEMENTED, f"queue type '{field[1].decode()}' of {queue} is not supported")
    if field[1] != b"classic":
        raise _invalid(queue, "x-queue-type", f"\"unsupported queue type '{field[1].decode(errors='replace')}'\"")


def _integer(queue: str, arguments: Table, name: str, least: int, most: int | None) -> int:
    field = arguments.get(name)
    if field is None:
        return -1
    kind, value = field
    if kind not in INTEGERS:
        raise _no_integer(queue, name, field)
    if value < 0:
        raise _invalid(queue, name, f"{{value_negative,{value}}}")
    if value < least:
        raise _invalid(queue, name, "{value_zero,0}")
    if most is not None and value > most:
        raise _invalid(queue, name, f"{{value_too_large,{value}}}")
    return int(value)


def _priority(queue: str, arguments: Table) -> int:
    value = _integer(queue, arguments, "x-max-priority", 0, None)
    if value > MAX_PRIORITY:
        raise _invalid(queue, "x-max-priority", f"{{max_value_exceeded,{value}}}")
    return value


def _boolean(queue: str, arguments: Table, name: str) -> bool:
    field = arguments.get(name)
    if field is None:
        return False
    if field[0] != "t":
        raise _unacceptable(queue, name, field)
    return bool(field[1])


def _string(queue: str, arguments: Table, name: str) -> bytes | None:
    field = arguments.get(name)
    if field is None:
        return None
    if field[0] != "S":
        raise _unacceptable(queue, name, field)
    assert isinstance(field[1], bytes)
    return field[1]


def _choice(queue: str, arguments: Table, name: str, allowed: tuple[bytes, ...], problem: str) -> None:
    value = _string(queue, arguments, name)
    if value is not None and value not in allowed:
        raise _invalid(queue, name, f"\"{problem} '{value.decode(errors='replace')}'\"")


def _version(queue: str, arguments: Table) -> None:
    value = _integer(queue, arguments, "x-queue-version", 0, None)
    if value not in (-1, 1, 2):
        raise _invalid(queue, "x-queue-version", f"\"unsupported queue version '{value}'\"")


def _overflow(queue: str, arguments: Table) -> int:
    name = _string(queue, arguments, "x-overflow")
    if name is None:
        return DROP_HEAD
    overflow = OVERFLOWS.get(name)
    if overflow is None:
        raise _invalid(queue, "x-overflow", "invalid_overflow")
    return overflow

"""Valid dialogues, each as the list of frames that its client sends; together they touch every method and feature.

A dialogue is correct from the protocol header to `connection.close`: what goes wrong later is the mutation's doing.
"""

from collections.abc import Callable
from typing import Any, Final

from tests.conformance.values import Typed
from tests.fuzz.wire import BODY, HEARTBEAT, frame, handshake, method, publish

Frames = list[bytes]
Q: Final = "fuzz-q"
X: Final = "fuzz-x"
QUEUES: Final = (Q, "fuzz-lost", "fuzz-other", "fuzz-dead", "fuzz-full", "fuzz-single")
EXCHANGES: Final = (X, "fuzz-alternate", "fuzz-random", "fuzz-recent")


def bye() -> Frames:
    return [method(1, "channel.close", reply_code=200), method(0, "connection.close", reply_code=200)]


def declare(name: str = Q, **rest: Any) -> bytes:
    return method(1, "queue.declare", queue=name, **rest)


def exchange(kind: str, name: str = X, **rest: Any) -> bytes:
    return method(1, "exchange.declare", exchange=name, type=kind, **rest)


def bind(key: str, name: str = Q, source: str = X, **arguments: Any) -> bytes:
    return method(1, "queue.bind", queue=name, exchange=source, routing_key=key, arguments=arguments)


def consume(name: str = Q, tag: str = "t", **rest: Any) -> bytes:
    return method(1, "basic.consume", queue=name, consumer_tag=tag, **rest)


def get(name: str = Q, **rest: Any) -> bytes:
    return method(1, "basic.get", queue=name, **rest)


def ack(tag: int, multiple: bool = False) -> bytes:
    return method(1, "basic.ack", delivery_tag=tag, multiple=multiple)


def simple() -> Frames:
    """Declare, publish, consume, acknowledge, cancel."""
    return [
        declare(durable=True),
        *publish(1, Q, b"one", delivery_mode=2, content_type="text/plain"),
        *publish(1, Q, b"two"),
        *publish(1, Q, b""),
        method(1, "basic.qos", prefetch_count=2),
        consume(),
        declare(durable=True),
        ack(1),
        declare(durable=True),
        ack(3, True),
        method(1, "basic.cancel", consumer_tag="t"),
        method(1, "queue.purge", queue=Q),
        method(1, "queue.delete", queue=Q),
    ]


def runs() -> Frames:
    """Many like messages in a row, as fast publishers send them, with confirms."""
    return [
        declare(exclusive=True),
        method(1, "confirm.select"),
        *[piece for _ in range(12) for piece in publish(1, Q, b"0123456789", delivery_mode=2)],
        consume(no_ack=True),
        *[piece for _ in range(4) for piece in publish(1, Q, b"0123456789", delivery_mode=2)],
    ]


def parts() -> Frames:
    """A body of several frames, other channels' frames between them, heartbeats."""
    head, header, *_ = publish(1, Q, bytes(300))
    return [
        declare(),
        method(2, "channel.open"),
        head,
        frame(HEARTBEAT, 0, b""),
        header,
        frame(BODY, 1, bytes(100)),
        method(2, "queue.declare", queue=Q, passive=True),
        frame(BODY, 1, b""),
        frame(BODY, 1, bytes(200)),
        get(),
        method(1, "basic.reject", delivery_tag=1, requeue=True),
        get(no_ack=True),
        method(2, "channel.close", reply_code=200),
    ]


def topics() -> Frames:
    """A topic exchange, patterns, an alternate exchange, unbinding."""
    return [
        exchange("fanout", "fuzz-alternate"),
        exchange("topic", arguments={"alternate-exchange": "fuzz-alternate"}),
        declare(),
        declare("fuzz-lost"),
        bind("a.*.#"),
        bind("#.b"),
        bind("", "fuzz-lost", "fuzz-alternate"),
        *publish(1, "a.x.b", b"1", exchange=X),
        *publish(1, "nowhere", b"2", exchange=X),
        get(),
        get("fuzz-lost"),
        method(1, "queue.unbind", queue=Q, exchange=X, routing_key="#.b"),
        method(1, "exchange.delete", exchange=X),
        method(1, "exchange.delete", exchange="fuzz-alternate"),
    ]


def headers() -> Frames:
    """A headers exchange and a message with a field of every type."""
    every = {
        "bool": True,
        "int": Typed("I", -5),
        "uint": Typed("i", 5),
        "long": Typed("l", 2**40),
        "octet": Typed("b", -1),
        "unsigned octet": Typed("B", 255),
        "short": Typed("s", -300),
        "unsigned short": Typed("u", 300),
        "float": Typed("f", 1.5),
        "double": 0.1,
        "decimal": Typed("D", (2, 314)),
        "text": "words",
        "octets": Typed("x", b"\x00\xff"),
        "time": Typed("T", 1_700_000_000),
        "none": None,
        "list": [1, "two", [3], {"four": 4}],
        "table": {"inner": {"innermost": None}},
    }
    return [
        exchange("headers"),
        declare(),
        bind("", **{"x-match": "any", "text": "words", "none": None}),
        bind("", **{"x-match": "all", "bool": True, "list": [1, 2]}),
        *publish(1, "k", b"x", exchange=X, headers=every, priority=4, timestamp=1, message_id="m", app_id="a"),
        get(),
    ]


def plugins() -> Frames:
    """The exchange types that RabbitMQ has as plug-ins, bindings between exchanges."""
    return [
        exchange("x-consistent-hash", arguments={"hash-header": "h"}),
        exchange("x-random", "fuzz-random"),
        exchange("x-recent-history", "fuzz-recent", arguments={"x-recent-history-length": 2}),
        declare(),
        declare("fuzz-other", auto_delete=True),
        bind("3"),
        bind("", "fuzz-other", "fuzz-random"),
        method(1, "exchange.bind", destination="fuzz-random", source="fuzz-recent"),
        *publish(1, "k", b"1", exchange=X, headers={"h": "v"}),
        *publish(1, "k", b"2", exchange="fuzz-recent"),
        bind("", Q, "fuzz-recent"),
        method(1, "exchange.unbind", destination="fuzz-random", source="fuzz-recent"),
        consume("fuzz-other"),
    ]


def deaths() -> Frames:
    """Dead letters by expiry, by length and by rejection, in a circle."""
    onward = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "fuzz-dead"}
    return [
        declare(arguments={**onward, "x-message-ttl": 20, "x-max-length": 1}),
        declare("fuzz-dead", arguments={"x-dead-letter-exchange": "amq.fanout", "x-max-length-bytes": 1000}),
        bind("", Q, "amq.fanout"),
        *publish(1, Q, b"1", expiration="10"),
        *publish(1, Q, b"2", headers={"CC": ["fuzz-dead"], "BCC": ["nobody"]}),
        get("fuzz-dead"),
        method(1, "basic.nack", delivery_tag=1, multiple=True),
        *publish(1, Q, b"3", headers={"x-death": [{"queue": Q, "reason": "expired", "count": 7}]}),
    ]


def limits() -> Frames:
    """Priorities, refusal by length, expiring queues, a single active consumer and its successor."""
    return [
        declare(arguments={"x-max-priority": 5, "x-expires": 50}),
        declare("fuzz-full", arguments={"x-max-length": 1, "x-overflow": "reject-publish"}),
        declare("fuzz-single", arguments={"x-single-active-consumer": True}),
        method(1, "confirm.select"),
        *publish(1, Q, b"low", priority=1),
        *publish(1, Q, b"high", priority=9),
        *publish(1, "fuzz-full", b"1"),
        *publish(1, "fuzz-full", b"2"),
        consume("fuzz-single", "first"),
        consume("fuzz-single", "second", arguments={"x-priority": 3}),
        *publish(1, "fuzz-single", b"3"),
        method(1, "basic.cancel", consumer_tag="first"),
        ack(1),
        consume("fuzz-full", "mine", exclusive=True),
        get(),
    ]


def transactions() -> Frames:
    """tx with publishes, acknowledgements, rollback."""
    return [
        declare(),
        method(1, "tx.select"),
        *publish(1, Q, b"1"),
        *publish(1, Q, b"2"),
        method(1, "tx.commit"),
        get(),
        get(),
        ack(1),
        method(1, "basic.nack", delivery_tag=2, requeue=True),
        method(1, "tx.rollback"),
        ack(2, True),
        method(1, "tx.commit"),
    ]


def leavings() -> Frames:
    """Consumers that go while they hold messages, and queues that go while they have consumers."""
    single = "fuzz-single"
    return [
        declare(),
        declare(single, arguments={"x-single-active-consumer": True}),
        method(1, "basic.qos", prefetch_count=1),
        *[piece for name in (Q, single) for _ in range(3) for piece in publish(1, name, b"x")],
        consume(),
        consume(single, "first"),
        consume(single, "second"),
        declare(passive=True),
        method(1, "basic.cancel", consumer_tag="t"),
        ack(1),
        consume(),
        method(1, "basic.cancel", consumer_tag="first"),
        method(1, "basic.nack", delivery_tag=2, requeue=True),
        declare(passive=True),
        ack(0, True),
        method(1, "queue.delete", queue=single),
        ack(0, True),
        *publish(1, Q, b"y"),
        get(),
        declare(passive=True),
        method(1, "basic.recover", requeue=True),
    ]


def replies() -> Frames:
    """Direct reply-to, a mandatory message that comes back, the claims of a sender."""
    head = method(1, "basic.publish", exchange="", routing_key="nobody", mandatory=True)
    return [
        consume("amq.rabbitmq.reply-to", "replies", no_ack=True),
        declare(exclusive=True, auto_delete=True),
        *publish(1, Q, b"ask", reply_to="amq.rabbitmq.reply-to", correlation_id="1", user_id="guest"),
        get(no_ack=True),
        method(1, "queue.declare", queue="amq.rabbitmq.reply-to", passive=True),
        head,
        *publish(1, "", b"back")[1:],
        method(1, "basic.cancel", consumer_tag="replies"),
    ]


def controls() -> Frames:
    """The methods that few clients send."""
    return [
        declare(nowait=True),
        method(1, "channel.flow", active=True),
        method(1, "access.request", realm="/data"),
        method(0, "connection.update-secret", new_secret="x", reason="y"),
        method(1, "basic.qos", prefetch_count=1, **{"global": True}),
        consume(),
        *publish(1, Q, b"1"),
        *publish(1, Q, b"2"),
        method(1, "basic.recover", requeue=True),
        method(1, "basic.recover-async", requeue=True),
        ack(0, True),
        method(1, "exchange.declare", exchange="amq.direct", passive=True),
        method(1, "queue.delete", queue=Q, nowait=True),
        method(1, "queue.delete", queue=Q, if_unused=True, if_empty=True),
    ]


TALKS: Final[tuple[Callable[[], Frames], ...]] = (
    simple,
    runs,
    parts,
    topics,
    headers,
    plugins,
    deaths,
    limits,
    transactions,
    leavings,
    replies,
    controls,
)
OPENING: Final = len(handshake()) + 1


def whole(talk: Callable[[], Frames]) -> Frames:
    """A talk with its handshake and its goodbye; the first OPENING pieces are the way in."""
    return [*handshake(heartbeat=30), method(1, "channel.open"), *talk(), *bye()]

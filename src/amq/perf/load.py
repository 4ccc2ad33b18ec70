"""What is asked of a load: who publishes and consumes what, how fast, for how long. Checked when it is made."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

import attrs

SMALLEST: Final = 12  # octets of a body: it carries a sequence number and a stamp
LARGEST: Final = 1 << 29  # octets of a body; RabbitMQ refuses more by default, whatever is configured
FRAME_MAX: Final = 131072
SHORT: Final = 255  # octets of a name
EXIT_WHEN: Final = ("", "empty", "idle")
PORTS: Final = {"amqp": 5672, "amqps": 5671}


class LoadError(ValueError):
    """A load that makes no sense; the text says what is allowed."""


@attrs.frozen
class Phase:
    """A value that holds for a while: a rate, a size or a latency."""

    value: float
    seconds: float


@attrs.frozen
class Address:
    """Where a broker listens, and as whom to log in."""

    host: str
    port: int
    user: str
    password: str = attrs.field(repr=False)
    vhost: str
    tls: bool

    @property
    def shown(self) -> str:
        """Without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'amqps' if self.tls else 'amqp'}://{host}:{self.port}/{self.vhost.replace('/', '%2F')}"


def address(uri: str) -> Address:
    """The address that an AMQP URI names; what it leaves out is guest, guest, the usual port and vhost `/`.

    Raises LoadError.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise _no_address(uri) from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise _no_address(uri)
    return Address(
        parts.hostname,
        port or PORTS[parts.scheme],
        unquote(parts.username or "guest"),
        unquote(parts.password or "guest"),
        unquote(parts.path[1:]) or "/",
        parts.scheme == "amqps",
    )


def _no_address(uri: str) -> LoadError:
    return LoadError(f"--uri {_without_password(uri)}: not amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps://...")


def _without_password(uri: str) -> str:
    scheme, _, rest = uri.rpartition("//")
    return f"{scheme}//{rest.rpartition('@')[2]}" if scheme else rest.rpartition("@")[2]


@attrs.frozen(kw_only=True)
class Load:
    """Everything that was asked for. Raises LoadError for what makes no sense.

    None or an empty value stands for: not asked for, no limit. Rates and counts are those of one channel, as in
    PerfTest. Without `queues` each consumer has a queue of its own, which the broker names.
    """

    id: str = "test"
    addresses: tuple[Address, ...] = attrs.field(factory=lambda: (address("amqp://localhost"),))
    producers: int = 1  # connections
    consumers: int = 1
    producer_channels: int = 1  # of each connection
    consumer_channels: int = 1
    queues: tuple[str, ...] = ()
    exchange: str = "direct"
    exchange_type: str = "direct"
    routing_key: str | None = None
    random_routing_key: bool = False
    size: int = 0  # octets of a body
    sizes: tuple[Phase, ...] = ()
    rate: float | None = None  # messages per second
    rates: tuple[Phase, ...] = ()
    latency_from_schedule: bool = False  # stamps say when a message was due, not when it was sent
    consumer_rate: float | None = None
    consumer_latency_us: int = 0  # pretended work on each message
    consumer_latencies_us: tuple[Phase, ...] = ()
    confirm: int = 0  # unconfirmed messages at most; 0: no confirms
    confirm_timeout: float = 30.0  # seconds
    prefetch: int = 0  # 0: as much as comes
    global_prefetch: int = 0
    auto_ack: bool = False
    multi_ack_every: int = 1
    nack: bool = False
    requeue: bool = True
    persistent: bool = False
    mandatory: bool = False
    producer_tx: int = 0  # messages in a transaction; 0: none
    consumer_tx: int = 0
    predeclared: bool = False
    durable: bool = False
    auto_delete: bool = True
    exclusive: bool = False
    queue_arguments: dict[str, Any] = attrs.Factory(dict)
    consumer_arguments: dict[str, Any] = attrs.Factory(dict)
    message_properties: dict[str, Any] = attrs.Factory(dict)
    producer_messages: int = 0
    consumer_messages: int = 0
    seconds: float | None = None
    interval: float = 1.0  # seconds
    producer_random_start_delay: float = 0.0  # seconds
    slow_start: bool = False
    heartbeat: int = 60  # seconds; 0: none
    frame_max: int = FRAME_MAX
    exit_when: str = ""

    def __attrs_post_init__(self) -> None:
        self._check_numbers()
        self._check_names()
        self._check_combinations()

    def _check_numbers(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise LoadError(f"{_option(name)} {_number(value)}: {_number(low)} to {_number(high)} is allowed")
        for name, low, high in _PHASES:
            for phase in getattr(self, name):
                if not low <= phase.value <= high or not phase.seconds > 0:
                    text = f"{_number(low)} to {_number(high)}, and more than 0 seconds, is allowed"
                    raise LoadError(f"{_option(name)} {phase.value:g}:{phase.seconds:g}: {text}")

    def _check_names(self) -> None:
        for name in (*self.queues, self.exchange, self.exchange_type, self.routing_key or ""):
            if len(name.encode("utf-8", "surrogateescape")) > SHORT:
                raise LoadError(f"{name[:20]}...: names and routing keys have at most {SHORT} octets")
        if self.exit_when not in EXIT_WHEN:
            raise LoadError(f"--exit-when {self.exit_when}: empty or idle is allowed")
        if not self.addresses:
            raise LoadError("--uri: at least one is needed")

    def _check_combinations(self) -> None:
        for wrong, text in (
            (not self.producers and not self.consumers, "--producers 0 and --consumers 0: nothing is left to do"),
            (self.rate is not None and self.rates, "--rate: not allowed with --variable-rate"),
            (
                self.latency_from_schedule and self.rate is None and not self.rates,
                "--latency-from-schedule: needs --rate or --variable-rate, there is no schedule without",
            ),
            (
                self.confirm and self.producer_tx,
                "--confirm: not allowed with --ptxsize, a channel has one or the other",
            ),
            (self.auto_ack and self.consumer_tx, "--ctxsize: not allowed with --autoack, there is nothing to commit"),
            (self.auto_ack and self.nack, "--nack: not allowed with --autoack"),
            (self.exclusive and self.queues, "--exclusive: not allowed with --queue or --queue-pattern"),
            (
                self.exclusive and self.exit_when == "empty",
                "--exit-when empty: not allowed with --exclusive, nobody else may look at such a queue",
            ),
            (
                self.multi_ack_every > self.prefetch > 0 and not self.auto_ack,
                f"--multi-ack-every {self.multi_ack_every}: at most --qos {self.prefetch}, where the broker waits",
            ),
            (self.predeclared and self.consumers and not self.queues, "--predeclared: needs --queue"),
            (
                not self.consumers and not self.queues and not self.predeclared,
                "--consumers 0: needs --queue, or --predeclared for an exchange that has its bindings",
            ),
            (
                self.exchange == "" and self.queues == () and self.routing_key is not None,
                "--routing-key: needs --queue or another --exchange, the default exchange goes by the queue's name",
            ),
        ):
            if wrong:
                raise LoadError(text)


_COUNT: Final = 1 << 62
_RANGES: Final = (
    ("producers", 0, 100_000),
    ("consumers", 0, 100_000),
    ("producer_channels", 1, 65_535),
    ("consumer_channels", 1, 65_535),
    ("size", 0, LARGEST),
    ("rate", 0, 1e9),
    ("consumer_rate", 1e-3, 1e9),
    ("consumer_latency_us", 0, 10**10),
    ("confirm", 0, 10**9),
    ("confirm_timeout", 0.1, 1e9),
    ("prefetch", 0, 65_535),
    ("global_prefetch", 0, 65_535),
    ("multi_ack_every", 1, _COUNT),
    ("producer_tx", 0, _COUNT),
    ("consumer_tx", 0, _COUNT),
    ("producer_messages", 0, _COUNT),
    ("consumer_messages", 0, _COUNT),
    ("seconds", 1e-3, 1e9),
    ("interval", 0.05, 86_400),
    ("producer_random_start_delay", 0, 86_400),
    ("heartbeat", 0, 65_535),
    ("frame_max", 4096, 1 << 31),
)
_PHASES: Final = (("sizes", 0, LARGEST), ("rates", 0, 1e9), ("consumer_latencies_us", 0, 10**10))
_OPTIONS: Final = {
    "sizes": "--variable-size",
    "rates": "--variable-rate",
    "consumer_latencies_us": "--variable-latency",
    "consumer_latency_us": "--consumer-latency",
    "prefetch": "--qos",
    "global_prefetch": "--global-qos",
    "producer_tx": "--ptxsize",
    "consumer_tx": "--ctxsize",
    "producer_messages": "--pmessages",
    "consumer_messages": "--cmessages",
    "seconds": "--time",
    "frame_max": "--framemax",
    "producer_channels": "--producer-channel-count",
    "consumer_channels": "--consumer-channel-count",
}


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _option(name: str) -> str:
    return _OPTIONS.get(name, f"--{name.replace('_', '-')}")

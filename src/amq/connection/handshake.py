"""From the protocol header to connection.open-ok: who is there, as whom, in which vhost, and on what terms."""

from typing import Final

from amq.auth.chain import Login
from amq.auth.credentials import Challenge, Credentials, Refusal
from amq.auth.mechanisms import Mechanism
from amq.auth.users import User
from amq.broker import WARNING, Broker
from amq.connection import admission
from amq.connection.peer import Peer
from amq.connection.vocabulary import Vocabulary
from amq.errors import ACCESS_REFUSED, CHANNEL_ERROR, NOT_ALLOWED, ConnectionFault
from amq.vhost.vhost import Vhost
from amq.wire import spec
from amq.wire.methods import Arguments
from amq.wire.tables import Table

STARTING: Final = "starting"
SECURING: Final = "securing"
# The client has said all that it has to say, and whether that holds is being found out.
DECIDING: Final = "deciding"
TUNING: Final = "tuning"
OPENING: Final = "opening"
RUNNING: Final = "running"

CAPABILITIES: Final = (
    "publisher_confirms",
    "exchange_exchange_bindings",
    "basic.nack",
    "consumer_cancel_notify",
    "connection.blocked",
    "consumer_priorities",
    "authentication_failure_close",
    "per_consumer_qos",
    "direct_reply_to",
)

_WORDS: Final = Vocabulary()


class LoginRefused(Exception):
    """The client may not come in. `tell`: it said that it understands being told so."""

    def __init__(self, text: str, tell: bool) -> None:
        super().__init__(text)
        self.text = text
        self.tell = tell


class Handshake:
    """One client's way in. `step` answers each method; what was agreed on stands in the fields.

    `heartbeat` in seconds, 0: none; `frame_max` in octets and `channel_max`, 0: no limit.
    """

    __slots__ = (
        "broker",
        "peer",
        "state",
        "properties",
        "mechanism",
        "first",
        "login",
        "user",
        "vhost",
        "heartbeat",
        "frame_max",
        "channel_max",
    )

    def __init__(self, broker: Broker, peer: Peer) -> None:
        self.broker = broker
        self.peer = peer
        self.state: str = STARTING
        self.properties: Table = {}
        self.mechanism: Mechanism | None = None
        # Whether the refusal, if it comes to that, is the answer to start-ok.
        self.first: bool = False
        # What is being found out.
        self.login: Login | None = None
        self.user: User | None = None
        self.vhost: Vhost | None = None
        self.heartbeat: int = 0
        self.frame_max: int = 0
        self.channel_max: int = 0

    def start(self) -> Arguments:
        """The arguments of connection.start."""
        mechanisms = " ".join(self.broker.mechanisms.offered(self.peer.for_login()))
        return [0, 9, self.server_properties(), mechanisms.encode(), b"en_US"]

    def server_properties(self) -> Table:
        """What clients decide by: product, version, and above all the capabilities."""
        settings = self.broker.settings
        return {
            "capabilities": ("F", dict.fromkeys(CAPABILITIES, ("t", True))),
            "cluster_name": ("S", self.broker.cluster_name().encode()),
            "copyright": ("S", b"The amq authors"),
            "information": ("S", b"amq, an AMQP 0-9-1 broker in Python. Licensed under the MIT licence"),
            "platform": ("S", b"Python"),
            "product": ("S", settings.product_name.encode()),
            "version": ("S", settings.product_version.encode()),
        }

    def capabilities(self) -> Table:
        """What the client says that it can do."""
        field = self.properties.get("capabilities")
        return field[1] if field is not None and field[0] == "F" else {}

    def connection_name(self) -> str:
        """What the client calls its connection, fit for a line of the log; empty when it does not say."""
        field = self.properties.get("connection_name")
        if field is None or field[0] != "S":
            return ""
        name = field[1].decode("utf-8", "replace")
        return "".join([letter if letter.isprintable() else " " for letter in name])

    def can(self, capability: str) -> bool:
        """Whether the client announced a capability."""
        return self.capabilities().get(capability, ("t", False))[1] is True

    def step(self, method: int, arguments: Arguments) -> tuple[int, Arguments]:
        """Take the client's next method; returns the one to answer with (0: none).

        Raises LoginRefused and ConnectionFault.
        """
        if self.state == STARTING and method == spec.CONNECTION_START_OK:
            return self.start_ok(arguments)
        if self.state == SECURING and method == spec.CONNECTION_SECURE_OK:
            response = arguments[0]
            assert isinstance(response, bytes) and self.mechanism is not None
            return self.answer(self.mechanism.proceed(response), False)
        if self.state == TUNING and method == spec.CONNECTION_TUNE_OK:
            return self.tune_ok(arguments)
        if self.state == OPENING and method == spec.CONNECTION_OPEN:
            return self.open(arguments)
        raise ConnectionFault(CHANNEL_ERROR, f"unexpected method in connection state {self.state}")

    def start_ok(self, arguments: Arguments) -> tuple[int, Arguments]:
        """Properties of the client, and the first word of its login."""
        properties, name, response, _locale = arguments
        assert isinstance(properties, dict) and isinstance(name, bytes) and isinstance(response, bytes)
        self.properties = _WORDS.shared(properties)
        mechanism = self.broker.mechanisms.begin(name.decode("utf-8", "replace"), self.peer.for_login())
        self.mechanism = mechanism
        return self.answer(mechanism.start(response), True)

    def answer(self, answer: Challenge | Credentials | Refusal, first: bool) -> tuple[int, Arguments]:
        """Go on as the mechanism says. Only refusals in the first round are told to the client."""
        self.first = first
        if isinstance(answer, Challenge):
            self.state = SECURING
            return spec.CONNECTION_SECURE, [answer.data]
        if isinstance(answer, Refusal):
            return self.decided(answer)
        if not self.broker.accepting_logins:
            return self.decided(Refusal("logins are switched off"))
        outcome = self.broker.logins.begin(answer, self.peer.for_login())
        if isinstance(outcome, Login):
            self.state = DECIDING
            self.login = outcome
            return 0, []
        return self.decided(outcome)

    def decided(self, outcome: User | Refusal) -> tuple[int, Arguments]:
        """The login is decided; returns the method to answer with. Raises LoginRefused."""
        assert self.mechanism is not None
        self.login = None
        if isinstance(outcome, Refusal):
            if not outcome.retry_after or self.broker.logins.attempts.first_refusal(self.peer.for_login().address):
                self.broker.note(
                    WARNING, f"{self.mechanism.name} login refused on connection {self.peer}: {outcome.reason}"
                )
            raise LoginRefused(
                f"Login was refused using authentication mechanism {self.mechanism.name}. "
                "For details see the broker logfile.",
                self.first and self.can("authentication_failure_close"),
            )
        self.user = outcome
        self.state = TUNING
        settings = self.broker.settings
        return spec.CONNECTION_TUNE, [settings.channel_max, settings.frame_max, settings.heartbeat]

    def tune_ok(self, arguments: Arguments) -> tuple[int, Arguments]:
        """What the client makes of our proposal. Its heartbeat counts as it is."""
        channel_max, frame_max, heartbeat = arguments
        assert isinstance(channel_max, int) and isinstance(frame_max, int) and isinstance(heartbeat, int)
        settings = self.broker.settings
        check_negotiated("frame_max", frame_max, spec.FRAME_MIN_SIZE, settings.frame_max)
        check_negotiated("channel_max", channel_max, 1, settings.channel_max)
        self.channel_max, self.frame_max, self.heartbeat = channel_max, frame_max, heartbeat
        self.state = OPENING
        return 0, []

    def open(self, arguments: Arguments) -> tuple[int, Arguments]:
        """Into a vhost."""
        raw = arguments[0]
        assert isinstance(raw, bytes) and self.user is not None
        name = raw.decode("utf-8", "replace")
        vhost = admission.check_connection(self.broker, name, self.user.name)
        if not vhost.permissions.may_enter(self.user.name):
            raise ConnectionFault(NOT_ALLOWED, f"access to vhost '{name}' refused for user '{self.user.name}'")
        self.vhost = vhost
        self.state = RUNNING
        return spec.CONNECTION_OPEN_OK, [b""]


def check_negotiated(what: str, value: int, least: int, most: int) -> None:
    """Raise ConnectionFault(530) unless a client's number lies between ours; 0 means no limit, on both sides."""
    if value != 0 and value < least:
        raise ConnectionFault(
            NOT_ALLOWED, f"negotiated {what} = {value} is lower than the minimum allowed value ({least})"
        )
    if most != 0 and (value == 0 or value > most):
        shown = f"{value} (no limit)" if value == 0 else str(value)
        raise ConnectionFault(
            NOT_ALLOWED, f"negotiated {what} = {shown} is higher than the maximum allowed value ({most})"
        )


def refusal(error: LoginRefused) -> ConnectionFault:
    """A refused login as the fault that it is told as."""
    return ConnectionFault(ACCESS_REFUSED, error.text)

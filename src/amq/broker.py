"""The root object: vhosts, users, alarms, and the clients that are connected.

Knows no socket and no clock. The shell tells it the time (`advance`), empties `writable` and `log`, and raises alarms.
"""

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Final

from amq.auth.chain import Login
from amq.auth.credentials import Refusal
from amq.auth.logins import Logins
from amq.auth.mechanisms import mechanisms_for
from amq.auth.occupancy import Occupancy
from amq.auth.passwords import DEFAULT_ALGORITHM, algorithm_for
from amq.auth.users import User, Users
from amq.auth.validation import PasswordRules
from amq.chores import Chores
from amq.clock import Clock, Timed, Timers
from amq.config.settings import AUTOMATIC, Settings
from amq.errors import CONNECTION_FORCED
from amq.journal import change
from amq.journal.batch import Batch
from amq.journal.change import Change
from amq.journal.loading import Load
from amq.message import Message
from amq.queues.base import Agenda
from amq.tally import Churn
from amq.vhost import topology
from amq.vhost.permission import Permission
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost

DEBUG: Final = 10
INFO: Final = 20
WARNING: Final = 30
ERROR: Final = 40

# Queues that dead-letter to each other may go on for ever; a stop does not wait for that.
MOST_GOES: Final = 10_000


class Client(Timed):
    """A connection as the broker sees it; the connection layer implements it.

    `shell` is whoever holds the socket, for the shell to find again; nothing in the core looks at it.
    """

    __slots__ = ("shell",)
    shell: object

    def alarm_changed(self) -> None:
        """An alarm was raised or the last one cleared."""
        raise NotImplementedError

    def confirm(self) -> None:
        """More tickets are durable: tell the publishers among its channels."""
        raise NotImplementedError

    def login_decided(self, outcome: User | Refusal) -> None:
        """What its login has waited for is found out."""
        raise NotImplementedError

    def caught_up(self) -> None:
        """The journal is no longer behind: go on publishing."""
        raise NotImplementedError

    def head_arrived(self) -> None:
        """Messages were read back: perhaps the one that it waits for."""
        raise NotImplementedError

    def go_on(self) -> None:
        """Long work that it has waited for is through."""
        raise NotImplementedError

    def vhost_name(self) -> str | None:
        """The vhost that it has opened; None before that."""
        raise NotImplementedError

    def name(self) -> str:
        """What RabbitMQ calls it: its two ends, `host:port -> host:port`."""
        raise NotImplementedError

    def user_name(self) -> str | None:
        """The user that it has logged in as; None before that."""
        raise NotImplementedError

    def force_close(self, reason: str, code: int = CONNECTION_FORCED) -> None:
        """Close it from this side: `connection.close` with that reason."""
        raise NotImplementedError


class VhostLimitReached(ValueError):
    """There may be no more vhosts; the text is RabbitMQ's."""


class Broker:
    """A whole broker without I/O. `now` is monotonic time in s, `wall` the same moment in s since 1970.

    Without `defaults` it begins with nothing at all, for a definition store to fill.
    """

    __slots__ = (
        "settings",
        "clock",
        "timers",
        "chores",
        "journal",
        "churn",
        "vhosts",
        "users",
        "logins",
        "mechanisms",
        "accepting_logins",
        "deciding",
        "occupancy",
        "alarms",
        "clients",
        "awaiting",
        "lagging",
        "shivering",
        "writable",
        "log",
        "global_parameters",
        "serial",
        "secret",
    )

    def __init__(
        self,
        settings: Settings,
        now: float,
        wall: float,
        journal: Batch | None = None,
        secret: bytes = b"",
        defaults: bool = True,
    ) -> None:
        self.settings = settings
        self.clock = Clock(now, wall)
        self.timers = Timers()
        self.chores = Chores(self.clock, self.timers)
        self.journal = journal or Batch(keeps=False)
        self.journal.clock = self.clock
        self.journal.secret = secret
        self.churn = Churn()
        self.vhosts: dict[str, Vhost] = {}
        # Global runtime parameters: any JSON value by name.
        self.global_parameters: dict[str, object] = {}
        self.users = Users(self.journal)
        self.logins = Logins(self.users, settings, self.clock)
        self.mechanisms = mechanisms_for(settings)
        self.adopt(settings)
        # False: every login is refused, whoever asks.
        self.accepting_logins: bool = True
        # Clients whose login waits for the hash of a password, since the shell last looked.
        self.deciding: list[tuple[Client, Login]] = []
        self.occupancy = Occupancy()
        # What is scarce now: "memory", "disk".
        self.alarms: set[str] = set()
        # In order of arrival (a dict as an ordered set).
        self.clients: dict[Client, None] = {}
        # Those with confirms that wait for a ticket.
        self.awaiting: dict[Client, None] = {}
        # Those that wait for the journal before they publish more.
        self.lagging: list[Client] = []
        # Those that wait for the head of a queue to be read back.
        self.shivering: dict[Client, None] = {}
        # Those whose outbox got something since the shell last looked.
        self.writable: list[Client] = []
        self.log: list[tuple[int, str]] = []
        self.serial: int = 0
        # Names made from it cannot be guessed; the shell passes random octets.
        self.secret = secret
        # As in RabbitMQ: whoever brings definitions along brings users and vhosts.
        if defaults and settings.load_definitions is None:
            self.add_defaults()

    def adopt(self, settings: Settings) -> None:
        """Go by other settings from now on, as far as a broker that runs can."""
        self.settings = settings
        rules = settings.logins
        self.users.rules = PasswordRules(rules.validation_backend, rules.min_length, rules.regexp)
        self.users.algorithm = algorithm_for(settings, self.journal.keeps)
        self.logins.adopt(settings)
        self.mechanisms = mechanisms_for(settings)

    def add_defaults(self) -> None:
        """The user and vhost that the configuration names."""
        settings = self.settings
        module = settings.password_hashing_module
        self.users.add(
            settings.default_user,
            settings.default_pass,
            tags=settings.default_user_tags,
            # A slow hash would keep a start waiting.
            hashing_algorithm=DEFAULT_ALGORITHM if module == AUTOMATIC else module,
        )
        vhost = self.add_vhost(settings.default_vhost)
        vhost.description = "Default virtual host"
        granted = settings.default_permissions
        vhost.permissions.set(settings.default_user, Permission(granted.configure, granted.write, granted.read))

    def add_vhost(self, name: str) -> Vhost:
        """The vhost of that name, made if it is not there yet. Raises VhostLimitReached (`vhost_max`)."""
        vhost = self.vhosts.get(name)
        if vhost is None:
            most = self.settings.limits.vhosts
            if most is not None and len(self.vhosts) >= most and not self.journal.restoring:
                raise VhostLimitReached(f"cannot create vhost '{name}': vhost limit of {most} is reached")
            vhost = self.vhosts[name] = Vhost(
                name,
                Agenda(
                    self.clock, self.timers, self.journal, self.churn, self.log, self.settings.node_name, self.chores
                ),
            )
            self.journal.define(Change(change.VHOST, name, (), vhost, False))
            topology.furnish(vhost)
        return vhost

    def delete_vhost(self, name: str) -> None:
        """Delete a vhost with all that is in it, and close the connections to it; a missing one is no error."""
        vhost = self.vhosts.pop(name, None)
        if vhost is None:
            return
        for client in list(self.clients):
            if client.vhost_name() == name:
                client.force_close(f"vhost '{name}' is deleted")
        for queue in list(vhost.queues.values()):
            topology.delete_queue(vhost, queue)
        for exchange in list(vhost.exchanges.values()):
            if exchange.waiting is not None:
                # What waits in it is on record.
                topology.delete_exchange(vhost, exchange)
        self.journal.define(Change(change.VHOST, name, (), None, True))

    def delete_user(self, name: str) -> None:
        """Delete a user with its permissions everywhere, and close its connections.

        Raises UserError for an unknown user.
        """
        self.users.delete(name)
        for vhost in self.vhosts.values():
            vhost.permissions.clear(name)
            vhost.permissions.clear_topic(name)
        for client in list(self.clients):
            if client.user_name() == name:
                client.force_close(f"user '{name}' is deleted")

    def cluster_name(self) -> str:
        """What the cluster is called: by an operator at run time, else by the configuration."""
        name = self.global_parameters.get("cluster_name")
        return name if isinstance(name, str) else self.settings.cluster_name

    def unique_name(self) -> bytes:
        """22 characters (base64url) that were not given out before and that nobody can guess."""
        self.serial += 1
        digest = blake2b(self.serial.to_bytes(8, "big"), key=self.secret, digest_size=16).digest()
        return urlsafe_b64encode(digest)[:22]

    def note(self, level: int, text: str) -> None:
        """Leave a line for the log."""
        self.log.append((level, text))

    def advance(self, now: float) -> None:
        """It is `now`: do what is due."""
        self.clock.now = now
        self.timers.advance(now)
        if self.journal.emptied:
            self.journal.emptied = False
            self.durable(self.journal.durable)
        for client in list(self.shivering):
            client.head_arrived()
        for vhost in self.vhosts.values():
            settle(vhost)

    def settle_all(self) -> None:
        """Before a stop: finish what is long, and let what is to be routed anew be routed, as far as that ends."""
        self.chores.finish()
        for _ in range(MOST_GOES):
            if not any(vhost.agenda.dead or vhost.agenda.released for vhost in self.vhosts.values()):
                return
            for vhost in self.vhosts.values():
                vhost.agenda.late = False
                settle(vhost)

    def durable(self, ticket: int) -> None:
        """Every record up to `ticket` is safe: confirm what waited for it."""
        self.journal.durable = max(self.journal.durable, ticket)
        awaiting = self.awaiting
        self.awaiting = {}
        for client in awaiting:
            client.confirm()
        if self.lagging and not self.journal.behind():
            lagging = self.lagging
            self.lagging = []
            for client in lagging:
                client.caught_up()

    def take_in(self, load: Load, messages: list[Message]) -> None:
        """Messages were read back: go on with what waited for them."""
        load.arrived(messages)
        for client in list(self.shivering):
            client.head_arrived()
        for vhost in self.vhosts.values():
            settle(vhost)

    def set_alarm(self, source: str, raised: bool) -> None:
        """Raise or clear the alarm of "memory" or "disk"; publishers are blocked while one is raised."""
        before = set(self.alarms)
        if raised:
            self.alarms.add(source)
        else:
            self.alarms.discard(source)
        if self.alarms == before:
            return
        self.note(WARNING, f"{source} resource limit alarm {'set' if raised else 'cleared'}")
        for client in list(self.clients):
            client.alarm_changed()

    def alarm_reason(self) -> str:
        """What connection.blocked says: `low on memory & disk`."""
        return "low on " + " & ".join(sorted(self.alarms, reverse=True))

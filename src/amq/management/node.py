"""What the HTTP API knows of the process around the broker."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import attrs
import trio

from amq.auth import proving
from amq.auth.credentials import LoginPeer, Refusal
from amq.auth.users import User
from amq.broker import Broker
from amq.config.reloaded import Outcome
from amq.management.sessions import Sessions
from amq.management.visitor import Visitor
from amq.metrics.facts import Facts
from amq.metrics.journal import JournalStatistics
from amq.metrics.log_line import LogControl
from amq.metrics.sampler import Sampler
from amq.metrics.thresholds import Thresholds
from amq.vhost.settling import settle

T = TypeVar("T")

WHOLE_LISTS: Final = 4
# How often it is looked whether long purges have handed in all that they record, in s.
OWING: Final = 0.005


class Waiting(Visitor):
    """Waits in the broker for a ticket, as connections with confirms do."""

    __slots__ = ("_broker", "_ticket", "safe")

    def __init__(self, broker: Broker, ticket: int) -> None:
        self._broker = broker
        self._ticket = ticket
        self.safe = trio.Event()
        broker.awaiting[self] = None

    def confirm(self) -> None:
        if self._broker.journal.durable >= self._ticket:
            self.safe.set()
        else:
            self._broker.awaiting[self] = None


@attrs.frozen
class ListenerFact:
    """A socket that listens. `protocol` as RabbitMQ names it: amqp, amqp/ssl, http, https, http/prometheus."""

    protocol: str
    ip: str
    port: int


@attrs.define(eq=False)
class Node:
    """The broker and what serves it. `started` is in s since 1970; `flush` sends what is in the outboxes."""

    broker: Broker
    name: str
    flush: Callable[[], None]
    started: float
    sampler: Sampler
    facts: Callable[[], Facts]
    listeners: Callable[[], list[ListenerFact]]
    journal: JournalStatistics | None
    log: LogControl
    # Raises ReloadRefused.
    reload: Callable[[], Awaitable[Outcome]]
    thresholds: Thresholds
    # Set when the broker stops: streams end then.
    stopping: trio.Event = attrs.field(factory=trio.Event)
    # Who is signed in to the console.
    sessions: Sessions = attrs.field(init=False)
    # Lists that are asked for as a whole are made by so many at once, for all of their items are in memory then.
    whole_lists: trio.CapacityLimiter = attrs.field(factory=partial(trio.CapacityLimiter, WHOLE_LISTS), init=False)

    def __attrs_post_init__(self) -> None:
        minutes = self.broker.settings.management.login_session_timeout
        self.sessions = Sessions(self.broker.users, minutes * 60.0)

    def work(self, action: Callable[[], T]) -> T:
        """Let the core do something that no AMQP client asked for, and send what comes of it. Returns its result."""
        broker = self.broker
        broker.clock.now = time.monotonic()
        try:
            return action()
        finally:
            for vhost in list(broker.vhosts.values()):
                settle(vhost)
            self.flush()

    async def safe(self) -> None:
        """Wait until everything that was defined or recorded so far is on disk."""
        journal = self.broker.journal
        # Long purges hand in bit by bit what they record.
        while journal.owing:  # noqa: ASYNC110
            await trio.sleep(OWING)
        ticket = journal.ticket - 1 if journal.idle() else journal.ticket
        if not journal.keeps or journal.durable >= ticket:
            return
        journal.urgent = True
        waiting = Waiting(self.broker, ticket)
        self.flush()
        await waiting.safe.wait()

    async def authenticate(self, name: str, password: str, source: LoginPeer) -> User | Refusal:
        """The user with this password, or why there is none."""
        return await proving.authenticate(self.broker.logins, name, password, source)

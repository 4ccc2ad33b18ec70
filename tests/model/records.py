"""What the naive broker knows, as plain records."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from amq.wire.tables import Table


class Refused(Exception):
    """A mistake that closes the channel: reply code and explanation."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Sent:
    """A message. `copies`: further routing keys, those of CC; `blind`: those of BCC, which nobody is shown."""

    exchange: bytes
    key: bytes
    headers: Table
    priority: int
    expiration: int | None
    persistent: bool
    body: bytes
    copies: tuple[bytes, ...] = ()
    blind: tuple[bytes, ...] = ()

    def content(self) -> tuple[object, ...]:
        """What a client is shown of it."""
        expiration = None if self.expiration is None else b"%d" % self.expiration
        return (self.exchange, self.key, self.headers, self.priority, expiration, self.persistent, self.body)


@dataclass(eq=False)
class Entry:
    """A message in a queue. `out`: it is with a consumer, or was taken by basic.get.

    `kept`: it stands in the journal, published at `stamp` (ms since 1970).
    """

    sent: Sent
    place: int
    deadline: float
    level: int
    redelivered: bool = False
    out: bool = False
    kept: bool = False
    stamp: int = 0


@dataclass(eq=False)
class Bond:
    """A binding."""

    source: bytes
    to_queue: bool
    destination: bytes
    key: bytes
    arguments: Table


@dataclass(eq=False)
class Exchange:
    """An exchange; `history` for the type that remembers.

    For the one that hashes: where each key went and how many `changes` of its bindings there were by then.
    """

    name: bytes
    kind: bytes
    durable: bool = False
    auto_delete: bool = False
    internal: bool = False
    alternate: bytes | None = None
    memory: int = 0
    history: list[Sent] = field(default_factory=list)
    picked: dict[bytes, tuple[tuple[bool, bytes], int]] = field(default_factory=dict)
    changes: list[tuple[bool, bytes]] = field(default_factory=list)


@dataclass(eq=False)
class Subscription:
    """A consumer. `waiting`: found without credit when its turn came, and out of the line since then."""

    tag: bytes
    channel: "Chan"
    queue: "Queue"
    no_ack: bool
    exclusive: bool
    priority: int
    prefetch: int
    waiting: bool = False

    def room(self) -> float:
        """How many more messages it may be given."""
        held = [delivery for delivery in self.channel.held() if delivery.subscription is not None]
        if self.channel.limit and len(held) >= self.channel.limit:
            # That holds for all consumers of the channel, those without acknowledgements included.
            return 0
        if self.no_ack:
            return inf
        mine = [delivery for delivery in held if delivery.subscription is self]
        room = self.prefetch - len(mine) if self.prefetch else inf
        if self.channel.limit:
            room = min(room, self.channel.limit - len(held))
        return room


@dataclass(eq=False)
class Delivery:
    """A message that is out; `subscription` is None after basic.get."""

    tag: int
    subscription: Subscription | None
    queue: "Queue"
    entry: Entry


@dataclass(eq=False)
class Transaction:
    """What waits for tx.commit: publishes with their queues, and deliveries by what is to become of them."""

    published: list[tuple[Sent, list["Queue"], bool]] = field(default_factory=list)
    acked: list[Delivery] = field(default_factory=list)
    rejected: list[Delivery] = field(default_factory=list)
    requeued: list[Delivery] = field(default_factory=list)

    def settled(self) -> list[Delivery]:
        return self.acked + self.rejected + self.requeued


@dataclass(eq=False)
class Chan:
    """A channel. `unconfirmed`: sequence number, the ticket that it waits for, and whether all queues took it."""

    client: int
    number: int
    closing: bool = False
    subscriptions: dict[bytes, Subscription] = field(default_factory=dict)
    unacked: dict[int, Delivery] = field(default_factory=dict)
    next_tag: int = 1
    prefetch: int = 0
    limit: int = 0
    confirming: bool = False
    sequence: int = 0
    unconfirmed: list[tuple[int, int, bool]] = field(default_factory=list)
    transaction: Transaction | None = None
    commit_ticket: int = 0

    def held(self) -> list[Delivery]:
        """Deliveries that count against prefetch: until a commit, those settled in a transaction too."""
        settled = self.transaction.settled() if self.transaction else []
        return [*self.unacked.values(), *settled]


@dataclass(eq=False)
class Queue:
    """A queue: entries in the order in which they came, consumers in the order in which they came.

    `line` holds those consumers who take part, the next one first. Times in ms, None for no such argument.
    """

    name: bytes
    durable: bool = False
    owner: int | None = None
    auto_delete: bool = False
    expires: int | None = None
    ttl: int | None = None
    length: int | None = None
    octets: int | None = None
    overflow: bytes = b"drop-head"
    dead_letter_exchange: bytes | None = None
    dead_letter_key: bytes | None = None
    max_priority: int = 0
    single_active: bool = False
    entries: list[Entry] = field(default_factory=list)
    places: int = 0
    subscriptions: list[Subscription] = field(default_factory=list)
    line: list[Subscription] = field(default_factory=list)
    used_at: float = 0.0
    deleted: bool = False

    def ready(self) -> list[Entry]:
        """What waits, in the order of delivery."""
        return sorted((entry for entry in self.entries if not entry.out), key=lambda entry: (-entry.level, entry.place))

    def head(self) -> Entry | None:
        return next(iter(self.ready()), None)

    def has_limits(self) -> bool:
        return self.length is not None or self.octets is not None

    def too_full(self, more: list[Sent]) -> bool:
        """Whether what is ready, and `more`, is beyond a limit."""
        bodies = [entry.sent.body for entry in self.ready()] + [sent.body for sent in more]
        if self.length is not None and len(bodies) > self.length:
            return True
        return self.octets is not None and sum(map(len, bodies)) > self.octets

    def add(self, sent: Sent, now: float) -> Entry:
        """Enter a message at the end."""
        lives = [ttl for ttl in (self.ttl, sent.expiration) if ttl is not None]
        deadline = now + min(lives) / 1000 if lives else inf
        entry = Entry(sent, self.places, deadline, min(sent.priority, self.max_priority))
        self.places += 1
        self.entries.append(entry)
        return entry

    def turns(self) -> Iterator[Subscription]:
        """Who may take a message, the next one first: the highest priority, in it who has waited longest."""
        yield from sorted(self.line, key=lambda subscription: -subscription.priority)

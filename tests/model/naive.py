"""A broker made of dicts and lists, obviously right rather than fast: exchanges, queues, and what happens in them.

Where the order of several queues is the broker's choice (one message reaching several, several heads expiring at
once), `choose` is asked: it returns the names in some order, and is held to name exactly those that are expected. So
is `pick` for the one destination of a consistent hash exchange, and held to move no key that need not move.
"""

from collections import deque
from collections.abc import Callable
from math import inf

from amq.vhost.settling import PER_GO
from tests.model import deaths
from tests.model.matching import matches
from tests.model.records import Bond, Chan, Delivery, Entry, Exchange, Queue, Refused, Sent, Subscription

Choose = Callable[[bytes, list[bytes], Sent], list[bytes]]
Destination = tuple[bool, bytes]
Pick = Callable[[bytes, Sent], Destination]

PREDECLARED = {
    b"": b"default",
    b"amq.direct": b"direct",
    b"amq.fanout": b"fanout",
    b"amq.topic": b"topic",
    b"amq.headers": b"headers",
}


class Naive:
    """`now` in s, `wall` to be added for seconds since 1970. `heard` is what clients hear, by client and channel.

    What it `keeps` it hands to the disk in batches: `ticket` is the number of the next one, `durable` of the last that
    is safe, `asked` of the last that somebody waits for. `loose`: acknowledgements are in the next one.
    """

    def __init__(self, now: float, wall: float, keeps: bool, choose: Choose, pick: Pick) -> None:
        self.now = now
        self.wall = wall
        self.keeps = keeps
        self.choose = choose
        self.pick = pick
        self.exchanges = {name: Exchange(name, kind, durable=True) for name, kind in PREDECLARED.items()}
        self.bonds: list[Bond] = []
        self.queues: dict[bytes, Queue] = {}
        self.touched: list[Queue] = []
        self.dead: deque[tuple[Queue, Entry, str]] = deque()
        self.late = False
        self.ticket = 1
        self.durable = 0
        self.asked = 0
        self.loose = False
        self.heard: list[tuple[int, int, tuple[object, ...]]] = []
        # Clients who do not want to hear that a consumer was cancelled.
        self.incapable: set[int] = set()

    def tell(self, channel: Chan, *item: object) -> None:
        """A client hears something on a channel."""
        self.heard.append((channel.client, channel.number, item))

    # -- routing --

    def route(self, exchange: Exchange, sent: Sent) -> list[Queue]:
        """The queues that a message reaches, each once."""
        keys = [sent.key, *sent.copies, *sent.blind]
        names: set[bytes] = set()
        seen = [exchange.name]
        for name in seen:
            found = self.leaving(self.exchanges[name], keys, sent)
            alternate = self.exchanges[name].alternate
            if not found and alternate in self.exchanges:
                found = [(False, alternate)]
            for to_queue, destination in found:
                if to_queue:
                    names.add(destination)
                elif destination not in seen:
                    seen.append(destination)
        chosen = self.choose(exchange.name, keys, sent)
        assert sorted(chosen) == sorted(names), f"{sent} reaches {chosen}, not {sorted(names)}"
        return [self.queues[name] for name in chosen]

    def leaving(self, exchange: Exchange, keys: list[bytes], sent: Sent) -> list[Destination]:
        """Where one exchange passes a message on to: whether it is a queue, and its name."""
        if exchange.kind == b"default":
            return [(True, key) for key in keys if key in self.queues]
        if exchange.memory and sent.headers.get("x-recent-history-no-store") != ("t", True):
            exchange.history = [*exchange.history, sent][-exchange.memory :]
        if exchange.kind == b"x-consistent-hash":
            return self.hashed(exchange, sent)
        return [
            (bond.to_queue, bond.destination)
            for bond in self.bonds
            if bond.source == exchange.name
            and any(matches(exchange.kind, bond.key, bond.arguments, key, sent.headers) for key in keys)
        ]

    def hashed(self, exchange: Exchange, sent: Sent) -> list[Destination]:
        """The one destination of a key: as before, but for what was bound or unbound since."""
        bound = {(bond.to_queue, bond.destination) for bond in self.bonds if bond.source == exchange.name}
        if not bound:
            return []
        now = self.pick(exchange.name, sent)
        before, then = exchange.picked.get(sent.key, (now, 0))
        changed = exchange.changes[then:]
        assert now in bound, f"{sent.key!r} goes to {now}, which is not bound"
        assert now == before or now in changed or before in changed, f"{sent.key!r} moved from {before} to {now}"
        exchange.picked[sent.key] = (now, len(exchange.changes))
        return [now]

    # -- queues --

    def enqueue(self, queue: Queue, sent: Sent) -> bool:
        """Put a message into a queue; False: refused."""
        refusing = queue.overflow != b"drop-head" and queue.has_limits()
        if refusing and queue.too_full([sent]):
            self.serve(queue)
            if queue.too_full([sent]):
                if queue.overflow == b"reject-publish-dlx":
                    self.bury(queue, Entry(sent, 0, inf, 0), "maxlen")
                return False
        mortal = queue.ttl is not None or sent.expiration is not None
        ordered = queue.has_limits() or queue.max_priority > 0
        if mortal or (ordered and any(entry.deadline < inf for entry in queue.entries)):
            # Those that wait come first, and by the clock.
            self.hand_out(queue)
        entry = queue.add(sent, self.now)
        entry.kept = self.keeps and queue.durable and sent.persistent
        entry.stamp = int((self.now + self.wall) * 1000)
        if queue.has_limits() or entry.deadline < inf:
            # At once: what a consumer takes counts against neither.
            self.hand_out(queue, fresh=entry)
            self.drop_excess(queue)
            self.drop_expired(queue)
        else:
            self.touch(queue)
        return True

    def touch(self, queue: Queue) -> None:
        """Have a queue served later."""
        if queue not in self.touched:
            self.touched.append(queue)

    def serve(self, queue: Queue) -> None:
        """Drop what has expired and hand out the rest."""
        self.hand_out(queue)
        self.drop_expired(queue)

    def hand_out(self, queue: Queue, fresh: Entry | None = None) -> None:
        """Message by message to the next consumer in line that has credit; only one that just came in may be late."""
        while (entry := queue.head()) is not None:
            if entry is not fresh and entry.deadline <= self.now:
                self.drop_head(queue, "expired")
                continue
            subscription = self.next_in_line(queue)
            if subscription is None:
                return
            self.deliver(subscription, entry)

    def next_in_line(self, queue: Queue) -> Subscription | None:
        """Who is found without credit leaves the line; who gets a message goes to its end."""
        for subscription in queue.turns():
            queue.line.remove(subscription)
            if subscription.room() > 0:
                queue.line.append(subscription)
                return subscription
            subscription.waiting = True
        return None

    def deliver(self, subscription: Subscription, entry: Entry) -> None:
        """basic.deliver."""
        channel, queue = subscription.channel, subscription.queue
        tag = self.take(channel, queue, entry, subscription, subscription.no_ack)
        if channel.limit:
            # Who was served last is the last to be relieved.
            channel.subscriptions[subscription.tag] = channel.subscriptions.pop(subscription.tag)
        self.tell(channel, "deliver", subscription.tag, tag, entry.redelivered, *entry.sent.content())

    def take(self, channel: Chan, queue: Queue, entry: Entry, by: Subscription | None, no_ack: bool) -> int:
        """Take a message out of a queue for good, or until it is settled; returns its delivery tag."""
        tag = channel.next_tag
        channel.next_tag += 1
        if no_ack:
            queue.entries.remove(entry)
            self.let_go(entry)
        else:
            entry.out = True
            channel.unacked[tag] = Delivery(tag, by, queue, entry)
        return tag

    def drop_excess(self, queue: Queue) -> None:
        """Drop heads until the rest is within the limits."""
        while queue.overflow == b"drop-head" and queue.too_full([]):
            self.drop_head(queue, "maxlen")

    def drop_expired(self, queue: Queue) -> None:
        """Drop heads whose time is over; the expired behind a head that lives on stay."""
        while (entry := queue.head()) is not None and entry.deadline <= self.now:
            self.drop_head(queue, "expired")

    def drop_head(self, queue: Queue, reason: str) -> None:
        entry = queue.head()
        assert entry is not None
        queue.entries.remove(entry)
        self.bury(queue, entry, reason)

    def bury(self, queue: Queue, entry: Entry, reason: str) -> None:
        """Leave a message to the dead-letter exchange."""
        if queue.dead_letter_exchange is not None:
            self.dead.append((queue, entry, reason))
        else:
            self.let_go(entry)

    def let_go(self, entry: Entry) -> None:
        """A message is done with; nobody waits for the disk to know."""
        self.loose = self.loose or entry.kept

    def requeue(self, queue: Queue, entries: list[Entry]) -> None:
        """Put messages back to where they stood."""
        if queue.deleted:
            return
        for entry in entries:
            entry.out = False
            entry.redelivered = True
        self.drop_excess(queue)
        self.touch(queue)

    # -- what a command leaves to do --

    def settle(self) -> None:
        """Serve the queues that were touched, pass on the dead: so many in one go, the rest when they are due."""
        left = PER_GO
        while self.touched or (self.dead and not self.late):
            queues, self.touched = self.touched, []
            for queue in queues:
                self.serve(queue)
            while self.dead and not self.late:
                self.pass_on(*self.dead.popleft())
                left -= 1
                self.late = self.late or not left

    def catch_up(self) -> None:
        """Pass on all the dead that were left for later."""
        while self.dead:
            self.late = False
            self.settle()

    def pass_on(self, queue: Queue, entry: Entry, reason: str) -> None:
        """Publish a dead message to its queue's dead-letter exchange, if that is there."""
        assert queue.dead_letter_exchange is not None
        exchange = self.exchanges.get(queue.dead_letter_exchange)
        if exchange is None:
            self.let_go(entry)
            return
        dead = deaths.letter(entry.sent, queue, reason, int(self.now + self.wall))
        for target in self.route(exchange, dead):
            if not deaths.goes_round(target.name, reason, dead):
                self.enqueue(target, dead)

    def next_deadline(self) -> float:
        """When something happens by itself."""
        heads = [entry.deadline for queue in self.queues.values() if (entry := queue.head()) is not None]
        return min([*heads, *(self.goes_at(queue) for queue in self.queues.values())], default=inf)

    def goes_at(self, queue: Queue) -> float:
        """When a queue that nobody uses is deleted (x-expires)."""
        if queue.expires is None or queue.subscriptions:
            return inf
        return queue.used_at + queue.expires / 1000

    def advance(self, now: float, order: list[bytes]) -> None:
        """It is `now`. `order` is that of queues whose heads expire at once."""
        self.now = now
        self.late = False
        expiring = [queue for queue in self.queues.values() if (head := queue.head()) and head.deadline <= now]
        for queue in sorted(expiring, key=lambda queue: order.index(queue.name)):
            self.drop_expired(queue)
        unused = [queue for queue in self.queues.values() if self.goes_at(queue) <= now]
        self.settle()
        for queue in unused:
            self.delete_queue(queue)

    # -- topology --

    def exchange_named(self, name: bytes) -> Exchange:
        if name not in self.exchanges:
            raise Refused(404, f"no exchange '{name.decode()}' in vhost '/'")
        return self.exchanges[name]

    def queue_named(self, name: bytes) -> Queue:
        if name not in self.queues:
            raise Refused(404, f"no queue '{name.decode()}' in vhost '/'")
        return self.queues[name]

    def bind(self, bond: Bond) -> None:
        """Make a binding, once; a source that remembers passes on what it remembers."""
        if any(vars(bond) == vars(there) for there in self.bonds):
            return
        self.bonds.append(bond)
        self.exchanges[bond.source].changes.append((bond.to_queue, bond.destination))
        for sent in list(self.exchanges[bond.source].history):
            if bond.to_queue:
                self.enqueue(self.queues[bond.destination], sent)
            else:
                for queue in self.route(self.exchanges[bond.destination], sent):
                    self.enqueue(queue, sent)

    def unbind(self, bond: Bond) -> None:
        for there in [there for there in self.bonds if vars(bond) == vars(there)]:
            self.bonds.remove(there)
            self.unbound(there)

    def delete_exchange(self, name: bytes) -> None:
        """An exchange goes with its bindings, and takes along sources that nothing binds any more."""
        del self.exchanges[name]
        self.bonds = [bond for bond in self.bonds if bond.source != name]
        self.remove_incoming(False, name)

    def delete_queue(self, queue: Queue) -> None:
        """A queue goes with its bindings, consumers and messages."""
        queue.deleted = True
        del self.queues[queue.name]
        for subscription in queue.subscriptions:
            del subscription.channel.subscriptions[subscription.tag]
            if subscription.channel.client not in self.incapable:
                self.tell(subscription.channel, "cancel", subscription.tag)
        for entry in queue.ready():
            self.let_go(entry)
        queue.entries = []
        queue.subscriptions = []
        queue.line = []
        self.remove_incoming(True, queue.name)

    def remove_incoming(self, to_queue: bool, name: bytes) -> None:
        gone = [bond for bond in self.bonds if bond.to_queue == to_queue and bond.destination == name]
        self.bonds = [bond for bond in self.bonds if bond not in gone]
        for bond in gone:
            self.unbound(bond)

    def unbound(self, gone: Bond) -> None:
        """A binding is gone; an auto-delete exchange goes with its last one."""
        exchange = self.exchanges.get(gone.source)
        if exchange is None:
            return
        exchange.changes.append((gone.to_queue, gone.destination))
        if exchange.auto_delete and not any(bond.source == exchange.name for bond in self.bonds):
            self.delete_exchange(exchange.name)

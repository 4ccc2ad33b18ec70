"""Play commands on the broker and on the naive broker, and compare them after each step."""

from math import inf
from random import Random
from typing import Any

from amq.vhost.settling import settle
from amq.wire.tables import Table
from tests.model import frames
from tests.model.clients import Clients
from tests.model.commands import CLIENTS, Command
from tests.model.compare import Owed, check_rules, contents, streams
from tests.model.invariants import validate
from tests.model.real import START, WALL, Real
from tests.model.records import Bond, Chan, Exchange, Queue, Sent

# One client does not want to hear of cancelled consumers.
INCAPABLE = {2}


class Player:
    """Both brokers, and what a command means to them."""

    def __init__(self, seed: int) -> None:
        self.keeps = seed % 2 == 0
        self.real = Real(CLIENTS, INCAPABLE, seed if self.keeps else None)
        self.model = Clients(START, WALL - START, self.keeps, self.real.route, self.real.pick)
        self.model.incapable = INCAPABLE
        self.cuts = Random(seed)
        self.owed = Owed()

    def play(self, command: Command) -> None:
        """One command, whatever must come before it included."""
        name, client, number, given = command
        if name == "wait":
            self.wait(given["ms"] / 1000)
        elif name == "sync":
            self.sync(given["half"])
        elif name in ("crash", "stop"):
            self.restart(name, given)
        elif name == "page_out":
            self.page_out(given)
        elif name == "leave":
            self.real.leave(client, given["how"])
            self.model.lose(client)
            self.owed.forget(client)
            self.compare()
        else:
            self.speak(name, client, number, given)

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping wherever something falls due."""
        target = self.real.now + seconds
        while True:
            planned = self.real.broker.timers.next_deadline()
            due = self.model.next_deadline()
            assert (inf if planned is None else planned) <= due, f"nothing is planned for {due}"
            now = min(target, inf if planned is None else planned)
            # The naive broker goes first: it asks for routes, and expired queues still have theirs.
            self.model.advance(now, self.real.expiring(now))
            self.real.advance(now)
            self.compare()
            if now == target:
                return

    def sync(self, half: bool) -> None:
        """A write ends, or begins and ends; with `half` it only ends or only begins."""
        storage = self.real.storage
        if storage is None:
            return
        flew = storage.flying is not None
        if flew:
            storage.land()
            self.model.end_write()
        if not (flew and half):
            # What has died is buried by now.
            storage.take()
            self.model.begin_write()
            if not half:
                storage.land()
                self.model.end_write()
        self.compare()

    def catch_up(self) -> None:
        """Nobody's answer waits for the disk any more."""
        self.real.catch_up()
        self.model.catch_up()
        while self.real.waits():
            self.sync(False)

    def restart(self, name: str, given: dict[str, Any]) -> None:
        """The broker is killed, or stopped in good order, and starts again a little later."""
        if not self.keeps:
            return
        now = self.real.now + given["ms"] / 1000
        if name == "crash":
            filled = self.real.crash(given["landed"], now)
            self.model.crash(now, self.real.broker.clock.offset, given["landed"])
        else:
            for client in range(CLIENTS):
                self.real.lose(client)
                self.model.lose(client)
                self.real.catch_up()
                self.model.catch_up()
            filled, clean = self.real.stop(now)
            self.model.stop(now, self.real.broker.clock.offset, clean)
        self.owed = Owed()
        self.model.recovered(filled)
        self.real.catch_up()
        names = list(self.real.vhost.queues)
        for queue in self.real.vhost.queues.values():
            queue.touch()
        settle(self.real.vhost)
        self.model.recovered(names)
        self.compare()

    def page_out(self, given: dict[str, Any]) -> None:
        """Queues let go of messages in memory."""
        for name in list(self.real.vhost.queues):
            if given["all"] or name == given["queue"]:
                self.real.page_out(name, given["keep"], given["most"])
        self.compare()

    def speak(self, name: str, client: int, number: int, given: dict[str, Any]) -> None:
        """A client says something on a channel, which it opens if need be."""
        channel = self.model.channels.get((client, number))
        if channel is None:
            self.say(client, number, [("open", {})])
            channel = self.model.channels[client, number]
        if channel.commit_ticket:
            # Until that is answered, nothing may be said on it.
            self.sync(False)
        said = self.chunk(name, channel, given)
        if said:
            self.say(client, number, said)
        if channel.closing and (client, number) in self.model.channels:
            self.say(client, number, [("close_ok", {})])

    def say(self, client: int, number: int, said: list[tuple[str, dict[str, Any]]]) -> None:
        """Send commands in one chunk or, if it is one alone, perhaps in pieces."""
        data = b"".join(frames.encode(name, number, given) for name, given in said)
        self.real.send(client, data, self.cuts if len(said) == 1 else None)
        for name, given in said:
            self.model.do(name, client, number, given)
        self.model.after_chunk(client)
        self.catch_up()
        self.compare()

    def chunk(self, name: str, channel: Chan, given: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """What a command comes down to on this channel, now."""
        if name == "burst":
            return [("publish", publication(self.at_hand(channel, message))) for message in given["messages"]]
        if name == "mixed":
            return self.mixed(channel, given["plan"])
        meant = self.meant(name, channel, given)
        return [] if meant is None else [(name, meant)]

    def mixed(self, channel: Chan, plan: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
        """Publishes and gets, and each outstanding delivery settled at most once."""
        tags = sorted(channel.unacked)
        said: list[tuple[str, dict[str, Any]]] = []
        for name, given in plan:
            if name == "publish":
                said.append((name, publication(self.at_hand(channel, given))))
            elif name == "get":
                found = self.at_hand(channel, given)
                queue = self.model.queues.get(found["queue"])
                if queue is not None and queue.owner in (None, channel.client):
                    said.append((name, found))
            elif tags:
                rest = {key: value for key, value in given.items() if key != "number"}
                if "multiple" in rest:
                    rest["multiple"] = False
                said.append((name, {"tag": tags.pop(given["number"] % len(tags)), **rest}))
        return said

    def meant(self, name: str, channel: Chan, given: dict[str, Any]) -> dict[str, Any] | None:
        """The arguments that a command stands for; None: it means nothing now."""
        wild = given["wild"]
        given = {key: value for key, value in given.items() if key != "wild"}
        if name in ("ack", "nack", "reject"):
            return self.settling(channel, given, wild)
        if name == "declare_queue":
            return self.queue(channel, given, wild)
        if name == "declare_exchange":
            return self.exchange(given)
        if not wild and name != "delete_x":
            given = self.at_hand(channel, given)
            if "queue" in given and not self.model.queues and not name.endswith("exchange"):
                return None
        if name == "publish":
            return publication(given)
        if name == "get" and not wild:
            full = [queue for queue in self.model.queues if self.model.queues[queue].ready()]
            return {**given, "queue": full[given["queue"][-1] % len(full)]} if full else given
        if name.endswith(("bind_queue", "bind_exchange")):
            return self.bond(name, given)
        if name == "consume" and given["tag"] in channel.subscriptions:
            return None
        if not wild and name in ("commit", "rollback") and channel.transaction is None:
            return None
        if not wild and (name, True) in (
            ("tx_select", channel.confirming),
            ("confirm_select", bool(channel.transaction)),
        ):
            return None
        return given

    def at_hand(self, channel: Chan, given: dict[str, Any]) -> dict[str, Any]:
        """The same with names of queues and exchanges that there are, and that the client may use."""
        owners = (None, channel.client)
        usable = [name for name, queue in self.model.queues.items() if queue.owner in owners]
        there = {"queue": usable}
        for key in ("source", "exchange"):
            there[key] = [name for name in self.model.exchanges if name and not self.model.exchanges[name].internal]
        found = dict(given)
        if given.get("exchange") == b"" and usable:
            there["key"] = usable
        for key, names in there.items():
            if given.get(key) and given[key] not in names and names:
                found[key] = names[given[key][-1] % len(names)]
        return found

    def settling(self, channel: Chan, given: dict[str, Any], wild: bool) -> dict[str, Any] | None:
        """A delivery tag: mostly an outstanding one, now and then 0 or one that is not."""
        tags = sorted(channel.unacked)
        number = given["number"]
        rest = {name: value for name, value in given.items() if name != "number"}
        if number == 0 and given.get("multiple"):
            return {"tag": 0, **rest}
        if wild:
            return {"tag": number, **rest}
        return {"tag": tags[number % len(tags)], **rest} if tags else None

    def queue(self, channel: Chan, given: dict[str, Any], wild: bool) -> dict[str, Any] | None:
        """A new queue, or one that is there as it is."""
        there = self.model.queues.get(given["name"])
        if there is not None and there.owner not in (None, channel.client) and not wild:
            return None
        if there is not None:
            return {"queue": there, "table": table_of(there)}
        given = {name: value for name, value in given.items() if value is not None}
        exclusive = given.pop("exclusive")
        queue = Queue(**given, owner=channel.client if exclusive else None)
        queue.durable = queue.durable and not exclusive
        return {"queue": queue, "table": table_of(queue)}

    def exchange(self, given: dict[str, Any]) -> dict[str, Any]:
        """A new exchange, or one that is there as it is."""
        exchange = self.model.exchanges.get(given["name"]) or Exchange(**given)
        if exchange.kind != b"x-recent-history":
            exchange.memory = 0
        table: Table = {}
        if exchange.alternate is not None:
            table["alternate-exchange"] = ("S", exchange.alternate)
        if exchange.memory:
            table["x-recent-history-length"] = ("I", exchange.memory)
        return {"exchange": exchange, "table": table}

    def bond(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """A binding; to unbind, mostly one that is there."""
        to_queue = name.endswith("queue")
        there = [bond for bond in self.model.bonds if bond.to_queue == to_queue]
        if name.startswith("unbind") and there and given["number"] < 90:
            return {"bond": there[given["number"] % len(there)]}
        destination = given["queue"] if to_queue else given["exchange"]
        key, source = given["key"], self.model.exchanges.get(given["source"])
        if source is not None and source.kind == b"x-consistent-hash":
            # There a key is a weight.
            key = b"%d" % (1 + given["number"] % 4)
        return {"bond": Bond(given["source"], to_queue, destination, key, given["arguments"])}

    def compare(self) -> None:
        """Both brokers said the same and hold the same, and the real one is sound within."""
        self.real.catch_up()
        self.model.catch_up()
        heard = self.real.heard()
        expected, self.model.heard = self.model.heard, []
        got, wanted = streams(heard), streams(expected)
        assert got == wanted, f"heard {difference(got, wanted)}"
        check_rules(heard)
        self.owed.compare(heard, expected, self.model.durable >= self.model.asked)
        held, kept = contents(self.real), self.kept()
        assert held == kept, f"queues hold {difference(held, kept)}"
        validate(self.real)

    def kept(self) -> dict[bytes, object]:
        """What the naive broker's queues hold."""
        return {
            name: (
                [(entry.sent.content(), entry.redelivered, entry.deadline) for entry in queue.ready()],
                len(queue.entries) - len(queue.ready()),
                [subscription.tag for subscription in queue.subscriptions],
            )
            for name, queue in self.model.queues.items()
        }


def publication(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a publish."""
    rest = {name: value for name, value in given.items() if name != "mandatory"}
    copies = tuple(key for _, key in given["headers"].get("CC", ("A", []))[1])
    return {"exchange": given["exchange"], "sent": Sent(**rest, copies=copies), "mandatory": given["mandatory"]}


def table_of(queue: Queue) -> Table:
    """The arguments that declare a queue as it is."""
    numbers = {
        "x-expires": queue.expires,
        "x-message-ttl": queue.ttl,
        "x-max-length": queue.length,
        "x-max-length-bytes": queue.octets,
        "x-max-priority": queue.max_priority or None,
    }
    table: Table = {name: ("I", value) for name, value in numbers.items() if value is not None}
    if queue.overflow != b"drop-head":
        table["x-overflow"] = ("S", queue.overflow)
    if queue.dead_letter_exchange is not None:
        table["x-dead-letter-exchange"] = ("S", queue.dead_letter_exchange)
        if queue.dead_letter_key is not None:
            table["x-dead-letter-routing-key"] = ("S", queue.dead_letter_key)
    if queue.single_active:
        table["x-single-active-consumer"] = ("t", True)
    return table


def difference(got: dict[Any, Any], wanted: dict[Any, Any]) -> str:
    """Where two dicts differ."""
    lines = []
    for key in {**got, **wanted}:
        if got.get(key) != wanted.get(key):
            lines.append(f"\n  {key}:\n    got      {got.get(key)}\n    expected {wanted.get(key)}")
    return "".join(lines)

"""What the definition store is told: of everything durable, and of nothing else."""

import pytest

from amq.auth.users import User, Users
from amq.broker import Broker
from amq.clock import Clock, Timers
from amq.config.settings import Settings
from amq.exchanges.base import Exchange
from amq.journal.batch import Batch
from amq.queues.base import Agenda, Queue
from amq.vhost import topology
from amq.vhost.permission import Permission, Permissions, TopicPermission
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost

ANY = Permission(".*", ".*", ".*")


class Watched:
    """A vhost whose journal keeps, and the changes that were made since somebody last asked."""

    def __init__(self, keeps: bool = True) -> None:
        self.journal = Batch(keeps)
        self.vhost = Vhost("/", Agenda(Clock(0.0, 0.0), Timers(), self.journal))
        topology.furnish(self.vhost)

    def changes(self) -> list[str]:
        return told(self.journal)

    def exchange(
        self, name: bytes, durable: bool = True, auto_delete: bool = False, kind: bytes = b"direct"
    ) -> Exchange:
        return topology.create_exchange(
            self.vhost, name, topology.type_named(kind), durable, auto_delete, internal=False, arguments={}
        )

    def queue(self, name: bytes, durable: bool = True, owner: object | None = None) -> Queue:
        return topology.create_queue(self.vhost, name, durable, owner, False, {})

    def bind(self, source: Exchange, destination: Exchange | Queue, key: bytes = b"k") -> None:
        topology.bind(self.vhost, source, destination, key, {})


def told(journal: Batch) -> list[str]:
    """The changes in the batch, which is taken: `+queues / q`."""
    return [
        " ".join(
            [
                ("-" if change.gone else "+") + change.kind,
                change.vhost,
                *[part.decode() if isinstance(part, bytes) else str(part) for part in change.name],
            ]
        ).strip()
        for change in journal.take().changes
    ]


def test_a_vhost_comes_with_exchanges_that_are_no_change() -> None:
    assert Watched().changes() == []


def test_what_is_durable_is_told_and_what_is_transient_is_not() -> None:
    watched = Watched()
    watched.exchange(b"x", kind=b"x-consistent-hash")
    watched.exchange(b"delayed", kind=b"x-random")
    watched.exchange(b"fleeting", durable=False)
    watched.queue(b"q")
    watched.queue(b"fleeting", durable=False)
    watched.queue(b"own", owner=object())
    assert watched.changes() == ["+exchanges / x", "+exchanges / delayed", "+queues / q"]


def test_a_change_holds_what_has_changed() -> None:
    watched = Watched()
    queue = watched.queue(b"q")
    topology.delete_queue(watched.vhost, queue)
    made, gone = watched.journal.take().changes
    assert (made.entity, made.gone) == (queue, False)
    assert (gone.entity, gone.gone) == (None, True)


def test_a_durable_queue_has_an_id_of_its_own_and_keeps_the_one_that_it_is_given() -> None:
    watched = Watched()
    ids = {watched.queue(b"%d" % number).id for number in range(100)}
    assert len(ids) == 100
    assert all(0 < number < 1 << 63 for number in ids)
    assert topology.create_queue(watched.vhost, b"back", True, None, False, {}, 4711).id == 4711


def test_a_binding_is_told_when_both_its_ends_are_durable() -> None:
    watched = Watched()
    durable, fleeting = watched.exchange(b"x"), watched.exchange(b"fx", durable=False)
    q, fq = watched.queue(b"q"), watched.queue(b"fq", durable=False)
    watched.changes()
    for source in (durable, fleeting):
        for destination in (q, fq, durable, fleeting):
            watched.bind(source, destination)
    assert watched.changes() == ["+bindings / x queue q k", "+bindings / x exchange x k"]


def test_predeclared_exchanges_have_bindings_that_are_kept() -> None:
    watched = Watched()
    watched.bind(watched.vhost.exchanges[b"amq.topic"], watched.queue(b"q"))
    assert watched.changes() == ["+queues / q", "+bindings / amq.topic queue q k"]


def test_a_binding_that_is_there_already_is_no_change() -> None:
    watched = Watched()
    x, q = watched.exchange(b"x"), watched.queue(b"q")
    watched.bind(x, q)
    watched.changes()
    watched.bind(x, q)
    assert watched.changes() == []


def test_an_unbinding_is_told_once() -> None:
    watched = Watched()
    x, q = watched.exchange(b"x"), watched.queue(b"q")
    watched.bind(x, q)
    watched.changes()
    topology.unbind(watched.vhost, x, q, b"k", {})
    topology.unbind(watched.vhost, x, q, b"k", {})
    assert watched.changes() == ["-bindings / x queue q k"]


def test_bindings_that_differ_in_arguments_are_told_apart() -> None:
    watched = Watched()
    x, q = watched.exchange(b"x"), watched.queue(b"q")
    topology.bind(watched.vhost, x, q, b"k", {"a": ("I", 1)})
    topology.bind(watched.vhost, x, q, b"k", {"a": ("l", 1)})
    topology.unbind(watched.vhost, x, q, b"k", {"a": ("I", 1)})
    _, _, first, second, gone = watched.changes()
    assert first != second
    assert gone == first.replace("+", "-")


def test_a_queue_that_goes_takes_its_bindings_and_exchanges_that_auto_delete() -> None:
    watched = Watched()
    x, auto = watched.exchange(b"x"), watched.exchange(b"auto", auto_delete=True)
    q = watched.queue(b"q")
    watched.bind(x, q)
    watched.bind(x, auto)
    watched.bind(auto, q)
    watched.changes()
    topology.delete_queue(watched.vhost, q)
    assert sorted(watched.changes()) == [
        "-bindings / auto queue q k",
        "-bindings / x exchange auto k",
        "-bindings / x queue q k",
        "-exchanges / auto",
        "-queues / q",
    ]


def test_an_exchange_that_goes_takes_its_bindings_in_both_directions() -> None:
    watched = Watched()
    x, y, q = watched.exchange(b"x"), watched.exchange(b"y"), watched.queue(b"q")
    watched.bind(x, q)
    watched.bind(y, x)
    watched.changes()
    topology.delete_exchange(watched.vhost, x)
    assert sorted(watched.changes()) == ["-bindings / x queue q k", "-bindings / y exchange x k", "-exchanges / x"]


def test_a_queue_that_expires_is_told() -> None:
    watched = Watched()
    topology.create_queue(watched.vhost, b"q", True, None, False, {"x-expires": ("I", 1000)})
    watched.changes()
    agenda = watched.vhost.agenda
    agenda.clock.now = 2.0
    agenda.timers.advance(2.0)
    settle(watched.vhost)
    assert watched.changes() == ["-queues / q"]


def test_a_declaration_that_is_refused_is_no_change() -> None:
    watched = Watched()
    with pytest.raises(Exception, match="x-max-length"):
        topology.create_queue(watched.vhost, b"q", True, None, False, {"x-max-length": ("S", b"many")})
    assert watched.changes() == []


def test_a_journal_that_keeps_nothing_is_told_nothing() -> None:
    watched = Watched(keeps=False)
    watched.bind(watched.exchange(b"x"), watched.queue(b"q"))
    assert watched.changes() == []
    assert watched.journal.defining == 0


def test_the_journal_knows_the_ticket_of_the_latest_change() -> None:
    watched = Watched()
    watched.journal.take()
    watched.queue(b"q")
    assert watched.journal.defining == watched.journal.ticket == 2
    watched.journal.take()
    watched.queue(b"t", durable=False)
    assert watched.journal.defining == 2


# -- permissions, users, vhosts --


def test_permissions_are_told_when_they_change() -> None:
    journal = Batch(keeps=True)
    permissions = Permissions("v", journal)
    permissions.set("u", ANY)
    permissions.set("u", ANY)
    permissions.set("u", Permission("", "", ""))
    permissions.set_topic("u", TopicPermission("x", "a", "b"))
    permissions.set_topic("u", TopicPermission("x", "a", "b"))
    permissions.set_topic("u", TopicPermission("y", "a", "b"))
    assert told(journal) == [
        "+permissions v u",
        "+permissions v u",
        "+topic_permissions v u x",
        "+topic_permissions v u y",
    ]
    permissions.clear("u")
    permissions.clear("u")
    permissions.clear_topic("u")
    assert told(journal) == ["-permissions v u", "-topic_permissions v u x", "-topic_permissions v u y"]


def test_users_are_told_when_they_change() -> None:
    journal = Batch(keeps=True)
    users = Users(journal)
    users.add("u", "secret")
    kept = users.get("u")
    assert kept is not None
    users.put(kept)
    users.set_tags("u", ["monitoring"])
    users.set_tags("u", ["monitoring"])
    users.set_password("u", None)
    users.put(User("v"))
    users.delete("u")
    assert told(journal) == ["+users  u", "+users  u", "+users  u", "+users  v", "-users  u"]


def test_vhosts_are_told_when_they_come_and_go() -> None:
    journal = Batch(keeps=True)
    broker = Broker(Settings(), 0.0, 0.0, journal)
    assert told(journal) == ["+users  guest", "+vhosts /", "+permissions / guest"]
    vhost = broker.add_vhost("v")
    broker.add_vhost("v")
    topology.create_queue(vhost, b"q", True, None, False, {})
    broker.delete_vhost("v")
    broker.delete_vhost("v")
    assert told(journal) == ["+vhosts v", "+queues v q", "-queues v q", "-vhosts v"]


def test_a_broker_without_defaults_begins_with_nothing() -> None:
    journal = Batch(keeps=True)
    broker = Broker(Settings(), 0.0, 0.0, journal, defaults=False)
    assert (broker.vhosts, len(broker.users), told(journal)) == ({}, 0, [])


def test_what_is_restored_is_no_change() -> None:
    watched = Watched()
    watched.journal.restoring = True
    watched.queue(b"q")
    watched.journal.restoring = False
    assert watched.changes() == []

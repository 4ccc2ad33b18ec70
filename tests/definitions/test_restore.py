"""A broker made anew from what the definition store holds."""

from pathlib import Path
from typing import Any

import pytest

from amq.auth.users import User
from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions import entities
from amq.definitions.entry import Entry
from amq.definitions.restore import Restored, restore
from amq.definitions.sqlite import SqliteStore
from amq.exchanges import TYPES
from amq.exchanges.fanout import Fanout
from amq.journal.batch import Batch
from amq.vhost import metadata, parameters, topology, tracing
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.policy import Policy, effective_definition
from amq.vhost.vhost import Vhost
from amq.wire.tables import Table


class Shelf:
    """What a store would hold: batches are put away one by one."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.revision = 0

    def put_away(self, broker: Broker) -> None:
        self.revision += 1
        found = entities.writes(broker.journal.take().changes)
        for key in list(self.entries):
            if key in found.deletes or any(key.startswith(prefix) for prefix in found.prefixes):
                del self.entries[key]
        for key, value in found.puts:
            self.entries[key] = Entry(key, value, self.revision)

    def restored(self) -> tuple[Broker, Restored]:
        broker = Broker(Settings(), 0.0, 0.0, Batch(keeps=True), defaults=False)
        # In the order of keys, as a store hands them out.
        result = restore([self.entries[key] for key in sorted(self.entries)], broker)
        assert broker.journal.work.changes == [], "what is in the store is no change"
        return broker, result


def born() -> tuple[Broker, Vhost]:
    broker = Broker(Settings(), 0.0, 0.0, Batch(keeps=True))
    return broker, broker.vhosts["/"]


def queue(vhost: Vhost, name: bytes, durable: bool = True, arguments: Table | None = None) -> Any:
    return topology.create_queue(vhost, name, durable, None, False, arguments or {})


def exchange(vhost: Vhost, name: bytes, kind: bytes = b"direct", arguments: Table | None = None) -> Any:
    return topology.create_exchange(vhost, name, topology.type_named(kind), True, True, True, arguments or {})


def again(broker: Broker) -> tuple[Broker, Restored]:
    shelf = Shelf()
    shelf.put_away(broker)
    return shelf.restored()


def test_a_fresh_broker_keeps_its_defaults() -> None:
    broker, _ = born()
    restored, result = again(broker)
    assert result == Restored([], frozenset())
    assert list(restored.users) == list(broker.users)
    vhost = restored.vhosts["/"]
    assert vhost.permissions.all() == {"guest": Permission(".*", ".*", ".*")}
    assert set(vhost.exchanges) == set(broker.vhosts["/"].exchanges)


def test_entities_come_back_with_all_that_they_were_declared_with() -> None:
    broker, vhost = born()
    arguments: Table = {"x-max-length": ("I", 7), "x-dead-letter-exchange": ("S", b"dead"), "mine": ("u", 3)}
    made = queue(vhost, b"q\xff", arguments=arguments)
    exchange(vhost, b"x", b"x-consistent-hash", {"hash-header": ("S", b"h")})
    vhost.permissions.set_topic("guest", TopicPermission("x", "^w", "^r"))
    broker.users.put(User("app", tags=frozenset(["monitoring"])))
    restored, result = again(broker)
    assert result.warnings == []
    back = restored.vhosts["/"].queues[b"q\xff"]
    assert (back.id, back.arguments, back.durable, back.auto_delete) == (made.id, arguments, True, False)
    assert back.dead_letter_exchange == b"dead"
    found = restored.vhosts["/"].exchanges[b"x"]
    assert (found.type_name, found.durable, found.auto_delete, found.internal, found.arguments) == (
        "x-consistent-hash",
        True,
        True,
        True,
        {"hash-header": ("S", b"h")},
    )
    assert restored.vhosts["/"].permissions.get_topic("guest", "x") == TopicPermission("x", "^w", "^r")
    assert restored.users.get("app") == User("app", tags=frozenset(["monitoring"]))


def test_messages_find_their_way_as_before() -> None:
    broker, vhost = born()
    first, second = exchange(vhost, b"a", b"topic"), exchange(vhost, b"b", b"headers")
    made = queue(vhost, b"q")
    topology.bind(vhost, first, made, b"a.*\xff", {})
    topology.bind(vhost, first, second, b"#", {})
    topology.bind(vhost, second, made, b"", {"x-match": ("S", b"all"), "k": ("I", 1)})
    restored, result = again(broker)
    assert result.warnings == []
    back = restored.vhosts["/"]
    assert [
        (binding.routing_key, binding.destination.name, binding.arguments)
        for source in (b"a", b"b")
        for binding in back.exchanges[source].bindings.values()
    ] == [
        (binding.routing_key, binding.destination.name, binding.arguments)
        for source in (first, second)
        for binding in source.bindings.values()
    ]
    assert next(iter(back.incoming[back.queues[b"q"]].values())).source is back.exchanges[b"a"]


def test_bindings_come_back_in_the_order_in_which_they_were_made() -> None:
    broker, vhost = born()
    shelf = Shelf()
    source = exchange(vhost, b"hash", b"x-consistent-hash")
    for batch in (b"zma", b"yb"):
        for letter in batch:
            topology.bind(vhost, source, queue(vhost, bytes([letter])), b"2", {})
        shelf.put_away(broker)
    restored, _ = shelf.restored()
    back = restored.vhosts["/"].exchanges[b"hash"]
    assert [binding.destination.name for binding in back.bindings.values()] == [b"z", b"m", b"a", b"y", b"b"]


def test_transient_things_do_not_come_back() -> None:
    broker, vhost = born()
    topology.bind(vhost, vhost.exchanges[b"amq.direct"], queue(vhost, b"t", durable=False), b"k", {})
    topology.create_queue(vhost, b"own", True, object(), False, {})
    restored, result = again(broker)
    assert result.warnings == []
    assert restored.vhosts["/"].queues == {}
    assert restored.vhosts["/"].exchanges[b"amq.direct"].bindings == {}


def test_what_was_deleted_does_not_come_back() -> None:
    broker, vhost = born()
    shelf = Shelf()
    topology.bind(vhost, exchange(vhost, b"x"), queue(vhost, b"q"), b"k", {})
    broker.add_vhost("v")
    broker.users.put(User("app"))
    shelf.put_away(broker)
    topology.delete_queue(vhost, vhost.queues[b"q"])
    broker.delete_vhost("v")
    broker.users.delete("app")
    shelf.put_away(broker)
    restored, result = shelf.restored()
    assert result.warnings == []
    assert set(restored.vhosts) == {"/"}
    # It auto-deletes.
    assert b"x" not in restored.vhosts["/"].exchanges
    assert [user.name for user in restored.users] == ["guest"]


def test_what_happens_after_the_restart_is_a_change_again() -> None:
    broker, vhost = born()
    queue(vhost, b"q")
    restored, _ = again(broker)
    back = restored.vhosts["/"]
    topology.delete_queue(back, back.queues[b"q"])
    assert entities.writes(restored.journal.take().changes).deletes == [b"queues/%2F/q"]


class Plugged(Fanout):
    """An exchange type of a plug-in."""

    __slots__ = ()
    type_name = "x-plugged"


def test_an_exchange_whose_type_is_missing_is_named_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    broker, vhost = born()
    monkeypatch.setitem(TYPES, b"x-plugged", Plugged)
    odd = exchange(vhost, b"odd", b"x-plugged")
    made = queue(vhost, b"q")
    topology.bind(vhost, odd, made, b"k", {})
    topology.bind(vhost, vhost.exchanges[b"amq.direct"], odd, b"k", {})
    topology.bind(vhost, vhost.exchanges[b"amq.direct"], made, b"k", {})
    shelf = Shelf()
    shelf.put_away(broker)
    monkeypatch.delitem(TYPES, b"x-plugged")
    restored, result = shelf.restored()
    assert result.warnings == [
        "exchanges/%2F/odd cannot be restored and stays in the store as it is: unknown exchange type 'x-plugged'"
    ]
    assert result.missing == frozenset()
    assert len(restored.vhosts["/"].exchanges[b"amq.direct"].bindings) == 1
    # With the plug-in in its place again, all of it is there.
    monkeypatch.setitem(TYPES, b"x-plugged", Plugged)
    restored, result = shelf.restored()
    assert result.warnings == []
    assert len(restored.vhosts["/"].exchanges[b"odd"].bindings) == 1


def test_a_queue_that_cannot_be_made_is_told_by_its_id() -> None:
    entry = Entry(b"queues/%2F/q", b'{"id": 77, "arguments": "00000010 0e782d6d65737361676574746c2d62 74 01"}', 1)
    quorum = (
        b'{"id": 78, "arguments": "000000180c782d71756575652d747970655300000006'
        + b"quorum".hex().encode()
        + b'", "durable": true}'
    )
    broker = Broker(Settings(), 0.0, 0.0, Batch(keeps=True))
    result = restore([entry, Entry(b"queues/%2F/r", quorum, 1)], broker)
    assert result.missing == {78}
    assert len(result.warnings) == 2
    assert "queue type 'quorum' of queue 'r' in vhost '/' is not supported" in result.warnings[1]


def test_what_is_not_known_or_has_no_vhost_is_named() -> None:
    broker = Broker(Settings(), 0.0, 0.0, Batch(keeps=True), defaults=False)
    entries = [
        Entry(b"policies/%2F/p", b"{}", 1),
        Entry(b"permissions/gone/u", b'{"configure": "", "write": "", "read": ""}', 1),
        Entry(b"permissions/%2F/u", b'{"configure": "(", "write": "", "read": ""}', 1),
        Entry(b"vhosts/%2F", b"{}", 1),
    ]
    result = restore(entries, broker)
    assert set(broker.vhosts) == {"/"}
    assert [warning.split()[0] for warning in result.warnings] == [
        "policies/%2F/p",
        "permissions/%2F/u",
        "permissions/gone/u",
    ]
    assert result.warnings[2].endswith("no vhost 'gone'")


async def test_a_broker_comes_back_from_a_store_on_disk(tmp_path: Path) -> None:
    broker, vhost = born()
    topology.bind(vhost, vhost.exchanges[b"amq.topic"], queue(vhost, b"q"), b"k", {})
    store = SqliteStore.open(tmp_path / "definitions.db")
    found = entities.writes(broker.journal.take().changes)
    await store.txn(puts=found.puts, deletes=found.deletes, prefixes=found.prefixes)
    await store.close()
    store = SqliteStore.open(tmp_path / "definitions.db")
    restored = Broker(Settings(), 0.0, 0.0, Batch(keeps=True), defaults=False)
    assert restore((await store.scan()).entries, restored).warnings == []
    assert len(restored.vhosts["/"].exchanges[b"amq.topic"].bindings) == 1
    await store.close()


def test_what_operators_set_comes_back() -> None:
    broker, vhost = born()
    metadata.describe(vhost, "Main", ["a", "b"], "classic")
    metadata.protect(vhost, True)
    tracing.switch(vhost, True)
    broker.users.set_limits("guest", {"max-channels": 3})
    parameters.set_limits(vhost, {"max-queues": 7, "max-connections": -1})
    parameters.keep(vhost, "shovel", "s/1", {"a": [None, 1.5]})
    parameters.set_global(broker.journal, broker.global_parameters, "g", [])
    vhost.policies.set(Policy("p", "^q", {"max-length": 5}, 2, "queues"))
    vhost.operator_policies.set(Policy("o", "", {"max-length": 3}, -1, operator=True))
    queue(vhost, b"q")
    shelf = Shelf()
    shelf.put_away(broker)
    again, result = shelf.restored()
    assert result == Restored([], frozenset())
    restored = again.vhosts["/"]
    assert (restored.description, restored.tags, restored.default_queue_type) == ("Main", ("a", "b"), "classic")
    assert (restored.protected_from_deletion, restored.tracing) == (True, True)
    assert (restored.limits, restored.parameters) == (vhost.limits, vhost.parameters)
    assert again.global_parameters == {"g": []}
    assert (restored.policies.all(), restored.operator_policies.all()) == (
        vhost.policies.all(),
        vhost.operator_policies.all(),
    )
    assert effective_definition(restored.queues[b"q"]) == {"max-length": 3}
    guest = again.users.get("guest")
    assert guest is not None
    assert guest.limits == {"max-channels": 3}


def test_a_deleted_vhost_takes_what_operators_have_set_along() -> None:
    broker, _ = born()
    vhost = broker.add_vhost("v")
    parameters.set_limits(vhost, {"max-queues": 7})
    vhost.policies.set(Policy("p", "^q", {"max-length": 5}))
    vhost.operator_policies.set(Policy("o", "", {"max-length": 3}, operator=True))
    shelf = Shelf()
    shelf.put_away(broker)
    broker.delete_vhost("v")
    shelf.put_away(broker)
    assert not [key for key in shelf.entries if b"/v/" in key or key.endswith(b"/v")]

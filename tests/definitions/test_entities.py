"""Keys and values of the definition store, out and in again."""

import json
import math
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.auth.passwords import DEFAULT_ALGORITHM, hash_password
from amq.auth.users import User
from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions import entities, stored
from amq.definitions.document import BindingDefinition, ExchangeDefinition, UserPermission, UserTopicPermission
from amq.definitions.entities import Writes
from amq.definitions.fields import DocumentError
from amq.definitions.stored import NumberedQueue, OrderedBinding, VhostEntry
from amq.journal.batch import Batch
from amq.vhost import metadata, parameters, topology, tracing
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.policy import Policy
from amq.vhost.vhost import Vhost
from amq.wire.tables import Table

HASH = hash_password(b"secret")
TEXTS = st.text(alphabet=st.characters(), min_size=1, max_size=12)
NAMES = st.binary(min_size=1, max_size=20)
FIELDS = st.recursive(
    st.one_of(
        st.tuples(st.just("t"), st.booleans()),
        st.tuples(st.sampled_from("bB"), st.integers(0, 127)),
        st.tuples(st.sampled_from("sIl"), st.integers(-32768, 32767)),
        st.tuples(st.sampled_from("uiT"), st.integers(0, 65535)),
        st.tuples(st.sampled_from("Sx"), st.binary(max_size=10)),
        st.tuples(st.just("V"), st.none()),
        st.tuples(st.just("d"), st.floats(allow_nan=False)),
        st.tuples(st.just("D"), st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1))),
    ),
    lambda inner: st.one_of(
        st.tuples(st.just("A"), st.lists(inner, max_size=3)),
        st.tuples(st.just("F"), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    ),
    max_leaves=5,
)
TABLES = st.dictionaries(
    st.binary(min_size=1, max_size=8).map(lambda octets: octets.decode("utf-8", "surrogateescape")), FIELDS, max_size=3
)


def new_broker() -> Broker:
    """A broker whose journal keeps, and has told of its defaults already."""
    broker = Broker(Settings(), 0.0, 0.0, Batch(keeps=True))
    broker.journal.take()
    return broker


def written(broker: Broker) -> Writes:
    return entities.writes(broker.journal.take().changes)


def one(broker: Broker) -> tuple[bytes, bytes]:
    """The only thing that is written."""
    found = written(broker)
    assert (found.deletes, found.prefixes) == ([], [])
    (put,) = found.puts
    return put


def queue(vhost: Vhost, name: bytes, arguments: Table | None = None) -> Any:
    return topology.create_queue(vhost, name, True, None, False, arguments or {})


def exchange(vhost: Vhost, name: bytes, kind: bytes = b"direct", arguments: Table | None = None) -> Any:
    return topology.create_exchange(vhost, name, topology.type_named(kind), True, False, False, arguments or {})


def test_keys_and_values_can_be_read_by_people() -> None:
    broker = Broker(Settings(), 0.0, 0.0, Batch(keeps=True))
    vhost = broker.vhosts["/"]
    vhost.permissions.set_topic("guest", TopicPermission("amq.topic", "^w", "^r"))
    logs = exchange(vhost, b"logs", b"topic")
    tasks = queue(vhost, b"tasks", {"x-max-length": ("I", 5)})
    topology.bind(vhost, logs, tasks, b"a.#", {})
    topology.bind(vhost, logs, tasks, b"", {"k": ("t", True)})
    puts = {key.decode(): json.loads(value) for key, value in written(broker).puts}
    user = puts.pop("users/guest")
    assert user["tags"] == ["administrator"]
    assert set(user) == {"password_hash", "hashing_algorithm", "tags"}
    hashed = next(key for key in puts if key.startswith("bindings/%2F/logs/queue/tasks//"))
    assert len(hashed.rpartition("/")[2]) == 32
    assert puts == {
        "vhosts/%2F": {"description": "Default virtual host"},
        "permissions/%2F/guest": {"configure": ".*", "write": ".*", "read": ".*"},
        "topic_permissions/%2F/guest/amq.topic": {"write": "^w", "read": "^r"},
        "exchanges/%2F/logs": {
            "type": "topic",
            "durable": True,
            "auto_delete": False,
            "internal": False,
            "arguments": "",
        },
        "queues/%2F/tasks": {
            "id": tasks.id,
            "durable": True,
            "auto_delete": False,
            "arguments": "000000120c782d6d61782d6c656e6774684900000005",
        },
        "bindings/%2F/logs/queue/tasks/a.%23/": {"order": 5, "arguments": ""},
        hashed: {"order": 6, "arguments": "00000004016b7401"},
    }


@given(vhost=TEXTS, name=NAMES, arguments=TABLES)
def test_a_queue_comes_back_as_it_was(vhost: str, name: bytes, arguments: Table) -> None:
    broker = new_broker()
    made = queue(broker.add_vhost(vhost), name, arguments)
    (_, (key, value)) = written(broker).puts
    read = stored.read(key, value)
    assert read == NumberedQueue(vhost, name, True, False, arguments, key.decode(), made.id)
    assert made.id


@given(vhost=TEXTS, name=NAMES, arguments=TABLES)
def test_an_exchange_comes_back_as_it_was(vhost: str, name: bytes, arguments: Table) -> None:
    broker = new_broker()
    exchange(broker.add_vhost(vhost), b"x" + name, b"topic", arguments)
    (_, (key, value)) = written(broker).puts
    assert stored.read(key, value) == ExchangeDefinition(
        vhost, b"x" + name, b"topic", True, False, False, arguments, key.decode()
    )


@given(vhost=TEXTS, source=NAMES, destination=NAMES, key=st.binary(max_size=20), arguments=TABLES)
def test_a_binding_comes_back_as_it_was(
    vhost: str, source: bytes, destination: bytes, key: bytes, arguments: Table
) -> None:
    broker = new_broker()
    entered = broker.add_vhost(vhost)
    first, second = exchange(entered, b"x" + source, b"headers"), exchange(entered, b"y" + destination)
    made = queue(entered, destination)
    broker.journal.take()
    topology.bind(entered, first, made, key, arguments)
    topology.bind(entered, first, second, key, arguments)
    puts = written(broker).puts
    assert [stored.read(*put) for put in puts] == [
        OrderedBinding(vhost, b"x" + source, kind, name, key, arguments, puts[order][0].decode(), order)
        for order, (kind, name) in enumerate([("queue", destination), ("exchange", b"y" + destination)])
    ]


@given(name=TEXTS, tags=st.frozensets(st.sampled_from(["administrator", "management", "x y"])))
def test_a_user_comes_back_as_it_was(name: str, tags: frozenset[str]) -> None:
    broker = new_broker()
    user = User(name + "!", password_hash=HASH, tags=tags)
    broker.users.put(user)
    assert stored.read(*one(broker)) == user


@given(vhost=TEXTS, user=TEXTS, exchange=TEXTS)
def test_permissions_come_back_as_they_were(vhost: str, user: str, exchange: str) -> None:
    broker = new_broker()
    permissions = broker.add_vhost(vhost).permissions
    broker.journal.take()
    permission = Permission("^a", "", ".*é")
    permissions.set(user + "!", permission)
    key, value = one(broker)
    assert stored.read(key, value) == UserPermission(user + "!", vhost, permission, key.decode())
    topic = TopicPermission(exchange, "^w", "{username}")
    permissions.set_topic(user, topic)
    key, value = one(broker)
    assert stored.read(key, value) == UserTopicPermission(user, vhost, topic, key.decode())


@given(name=TEXTS)
def test_a_vhost_comes_back_as_it_was(name: str) -> None:
    broker = new_broker()
    broker.add_vhost("x" + name)
    assert stored.read(*one(broker)) == VhostEntry("x" + name)


@given(one=st.tuples(NAMES, NAMES), other=st.tuples(NAMES, NAMES))
def test_different_names_have_different_keys(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> None:
    broker = new_broker()
    keys = set()
    for vhost, name in {one, other}:
        queue(broker.add_vhost(vhost.decode("latin-1")), name)
        keys |= {key for key, _ in written(broker).puts if key.startswith(b"queues/")}
    assert len(keys) == len({one, other})


def test_a_float_that_is_no_number_survives() -> None:
    broker = new_broker()
    queue(broker.vhosts["/"], b"q", {"f": ("d", math.nan)})
    read = stored.read(*one(broker))
    assert isinstance(read, NumberedQueue)
    assert math.isnan(read.arguments["f"][1])


def test_bindings_that_differ_in_their_arguments_alone_have_different_keys() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    made = queue(vhost, b"q")
    broker.journal.take()
    for value in (("I", 1), ("l", 1), ("S", b"1")):
        topology.bind(vhost, vhost.exchanges[b"amq.headers"], made, b"", {"a": value})
    topology.bind(vhost, vhost.exchanges[b"amq.headers"], made, b"", {})
    assert len({key for key, _ in written(broker).puts}) == 4


# -- what a batch comes to --


def test_what_comes_and_goes_in_one_batch_is_only_deleted() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    made = queue(vhost, b"q")
    topology.bind(vhost, vhost.exchanges[b"amq.topic"], made, b"k", {})
    topology.delete_queue(vhost, made)
    assert written(broker) == Writes([], [b"queues/%2F/q", b"bindings/%2F/amq.topic/queue/q/k/"], [])


def test_what_goes_and_comes_again_in_one_batch_is_written_as_it_is_then() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    topology.delete_queue(vhost, queue(vhost, b"q"))
    made = queue(vhost, b"q", {"x-max-length": ("I", 1)})
    read = stored.read(*one(broker))
    assert isinstance(read, NumberedQueue)
    assert (read.queue_id, read.arguments) == (made.id, {"x-max-length": ("I", 1)})


def test_bindings_are_numbered_in_the_order_in_which_they_were_made_last() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    topic = vhost.exchanges[b"amq.topic"]
    made = queue(vhost, b"q")
    broker.journal.take()
    for key in (b"c", b"a", b"b"):
        topology.bind(vhost, topic, made, key, {})
    topology.unbind(vhost, topic, made, b"c", {})
    topology.bind(vhost, topic, made, b"c", {})
    read = [stored.read(*put) for put in written(broker).puts]
    bindings = [found for found in read if isinstance(found, OrderedBinding)]
    assert [found.routing_key for found in sorted(bindings, key=lambda found: found.order)] == [b"a", b"b", b"c"]


def test_a_vhost_that_goes_takes_all_that_is_in_it_and_nothing_else() -> None:
    broker = new_broker()
    inner = broker.add_vhost("in/ner")
    queue(inner, b"q")
    inner.permissions.set("guest", Permission("", "", ""))
    broker.users.put(User("kept"))
    queue(broker.vhosts["/"], b"kept")
    broker.delete_vhost("in/ner")
    found = written(broker)
    assert {key for key, _ in found.puts} == {b"users/kept", b"queues/%2F/kept"}
    assert found.deletes == [b"vhosts/in%2Fner"]
    assert {b"queues/in%2Fner/", b"bindings/in%2Fner/", b"exchanges/in%2Fner/", b"policies/in%2Fner/"} <= set(
        found.prefixes
    )
    assert all(prefix.endswith(b"/in%2Fner/") for prefix in found.prefixes)


def test_a_vhost_that_goes_and_comes_again_has_what_was_made_since() -> None:
    broker = new_broker()
    queue(broker.add_vhost("v"), b"old")
    broker.delete_vhost("v")
    queue(broker.add_vhost("v"), b"new")
    found = written(broker)
    assert {key for key, _ in found.puts} == {b"vhosts/v", b"queues/v/new"}
    assert found.deletes == []
    assert b"queues/v/" in found.prefixes


# -- what cannot be read --


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (b"shovels/%2F/s", b"{}", "what 'shovels' are is not known here"),
        (b"queues/q", b"{}", "has 1 parts after its kind, not 2"),
        (b"queues/%2F/q", b"[]", "must be an object, not a list"),
        (b"queues/%2F/q", b"{}", "id: must be an integer of 64 bits"),
        (b"queues/%2F/q", b'{"id": true}', "id: must be an integer of 64 bits"),
        (b"exchanges/%2F/x", b"{}", "type: is missing"),
        (b"users/u", b'{"hashing_algorithm": "", "password_hash": "", "tags": 5}', "tags: must be a list of texts"),
    ],
)
def test_an_entry_that_cannot_be_read_says_why(key: bytes, value: bytes, problem: str) -> None:
    with pytest.raises(DocumentError) as raised:
        stored.read(key, value)
    assert str(raised.value).startswith(key.decode())
    assert str(raised.value).endswith(problem)


@given(kind=st.sampled_from(["users", "queues", "bindings", "exchanges", "vhosts"]), value=st.binary(max_size=40))
def test_octets_of_any_kind_are_read_or_refused(kind: str, value: bytes) -> None:
    for key in (f"{kind}/a", f"{kind}/a/b", f"{kind}/%ff/b/c/%zz/e/f"):
        try:
            stored.read(key.encode(), value)
        except ValueError:
            continue
        assert kind == "vhosts"


def test_a_hand_that_cuts_an_argument_table_short_is_noticed() -> None:
    for cut in range(2, 44, 2):
        arguments = "000000120c782d6d61782d6c656e6774684900000005"[:cut]
        with pytest.raises(ValueError, match=r"octet|length"):
            stored.read(b"queues/%2F/q", json.dumps({"id": 1, "arguments": arguments}).encode())


def test_a_stored_binding_is_a_binding() -> None:
    assert issubclass(OrderedBinding, BindingDefinition)


def test_what_operators_set_can_be_read_by_people_too() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    metadata.describe(vhost, "Main", ["a"], "classic")
    metadata.protect(vhost, True)
    tracing.switch(vhost, True)
    broker.users.put(User("u", limits={"max-channels": 3}))
    parameters.set_limit(vhost, "max-queues", 7)
    parameters.keep(vhost, "shovel", "s/1", {"a": [None]})
    parameters.set_global(broker.journal, broker.global_parameters, "g", 1.5)
    policy = Policy("p", "^q", {"max-length": 1}, 2, "queues")
    vhost.policies.set(policy)
    vhost.operator_policies.set(attrs.evolve(policy, operator=True))
    fields = {"pattern": "^q", "apply-to": "queues", "definition": {"max-length": 1}, "priority": 2}
    assert {key.decode(): json.loads(value) for key, value in written(broker).puts} == {
        "vhosts/%2F": {
            "description": "Main",
            "tags": ["a"],
            "default_queue_type": "classic",
            "tracing": True,
            "protected_from_deletion": True,
        },
        "users/u": {
            "password_hash": "",
            "hashing_algorithm": DEFAULT_ALGORITHM,
            "tags": [],
            "limits": {"max-channels": 3},
        },
        "parameters/%2F/vhost-limits/limits": {"value": {"max-queues": 7}},
        "parameters/%2F/shovel/s%2F1": {"value": {"a": [None]}},
        "global_parameters/g": {"value": 1.5},
        "policies/%2F/p": fields,
        "operator_policies/%2F/p": fields,
    }


def test_what_is_set_twice_alike_is_written_once() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    for _ in range(2):
        metadata.describe(vhost, "Main", ["a"], None)
        parameters.set_limits(vhost, {"max-queues": 7})
        parameters.keep(vhost, "shovel", "s", 1)
        parameters.set_global(broker.journal, broker.global_parameters, "g", 1)
        vhost.policies.set(Policy("p", "^q", {"max-length": 1}))
        assert len(broker.journal.take().changes) in (5, 0)
    assert broker.journal.idle()


def test_what_is_cleared_is_deleted() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    parameters.set_limits(vhost, {"max-queues": 7})
    parameters.keep(vhost, "shovel", "s", 1)
    parameters.set_global(broker.journal, broker.global_parameters, "g", 1)
    vhost.policies.set(Policy("p", "^q", {"max-length": 1}))
    broker.journal.take()
    parameters.clear_limit(vhost, "max-queues")
    assert parameters.clear(vhost, "shovel", "s")
    assert parameters.clear_global(broker.journal, broker.global_parameters, "g")
    assert vhost.policies.clear("p")
    assert sorted(written(broker).deletes) == [
        b"global_parameters/g",
        b"parameters/%2F/shovel/s",
        b"parameters/%2F/vhost-limits/limits",
        b"policies/%2F/p",
    ]


def test_very_many_changes_are_seen_to_in_steps_with_the_same_result() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    for number in range(350):
        queue(vhost, b"q%d" % number)
    changes = broker.journal.take().changes
    results: list[Writes] = []

    def work() -> Iterator[None]:
        results.append((yield from entities.writing(changes)))

    assert len(list(work())) == 6, "three while they are sorted, three while they are written"
    assert results == [entities.writes(changes)]


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (b"policies/v/p", {"pattern": "(", "definition": {"expires": 1}}, "regular expression"),
        (b"policies/v/p", {"pattern": "x"}, "definition: is missing"),
        (b"parameters/v/vhost-limits/limits", {"value": {"x": 1}}, "Unrecognised"),
        (b"parameters/v/x", {"value": 1}, "has 2 parts after its kind, not 3"),
        (b"global_parameters/x", {}, "value: is missing"),
        (b"vhosts/v", {"tags": "a"}, "must be a list of texts"),
        (b"users/u", {"password_hash": "", "hashing_algorithm": DEFAULT_ALGORITHM, "limits": {"x": 1}}, "limits"),
    ],
)
def test_what_operators_set_wrongly_is_refused_with_its_place(key: bytes, value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        stored.read(key, json.dumps(value).encode())

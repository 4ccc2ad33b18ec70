"""Making, comparing and removing exchanges, queues and bindings."""

import pytest

from amq.destination import Destination
from amq.errors import ChannelFault
from amq.exchanges.base import Exchange
from amq.vhost import topology
from amq.vhost.settling import settle
from amq.vhost.vhost import Route, Vhost
from amq.wire.tables import Table
from tests.journal.build import published
from tests.vhost.build import declare, exchange, furnished, publish, take


@pytest.fixture
def vhost() -> Vhost:
    return furnished()


def refusal(code: int, function: object, *arguments: object) -> str:
    """The text with which something is refused."""
    assert callable(function)
    with pytest.raises(ChannelFault) as caught:
        function(*arguments)
    assert caught.value.code == code
    return caught.value.text


def bind(vhost: Vhost, source: Exchange, destination: Destination, key: bytes = b"k") -> None:
    topology.bind(vhost, source, destination, key, {})


def test_every_vhost_has_the_exchanges_of_rabbitmq(vhost: Vhost) -> None:
    assert {name: there.type_name for name, there in vhost.exchanges.items()} == {
        b"": "direct",
        b"amq.direct": "direct",
        b"amq.fanout": "fanout",
        b"amq.topic": "topic",
        b"amq.headers": "headers",
        b"amq.match": "headers",
        b"amq.rabbitmq.trace": "topic",
    }
    assert [name for name, there in vhost.exchanges.items() if there.internal] == [b"amq.rabbitmq.trace"]
    assert all(there.durable and not there.auto_delete for there in vhost.exchanges.values())


def test_an_unknown_type_is_named(vhost: Vhost) -> None:
    assert refusal(406, topology.type_named, b"pigeon") == "unknown exchange type 'pigeon'"


@pytest.mark.parametrize("name", [b"amq.mine", b"amq."])
def test_names_of_the_broker_are_its_own(name: bytes) -> None:
    text = refusal(403, topology.check_name, "queue", name)
    assert text == f"queue name '{name.decode()}' contains reserved prefix 'amq.*'"


@pytest.mark.parametrize("name", [b"amq", b"Amq.x", b"x.amq.", b""])
def test_other_names_are_free(name: bytes) -> None:
    topology.check_name("queue", name)


def test_what_is_missing_is_named(vhost: Vhost) -> None:
    assert refusal(404, topology.exchange_named, vhost, b"x") == "no exchange 'x' in vhost '/'"
    assert refusal(404, topology.queue_named, vhost, b"q") == "no queue 'q' in vhost '/'"


def test_an_argument_that_names_an_exchange_must_be_a_longstr(vhost: Vhost) -> None:
    key = "x-dead-letter-exchange"
    assert topology.named_argument(vhost, "queue", b"q", {}, key) is None
    assert topology.named_argument(vhost, "queue", b"q", {key: ("S", b"x")}, key) == b"x"
    text = refusal(406, topology.named_argument, vhost, "queue", b"q", {key: ("I", 1)}, key)
    assert text == "invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'"


@pytest.mark.parametrize(
    ("kind", "flags", "said"),
    [
        (b"fanout", (False, False, False), "'type' for X: received 'fanout' but current is 'direct'"),
        (b"direct", (True, False, False), "'durable' for X: received 'true' but current is 'false'"),
        (b"direct", (False, True, False), "'auto_delete' for X: received 'true' but current is 'false'"),
        (b"direct", (False, False, True), "'internal' for X: received 'true' but current is 'false'"),
    ],
)
def test_an_exchange_is_not_declared_twice_in_two_ways(
    vhost: Vhost, kind: bytes, flags: tuple[bool, bool, bool], said: str
) -> None:
    there = exchange(vhost, b"x")
    text = refusal(406, topology.check_exchange_equivalent, vhost, there, kind, *flags, {})
    assert text == "inequivalent arg " + said.replace("X", "exchange 'x' in vhost '/'")


def test_of_an_exchanges_arguments_the_alternate_counts(vhost: Vhost) -> None:
    there = exchange(vhost, b"x")
    topology.check_exchange_equivalent(vhost, there, b"direct", False, False, False, {"mine": ("I", 1)})
    other: Table = {"alternate-exchange": ("S", b"ae")}
    text = refusal(406, topology.check_exchange_equivalent, vhost, there, b"direct", False, False, False, other)
    assert text == (
        "inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': "
        "received the value 'ae' of type 'longstr' but current is none"
    )


def test_a_queue_is_not_declared_twice_in_two_ways(vhost: Vhost) -> None:
    there = declare(vhost, b"q", max_length=5)
    table: Table = {"x-max-length": ("l", 5), "mine": ("S", b"of no interest")}
    topology.check_queue_equivalent(vhost, there, False, False, table)
    start = "inequivalent arg '{}' for queue 'q' in vhost '/': received {} but current is {}"
    for arguments, said in (
        ((True, False, table), start.format("durable", "'true'", "'false'")),
        ((False, True, table), start.format("auto_delete", "'true'", "'false'")),
        ((False, False, {}), start.format("x-max-length", "none", "the value '5' of type 'signedint'")),
        ((False, False, {"x-max-length": ("I", 6)}), start.format("x-max-length", "'6'", "'5'")),
    ):
        assert refusal(406, topology.check_queue_equivalent, vhost, there, *arguments) == said


def test_an_exclusive_queue_is_transient_whatever_it_was_declared_as(vhost: Vhost) -> None:
    queue = topology.create_queue(vhost, b"q", True, object(), False, {})
    assert not queue.durable
    assert queue.exclusive
    topology.check_queue_equivalent(vhost, queue, True, False, {})


def test_a_queue_with_bad_arguments_is_not_made(vhost: Vhost) -> None:
    refusal(406, topology.create_queue, vhost, b"q", False, None, False, {"x-expires": ("I", 0)})
    assert b"q" not in vhost.queues


def test_a_binding_is_made_once(vhost: Vhost) -> None:
    queue, source = declare(vhost, b"q"), vhost.exchanges[b"amq.direct"]
    bind(vhost, source, queue)
    bind(vhost, source, queue)
    assert len(source.bindings) == 1
    assert len(vhost.incoming[queue]) == 1


def test_bindings_differ_by_key_and_by_arguments(vhost: Vhost) -> None:
    queue, source = declare(vhost, b"q"), vhost.exchanges[b"amq.direct"]
    bind(vhost, source, queue, b"a")
    bind(vhost, source, queue, b"b")
    topology.bind(vhost, source, queue, b"a", {"n": ("I", 1)})
    # The order in which arguments are written means nothing.
    topology.bind(vhost, source, queue, b"a", {"n": ("I", 1), "m": ("I", 2)})
    topology.bind(vhost, source, queue, b"a", {"m": ("I", 2), "n": ("I", 1)})
    assert len(source.bindings) == 4


def test_unbinding_what_is_not_bound_changes_nothing(vhost: Vhost) -> None:
    queue, source = declare(vhost, b"q"), exchange(vhost, b"x", auto_delete=True)
    topology.unbind(vhost, source, queue, b"k", {})
    assert b"x" in vhost.exchanges


def test_an_auto_delete_exchange_goes_with_its_last_binding(vhost: Vhost) -> None:
    queue, source = declare(vhost, b"q"), exchange(vhost, b"x", auto_delete=True)
    bind(vhost, source, queue, b"a")
    bind(vhost, source, queue, b"b")
    topology.unbind(vhost, source, queue, b"a", {})
    assert b"x" in vhost.exchanges
    topology.unbind(vhost, source, queue, b"b", {})
    assert b"x" not in vhost.exchanges
    assert vhost.incoming == {}


def test_a_chain_of_auto_delete_exchanges_goes_with_the_queue_at_its_end(vhost: Vhost) -> None:
    queue = declare(vhost, b"q")
    first, second = exchange(vhost, b"first", auto_delete=True), exchange(vhost, b"second", auto_delete=True)
    bind(vhost, first, second)
    bind(vhost, second, queue)
    topology.delete_queue(vhost, queue)
    assert not {b"first", b"second"} & set(vhost.exchanges)


def test_a_ring_of_auto_delete_exchanges_can_be_deleted(vhost: Vhost) -> None:
    first, second = exchange(vhost, b"first", auto_delete=True), exchange(vhost, b"second", auto_delete=True)
    bind(vhost, first, second)
    bind(vhost, second, first)
    bind(vhost, first, first)
    topology.delete_exchange(vhost, first)
    assert not {b"first", b"second"} & set(vhost.exchanges)
    assert vhost.incoming == {}


def test_deleting_an_exchange_removes_its_bindings_in_both_directions(vhost: Vhost) -> None:
    queue, source, middle = declare(vhost, b"q"), vhost.exchanges[b"amq.topic"], exchange(vhost, b"x")
    bind(vhost, source, middle)
    bind(vhost, middle, queue)
    topology.delete_exchange(vhost, middle)
    assert source.bindings == {}
    assert vhost.incoming == {}
    topology.delete_exchange(vhost, middle)
    assert b"q" in vhost.queues


def test_deleting_a_queue_tells_how_much_was_ready(vhost: Vhost) -> None:
    queue = declare(vhost, b"q")
    for _ in range(3):
        publish(vhost, b"q")
    queue.get()
    assert topology.delete_queue(vhost, queue) == 2
    assert queue.deleted
    assert topology.delete_queue(vhost, queue) == 0


@pytest.mark.parametrize(
    "change", ["create_queue", "create_exchange", "bind", "unbind", "delete_queue", "delete_exchange"]
)
def test_any_change_of_the_topology_forgets_the_cached_routes(vhost: Vhost, change: str) -> None:
    queue, source = declare(vhost, b"q"), exchange(vhost, b"x")
    bind(vhost, source, queue, b"old")
    routes = vhost.routes_of("guest")
    routes[b"arguments"] = Route(b"", source, b"", False, [])
    match change:
        case "create_queue":
            declare(vhost, b"new")
        case "create_exchange":
            exchange(vhost, b"new")
        case "bind":
            bind(vhost, source, queue, b"new")
        case "unbind":
            topology.unbind(vhost, source, queue, b"old", {})
        case "delete_queue":
            topology.delete_queue(vhost, queue)
        case _:
            topology.delete_exchange(vhost, source)
    assert routes == {}
    assert vhost.routes_of("guest") is routes


def test_a_refused_binding_is_not_made(vhost: Vhost) -> None:
    queue, source = declare(vhost, b"q"), vhost.exchanges[b"amq.headers"]
    refusal(406, topology.bind, vhost, source, queue, b"", {"x-match": ("S", b"most")})
    assert source.bindings == {}
    assert vhost.incoming == {}


def test_a_new_binding_gets_what_the_exchange_remembers(vhost: Vhost) -> None:
    remembering, queue = exchange(vhost, b"x", b"x-recent-history"), declare(vhost, b"q")
    publish(vhost, b"k", exchange=b"x")
    bind(vhost, remembering, queue)
    settle(vhost)
    assert take(queue).routing_key() == b"k"
    bind(vhost, remembering, queue)
    assert queue.ready_count() == 0


@pytest.mark.parametrize("between", [False, True], ids=["queue", "exchange"])
def test_what_an_exchange_remembers_is_on_record_for_a_durable_queue_that_is_bound_later(between: bool) -> None:
    vhost = furnished(keeps=True)
    remembering = exchange(vhost, b"x", b"x-recent-history")
    through = exchange(vhost, b"y", b"fanout")
    queue = topology.create_queue(vhost, b"q", True, None, False, {})
    publish(vhost, b"k", exchange=b"x", persistent=True)
    publish(vhost, b"k", exchange=b"x")
    bind(vhost, through, queue)
    vhost.agenda.journal.take()
    bind(vhost, remembering, through if between else queue)
    settle(vhost)
    assert queue.ready_count() == 2
    (pair,) = published(vhost.agenda.journal.take())
    assert (pair.body, pair.queues) == (b"m", [queue.id])
    assert take(queue).lsn == pair.lsn
    assert take(queue).lsn == 0


def test_a_route_knows_which_of_its_queues_the_journal_keeps() -> None:
    vhost = furnished(keeps=True)
    source = vhost.exchanges[b""]
    transient = declare(vhost, b"transient")
    durable = topology.create_queue(vhost, b"durable", True, None, False, {})
    assert durable.id
    assert Route(b"", source, b"", False, [transient, durable]).ids == [durable.id]
    assert Route(b"", source, b"", False, [transient]).ids == []
    assert Route(b"", source, b"", False, None).ids == []


def test_in_memory_the_journal_keeps_nothing_of_a_durable_queue(vhost: Vhost) -> None:
    durable = topology.create_queue(vhost, b"durable", True, None, False, {})
    assert durable.durable
    assert durable.id == 0
    assert Route(b"", vhost.exchanges[b""], b"", False, [durable]).ids == []


def test_no_two_durable_queues_have_the_same_id_even_under_the_same_name() -> None:
    vhost = furnished(keeps=True)
    ids = set()
    for _ in range(100):
        queue = topology.create_queue(vhost, b"q", True, None, False, {})
        assert 0 < queue.id < 1 << 63
        ids.add(queue.id)
        topology.delete_queue(vhost, queue)
    assert len(ids) == 100

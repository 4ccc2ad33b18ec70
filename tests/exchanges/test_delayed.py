from typing import Any

import pytest

from amq.broker import Broker
from amq.config.settings import Settings
from amq.errors import ChannelFault
from amq.exchanges import exchange_type
from amq.exchanges.delayed import Delayed, Waiting
from amq.message import Message, address
from amq.queues.base import Queue
from amq.vhost import topology
from amq.vhost.settling import PER_GO, settle
from amq.vhost.vhost import Vhost
from amq.wire import properties as props
from amq.wire import tables

DIRECT = {"x-delayed-type": ("S", b"direct")}


@pytest.fixture
def broker() -> Broker:
    return Broker(Settings(), now=0.0, wall=1_700_000_000.0)


@pytest.fixture
def vhost(broker: Broker) -> Vhost:
    vhost = broker.vhosts["/"]
    exchange = topology.create_exchange(vhost, b"later", Delayed, True, False, False, DIRECT)
    queue = topology.create_queue(vhost, b"q", True, None, False, {})
    topology.bind(vhost, exchange, queue, b"k", {})
    return vhost


def message(key: bytes, body: bytes, **headers: Any) -> Message:
    plain = b"\0\x3c\0\0" + len(body).to_bytes(8, "big") + b"\0\0"
    table = {name.replace("_", "-"): field for name, field in headers.items()}
    header = props.rewrite(plain, {props.HEADERS: tables.encode(table)})
    return Message(address(b"later", key), header, body, props.read(header))


def publish(vhost: Vhost, sent: Message, exchange: bytes = b"later") -> list[Queue]:
    queues = vhost.route(vhost.exchanges[exchange], [sent.routing_key()], sent).queues
    for queue in queues:
        queue.enqueue(sent)
    settle(vhost)
    return queues


def bodies(vhost: Vhost) -> list[bytes]:
    found = []
    while (head := vhost.queues[b"q"].get()) is not None:
        found.append(head[1].body)
    return found


@pytest.mark.parametrize("delay", [("I", 500), ("l", 500), ("S", b"500")])
def test_a_message_arrives_when_its_delay_is_over(broker: Broker, vhost: Vhost, delay: tuple[str, Any]) -> None:
    publish(vhost, message(b"k", b"m", x_delay=delay))
    broker.advance(0.499)
    assert bodies(vhost) == []
    broker.advance(0.5)
    assert bodies(vhost) == [b"m"]


def test_messages_arrive_in_the_order_of_their_times(broker: Broker, vhost: Vhost) -> None:
    for body, delay in ((b"c", 300), (b"a", 100), (b"b1", 200), (b"b2", 200)):
        publish(vhost, message(b"k", body, x_delay=("l", delay)))
    broker.advance(0.25)
    assert bodies(vhost) == [b"a", b"b1", b"b2"]
    broker.advance(0.3)
    assert bodies(vhost) == [b"c"]


def test_many_that_are_due_at_once_are_routed_in_several_goes(broker: Broker, vhost: Vhost) -> None:
    for _ in range(2 * PER_GO + 1):
        publish(vhost, message(b"k", b"m", x_delay=("l", 100)))
    for arrived in (PER_GO, 2 * PER_GO, 2 * PER_GO + 1):
        broker.advance(0.1)
        assert vhost.queues[b"q"].ready_count() == arrived


@pytest.mark.parametrize("delay", [None, ("l", 0), ("l", -5), ("S", b"soon"), ("t", True), ("d", 0.5)])
def test_without_a_positive_delay_a_message_is_routed_at_once(vhost: Vhost, delay: Any) -> None:
    publish(vhost, message(b"k", b"m", **({} if delay is None else {"x_delay": delay})))
    assert bodies(vhost) == [b"m"]


def test_a_consumer_sees_the_delay_negated(broker: Broker, vhost: Vhost) -> None:
    publish(vhost, message(b"k", b"m", x_delay=("I", 70), other=("S", b"kept")))
    broker.advance(1.0)
    head = vhost.queues[b"q"].get()
    assert head is not None
    assert head[1].properties.headers() == {"x-delay": ("l", -70), "other": ("S", b"kept")}


def test_it_routes_by_the_type_that_it_was_declared_with_and_by_the_bindings_of_that_time(
    broker: Broker, vhost: Vhost
) -> None:
    publish(vhost, message(b"other", b"unbound", x_delay=("l", 10)))
    publish(vhost, message(b"late", b"bound meanwhile", x_delay=("l", 10)))
    topology.bind(vhost, vhost.exchanges[b"later"], vhost.queues[b"q"], b"late", {})
    broker.advance(1.0)
    assert bodies(vhost) == [b"bound meanwhile"]


def test_a_message_that_waits_counts_as_routed(vhost: Vhost) -> None:
    (waiting,) = publish(vhost, message(b"nobody", b"m", x_delay=("l", 10)))
    assert isinstance(waiting, Waiting)
    assert publish(vhost, message(b"nobody", b"m")) == []


def test_a_delayed_exchange_behind_another_does_not_delay_again(broker: Broker, vhost: Vhost) -> None:
    first = topology.create_exchange(vhost, b"first", Delayed, True, False, False, DIRECT)
    topology.bind(vhost, first, vhost.exchanges[b"later"], b"k", {})
    publish(vhost, message(b"k", b"m", x_delay=("l", 100)), b"first")
    broker.advance(0.1)
    assert bodies(vhost) == [b"m"]


def test_the_messages_of_a_deleted_exchange_go_with_it(broker: Broker, vhost: Vhost) -> None:
    (waiting,) = publish(vhost, message(b"k", b"m", x_delay=("l", 100)))
    topology.delete_exchange(vhost, vhost.exchanges[b"later"])
    topology.create_exchange(vhost, b"later", Delayed, True, False, False, DIRECT)
    broker.advance(0.2)
    assert bodies(vhost) == []
    assert waiting.ready_count() == 0


def test_a_delay_of_more_than_ten_years_is_one_of_ten_years(broker: Broker, vhost: Vhost) -> None:
    publish(vhost, message(b"k", b"m", x_delay=("S", b"9" * 200)))
    broker.advance(315_360_000.0)
    assert bodies(vhost) == [b"m"]


def test_an_expiration_counts_from_the_end_of_the_delay(broker: Broker, vhost: Vhost) -> None:
    sent = message(b"k", b"m", x_delay=("l", 1000))
    sent.properties.ttl = 100
    publish(vhost, sent)
    broker.advance(1.0)
    assert vhost.queues[b"q"].ready_count() == 1
    broker.advance(1.11)
    assert vhost.queues[b"q"].ready_count() == 0


def test_unbinding_and_its_auto_delete_work_through_the_inner_type(vhost: Vhost) -> None:
    exchange = topology.create_exchange(vhost, b"short", Delayed, False, True, False, DIRECT)
    topology.bind(vhost, exchange, vhost.queues[b"q"], b"k", {})
    topology.unbind(vhost, exchange, vhost.queues[b"q"], b"k", {})
    assert b"short" not in vhost.exchanges


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"x-delayed-type": ("S", b"pigeon")},
        {"x-delayed-type": ("l", 1)},
        {"x-delayed-type": ("S", b"x-delayed-message")},
    ],
)
def test_it_wants_an_existing_type_to_route_by(arguments: dict[str, Any]) -> None:
    with pytest.raises(ChannelFault, match="'x-delayed-type' must be an existing exchange type") as caught:
        Delayed.check_arguments(arguments)
    assert caught.value.code == 406


def test_the_arguments_of_the_inner_type_are_checked() -> None:
    with pytest.raises(ChannelFault, match="x-recent-history-length"):
        Delayed.check_arguments({"x-delayed-type": ("S", b"x-recent-history"), "x-recent-history-length": ("l", 0)})


def test_it_can_be_declared_under_the_name_of_the_plug_in() -> None:
    assert exchange_type(b"x-delayed-message") is Delayed

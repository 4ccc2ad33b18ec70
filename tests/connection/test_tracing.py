"""The firehose, and taps: what is told of messages, and that nothing is while nobody listens."""

from typing import Any

from amq.queues.base import ACKNOWLEDGED, REJECTED, REQUEUED
from amq.vhost import tracing
from amq.vhost.tracing import DEAD_LETTERED, DELIVERED, PUBLISHED, Event, Tap
from amq.vhost.vhost import Vhost
from tests.harness.dialogue import Dialogue, enter, publish


class Ear(Tap):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    def take(self, event: Event) -> None:
        self.heard.append(event)

    def kinds(self) -> list[str]:
        return [event.what for event in self.heard]


def traced() -> tuple[Dialogue, Vhost]:
    """A client with a queue `q` and one, `t`, that gets all that the firehose has."""
    client = enter(channels=[1])
    vhost = client.broker.vhosts["/"]
    client.declare(1, "q")
    client.declare(1, "t")
    client.say(1, "queue.bind", queue="t", exchange="amq.rabbitmq.trace", routing_key="#")
    client.hears(1, "queue.bind-ok")
    return client, vhost


def told(client: Dialogue) -> list[tuple[str, dict[str, Any], bytes]]:
    """Key, headers and body of all that the firehose has."""
    found = []
    while True:
        client.say(1, "basic.get", queue="t", no_ack=True)
        client.drain()
        heard = client.inbox.popleft()
        if heard.name == "basic.get-empty":
            return found
        found.append((heard["routing_key"], heard.properties["headers"], heard.body))


def test_the_firehose_has_a_copy_of_what_comes_in_and_of_what_goes_out() -> None:
    client, vhost = traced()
    tracing.switch(vhost, True)
    client.send(publish(1, "q", b"body", message_id="m", headers={"CC": ["k"], "x": 1}, delivery_mode=2))
    client.send(publish(1, "nowhere", b"gone"))
    assert client.get(1, "q") == b"body"
    (in_key, came, in_body), (lost_key, lost, _), (out_key, went, out_body) = told(client)
    assert (in_key, in_body, lost_key, out_key, out_body) == ("publish.", b"body", "publish.", "deliver.q", b"body")
    common = {
        "exchange_name": "",
        "routing_keys": ["q", "k"],
        "properties": {"message_id": "m", "delivery_mode": 2, "headers": {"CC": ["k"], "x": 1}},
        "node": "amq@localhost",
        "vhost": "/",
        "connection": "127.0.0.1:50000 -> 127.0.0.1:5672",
        "channel": 1,
        "user": "guest",
    }
    assert came == common | {"routed_queues": ["q"]}
    assert went == common | {"redelivered": 0}
    assert lost["routed_queues"] == []


def test_messages_that_repeat_are_all_traced_and_none_once_it_is_off() -> None:
    client, vhost = traced()
    client.send(publish(1, "q", b"x") * 5)
    tracing.switch(vhost, True)
    client.send(publish(1, "q", b"x") * 5)
    client.send(publish(1, "q", b"x") * 5)
    tracing.switch(vhost, False)
    client.send(publish(1, "q", b"x") * 5)
    assert len(told(client)) == 10
    assert vhost.agenda.tracer is None


def test_what_the_firehose_says_is_not_traced_itself() -> None:
    client, vhost = traced()
    tracing.switch(vhost, True)
    client.send(publish(1, "q", b"x"))
    assert len(told(client)) == 1
    assert told(client) == []


def test_deliveries_are_traced_with_their_redelivered_flag() -> None:
    client, vhost = traced()
    client.send(publish(1, "q", b"x") * 2)
    tracing.switch(vhost, True)
    client.consume(1, "q")
    client.drain()
    client.inbox.clear()
    client.say(1, "basic.recover", requeue=True)
    client.drain()
    client.inbox.clear()
    assert [(key, headers["redelivered"]) for key, headers, _ in told(client)] == [
        ("deliver.q", 0),
        ("deliver.q", 0),
        ("deliver.q", 1),
        ("deliver.q", 1),
    ]


def test_a_tap_hears_of_a_messages_whole_way() -> None:
    client = enter(channels=[1])
    vhost = client.broker.vhosts["/"]
    client.declare(1, "q", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    client.declare(1, "dead")
    ear = Ear()
    tracing.tap(vhost, ear)
    client.send(publish(1, "q", b"x"))
    client.consume(1, "q")
    client.drain()
    client.inbox.clear()
    client.say(1, "basic.reject", delivery_tag=1, requeue=True)
    client.drain()
    client.inbox.clear()
    client.say(1, "basic.reject", delivery_tag=2, requeue=False)
    client.consume(1, "dead", "other")
    client.drain()
    client.say(1, "basic.ack", delivery_tag=3)
    client.drain()
    assert ear.kinds() == [
        *(PUBLISHED, DELIVERED, REQUEUED, DELIVERED, REJECTED),
        *(DEAD_LETTERED, DELIVERED, ACKNOWLEDGED),
    ]
    assert [event.queues for event in ear.heard] == [[b"q"]] * 6 + [[b"dead"]] * 2
    assert ear.heard[5].reason == "rejected"
    tracing.untap(vhost, ear)
    assert vhost.agenda.tracer is None
    client.send(publish(1, "q", b"x"))
    assert len(ear.heard) == 8


def test_a_tap_and_the_firehose_do_not_need_each_other() -> None:
    client, vhost = traced()
    ear = Ear()
    tracing.tap(vhost, ear)
    tracing.switch(vhost, True)
    tracing.untap(vhost, ear)
    client.send(publish(1, "q", b"x"))
    assert (len(told(client)), ear.heard) == (1, [])

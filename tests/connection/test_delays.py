"""Delayed messages as a client sees them."""

from tests.harness.dialogue import Dialogue, enter, new_broker


def client_with_delayed_exchange() -> Dialogue:
    client = enter(new_broker())
    client.open(1)
    arguments = {"x-delayed-type": "topic"}
    client.say(1, "exchange.declare", exchange="later", type="x-delayed-message", arguments=arguments)
    client.hears(1, "exchange.declare-ok")
    client.declare(1, "q")
    client.say(1, "queue.bind", queue="q", exchange="later", routing_key="a.#")
    client.hears(1, "queue.bind-ok")
    return client


def test_a_delayed_message_is_confirmed_at_once_not_returned_and_delivered_when_it_is_due() -> None:
    client = client_with_delayed_exchange()
    client.select_confirms(1)
    client.consume(1, "q")
    client.publish(1, "a.b", b"m", exchange="later", mandatory=True, headers={"x-delay": 2000})
    client.hears(1, "basic.ack", delivery_tag=1)
    client.wait(1.9)
    client.hears_nothing()
    client.wait(0.1)
    client.hears_delivery(1, b"m", exchange="later", routing_key="a.b")


def test_a_delayed_exchange_without_its_type_is_refused() -> None:
    client = enter(new_broker())
    client.open(1)
    client.say(1, "exchange.declare", exchange="later", type="x-delayed-message")
    client.hears_channel_close(1, 406, "Invalid argument, 'x-delayed-type' must be an existing exchange type")

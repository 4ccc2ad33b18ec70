"""AMQP clients as the HTTP API shows them: connections, channels, consumers, and the figures of what they do."""

from typing import Any

import pika
import pytest

from tests.conformance_http.play import Play, q


def name_of(play: Play, vhost: str) -> str:
    """The name of the only connection to a vhost, as a segment of a path."""
    play.until("/connections", lambda found: any(each["vhost"] == vhost for each in found))
    return q(next(each["name"] for each in play.get("/connections") if each["vhost"] == vhost))


def busy_clients(play: Play) -> None:
    vhost = play.vhost("conf-clients")
    parameters = {"b": b"\xff\x00", "n": 5, "nested": {"a": [1, "x", None]}}
    connection = play.connect("conf-clients", "my client", **parameters)
    publisher = connection.channel()
    publisher.confirm_delivery()
    publisher.basic_qos(prefetch_count=10)
    publisher.queue_declare("q1", durable=True, arguments={"x-message-ttl": 60000000, "x-max-priority": 5})
    publisher.queue_declare("q2")
    publisher.queue_declare("q3", exclusive=True)
    publisher.queue_declare("q4", durable=True, arguments={"x-single-active-consumer": True})
    publisher.exchange_declare("x1", "topic", durable=True)
    publisher.exchange_declare("x2", "fanout", auto_delete=True, internal=True, arguments={"alternate-exchange": "x1"})
    publisher.queue_bind("q1", "x1", "a.*")
    publisher.exchange_bind("x2", "x1", "e")
    properties = pika.BasicProperties(delivery_mode=2, timestamp=1700000000)
    for number in range(5):
        publisher.basic_publish("x1", "a.b", f"m{number}".encode(), properties)
        publisher.basic_publish("", "q2", b"x" * 10)
    publisher.basic_publish("x1", "nowhere", b"")
    with pytest.raises(pika.exceptions.UnroutableError):
        publisher.basic_publish("x1", "nowhere", b"", mandatory=True)
    consumer = connection.channel()
    consumer.basic_qos(prefetch_count=3)
    consumer.basic_consume("q1", lambda *_: None, consumer_tag="ct1", arguments={"x-priority": 3})
    consumer.basic_consume("q4", lambda *_: None, consumer_tag="ct4")
    consumer.basic_consume("q4", lambda *_: None, consumer_tag="ct4b")
    consumer.basic_qos(prefetch_count=7)
    consumer.basic_qos(prefetch_count=20, global_qos=True)
    consumer.basic_consume("q3", lambda *_: None, consumer_tag="ct3", exclusive=True, auto_ack=True)
    publisher.basic_get("q2")
    publisher.basic_get("q2", auto_ack=True)
    publisher.basic_get("q4")
    transactional = connection.channel()
    transactional.tx_select()
    transactional.basic_publish("", "q2", b"tx")
    play.until(f"/queues/{vhost}/q1", lambda queue: queue.get("messages_unacknowledged") == 3)
    play.until(f"/channels/{name_of(play, 'conf-clients')}%20(3)", lambda channel: channel["messages_uncommitted"] == 1)
    play.figures()
    name = name_of(play, "conf-clients")
    for path in (
        f"/queues/{vhost}",
        *(f"/queues/{vhost}/q{number}" for number in (1, 2, 3, 4)),
        f"/queues/{vhost}?disable_stats=true&enable_queue_totals=true",
        f"/queues/{vhost}?columns=name,messages,message_stats.publish,message_stats.publish_details.rate",
        f"/queues/{vhost}?sort=messages_ready&sort_reverse=true&columns=name,messages_ready",
        f"/exchanges/{vhost}",
        f"/exchanges/{vhost}/x1",
        f"/bindings/{vhost}",
        f"/vhosts/{vhost}/connections",
        f"/vhosts/{vhost}/channels",
        f"/connections/{name}",
        f"/connections/{name}?disable_stats=true",
        f"/connections/{name}/channels",
        *(f"/channels/{name}%20({number})" for number in (1, 2, 3)),
        f"/channels/{name}%20(4)",
        f"/channels/{name}%20(1)?disable_stats=true",
        "/channels?disable_stats=true",
        f"/consumers/{vhost}?disable_stats=true",
    ):
        play.ask("GET", path)
    play.ask("GET", f"/consumers/{vhost}", only="items")
    play.ask("GET", f"/connections/{name}?data_rates_age=60&data_rates_incr=5", only="shape")
    play.ask("GET", f"/queues/{vhost}/q2?msg_rates_age=60&msg_rates_incr=5&lengths_age=60&lengths_incr=5", only="shape")


def closing_connections(play: Play) -> None:
    vhost = play.vhost("conf-closing")
    connection = play.connect("conf-closing")
    name = name_of(play, "conf-closing")
    for path in (f"/connections/{name}", "/channels/none", f"/vhosts/{vhost}/channels"):
        play.ask("PUT", path)
    play.ask("DELETE", f"/connections/{name}", headers={"X-Reason": "go away"})
    note(play, told(connection))
    for path in ("/connections/none", "/connections/none/channels", "/channels/none", "/connections/username/none"):
        play.ask("GET", path)
    play.ask("DELETE", "/connections/none")
    play.ask("DELETE", "/connections/username/none")
    for path in ("/vhosts/nowhere/connections", "/vhosts/nowhere/channels", "/consumers/nowhere"):
        play.ask("GET", path)


def closing_a_user_s_connections(play: Play) -> None:
    vhost = play.vhost("conf-closing-user")
    user, password = play.user("conf-leaver", "management")
    play.set("PUT", f"/permissions/{vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
    connections = [play.connect("conf-closing-user", user=(user, password)) for _ in range(2)]
    play.until(f"/connections/username/{user}", lambda found: len(found) == 2)
    play.ask("GET", f"/connections/username/{user}")
    play.ask("GET", f"/connections/username/{user}", user=(user, password))
    play.ask("DELETE", f"/connections/username/{user}", headers={"X-Reason": "all of you"})
    for connection in connections:
        note(play, told(connection))


def told(connection: Any) -> str:
    """What a client hears when its connection is closed."""
    with pytest.raises(pika.exceptions.AMQPConnectionError) as closed:
        for _ in range(50):
            connection.process_data_events(0.2)
    return str(closed.value)


def note(play: Play, heard: str) -> None:
    """Compare what a client has heard."""
    play.transcript.append({"ask": "what the client hears", "status": 0, "body": heard})


SCENARIOS = (busy_clients, closing_connections, closing_a_user_s_connections)

"""Direct reply-to: answers without a queue."""

import re
from collections.abc import Callable

import pytest

from tests.conformance.client import Channel, Connection

Connect = Callable[..., Connection]
PSEUDO = "amq.rabbitmq.reply-to"


def test_a_request_is_answered_without_a_queue(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(PSEUDO, "replies", no_ack=True)
    c.publish("question", "", q, reply_to=PSEUDO, correlation_id="7")
    server = connect().channel(1)
    address = server.get(q, "question")["properties"]["reply_to"]
    assert re.fullmatch(r"amq\.rabbitmq\.reply-to\..+", address)
    server.publish("answer", "", address, correlation_id="7")
    c.delivered(
        "answer",
        consumer_tag="replies",
        delivery_tag=1,
        redelivered=False,
        exchange="",
        routing_key=address,
        properties={"correlation_id": "7"},
    )


def test_answers_show_the_next_delivery_tag_without_using_it(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(PSEUDO, no_ack=True)
    c.publish("question", "", q, reply_to=PSEUDO)
    address = c.get(q, "question", delivery_tag=1)["properties"]["reply_to"]
    for body in "ab":
        c.publish(body, "", address)
        c.delivered(body, delivery_tag=2)
    c.publish("m", "", q)
    c.get(q, "m", delivery_tag=2)


def test_an_answer_arrives_through_a_mandatory_publish(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(PSEUDO, no_ack=True)
    c.publish("question", "", q, reply_to=PSEUDO)
    server = connect().channel(1)
    address = server.get(q, "question")["properties"]["reply_to"]
    server.select_confirms()
    server.publish("answer", "", address)
    server.settle()
    c.delivered("answer")


def test_replies_cannot_be_acknowledged(c: Channel) -> None:
    c.say("basic.consume", queue=PSEUDO)
    c.channel_closed(406, "reply consumer cannot acknowledge")


def test_there_is_one_reply_consumer_per_channel(c: Channel) -> None:
    c.consume(PSEUDO, "one", no_ack=True)
    c.say("basic.consume", queue=PSEUDO, consumer_tag="two", no_ack=True)
    c.channel_closed(406, "reply consumer already set")


def test_a_cancelled_reply_consumer_makes_room_for_another(c: Channel) -> None:
    c.consume(PSEUDO, "one", no_ack=True)
    c.say("basic.cancel", consumer_tag="one")
    c.hear("basic.cancel-ok", consumer_tag="one")
    c.consume(PSEUDO, "two", no_ack=True)


def test_the_server_names_a_reply_consumer_too(c: Channel) -> None:
    c.say("basic.consume", queue=PSEUDO, no_ack=True)
    assert c.hear("basic.consume-ok")["consumer_tag"].startswith("amq.ctag-")


def test_asking_for_replies_needs_the_consumer_on_the_same_channel(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.connection.channel(2).consume(PSEUDO, no_ack=True)
    c.publish("question", "", q, reply_to=PSEUDO)
    c.channel_closed(406, "fast reply consumer does not exist", by="basic.publish")


def test_the_pseudo_queue_can_be_declared_and_is_empty(c: Channel) -> None:
    c.say("queue.declare", queue=PSEUDO)
    c.hear("queue.declare-ok", queue=PSEUDO, message_count=0, consumer_count=1)


def test_an_answer_to_a_requester_that_left_is_dropped(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q)
    requester = connect().channel(1)
    requester.consume(PSEUDO, no_ack=True)
    requester.publish("question", "", q, reply_to=PSEUDO)
    c.ready(q, 1)
    address = c.get(q, "question")["properties"]["reply_to"]
    requester.connection.leave()
    c.publish("answer", "", address)
    c.quiet()


def test_the_address_tells_whether_its_requester_is_there(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(PSEUDO, no_ack=True)
    c.publish("question", "", q, reply_to=PSEUDO)
    server = connect().channel(1)
    address = server.get(q, "question")["properties"]["reply_to"]
    server.say("queue.declare", queue=address, passive=True)
    server.hear("queue.declare-ok", queue=address, message_count=0, consumer_count=1)
    c.call("basic.cancel", consumer_tag="t")
    server.say("queue.declare", queue=address, passive=True)
    server.channel_closed(404, f"no queue '{address}' in vhost '/'")


def test_another_reply_to_is_left_alone(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("question", "", q, reply_to="my-queue")
    c.get(q, "question", properties={"reply_to": "my-queue"})


@pytest.mark.parametrize("key", [PSEUDO, PSEUDO + ".nobody"])
def test_an_address_of_nobody_routes_nowhere(c: Channel, key: str) -> None:
    c.publish("answer", "", key, mandatory=True)
    c.hear("basic.return", reply_code=312, exchange="", routing_key=key)


@pytest.mark.parametrize(("method", "name"), [("basic.get", PSEUDO), ("basic.consume", PSEUDO + ".nobody")])
def test_the_pseudo_queue_is_no_queue_otherwise(c: Channel, method: str, name: str) -> None:
    c.say(method, queue=name, no_ack=True)
    c.channel_closed(404, f"no queue '{name}' in vhost '/'")


def test_deleting_the_pseudo_queue_is_fine(c: Channel) -> None:
    c.say("queue.delete", queue=PSEUDO)
    c.hear("queue.delete-ok", message_count=0)

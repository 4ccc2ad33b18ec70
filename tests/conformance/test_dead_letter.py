"""Dead-lettering: where messages go, and what their x-death tells."""

import time
from typing import Any

import pytest

from tests.conformance.client import Channel
from tests.conformance.heard import Heard, same
from tests.conformance.values import Typed

SOON = 50


def mortal(c: Channel, queue: str, **arguments: Any) -> None:
    """A queue whose dead go, under their own keys or ``dead_letter_routing_key``, through an exchange of their own.

    The exchange is a fanout named ``queue-dlx`` with one queue, ``queue-dead``.
    """
    named = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    c.call("exchange.declare", exchange=queue + "-dlx", type="fanout")
    c.call("queue.declare", queue=queue + "-dead")
    c.call("queue.bind", queue=queue + "-dead", exchange=queue + "-dlx")
    c.call("queue.declare", queue=queue, arguments={"x-dead-letter-exchange": queue + "-dlx", **named})


def rejected(c: Channel, queue: str, body: str) -> None:
    """Take a message and reject it without requeue."""
    tag = c.get(queue, body, no_ack=False)["delivery_tag"]
    c.say("basic.reject", delivery_tag=tag, requeue=False)


def dead(c: Channel, queue: str, body: str, **expected: Any) -> Heard:
    """The message once it has arrived in ``queue``."""
    c.ready(queue, 1)
    return c.get(queue, body, **expected)


def deaths(message: Heard) -> list[dict[str, Any]]:
    """The x-death tables without their times."""
    tables = message["headers"]["x-death"]
    return [{name: value for name, value in table.items() if name != "time"} for table in tables]


def death(queue: str, reason: str, **rest: Any) -> dict[str, Any]:
    """An entry of x-death for a message published once to the default exchange."""
    entry = {"count": 1, "reason": reason, "queue": queue, "exchange": "", "routing-keys": [queue]}
    return entry | {name.replace("_", "-"): value for name, value in rest.items()}


@pytest.mark.parametrize("method", ["basic.reject", "basic.nack"])
def test_a_rejected_message_is_dead_lettered_with_its_story(c: Channel, q: str, method: str) -> None:
    mortal(c, q)
    c.publish("m", "", q)
    c.get(q, "m", no_ack=False, delivery_tag=1)
    c.say(method, delivery_tag=1, requeue=False)
    message = dead(c, q + "-dead", "m", exchange=q + "-dlx", routing_key=q, redelivered=False)
    assert deaths(message) == [death(q, "rejected")]


def test_the_x_death_table_has_its_fields_in_order_and_type(c: Channel, q: str) -> None:
    mortal(c, q)
    before = int(time.time()) - 1
    c.publish("m", "", q)
    rejected(c, q, "m")
    headers = dead(c, q + "-dead", "m").typed_headers
    assert headers["x-death"].letter == "A"
    (entry,) = headers["x-death"].value
    assert entry.letter == "F"
    moment = entry.value.pop("time")
    assert moment.letter == "T"
    assert before <= moment.value <= time.time() + 1
    assert entry.value == {
        "count": Typed("l", 1),
        "reason": Typed("S", "rejected"),
        "queue": Typed("S", q),
        "exchange": Typed("S", ""),
        "routing-keys": Typed("A", [Typed("S", q)]),
    }
    assert list(entry.value) == ["count", "reason", "queue", "exchange", "routing-keys"]


def test_the_first_death_has_headers_of_its_own(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q)
    rejected(c, q, "m")
    headers = dead(c, q + "-dead", "m")["headers"]
    first = {name: value for name, value in headers.items() if name.startswith("x-first-death")}
    assert first == {"x-first-death-reason": "rejected", "x-first-death-queue": q, "x-first-death-exchange": ""}


def test_the_last_death_has_headers_of_its_own(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q)
    rejected(c, q, "m")
    dead(
        c,
        q + "-dead",
        "m",
        headers={
            "x-death": [death(q, "rejected") | {"time": pytest.approx(time.time(), abs=5)}],
            "x-first-death-reason": "rejected",
            "x-first-death-queue": q,
            "x-first-death-exchange": "",
            "x-last-death-reason": "rejected",
            "x-last-death-queue": q,
            "x-last-death-exchange": "",
        },
    )


def test_other_headers_and_properties_survive_death(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q, headers={"mine": 1}, delivery_mode=2, message_id="id", priority=3)
    rejected(c, q, "m")
    message = dead(c, q + "-dead", "m")
    assert message["headers"]["mine"] == 1
    rest = {name: value for name, value in message.properties.items() if name != "headers"}
    assert rest == {"delivery_mode": 2, "message_id": "id", "priority": 3}


def test_a_dead_letter_routing_key_replaces_the_key(c: Channel, q: str) -> None:
    mortal(c, q, dead_letter_routing_key="other")
    c.publish("m", "", q)
    rejected(c, q, "m")
    message = dead(c, q + "-dead", "m", exchange=q + "-dlx", routing_key="other")
    assert deaths(message) == [death(q, "rejected")]


def test_the_default_exchange_may_take_the_dead(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q + "-dead")
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": q + "-dead"}
    c.call("queue.declare", queue=q, arguments=arguments)
    c.publish("m", "", q)
    rejected(c, q, "m")
    dead(c, q + "-dead", "m", exchange="", routing_key=q + "-dead")


def test_a_missing_dead_letter_exchange_drops_the_message(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-dead-letter-exchange": q + "-missing"})
    c.publish("m", "", q)
    rejected(c, q, "m")
    c.quiet(q)
    c.get(q, None)


def test_a_requeued_message_is_not_dead(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q)
    c.get(q, "m", no_ack=False, delivery_tag=1)
    c.say("basic.reject", delivery_tag=1, requeue=True)
    c.get(q, "m", properties={}, redelivered=True)
    c.get(q + "-dead", None)


def test_an_expired_message_is_dead_lettered(c: Channel, q: str) -> None:
    mortal(c, q, message_ttl=SOON)
    c.publish("m", "", q)
    message = dead(c, q + "-dead", "m")
    assert deaths(message) == [death(q, "expired")]


def test_an_expired_message_loses_its_expiration_and_remembers_it(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q, expiration=str(SOON))
    message = dead(c, q + "-dead", "m")
    assert "expiration" not in message.properties
    assert deaths(message) == [death(q, "expired", original_expiration=str(SOON))]


def test_a_remembered_expiration_stands_first_in_the_table(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q, expiration=str(SOON))
    c.ready(q + "-dead", 1)
    entry = c.get(q + "-dead", "m").typed_headers["x-death"].value[0].value
    order = ", ".join(entry)
    wanted = "original-expiration, count, reason, queue, time, exchange, routing-keys"
    same(order, wanted)
    assert entry["original-expiration"] == Typed("S", str(SOON))


def test_a_rejected_message_with_an_expiration_loses_it_too(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q, expiration="60000")
    rejected(c, q, "m")
    message = dead(c, q + "-dead", "m")
    assert "expiration" not in message.properties
    assert deaths(message) == [death(q, "rejected", original_expiration="60000")]


def test_messages_expire_into_the_dead_letter_queue_in_order(c: Channel, q: str) -> None:
    mortal(c, q, message_ttl=SOON)
    for body in "abc":
        c.publish(body, "", q)
    c.ready(q + "-dead", 3)
    for body in "abc":
        c.get(q + "-dead", body)


def test_the_routing_keys_of_a_death_include_cc_and_not_bcc(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q, headers={"CC": ["cc-key"], "BCC": ["bcc-key"]})
    rejected(c, q, "m")
    message = dead(c, q + "-dead", "m")
    assert deaths(message) == [death(q, "rejected", routing_keys=[q, "cc-key"])]
    assert message["headers"]["CC"] == ["cc-key"]


def test_cc_keys_route_the_dead_message_too(c: Channel, q: str) -> None:
    c.call("exchange.declare", exchange=q + "-dlx", type="direct")
    c.call("queue.declare", queue=q + "-dead")
    c.call("queue.bind", queue=q + "-dead", exchange=q + "-dlx", routing_key="cc-key")
    c.call("queue.declare", queue=q, arguments={"x-dead-letter-exchange": q + "-dlx"})
    c.publish("m", "", q, headers={"CC": ["cc-key"]})
    rejected(c, q, "m")
    dead(c, q + "-dead", "m", routing_key=q)


def test_a_dead_letter_routing_key_stops_cc(c: Channel, q: str) -> None:
    c.call("exchange.declare", exchange=q + "-dlx", type="direct")
    for name, key in (q + "-dead", "other"), (q + "-cc", "cc-key"):
        c.call("queue.declare", queue=name)
        c.call("queue.bind", queue=name, exchange=q + "-dlx", routing_key=key)
    arguments = {"x-dead-letter-exchange": q + "-dlx", "x-dead-letter-routing-key": "other"}
    c.call("queue.declare", queue=q, arguments=arguments)
    c.publish("m", "", q, headers={"CC": ["cc-key"]})
    rejected(c, q, "m")
    dead(c, q + "-dead", "m", routing_key="other")
    c.get(q + "-cc", None)


def test_a_dead_letter_routing_key_takes_the_place_of_the_cc_header(c: Channel, q: str) -> None:
    mortal(c, q, dead_letter_routing_key="other")
    c.publish("m", "", q, headers={"CC": ["cc-key"]})
    rejected(c, q, "m")
    headers = dead(c, q + "-dead", "m")["headers"]
    same(f"CC: {headers.get('CC')}", "CC: None")


def test_a_second_death_in_another_queue_comes_first(c: Channel, q: str) -> None:
    second = q + "-second"
    mortal(c, second)
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": second}
    c.call("queue.declare", queue=q, arguments=arguments)
    c.publish("m", "", q)
    rejected(c, q, "m")
    c.ready(second, 1)
    rejected(c, second, "m")
    message = dead(c, second + "-dead", "m")
    assert deaths(message) == [death(second, "rejected"), death(q, "rejected")]
    assert message["headers"]["x-first-death-queue"] == q


def test_the_same_death_again_is_counted_and_comes_first(c: Channel, q: str) -> None:
    retry = q + "-retry"
    c.call(
        "queue.declare",
        queue=retry,
        arguments={"x-message-ttl": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": q},
    )
    c.call(
        "queue.declare",
        queue=q,
        arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": retry},
    )
    c.publish("m", "", q)
    for _ in range(3):
        c.ready(q, 1)
        rejected(c, q, "m")
    message = dead(c, q, "m")
    assert deaths(message) == [
        death(retry, "expired", count=3),
        death(q, "rejected", count=3),
    ]
    assert message["headers"]["x-first-death-queue"] == q


def test_a_rejected_message_may_come_back_to_its_own_queue(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": q})
    c.publish("m", "", q)
    for _ in range(3):
        c.ready(q, 1)
        rejected(c, q, "m")
    message = dead(c, q, "m", redelivered=False)
    assert deaths(message) == [death(q, "rejected", count=3)]


def test_the_dead_go_to_every_queue_of_their_exchange(c: Channel, q: str) -> None:
    mortal(c, q)
    c.call("queue.declare", queue=q + "-dead2")
    c.call("queue.bind", queue=q + "-dead2", exchange=q + "-dlx")
    c.publish("m", "", q)
    rejected(c, q, "m")
    for name in q + "-dead", q + "-dead2":
        assert deaths(dead(c, name, "m")) == [death(q, "rejected")]


def test_multiple_nacks_dead_letter_in_order(c: Channel, q: str) -> None:
    mortal(c, q)
    for body in "abc":
        c.publish(body, "", q)
    for body in "abc":
        c.get(q, body, no_ack=False)
    c.say("basic.nack", delivery_tag=3, multiple=True, requeue=False)
    c.ready(q + "-dead", 3)
    for body in "abc":
        c.get(q + "-dead", body)


def test_a_cycle_without_a_rejection_ends(c: Channel, q: str) -> None:
    c.call(
        "queue.declare",
        queue=q,
        arguments={"x-message-ttl": SOON, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": q},
    )
    c.publish("m", "", q)
    time.sleep(SOON * 3 / 1000)
    c.quiet(q)
    c.get(q, None)


def test_a_cycle_through_two_queues_without_a_rejection_ends(c: Channel, q: str) -> None:
    other = q + "-other"
    for name, target in (q, other), (other, q):
        c.call(
            "queue.declare",
            queue=name,
            arguments={"x-message-ttl": SOON, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": target},
        )
    c.publish("m", "", q)
    time.sleep(SOON * 5 / 1000)
    c.get(q, None)
    c.get(other, None)


def test_the_story_survives_a_client_that_publishes_it_again(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q)
    rejected(c, q, "m")
    message = dead(c, q + "-dead", "m")
    headers = {name: value for name, value in message.typed_headers.items() if not name.startswith("x-last")}
    c.publish("again", "", q, headers=headers)
    rejected(c, q, "again")
    assert deaths(dead(c, q + "-dead", "again")) == [death(q, "rejected", count=2)]


def test_a_message_dropped_for_length_tells_so(c: Channel, q: str) -> None:
    mortal(c, q, max_length=1)
    c.select_confirms()
    for body in "ab":
        c.publish(body, "", q)
    c.settle()
    assert deaths(dead(c, q + "-dead", "a")) == [death(q, "maxlen")]
    c.get(q, "b")


def test_unacked_messages_of_a_deleted_queue_are_not_dead_lettered(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q)
    c.get(q, "m", no_ack=False)
    c.call("queue.delete", queue=q)
    c.get(q + "-dead", None)


def test_purged_messages_are_not_dead_lettered(c: Channel, q: str) -> None:
    mortal(c, q)
    c.publish("m", "", q)
    c.say("queue.purge", queue=q)
    c.hear("queue.purge-ok", message_count=1)
    c.get(q + "-dead", None)

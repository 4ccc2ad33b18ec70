"""What users may do, as their clients meet it: permissions, topic permissions, user-id, direct reply-to."""

from typing import Any

import pytest

from amq.connection.reply_to import WAITING
from amq.vhost.permission import Permission, TopicPermission
from tests.harness.dialogue import Dialogue, enter, new_broker, publish


def client_of(configure: str, write: str, read: str, tags: tuple[str, ...] = ()) -> Dialogue:
    """A client of user `u` with these permissions; queue `q` and the exchanges x (direct) and t (topic) are there."""
    broker = new_broker()
    owner = enter(broker, channels=[1])
    owner.declare(1, "q")
    for name, kind in (("x", "direct"), ("t", "topic")):
        owner.say(1, "exchange.declare", exchange=name, type=kind)
        owner.hears(1, "exchange.declare-ok")
    broker.users.add("u", "secret", tags)
    broker.vhosts["/"].permissions.set("u", Permission(configure, write, read))
    return enter(broker, user="u", password="secret", channels=[1])


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("queue.declare", {"queue": "new"}, "configure access to queue 'new'"),
    ("queue.delete", {"queue": "q"}, "configure access to queue 'q'"),
    ("exchange.declare", {"exchange": "new", "type": "direct"}, "configure access to exchange 'new'"),
    ("exchange.delete", {"exchange": "x"}, "configure access to exchange 'x'"),
    ("queue.bind", {"queue": "q", "exchange": "x"}, "write access to queue 'q'"),
    ("queue.unbind", {"queue": "q", "exchange": "x"}, "write access to queue 'q'"),
    ("exchange.bind", {"destination": "x", "source": "t"}, "write access to exchange 'x'"),
    ("exchange.unbind", {"destination": "x", "source": "t"}, "write access to exchange 'x'"),
    ("basic.consume", {"queue": "q"}, "read access to queue 'q'"),
    ("basic.get", {"queue": "q"}, "read access to queue 'q'"),
    ("queue.purge", {"queue": "q"}, "read access to queue 'q'"),
]


@pytest.mark.parametrize(("name", "fields", "what"), REFUSED)
def test_every_method_asks_for_its_permission(name: str, fields: dict[str, Any], what: str) -> None:
    client = client_of("^$", "^$", "^$")
    client.say(1, name, **fields)
    client.hears_channel_close(1, 403, f"{what} in vhost '/' refused for user 'u'")


@pytest.mark.parametrize(
    ("name", "fields", "what"),
    [
        ("queue.bind", {"queue": "q", "exchange": "x"}, "read access to exchange 'x'"),
        ("exchange.bind", {"destination": "x", "source": "t"}, "read access to exchange 't'"),
    ],
)
def test_bindings_need_to_read_their_source(name: str, fields: dict[str, Any], what: str) -> None:
    client = client_of("^$", ".*", "^$")
    client.say(1, name, **fields)
    client.hears_channel_close(1, 403, f"{what} in vhost '/' refused for user 'u'")


@pytest.mark.parametrize(("exchange", "shown"), [("", "amq.default"), ("x", "x"), ("missing", "missing")])
def test_publishing_needs_to_write_to_the_exchange(exchange: str, shown: str) -> None:
    client = client_of(".*", "^$", ".*")
    client.publish(1, "q", b"m", exchange=exchange)
    text = f"write access to exchange '{shown}' in vhost '/' refused for user 'u'"
    client.hears_channel_close(1, 403, text, by=(60, 40))


def test_passive_declarations_need_no_permission() -> None:
    client = client_of("^$", "^$", "^$")
    client.say(1, "queue.declare", queue="q", passive=True)
    client.hears(1, "queue.declare-ok")
    client.say(1, "exchange.declare", exchange="x", passive=True)
    client.hears(1, "exchange.declare-ok")


def test_dead_letter_and_alternate_exchanges_need_their_own_permissions() -> None:
    client = client_of("new", "^$", "new")
    client.say(1, "queue.declare", queue="new", arguments={"x-dead-letter-exchange": "x"})
    client.hears_channel_close(1, 403, "write access to exchange 'x' in vhost '/' refused for user 'u'")
    client = client_of("new", "^$", "new")
    client.say(1, "exchange.declare", exchange="new", type="direct", arguments={"alternate-exchange": "x"})
    client.hears_channel_close(1, 403, "write access to exchange 'x' in vhost '/' refused for user 'u'")


def test_permissions_that_change_count_from_the_next_method_on_even_for_routes_that_are_known() -> None:
    client = client_of(".*", ".*", ".*")
    permissions = client.broker.vhosts["/"].permissions
    client.send(publish(1, "q", b"1") * 3)
    permissions.set("u", Permission(".*", "^x$", ".*"))
    client.send(publish(1, "q", b"2") * 3)
    client.hears(1, "channel.close", reply_code=403)
    client.say(1, "channel.close-ok")
    client.open(1)
    permissions.set("u", Permission(".*", ".*", "^$"))
    client.publish(1, "q", b"3")
    client.say(1, "basic.get", queue="q")
    client.hears(1, "channel.close", reply_code=403)
    client.say(1, "channel.close-ok")
    permissions.set("u", Permission(".*", ".*", ".*"))
    client.open(1)
    assert client.get_all(1, "q") == [b"1"] * 3 + [b"3"]


def test_what_was_granted_to_one_user_is_not_granted_to_another() -> None:
    client = client_of(".*", "^$", ".*")
    guest = enter(client.broker, channels=[1])
    guest.send(publish(1, "q", b"1") * 3)
    client.send(publish(1, "q", b"2"))
    client.hears(1, "channel.close", reply_code=403)
    assert guest.get_all(1, "q") == [b"1"] * 3


def test_topic_permissions_bound_the_keys_of_one_exchange() -> None:
    client = client_of(".*", ".*", ".*")
    permissions = client.broker.vhosts["/"].permissions
    permissions.set_topic("u", TopicPermission("t", r"^{username}\.", r"^{vhost}\."))
    client.say(1, "queue.bind", queue="q", exchange="t", routing_key="/.#")
    client.hears(1, "queue.bind-ok")
    client.publish(1, "u.fine", b"m", exchange="t")
    client.publish(1, "other.fine", b"m", exchange="amq.topic")
    client.hears_nothing()
    client.publish(1, "other.key", b"m", exchange="t")
    client.hears(1, "channel.close", reply_code=403, class_id=60, method_id=40)
    client.say(1, "channel.close-ok")
    client.open(1)
    client.say(1, "queue.bind", queue="q", exchange="t", routing_key="#")
    client.hears(1, "channel.close", reply_code=403, class_id=50, method_id=20)


def test_a_topic_permission_that_comes_later_counts_for_keys_that_are_known() -> None:
    client = client_of(".*", ".*", ".*")
    client.say(1, "queue.bind", queue="q", exchange="t", routing_key="#")
    client.hears(1, "queue.bind-ok")
    client.send(publish(1, "a", b"1", exchange="t") * 2)
    client.broker.vhosts["/"].permissions.set_topic("u", TopicPermission("t", "^b$", ".*"))
    client.send(publish(1, "a", b"2", exchange="t") * 2)
    client.hears(1, "channel.close", reply_code=403)


@pytest.mark.parametrize("tags", [(), ("administrator",)])
def test_a_sender_may_not_pass_as_another(tags: tuple[str, ...]) -> None:
    client = client_of(".*", ".*", ".*", tags)
    client.publish(1, "q", b"mine", user_id="u")
    client.publish(1, "q", b"not mine", user_id="guest")
    text = "user_id property set to 'guest' but authenticated user was 'u'"
    client.hears_channel_close(1, 406, text, by=(60, 40))


def test_an_impersonator_may_pass_as_another() -> None:
    client = client_of(".*", ".*", ".*", ("impersonator",))
    client.publish(1, "q", b"m", user_id="guest")
    client.say(1, "basic.get", queue="q")
    assert client.hears(1, "basic.get-ok").properties == {"user_id": "guest"}


# -- direct reply-to --

PSEUDO = "amq.rabbitmq.reply-to"


def asking(client: Dialogue) -> str:
    """Ask a question on channel 1; returns the name that the answer goes to."""
    client.publish(1, "q", b"question", reply_to=PSEUDO)
    client.say(2, "basic.get", queue="q", no_ack=True)
    reply_to = client.hears(2, "basic.get-ok").properties["reply_to"]
    assert reply_to.startswith(PSEUDO + ".")
    return str(reply_to)


def requester() -> Dialogue:
    client = enter(channels=[1, 2])
    client.declare(1, "q")
    client.consume(1, PSEUDO, no_ack=True)
    return client


def test_an_answer_goes_straight_to_the_channel_that_asked() -> None:
    client = requester()
    name = asking(client)
    answering = enter(client.broker, channels=[1])
    answering.select_confirms(1)
    answering.publish(1, name, b"answer", mandatory=True)
    answering.hears(1, "basic.ack", delivery_tag=1)
    client.hears_delivery(1, b"answer", consumer_tag="c", redelivered=False, routing_key=name, delivery_tag=1)
    answering.publish(1, name, b"another")
    client.hears_delivery(1, b"another", delivery_tag=1)


@pytest.mark.parametrize("first", ["requester", "queue"])
def test_an_answer_may_go_to_a_requester_and_by_cc_to_a_queue_or_the_other_way_round(first: str) -> None:
    client = requester()
    name = asking(client)
    key, copy = (name, "q") if first == "requester" else ("q", name)
    client.publish(2, key, b"answer", headers={"CC": [copy]})
    client.hears_delivery(1, b"answer", routing_key=key)
    client.say(2, "basic.get", queue="q", no_ack=True)
    assert client.hears(2, "basic.get-ok").body == b"answer"


def test_an_answer_that_nobody_waits_for_any_more_is_unroutable() -> None:
    client = requester()
    name = asking(client)
    client.say(1, "basic.cancel", consumer_tag="c")
    client.hears(1, "basic.cancel-ok")
    client.publish(2, name, b"answer", mandatory=True)
    client.hears(2, "basic.return", reply_code=312)
    client.publish(1, "q", b"question", reply_to=PSEUDO)
    client.hears_channel_close(1, 406, "fast reply consumer does not exist", by=(60, 40))


def test_that_nobody_waits_for_answers_is_said_before_other_faults_of_the_properties() -> None:
    client = enter(channels=[1])
    client.publish(1, "q", b"question", reply_to=PSEUDO, user_id="somebody", expiration="soon")
    client.hears_channel_close(1, 406, "fast reply consumer does not exist", by=(60, 40))


@pytest.mark.parametrize("end", ["channel", "connection"])
def test_answers_end_with_their_channel(end: str) -> None:
    client = requester()
    name = asking(client)
    if end == "channel":
        client.say(1, "channel.close")
    else:
        client.connection.lost(0.0)
    assert client.broker.vhosts["/"].replies == {}
    other = enter(client.broker, channels=[1])
    other.publish(1, name, b"answer", mandatory=True)
    other.hears(1, "basic.return", reply_code=312)


def test_answers_are_taken_once_and_without_acknowledgement() -> None:
    client = requester()
    client.say(1, "basic.consume", queue=PSEUDO, consumer_tag="d", no_ack=True)
    client.hears_channel_close(1, 406, "reply consumer already set", by=(60, 20))
    client = enter(channels=[1])
    client.say(1, "basic.consume", queue=PSEUDO)
    client.hears_channel_close(1, 406, "reply consumer cannot acknowledge", by=(60, 20))


def test_an_answer_may_wait_for_a_transaction() -> None:
    client = requester()
    name = asking(client)
    client.say(2, "tx.select")
    client.hears(2, "tx.select-ok")
    client.publish(2, name, b"answer")
    client.hears_nothing()
    client.say(2, "tx.commit")
    assert {heard.name for heard in client.hear_all()} == {"basic.deliver", "tx.commit-ok"}


def test_a_client_that_does_not_read_its_answers_is_sent_only_so_many() -> None:
    client = requester()
    name = asking(client)
    answering = enter(client.broker, channels=[1])
    answering.select_confirms(1)
    nacked = 0
    for _ in range(200):
        answering.publish(1, name, bytes(100_000))
        nacked += sum(heard.name == "basic.nack" for heard in answering.hear_all())
    assert client.connection.outbox.size < WAITING + 200_000
    assert 0 < nacked < 200
    # Once they were read, answers arrive again.
    assert len(client.hear_all()) == 200 - nacked
    answering.publish(1, name, b"late")
    answering.hears(1, "basic.ack")
    client.hears_delivery(1, b"late")


def test_another_consumer_of_the_channel_may_go_without_the_answers() -> None:
    client = requester()
    client.consume(1, "q", tag="other")
    client.say(1, "basic.cancel", consumer_tag="other")
    client.hears(1, "basic.cancel-ok")
    client.publish(2, asking(client), b"answer")
    client.hears_delivery(1, b"answer", consumer_tag="c")

"""Declarations and consumers as one connection sees them: silence where it was asked for, and faults all the same."""

from typing import Any

import pytest

from amq.connection.peer import Peer
from tests.harness.dialogue import Dialogue, enter, new_broker

WITHOUT_ANSWER: list[tuple[str, dict[str, Any]]] = [
    ("exchange.declare", {"exchange": "x", "type": "topic"}),
    ("exchange.declare", {"exchange": "x", "passive": True}),
    ("queue.declare", {"queue": "q"}),
    ("queue.declare", {"queue": "q", "passive": True}),
    ("queue.bind", {"queue": "q", "exchange": "x", "routing_key": "k"}),
    ("exchange.bind", {"destination": "amq.fanout", "source": "x", "routing_key": "k"}),
    ("exchange.unbind", {"destination": "amq.fanout", "source": "x", "routing_key": "k"}),
    ("queue.purge", {"queue": "q"}),
    ("basic.consume", {"queue": "q", "consumer_tag": "c"}),
    ("basic.cancel", {"consumer_tag": "c"}),
    ("basic.consume", {"queue": "amq.rabbitmq.reply-to", "no_ack": True}),
    ("confirm.select", {}),
    ("queue.delete", {"queue": "q"}),
    ("exchange.delete", {"exchange": "x"}),
]


def test_nothing_is_answered_where_nobody_waits_and_all_of_it_is_done() -> None:
    client = enter(channels=[1])
    for name, fields in WITHOUT_ANSWER:
        client.say(1, name, nowait=True, **fields)
        client.hears_nothing()
    vhost = client.broker.vhosts["/"]
    assert vhost.queues == {}
    assert b"x" not in vhost.exchanges
    assert client.connection.channels[1].publisher.confirms is not None


MISSING: list[tuple[str, dict[str, Any], str]] = [
    ("exchange.declare", {"exchange": "no", "passive": True}, "no exchange 'no' in vhost '/'"),
    ("queue.declare", {"queue": "no", "passive": True}, "no queue 'no' in vhost '/'"),
    ("queue.bind", {"queue": "no", "exchange": "amq.direct"}, "no queue 'no' in vhost '/'"),
    ("queue.bind", {"queue": "no", "exchange": "no"}, "no exchange 'no' in vhost '/'"),
    ("exchange.bind", {"destination": "no", "source": "amq.direct"}, "no exchange 'no' in vhost '/'"),
    ("queue.purge", {"queue": "no"}, "no queue 'no' in vhost '/'"),
    ("basic.consume", {"queue": "no"}, "no queue 'no' in vhost '/'"),
    ("basic.get", {"queue": "no"}, "no queue 'no' in vhost '/'"),
    ("queue.purge", {"queue": ""}, "no previously declared queue"),
    ("basic.consume", {"queue": ""}, "no previously declared queue"),
]


@pytest.mark.parametrize(("name", "fields", "text"), MISSING)
@pytest.mark.parametrize("nowait", [False, True])
def test_faults_come_even_where_nobody_waits(name: str, fields: dict[str, Any], text: str, nowait: bool) -> None:
    client = enter(channels=[1])
    options = {} if name == "basic.get" else {"nowait": nowait}
    client.say(1, name, **fields, **options)
    client.hears_channel_close(1, 404, text)


FORGIVEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("queue.delete", {"queue": "no"}, {"message_count": 0}),
    ("exchange.delete", {"exchange": "no"}, {}),
    ("queue.unbind", {"queue": "no", "exchange": "no"}, {}),
    ("exchange.unbind", {"destination": "no", "source": "no"}, {}),
]


@pytest.mark.parametrize(("name", "fields", "answer"), FORGIVEN)
def test_what_is_gone_already_may_be_removed(name: str, fields: dict[str, Any], answer: dict[str, Any]) -> None:
    client = enter(channels=[1])
    client.say(1, name, **fields)
    client.hears(1, f"{name}-ok", **answer)


def test_the_empty_name_is_the_queue_that_this_channel_declared_last() -> None:
    client = enter(channels=[1, 2])
    client.say(1, "queue.declare", queue="", exclusive=True)
    name = client.hears(1, "queue.declare-ok")["queue"]
    assert name.startswith("amq.gen-")
    assert len(name) == 30
    client.say(1, "queue.bind", queue="", exchange="amq.direct", routing_key="")
    client.hears(1, "queue.bind-ok")
    client.publish(1, name, b"m", exchange="amq.direct")
    assert client.get(1, "") == b"m"
    client.say(2, "basic.get", queue="")
    client.hears_channel_close(2, 404, "no previously declared queue")


LOCKED = (
    "cannot obtain exclusive access to locked queue 'own' in vhost '/'. It could be originally declared on another "
    "connection or the exclusive property value does not match that of the original declaration."
)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("queue.declare", {"queue": "own"}),
        ("queue.declare", {"queue": "own", "passive": True}),
        ("queue.declare", {"queue": "own", "exclusive": True}),
        ("queue.bind", {"queue": "own", "exchange": "amq.direct"}),
        ("basic.consume", {"queue": "own"}),
        ("basic.get", {"queue": "own"}),
        ("queue.purge", {"queue": "own"}),
        ("queue.delete", {"queue": "own"}),
    ],
)
def test_an_exclusive_queue_is_for_its_own_connection(name: str, fields: dict[str, Any]) -> None:
    client = enter(channels=[1, 2])
    client.declare(1, "own", exclusive=True)
    client.consume(2, "own")
    other = enter(client.broker, channels=[1])
    other.say(1, name, **fields)
    other.hears_channel_close(1, 405, LOCKED)


def test_an_exclusive_queue_that_was_deleted_is_not_deleted_again_with_its_owner() -> None:
    broker = new_broker()
    client, other = enter(broker, channels=[1]), enter(broker, channels=[1])
    client.declare(1, "own", exclusive=True)
    client.say(1, "queue.delete", queue="own")
    client.hears(1, "queue.delete-ok")
    other.declare(1, "own")
    client.connection.lost(0.0)
    assert b"own" in broker.vhosts["/"].queues


def test_a_queue_may_be_spared_while_it_is_used_or_not_empty() -> None:
    client = enter(channels=[1, 2])
    client.declare(2, "q")
    client.publish(2, "q", b"m")
    client.say(1, "queue.delete", queue="q", if_empty=True)
    client.hears_channel_close(1, 406, "queue 'q' in vhost '/' not empty", by=(50, 40))
    client.say(1, "channel.close-ok")
    client.open(1)
    client.consume(2, "q")
    client.say(1, "queue.delete", queue="q", if_unused=True)
    heard = client.hear_all()[-1]
    assert heard["reply_text"] == "PRECONDITION_FAILED - queue 'q' in vhost '/' in use"


# -- consumers --


def with_queue(**settings: Any) -> Dialogue:
    client = enter(new_broker(**settings), channels=[1, 2])
    client.declare(1, "q")
    return client


def test_an_exclusive_consumer_is_alone() -> None:
    client = with_queue()
    client.consume(1, "q", exclusive=True)
    client.say(2, "basic.consume", queue="q")
    client.hears_channel_close(2, 403, "queue 'q' in vhost '/' in exclusive use", by=(60, 20))
    client.say(1, "basic.cancel", consumer_tag="c")
    client.hears(1, "basic.cancel-ok")
    client.consume(1, "q")
    client.say(1, "basic.consume", queue="q", consumer_tag="d", exclusive=True)
    client.hears_channel_close(1, 403, "queue 'q' in vhost '/' in exclusive use")


def test_consumers_of_a_channel_may_be_limited() -> None:
    client = with_queue(consumer_max_per_channel=2)
    client.consume(1, "q", tag="a")
    client.consume(1, "q", tag="b")
    client.consume(2, "q", tag="c")
    client.say(1, "basic.consume", queue="q")
    client.hears_close(530, "reached maximum (2) of consumers per channel", by=(60, 20))


def test_consumers_of_a_higher_priority_come_first() -> None:
    client = with_queue()
    client.say(1, "basic.qos", prefetch_count=1)
    client.hears(1, "basic.qos-ok")
    client.consume(1, "q", tag="low", arguments={"x-priority": -1})
    client.consume(1, "q", tag="high", arguments={"x-priority": 5})
    client.consume(1, "q", tag="usual")
    for body in (b"1", b"2", b"3", b"4"):
        client.publish(2, "q", body)
    assert [heard["consumer_tag"] for heard in client.hear_all()] == ["high", "usual", "low"]


def test_a_priority_is_a_whole_number() -> None:
    client = with_queue()
    client.say(1, "basic.consume", queue="q", arguments={"x-priority": "high"})
    heard = client.hears(1, "channel.close", reply_code=406)
    assert "invalid arg 'x-priority' for queue 'q' in vhost '/'" in heard["reply_text"]


def test_what_nobody_can_do_is_not_implemented() -> None:
    client = with_queue()
    client.say(1, "basic.qos", prefetch_size=1)
    client.hears_close(540, "prefetch_size!=0 (1)", by=(60, 10))
    client = with_queue()
    client.say(1, "basic.recover", requeue=False)
    client.hears_close(540, "requeue=false", by=(60, 110))


def test_access_is_granted_to_whoever_asks() -> None:
    client = enter(channels=[1])
    client.say(1, "access.request", realm="/data")
    client.hears(1, "access.request-ok", ticket=1)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_the_loopback_is_known_in_all_its_spellings(host: str, loopback: bool) -> None:
    assert Peer(host, 1, host, 2).for_login().loopback is loopback

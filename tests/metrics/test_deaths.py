"""What leaves a queue other than by an acknowledgement, counted by the reason; and what comes back to publishers."""

from tests.harness.dialogue import Dialogue, enter, publish


def client_of(**arguments: object) -> Dialogue:
    client = enter(channels=[1])
    client.declare(1, "q", arguments={name.replace("_", "-"): value for name, value in arguments.items()})
    return client


def test_what_overflows_is_dropped_or_dead_lettered() -> None:
    client = client_of(x_max_length=1)
    client.send(publish(1, "q", b"x") * 4)
    assert (client.broker.churn.dropped, client.broker.churn.dead_lettered) == ({"maxlen": 3}, {})
    client = client_of(x_max_length=1, x_dead_letter_exchange="amq.fanout")
    client.send(publish(1, "q", b"x") * 4)
    assert (client.broker.churn.dropped, client.broker.churn.dead_lettered) == ({}, {"maxlen": 3})


def test_what_is_refused_at_the_door_is_counted_when_it_is_dead_lettered() -> None:
    client = client_of(x_max_length=1, x_overflow="reject-publish-dlx", x_dead_letter_exchange="amq.fanout")
    client.send(publish(1, "q", b"x") * 4)
    assert client.broker.churn.dead_lettered == {"maxlen": 3}


def test_what_expires_and_what_is_rejected_is_counted() -> None:
    client = client_of()
    client.send(publish(1, "q", b"x", expiration="0") + publish(1, "q", b"x"))
    client.consume(1, "q")
    client.drain()
    client.inbox.clear()
    client.say(1, "basic.reject", delivery_tag=1)
    assert client.broker.churn.dropped == {"expired": 1, "rejected": 1}


def test_an_exchange_knows_what_was_returned() -> None:
    client = client_of()
    client.send(publish(1, "nowhere", b"x") * 2 + publish(1, "nowhere", b"x", mandatory=True))
    default = client.broker.vhosts["/"].exchanges[b""]
    assert (default.unroutable, default.returned) == (3, 1)

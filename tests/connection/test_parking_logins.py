"""Logins that wait for the hash of a password, and everything the client said behind them, which waits with them."""

from typing import Any

import pytest

from amq.auth.credentials import Question, Refusal
from amq.auth.passwords import hash_password
from amq.auth.users import User
from amq.broker import Broker
from amq.connection.lifecycle import REFUSED
from amq.vhost.permission import Permission
from tests.harness.dialogue import Dialogue, enter, method, new_broker

SLOW = hash_password(b"secret", "argon2id")
REFUSAL = "Login was refused using authentication mechanism {}. For details see the broker logfile."


def slow_broker(**settings: Any) -> Broker:
    """One with a user `app` whose hash is slow."""
    broker = new_broker(**settings)
    broker.users.put(User("app", "argon2id", SLOW))
    broker.vhosts["/"].permissions.set("app", Permission(".*", ".*", ".*"))
    return broker


def waiting(password: str = "secret", broker: Broker | None = None, **options: Any) -> Dialogue:
    """A client whose login waits."""
    client = Dialogue(broker or slow_broker())
    client.greet()
    client.start_ok("app", password, **options)
    return client


def question(client: Dialogue) -> Question:
    """What the only client that waits waits for; it is on the list no more."""
    ((found, login),) = client.broker.deciding
    assert found is client.connection
    client.broker.deciding.clear()
    return login.question


def decide(client: Dialogue) -> None:
    """The shell finds out, and tells."""
    login = client.connection.handshake.login
    assert login is not None
    outcome = client.broker.logins.go_on(login, question(client).answer())
    assert isinstance(outcome, User | Refusal)
    client.connection.login_decided(outcome)


def test_nothing_is_said_and_nothing_read_until_the_hash_is_verified() -> None:
    client = waiting()
    client.hears_nothing()
    assert not client.connection.wants_data()
    decide(client)
    client.tune_ok()
    assert client.connection.wants_data()
    client.say(0, "connection.open", virtual_host="/")
    client.hears(0, "connection.open-ok")
    assert client.connection.session is not None
    assert client.connection.session.user.name == "app"


BEHIND = (
    method(0, "connection.tune-ok", channel_max=2047, frame_max=131072, heartbeat=0)
    + method(0, "connection.open", virtual_host="/")
    + method(1, "channel.open")
)
WAY_IN = ["connection.tune", "connection.open-ok", "channel.open-ok"]


@pytest.mark.parametrize("cut", range(0, len(BEHIND), 7))
def test_what_comes_behind_a_login_waits_in_order(cut: int) -> None:
    client = waiting()
    client.send_cut(BEHIND, [cut])
    client.hears_nothing()
    decide(client)
    assert [heard.name for heard in client.hear_all()] == WAY_IN


def test_what_comes_behind_a_login_in_the_same_chunk_waits_too() -> None:
    client = Dialogue(slow_broker())
    client.greet()
    start_ok = method(0, "connection.start-ok", mechanism="PLAIN", response=b"\0app\0secret", locale="en_US")
    client.send(start_ok + BEHIND)
    client.hears_nothing()
    decide(client)
    assert [heard.name for heard in client.hear_all()] == WAY_IN


def test_a_wrong_password_is_refused_as_ever_after_the_wait() -> None:
    client = waiting("wrong")
    client.send(BEHIND)
    decide(client)
    client.hears_close(403, REFUSAL.format("PLAIN"), by=(0, 0))
    client.say(0, "connection.close-ok")
    assert client.connection.finished
    assert client.broker.log[-1][1].endswith("user 'app' - invalid credentials")


def test_a_client_that_would_not_understand_is_refused_in_silence() -> None:
    client = waiting("wrong", capabilities=[])
    decide(client)
    client.hears_nothing()
    client.wait(REFUSED + 0.1)
    assert client.connection.finished


def test_a_second_step_waits_like_the_first_and_its_refusal_is_not_told() -> None:
    for password, heard in ((b"secret", ["connection.tune"]), (b"wrong", [])):
        client = Dialogue(slow_broker(auth_mechanisms=("RABBIT-CR-DEMO",)))
        client.greet()
        client.start_ok(mechanism="RABBIT-CR-DEMO", response=b"app")
        client.hears(0, "connection.secure")
        client.say(0, "connection.secure-ok", response=b"My password is " + password)
        client.hears_nothing()
        decide(client)
        assert [each.name for each in client.hear_all()] == heard


def test_a_client_that_is_gone_when_the_answer_comes_is_not_missed() -> None:
    client = waiting()
    found = question(client)
    login = client.connection.handshake.login
    assert login is not None
    client.connection.lost(client.broker.clock.now)
    outcome = client.broker.logins.go_on(login, found.answer())
    assert isinstance(outcome, User)
    client.connection.login_decided(outcome)
    client.hears_nothing()
    assert client.connection not in client.broker.clients
    assert client.broker.occupancy.connections == 0


def test_a_login_that_takes_longer_than_the_handshake_may_is_closed_and_an_answer_after_that_ignored() -> None:
    client = waiting(broker=slow_broker(handshake_timeout=5000))
    client.wait(5.1)
    assert client.connection.finished
    decide(client)
    client.hears_nothing()


def test_a_forced_close_ends_a_login_that_waits() -> None:
    client = waiting()
    client.connection.force_close("shutdown")
    assert client.connection.finished
    decide(client)
    client.hears_nothing()


def test_an_answer_is_taken_once() -> None:
    client = waiting()
    decide(client)
    client.tune_ok()
    client.connection.login_decided(User("app"))
    client.hears_nothing()


def test_the_second_login_with_a_proven_password_does_not_wait() -> None:
    broker = slow_broker()
    client = waiting(broker=broker)
    decide(client)
    client = enter(broker, user="app", password="secret")
    assert broker.deciding == []
    broker.users.set_password("app", "other", "argon2id")
    client = waiting(broker=broker)
    decide(client)
    client.hears_close(403, REFUSAL.format("PLAIN"), by=(0, 0))


def test_sources_that_failed_too_often_are_refused_unseen_with_one_line_in_the_log() -> None:
    broker = slow_broker()
    broker.logins.attempts.burst = 2
    for _ in range(2):
        decide(waiting("wrong", broker))
    broker.log.clear()
    for _ in range(3):
        client = waiting("secret", broker)
        assert broker.deciding == []
        client.hears_close(403, REFUSAL.format("PLAIN"), by=(0, 0))
    lines = [line for _, line in broker.log if "refused" in line]
    assert lines == [
        "PLAIN login refused on connection 127.0.0.1:50000 -> 127.0.0.1:5672: "
        "user 'app' - too many failed logins from 127.0.0.1"
    ]
    broker.advance(broker.clock.now + 2.0)
    decide(waiting("secret", broker))
    assert broker.logins.attempts.by_protocol["amqp091"].throttled == 3

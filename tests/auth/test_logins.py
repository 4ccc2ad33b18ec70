"""Every login, whatever protocol it comes by."""

import pytest

from amq.auth import argon2id
from amq.auth.chain import Login
from amq.auth.credentials import Credentials, Refusal, peer_at
from amq.auth.logins import Logins
from amq.auth.users import User, Users
from amq.clock import Clock
from amq.config.access import LoginSettings
from amq.config.settings import Settings

SLOW = argon2id.hash_password(b"secret")
REMOTE = peer_at("192.0.2.7", "http")


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0, 0.0)


@pytest.fixture
def logins(clock: Clock) -> Logins:
    users = Users()
    users.add("guest", "guest")
    users.add("quick", "secret")
    users.put(User("slow", "argon2id", SLOW))
    settings = Settings(logins=LoginSettings(attempts_burst=3, attempts_per_minute=30))
    return Logins(users, settings, clock)


def decided(logins: Logins, name: str, password: bytes) -> User | Refusal:
    answer = logins.begin(Credentials(name, password), REMOTE)
    while isinstance(answer, Login):
        answer = logins.go_on(answer, answer.question.answer())
    return answer


def test_whoever_is_let_in_is_counted_once_however_long_it_took(logins: Logins) -> None:
    for name in ("quick", "slow", "slow"):
        assert isinstance(decided(logins, name, b"secret"), User)
    tally = logins.attempts.by_protocol["http"]
    assert (tally.attempts, tally.succeeded, tally.failed) == (3, 3, 0)
    assert logins.attempts.by_source["192.0.2.7", "slow", "http"].succeeded == 2


def test_too_many_failures_are_refused_unseen_even_with_the_right_password(logins: Logins, clock: Clock) -> None:
    for name in ("quick", "slow", "nobody"):
        assert decided(logins, name, b"wrong") == Refusal(f"user '{name}' - invalid credentials")
    assert decided(logins, "quick", b"secret") == Refusal("user 'quick' - too many failed logins from 192.0.2.7", 2.0)
    clock.now += 2.0
    assert isinstance(decided(logins, "quick", b"secret"), User)
    tally = logins.attempts.by_protocol["http"]
    assert (tally.succeeded, tally.failed, tally.throttled) == (1, 4, 1)


def test_a_guest_from_elsewhere_is_refused_and_counted_as_failed(logins: Logins) -> None:
    assert decided(logins, "guest", b"guest") == Refusal("user 'guest' can only connect via localhost")
    assert logins.attempts.by_protocol["http"].failed == 1


def test_a_name_that_would_spoil_a_line_is_counted_as_it_is_logged(logins: Logins) -> None:
    decided(logins, "a\r\nb", b"x")
    assert ("192.0.2.7", "a\\r\\nb", "http") in logins.attempts.by_source


@pytest.mark.parametrize(
    ("host", "loopback", "address"),
    [
        ("127.0.0.1", True, "127.0.0.1"),
        ("::ffff:127.0.0.1", True, "127.0.0.1"),
        ("::1", True, "::1"),
        ("fe80::1%eth0", False, "fe80::1"),
        ("192.0.2.7", False, "192.0.2.7"),
        ("/run/amq.sock", True, "/run/amq.sock"),
    ],
)
def test_the_other_end_is_known_by_its_address(host: str, loopback: bool, address: str) -> None:
    peer = peer_at(host)
    assert (peer.loopback, peer.address, peer.protocol) == (loopback, address, "amqp091")


def test_other_settings_count_at_once(logins: Logins) -> None:
    assert isinstance(decided(logins, "slow", b"secret"), User)
    logins.adopt(
        Settings(
            loopback_users=frozenset({"quick"}),
            logins=LoginSettings(attempts_burst=1, attempts_per_minute=6, cache_ttl=0),
        )
    )
    assert isinstance(logins.begin(Credentials("slow", b"secret"), REMOTE), Login)
    assert decided(logins, "quick", b"secret") == Refusal("user 'quick' - too many failed logins from 192.0.2.7", 10.0)
    logins.clock.now += 10.0
    assert decided(logins, "quick", b"secret") == Refusal("user 'quick' can only connect via localhost")

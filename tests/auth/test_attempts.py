"""Who has failed too often, and what is counted."""

import pytest

from amq.auth import attempts as module
from amq.auth.attempts import Attempts, source_of
from amq.clock import Clock

ADDRESS = "192.0.2.7"


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0, 0.0)


def fail(attempts: Attempts, address: str = ADDRESS) -> float:
    """A login that fails; returns how long its source has to wait before it is looked at."""
    wait = attempts.admit(address)
    attempts.failed(address, "app", "http", not wait)
    return wait


def test_a_source_may_fail_as_often_as_its_burst_and_then_as_time_passes(clock: Clock) -> None:
    attempts = Attempts(clock, 3, 0.5)
    assert [fail(attempts) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]
    clock.now += 1.0
    assert fail(attempts) == 1.0
    clock.now += 1.0
    assert fail(attempts) == 0.0
    assert fail(attempts) == 2.0


def test_a_source_that_rests_may_fail_as_often_as_at_first_and_no_more(clock: Clock) -> None:
    attempts = Attempts(clock, 3, 0.5)
    for _ in range(3):
        fail(attempts)
    clock.now += 1_000_000.0
    assert [fail(attempts) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]


def test_sources_do_not_pay_for_each_other(clock: Clock) -> None:
    attempts = Attempts(clock, 1, 0.5)
    fail(attempts)
    assert fail(attempts) > 0
    assert fail(attempts, "192.0.2.8") == 0.0


def test_a_login_that_succeeds_costs_nothing(clock: Clock) -> None:
    attempts = Attempts(clock, 2, 0.5)
    fail(attempts)
    for _ in range(100):
        assert attempts.admit(ADDRESS) == 0.0
        attempts.succeeded(ADDRESS, "app", "http")
    assert [fail(attempts) for _ in range(2)] == [0.0, 2.0]


def test_logins_that_are_not_decided_yet_count_as_failed(clock: Clock) -> None:
    attempts = Attempts(clock, 2, 0.5)
    assert [attempts.admit(ADDRESS) for _ in range(3)] == [0.0, 0.0, 2.0]


def test_without_a_burst_there_is_no_limit(clock: Clock) -> None:
    attempts = Attempts(clock, 0, 1.0)
    assert not any(fail(attempts) for _ in range(1000))
    attempts.succeeded(ADDRESS, "app", "http")


def test_the_log_hears_of_a_source_once_until_it_was_looked_at_again(clock: Clock) -> None:
    attempts = Attempts(clock, 1, 0.5)
    fail(attempts)
    fail(attempts)
    assert [attempts.first_refusal(ADDRESS) for _ in range(3)] == [True, False, False]
    clock.now += 2.0
    fail(attempts)
    fail(attempts)
    assert attempts.first_refusal(ADDRESS)
    assert not attempts.first_refusal("192.0.2.99")


def test_sources_are_bounded_in_number(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BUCKETS", 2)
    monkeypatch.setattr(module, "MOST_SOURCES", 2)
    attempts = Attempts(clock, 1, 0.5)
    for number in range(5):
        fail(attempts, f"192.0.2.{number}")
    assert list(attempts.by_source) == [("192.0.2.3", "app", "http"), ("192.0.2.4", "app", "http")]
    assert fail(attempts, "192.0.2.4") > 0
    # The one that was seen least recently was forgotten.
    assert fail(attempts, "192.0.2.1") == 0.0


def test_counts_are_kept_by_protocol_and_by_source_until_they_are_cleared(clock: Clock) -> None:
    attempts = Attempts(clock, 1, 0.5)
    for _ in range(2):
        attempts.admit(ADDRESS)
        attempts.succeeded(ADDRESS, "app", "amqp091")
    fail(attempts)
    fail(attempts)
    http, amqp = attempts.by_protocol["http"], attempts.by_protocol["amqp091"]
    assert (http.attempts, http.succeeded, http.failed, http.throttled) == (2, 0, 2, 1)
    assert (amqp.attempts, amqp.succeeded, amqp.failed, amqp.throttled) == (2, 2, 0, 0)
    assert attempts.by_source[ADDRESS, "app", "amqp091"].succeeded == 2
    attempts.clear()
    assert (attempts.by_protocol, attempts.by_source) == ({}, {})
    assert fail(attempts) > 0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::%eth0", "2001:db8:1:2::/64"),
        ("::1", "::1"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_of_ipv6_a_whole_network_is_one_source(address: str, source: str) -> None:
    assert source_of(address) == source

"""Credentials that need not be proven again."""

import pytest

from amq.auth import proven as module
from amq.auth.proven import Proven
from amq.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0, 0.0)


@pytest.fixture
def proven(clock: Clock) -> Proven:
    proven = Proven(clock, 60.0)
    proven.remember("app", b"secret", "hash")
    return proven


def test_what_was_proven_is_known_for_its_lifetime(clock: Clock, proven: Proven) -> None:
    assert proven.knows("app", b"secret", "hash")
    clock.now += 59.9
    assert proven.knows("app", b"secret", "hash")
    clock.now += 0.2
    assert not proven.knows("app", b"secret", "hash")


@pytest.mark.parametrize(
    ("name", "password", "stored"),
    [("ap", b"secret", "hash"), ("app", b"Secret", "hash"), ("app", b"secret", "other"), ("appsecret", b"", "hash")],
)
def test_another_name_password_or_hash_is_not_known(proven: Proven, name: str, password: bytes, stored: str) -> None:
    assert not proven.knows(name, password, stored)


def test_nothing_of_it_can_be_read_back(proven: Proven) -> None:
    shown = repr([getattr(proven, slot) for slot in Proven.__slots__])
    assert "secret" not in shown
    assert "hash" not in shown


def test_names_that_are_no_text_do_not_matter(proven: Proven) -> None:
    proven.remember("a\udcff", b"x", "hash")
    assert proven.knows("a\udcff", b"x", "hash")


def test_what_is_too_old_or_too_much_is_forgotten(
    clock: Clock, proven: Proven, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(4):
        proven.remember(f"u{number}", b"x", "hash")
    assert len(proven) == 3
    assert not proven.knows("app", b"secret", "hash")
    assert proven.knows("u3", b"x", "hash")
    clock.now += 61.0
    proven.remember("new", b"x", "hash")
    assert len(proven) == 1


def test_it_can_be_told_to_forget_or_never_to_remember(clock: Clock, proven: Proven) -> None:
    proven.forget()
    assert not proven.knows("app", b"secret", "hash")
    never = Proven(clock, 0.0)
    never.remember("app", b"secret", "hash")
    assert len(never) == 0

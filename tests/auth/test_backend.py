"""The broker's own users: whom they are asked about, and what that costs."""

import pytest

from amq.auth import argon2id
from amq.auth.backend import Internal
from amq.auth.credentials import Credentials, Question, Refusal
from amq.auth.proven import Proven
from amq.auth.users import User, Users
from amq.clock import Clock

SLOW = argon2id.hash_password(b"secret")


@pytest.fixture
def users() -> Users:
    users = Users()
    users.add("quick", "secret")
    users.add("certified", None)
    return users


@pytest.fixture
def internal(users: Users) -> Internal:
    return Internal(users, Proven(Clock(0.0, 0.0), 60.0))


def slow_user(users: Users, name: str = "slow", stored: str = SLOW) -> User:
    user = User(name, "argon2id", stored)
    users.put(user)
    return user


def test_a_slow_hash_is_a_question_once_and_known_after_that(users: Users, internal: Internal) -> None:
    user = slow_user(users)
    credentials = Credentials("slow", b"secret")
    question = internal.authenticate(credentials)
    assert isinstance(question, Question)
    assert question.answer()
    assert internal.conclude(credentials, question, True) == user
    assert internal.authenticate(credentials) == user
    assert isinstance(internal.authenticate(Credentials("slow", b"wrong")), Question)


def test_what_was_proven_is_worth_nothing_once_the_password_is_another(users: Users, internal: Internal) -> None:
    slow_user(users)
    credentials = Credentials("slow", b"secret")
    question = internal.authenticate(credentials)
    assert isinstance(question, Question)
    internal.conclude(credentials, question, True)
    users.set_password("slow", "new", "argon2id")
    again = internal.authenticate(credentials)
    assert isinstance(again, Question)
    assert not again.answer()


def test_a_user_who_is_changed_or_deleted_while_the_answer_is_found_is_not_let_in(
    users: Users, internal: Internal
) -> None:
    slow_user(users)
    credentials = Credentials("slow", b"secret")
    question = internal.authenticate(credentials)
    assert isinstance(question, Question)
    users.set_password("slow", "new")
    assert internal.conclude(credentials, question, True) == Refusal("user 'slow' - invalid credentials")
    users.delete("slow")
    assert internal.conclude(credentials, question, True) == Refusal("user 'slow' - invalid credentials")


def test_as_long_as_all_hashes_are_quick_nobody_waits(internal: Internal) -> None:
    for name in ("quick", "nobody", "certified"):
        assert internal.authenticate(Credentials(name, b"wrong")) == Refusal(f"user '{name}' - invalid credentials")


def test_where_one_hash_is_slow_every_refusal_costs_the_same(users: Users, internal: Internal) -> None:
    slow_user(users)
    found = {name: internal.authenticate(Credentials(name, b"wrong")) for name in ("quick", "nobody", "certified")}
    assert found == dict.fromkeys(found, Question(b"wrong", argon2id.DECOY, "argon2id"))
    for name, question in found.items():
        assert isinstance(question, Question)
        assert internal.conclude(Credentials(name, b"wrong"), question, question.answer()) == Refusal(
            f"user '{name}' - invalid credentials"
        )
    # And costs nobody who is let in.
    assert internal.authenticate(Credentials("quick", b"secret")) == users.get("quick")
    users.delete("slow")
    assert isinstance(internal.authenticate(Credentials("nobody", b"wrong")), Refusal)


def test_whoever_has_the_decoys_hash_by_accident_is_not_let_in_as_somebody_else(
    users: Users, internal: Internal
) -> None:
    slow_user(users)
    credentials = Credentials("quick", b"wrong")
    question = internal.authenticate(credentials)
    assert isinstance(question, Question)
    assert isinstance(internal.conclude(credentials, question, True), Refusal)


def test_a_question_shows_neither_password_nor_hash() -> None:
    shown = repr(Question(b"secret", SLOW, "argon2id"))
    assert "secret" not in shown
    assert SLOW not in shown

"""The users of the internal backend."""

import pytest

from amq.auth.passwords import hash_password, verify_password
from amq.auth.users import User, UserError, Users


def one_user() -> Users:
    users = Users()
    users.add("bob", "secret", ["monitoring"])
    return users


def test_an_added_user_has_a_hashed_password_and_its_tags() -> None:
    user = one_user().get("bob")
    assert user is not None
    assert user.tags == ("monitoring",)
    assert verify_password(b"secret", user.password_hash, user.hashing_algorithm)
    assert user.password_hash not in repr(user)


def test_users_are_listed_in_the_order_in_which_they_came() -> None:
    users = one_user()
    users.add("alice", None)
    assert [user.name for user in users] == ["bob", "alice"]
    assert len(users) == 2
    assert "alice" in users
    assert "eve" not in users


def test_a_user_without_password_has_the_empty_hash() -> None:
    assert Users().add("bob", None).password_hash == ""


def test_a_changed_password_replaces_the_old_one_and_none_forbids_it() -> None:
    users = one_user()
    users.set_password("bob", "new", "rabbit_password_hashing_sha512")
    user = users.get("bob")
    assert user is not None
    assert user.tags == ("monitoring",)
    assert verify_password(b"new", user.password_hash, "rabbit_password_hashing_sha512")
    users.set_password("bob", None)
    user = users.get("bob")
    assert user is not None
    assert user.password_hash == ""


def test_changed_tags_leave_the_user_that_a_connection_holds() -> None:
    users = one_user()
    held = users.get("bob")
    users.set_tags("bob", ["impersonator"])
    now = users.get("bob")
    assert held is not None
    assert now is not None
    assert not held.may_impersonate()
    assert now.may_impersonate()


def test_a_whole_user_takes_the_place_of_one_with_its_name() -> None:
    users = one_user()
    users.put(User("bob", password_hash=hash_password(b"x")))
    assert len(users) == 1
    user = users.get("bob")
    assert user is not None
    assert user.tags == ()


def test_a_deleted_user_is_gone() -> None:
    users = one_user()
    users.delete("bob")
    assert users.get("bob") is None


def test_what_cannot_be_done_is_refused_with_the_name() -> None:
    users = one_user()
    with pytest.raises(UserError, match="'bob' already exists"):
        users.add("bob", "x")
    with pytest.raises(UserError, match="'eve': the password must not be empty"):
        users.add("eve", "")
    with pytest.raises(UserError, match="needs a name"):
        users.add("", "x")
    for change in (users.delete, lambda name: users.set_tags(name, []), lambda name: users.set_password(name, "x")):
        with pytest.raises(UserError, match="'eve' does not exist"):
            change("eve")


def test_a_user_with_an_impossible_hash_cannot_be() -> None:
    with pytest.raises(UserError, match="user 'bob': the password hash is not base64"):
        User("bob", password_hash="???")


def test_limits_are_of_the_user_and_cannot_be_changed_behind_its_back() -> None:
    users = one_user()
    assert dict(User("eve").limits) == {}
    limits = {"max-connections": 5}
    users.set_limits("bob", limits)
    limits["max-connections"] = 6
    user = users.get("bob")
    assert user is not None
    assert user.limits == {"max-connections": 5}
    assert user == User(user.name, user.hashing_algorithm, user.password_hash, user.tags, {"max-connections": 5})
    assert len({user, user}) == 1
    with pytest.raises(TypeError):
        user.limits["max-connections"] = 7  # type: ignore[index]
    with pytest.raises(UserError, match="'eve' does not exist"):
        users.set_limits("eve", {})


def test_users_know_whether_any_hash_is_slow() -> None:
    users = one_user()
    assert not users.any_slow()
    users.set_password("bob", "secret", "argon2id")
    users.set_tags("bob", [])
    assert users.any_slow()
    users.set_password("bob", "secret")
    assert not users.any_slow()
    users.set_password("bob", "secret", "argon2id")
    users.delete("bob")
    assert not users.any_slow()

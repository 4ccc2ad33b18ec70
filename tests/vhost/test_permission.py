"""Permissions of a vhost, and what one user may do in it."""

from collections.abc import Callable

import pytest

from amq.errors import ACCESS_REFUSED, ChannelFault
from amq.lang.pattern import PatternError
from amq.vhost.permission import MAX_GRANTED, Access, Permission, Permissions, TopicPermission

ALL = Permission(".*", ".*", ".*")


def access(configure: str = "", write: str = "", read: str = "") -> Access:
    permissions = Permissions("/")
    permissions.set("u", Permission(configure, write, read))
    return permissions.access("u")


def refusal(action: Callable[[], None]) -> str:
    with pytest.raises(ChannelFault) as raised:
        action()
    assert raised.value.code == ACCESS_REFUSED
    return raised.value.text


def test_patterns_are_searched_anywhere_in_the_name() -> None:
    user = access(write="log")
    user.write("exchange", b"my-logs")
    user.write("queue", b"log")
    refusal(lambda: user.write("queue", b"lo"))


def test_anchors_bind_the_pattern() -> None:
    user = access(read="^a$")
    user.read("queue", b"a")
    refusal(lambda: user.read("queue", b"ab"))


def test_the_empty_pattern_matches_the_empty_name_only() -> None:
    user = access()
    refusal(lambda: user.configure("queue", b"q"))
    user.configure("queue", b"")


def test_each_operation_has_its_own_pattern() -> None:
    user = access(configure="^c", write="^w", read="^r")
    user.configure("queue", b"c")
    user.write("queue", b"w")
    user.read("queue", b"r")
    refusal(lambda: user.configure("queue", b"w"))
    refusal(lambda: user.write("queue", b"r"))
    refusal(lambda: user.read("queue", b"c"))


def test_refusals_have_rabbitmqs_texts() -> None:
    user = access()
    assert refusal(lambda: user.configure("exchange", b"x")) == (
        "configure access to exchange 'x' in vhost '/' refused for user 'u'"
    )
    assert refusal(lambda: user.write("exchange", b"x")) == (
        "write access to exchange 'x' in vhost '/' refused for user 'u'"
    )
    assert refusal(lambda: user.read("queue", b"q")) == "read access to queue 'q' in vhost '/' refused for user 'u'"


def test_the_default_exchange_is_checked_and_shown_as_amq_default() -> None:
    assert refusal(lambda: access().write("exchange", b"")) == (
        "write access to exchange 'amq.default' in vhost '/' refused for user 'u'"
    )
    access(write=r"^amq\.default$").write("exchange", b"")


def test_names_and_patterns_are_compared_octet_by_octet() -> None:
    access(write="ü").write("queue", "grün".encode())
    access(write="^..$").write("queue", "ü".encode())
    assert refusal(lambda: access().write("queue", b"\xff")) == (
        "write access to queue '\udcff' in vhost '/' refused for user 'u'"
    )


def test_a_user_without_permissions_may_not_enter_and_may_do_nothing() -> None:
    permissions = Permissions("/")
    assert not permissions.may_enter("u")
    refusal(lambda: permissions.access("u").read("queue", b""))


def test_any_record_lets_a_user_enter_even_one_that_allows_nothing() -> None:
    permissions = Permissions("/")
    permissions.set("u", Permission("", "", ""))
    assert permissions.may_enter("u")
    assert not permissions.may_enter("v")


def test_what_was_granted_is_taken_back_when_permissions_change() -> None:
    permissions = Permissions("/")
    permissions.set("u", ALL)
    user = permissions.access("u")
    user.write("queue", b"q")
    permissions.set("u", Permission("", "^other$", ""))
    refusal(lambda: user.write("queue", b"q"))
    permissions.set("u", ALL)
    user.write("queue", b"q")
    permissions.clear("u")
    refusal(lambda: user.write("queue", b"q"))


def test_the_version_moves_with_every_change_and_with_nothing_else() -> None:
    permissions = Permissions("/")
    seen = [permissions.version]
    permissions.set("u", ALL)
    seen.append(permissions.version)
    permissions.set_topic("u", TopicPermission("t", "", ""))
    seen.append(permissions.version)
    permissions.clear_topic("u", "t")
    seen.append(permissions.version)
    permissions.clear("u")
    seen.append(permissions.version)
    assert seen == sorted(set(seen))
    permissions.clear("u")
    permissions.clear_topic("u", "t")
    permissions.access("u")
    assert permissions.version == seen[-1]


def test_more_names_than_are_remembered_are_still_judged_rightly() -> None:
    user = access(write="^q")
    for number in range(3 * MAX_GRANTED):
        user.write("queue", b"q%d" % number)
    user.write("queue", b"q0")
    refusal(lambda: user.write("queue", b"x"))


def test_permissions_can_be_listed() -> None:
    permissions = Permissions("/")
    permissions.set("u", ALL)
    permissions.set("v", Permission("", "", ""))
    topic = TopicPermission("t", "a", "b")
    permissions.set_topic("u", topic)
    assert permissions.get("u") == ALL
    assert permissions.get("w") is None
    assert list(permissions.all()) == ["u", "v"]
    assert permissions.all_topics() == [("u", topic)]
    assert permissions.get_topic("u", "t") == topic
    assert permissions.get_topic("v", "t") is None


def topic_access(write: str, read: str = "", vhost: str = "/", user: str = "u") -> Access:
    permissions = Permissions(vhost)
    permissions.set(user, ALL)
    permissions.set_topic(user, TopicPermission("t", write, read))
    return permissions.access(user)


def test_topic_permissions_limit_the_routing_keys_of_their_exchange() -> None:
    user = topic_access("^a", "^b")
    user.write_topic(b"t", b"a.x")
    user.read_topic(b"t", b"b.x")
    assert refusal(lambda: user.write_topic(b"t", b"b")) == (
        "write access to topic 'b' in exchange 't' in vhost '/' refused for user 'u'"
    )
    assert refusal(lambda: user.read_topic(b"t", b"a")) == (
        "read access to topic 'a' in exchange 't' in vhost '/' refused for user 'u'"
    )


def test_an_exchange_without_topic_permissions_takes_every_key() -> None:
    topic_access("^$").write_topic(b"other", b"any.key")


def test_the_empty_topic_pattern_matches_the_empty_key_only() -> None:
    user = topic_access("")
    user.write_topic(b"t", b"")
    refusal(lambda: user.write_topic(b"t", b"a"))


def test_user_and_vhost_are_put_into_topic_patterns() -> None:
    user = topic_access("^{username}-{vhost}$", vhost="v1", user="bob")
    user.write_topic(b"t", b"bob-v1")
    refusal(lambda: user.write_topic(b"t", b"u-v1"))


def test_the_client_id_stays_as_it_is_written() -> None:
    user = topic_access("^{client_id}$")
    user.write_topic(b"t", b"{client_id}")
    refusal(lambda: user.write_topic(b"t", b"c"))


def test_a_name_that_spoils_a_topic_pattern_matches_nothing() -> None:
    user = topic_access("{username}", user="bob(")
    refusal(lambda: user.write_topic(b"t", b"bob("))


def test_topic_permissions_can_be_cleared_one_by_one_or_all() -> None:
    permissions = Permissions("/")
    for exchange in ("a", "b", "c"):
        permissions.set_topic("u", TopicPermission(exchange, "^$", "^$"))
    user = permissions.access("u")
    refusal(lambda: user.write_topic(b"a", b"k"))
    permissions.clear_topic("u", "a")
    user.write_topic(b"a", b"k")
    refusal(lambda: user.write_topic(b"b", b"k"))
    permissions.clear_topic("u")
    user.write_topic(b"b", b"k")
    assert permissions.all_topics() == []


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "'(' is not a usable regular expression: missing ) at position 1"),
        ("ab[", "missing terminating ] for character class at position 3"),
        ("a**", "nothing to repeat at position 2"),
    ],
)
def test_a_bad_pattern_is_refused_with_the_position(pattern: str, message: str) -> None:
    for make in (
        lambda: Permission(pattern, "", ""),
        lambda: Permission("", pattern, ""),
        lambda: Permission("", "", pattern),
        lambda: TopicPermission("t", pattern, ""),
        lambda: TopicPermission("t", "", pattern),
    ):
        with pytest.raises(PatternError) as raised:
            make()
        assert message in str(raised.value)

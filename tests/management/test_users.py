"""Users over HTTP, as RabbitMQ answers."""

from typing import Any

import httpx
import pytest

from amq.auth.passwords import hash_password, verify_password
from amq.auth.users import User
from amq.auth.validation import MIN_LENGTH, PasswordRules
from amq.broker import Broker
from amq.vhost.permission import Permission, TopicPermission
from tests.harness.dialogue import enter
from tests.management.asking import CREATED, DONE, MISSING, ask, bad

MD5 = "rabbit_password_hashing_md5"
SHA256 = "rabbit_password_hashing_sha256"
SHA512 = "rabbit_password_hashing_sha512"


def user(broker: Broker, name: str = "u") -> User:
    found = broker.users.get(name)
    assert found is not None
    return found


async def test_a_user_is_made_changed_shown_and_deleted(client: httpx.AsyncClient, broker: Broker) -> None:
    assert await ask(client, "PUT", "/users/u", {"password": "first", "tags": "monitoring, x"}) == CREATED
    assert verify_password(b"first", user(broker).password_hash, user(broker).hashing_algorithm)
    body = {"password": "größe", "tags": ["management"], "limits": {"max-channels": 3}}
    assert await ask(client, "PUT", "/users/u", body) == DONE
    assert verify_password("größe".encode(), user(broker).password_hash, user(broker).hashing_algorithm)
    assert await ask(client, "GET", "/users/u") == (
        200,
        {
            "name": "u",
            "password_hash": user(broker).password_hash,
            "hashing_algorithm": user(broker).hashing_algorithm,
            "tags": ["management"],
            "limits": {"max-channels": 3},
        },
    )
    # Limits stay where none are given.
    assert await ask(client, "PUT", "/users/u", {"password": "x", "tags": ""}) == DONE
    assert (user(broker).tags, user(broker).limits) == ((), {"max-channels": 3})
    assert await ask(client, "DELETE", "/users/u") == DONE
    assert await ask(client, "DELETE", "/users/u") == MISSING
    assert await ask(client, "GET", "/users/u") == MISSING


@pytest.mark.parametrize("algorithm", [MD5, SHA256, SHA512])
async def test_a_hash_of_rabbitmqs_is_taken_as_it_is(client: httpx.AsyncClient, broker: Broker, algorithm: str) -> None:
    made = hash_password(b"secret", algorithm)
    body = {"password_hash": made, "hashing_algorithm": algorithm, "tags": ""}
    assert await ask(client, "PUT", "/users/u", body) == CREATED
    assert (user(broker).password_hash, user(broker).hashing_algorithm) == (made, algorithm)


@pytest.mark.parametrize("body", [{"tags": ""}, {"password_hash": "", "tags": ""}, {"password": "", "tags": ""}])
async def test_a_user_without_password_cannot_log_in_by_one(
    client: httpx.AsyncClient, broker: Broker, body: dict[str, Any]
) -> None:
    assert await ask(client, "PUT", "/users/u", body) == CREATED
    assert user(broker).password_hash == ""


@pytest.mark.parametrize(("flag", "tags"), [(True, ("administrator",)), ("false", ())])
async def test_the_flag_that_was_there_before_tags_still_counts(
    client: httpx.AsyncClient, broker: Broker, flag: Any, tags: tuple[str, ...]
) -> None:
    assert await ask(client, "PUT", "/users/u", {"password": "x", "administrator": flag}) == CREATED
    assert user(broker).tags == tags


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "tags_not_present"),
        ({"password": "x"}, "tags_not_present"),
        ({"password": "x", "tags": 5}, "tags must be a list of texts, or one text with commas"),
        ({"password": 5, "tags": ""}, ["not_string", "password"]),
        ({"password": None, "tags": ""}, ["not_string", "password"]),
        ({"password_hash": 5, "tags": ""}, ["not_string", "password_hash"]),
        ({"password_hash": "zz!", "tags": ""}, ["not_base64", "zz!"]),
        (
            {"password_hash": "abcd", "tags": ""},
            f"user 'u': the password hash has 3 octets, {SHA256} has 36",
        ),
        ({"password": "x", "password_hash": "", "tags": ""}, "both_password_and_password_hash_are_provided"),
        (
            {"password": "x", "tags": "", "limits": {"max-channels": "3"}},
            'max-channels should be a number, actually was <<"3">>',
        ),
        ({"password": "x", "tags": "", "limits": [1]}, "user-limits not a list [1]"),
        ({"password": "x", "administrator": 5}, ["not_boolean", 5]),
        ([], "not_json"),
    ],
)
async def test_a_user_that_cannot_be_so_is_not_made(
    client: httpx.AsyncClient, broker: Broker, body: Any, reason: Any
) -> None:
    assert await ask(client, "PUT", "/users/u", body) == bad(reason)
    assert "u" not in broker.users


async def test_an_unknown_hashing_algorithm_is_named_with_those_that_are_known(client: httpx.AsyncClient) -> None:
    body = {"password_hash": "", "hashing_algorithm": "rot13", "tags": ""}
    status, found = await ask(client, "PUT", "/users/u", body)
    assert (status, SHA512 in found["reason"], "'rot13'" in found["reason"]) == (400, True, True)


async def test_passwords_are_validated(client: httpx.AsyncClient, broker: Broker) -> None:
    broker.users.rules = PasswordRules(MIN_LENGTH, 8)
    reason = "minimum required password length is 8"
    assert await ask(client, "PUT", "/users/u", {"password": "seven77", "tags": ""}) == bad(reason)
    assert await ask(client, "PUT", "/users/u", {"password": "eight888", "tags": ""}) == CREATED


async def test_deleting_a_user_closes_its_connections_and_takes_its_permissions(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    broker.users.add("u", "x")
    vhost = broker.vhosts["/"]
    vhost.permissions.set("u", Permission(".*", ".*", ".*"))
    vhost.permissions.set_topic("u", TopicPermission("x", "", ""))
    dialogue = enter(broker, user="u", password="x", channels=[1])
    assert await ask(client, "DELETE", "/users/u") == DONE
    dialogue.hears_close(320, "user 'u' is deleted")
    assert (vhost.permissions.get("u"), vhost.permissions.all_topics()) == (None, [])


async def test_several_users_are_deleted_up_to_the_first_that_is_not_there(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    for name in ("a", "b", "c"):
        broker.users.add(name, "x")
    assert await ask(client, "POST", "/users/bulk-delete", {"users": []}) == DONE
    assert await ask(client, "POST", "/users/bulk-delete", {"users": ["a"]}) == DONE
    reason = ["no_such_user", "nope"]
    assert await ask(client, "POST", "/users/bulk-delete", {"users": ["b", "nope", "c"]}) == bad(reason)
    assert sorted(user.name for user in broker.users) == ["c", "guest"]
    assert await ask(client, "POST", "/users/bulk-delete", {}) == bad("[{key_missing,users}]")
    assert await ask(client, "POST", "/users/bulk-delete", {"users": "c"}) == bad("users must be a list of texts")


async def test_users_are_listed_and_those_without_permissions_apart(client: httpx.AsyncClient, broker: Broker) -> None:
    broker.users.add("b", "x")
    broker.users.add("a", "x")
    broker.vhosts["/"].permissions.set("b", Permission("", "", ""))
    assert await ask(client, "GET", "/users?columns=name") == (200, [{"name": "a"}, {"name": "b"}, {"name": "guest"}])
    assert await ask(client, "GET", "/users/without-permissions/?columns=name") == (200, [{"name": "a"}])


async def test_what_a_user_may_do_is_listed_over_all_vhosts(client: httpx.AsyncClient, broker: Broker) -> None:
    broker.add_vhost("v").permissions.set("guest", Permission("1", "2", "3"))
    broker.vhosts["v"].permissions.set_topic("guest", TopicPermission("x", "4", "5"))
    assert await ask(client, "GET", "/users/guest/permissions") == (
        200,
        [
            {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
            {"user": "guest", "vhost": "v", "configure": "1", "write": "2", "read": "3"},
        ],
    )
    assert await ask(client, "GET", "/users/guest/topic-permissions") == (
        200,
        [{"user": "guest", "vhost": "v", "exchange": "x", "write": "4", "read": "5"}],
    )
    assert await ask(client, "GET", "/users/nobody/permissions") == MISSING
    assert await ask(client, "GET", "/users/nobody/topic-permissions") == MISSING


async def test_tags_keep_their_order_wherever_they_are_told(client: httpx.AsyncClient, broker: Broker) -> None:
    body = {"password": "x", "tags": "policymaker,management,zebra,management,a"}
    assert await ask(client, "PUT", "/users/u", body) == CREATED
    in_order = ["policymaker", "management", "zebra", "a"]
    assert (await client.get("/users/u")).json()["tags"] == in_order
    assert (await client.get("/whoami", auth=("u", "x"))).json()["tags"] == in_order
    exported = (await client.get("/definitions")).json()["users"]
    assert next(one for one in exported if one["name"] == "u")["tags"] == in_order
    broker.users.set_tags("u", ())
    assert (await client.post("/definitions", json={"users": exported})).status_code == 204
    assert user(broker).tags == tuple(in_order)

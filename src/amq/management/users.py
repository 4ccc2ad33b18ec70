"""Users: /api/users, and what belongs to one."""

import base64
import binascii
from functools import partial
from typing import Any, Final

import trio

from amq.auth.passwords import ALGORITHMS, DEFAULT_ALGORITHM, algorithm_of, hash_password, is_slow
from amq.auth.users import User, UserError
from amq.management.answers import Answer, created, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, Endpoint
from amq.management.entities_json import checked_name, flag_in, octets_in, required
from amq.management.entity_schemas import LIST_QUERY, TEXT, array_of, page_of, record
from amq.management.entity_schemas import TABLE as OBJECT
from amq.management.errors import BadRequest, NotFound
from amq.management.listing import listing
from amq.management.permissions import PERMISSION, TOPIC_PERMISSION, permission_json, topic_permission_json
from amq.management.vhosts import tags_in
from amq.vhost.parameters import check_user_limits


def user_json(user: User) -> dict[str, Any]:
    """A user as the API and exports show it."""
    return {
        "name": user.name,
        "password_hash": user.password_hash,
        "hashing_algorithm": user.hashing_algorithm,
        "tags": list(user.tags),
        "limits": dict(user.limits),
    }


def user_named(call: Call) -> User:
    """The user that the path names. Raises NotFound."""
    user = call.node.broker.users.get(call.path["user"])
    if user is None:
        raise NotFound()
    return user


async def list_all(call: Call) -> Answer:
    """GET /users."""
    return await _listed(call, list(call.node.broker.users))


async def without_permissions(call: Call) -> Answer:
    """GET /users/without-permissions."""
    vhosts = call.node.broker.vhosts.values()
    entering = {name for vhost in vhosts for name in vhost.permissions.all()}
    return await _listed(call, [user for user in call.node.broker.users if user.name not in entering])


async def _listed(call: Call, users: list[User]) -> Answer:
    found = sorted(users, key=lambda user: user.name)
    return await listing(call, found, user_json, name=lambda user: user.name, sorts=("name",))


async def show(call: Call) -> Answer:
    """GET /users/{user}."""
    return ok(user_json(user_named(call)))


async def permissions(call: Call) -> Answer:
    """GET /users/{user}/permissions."""
    name = user_named(call).name
    vhosts = [vhost for vhost in call.node.broker.vhosts.values() if vhost.permissions.may_enter(name)]
    found = [(vhost, name, permission) for vhost in vhosts if (permission := vhost.permissions.get(name)) is not None]
    return await listing(call, found, lambda one: permission_json(*one), sorts=("vhost",))


async def topic_permissions(call: Call) -> Answer:
    """GET /users/{user}/topic-permissions."""
    name = user_named(call).name
    found = [
        (vhost, name, permission)
        for vhost in call.node.broker.vhosts.values()
        for user, permission in vhost.permissions.all_topics()
        if user == name
    ]
    return await listing(call, found, lambda one: topic_permission_json(*one), sorts=("vhost", "exchange"))


async def put(call: Call) -> Answer:
    """PUT /users/{user}. A user without `password` and `password_hash` cannot log in by password."""
    body = call.json()
    name = call.path["user"]
    checked_name(octets_in(name), "user name")
    tags = _tags(body)
    limits = _limits(body)
    algorithm, password_hash = await _secret(call, body)
    users = call.node.broker.users
    before = users.get(name)
    try:
        user = User(name, algorithm, password_hash, tags, {**(before.limits if before else {}), **limits})
        call.node.work(lambda: users.put(user))
    except UserError as error:
        raise BadRequest(str(error)) from None
    await call.node.safe()
    return no_content() if before else created()


def _tags(body: dict[str, Any]) -> tuple[str, ...]:
    """RabbitMQ had a flag `administrator` before it had tags, and still knows it."""
    if "tags" in body:
        return tags_in(body)
    if "administrator" in body:
        return ("administrator",) if flag_in(body, "administrator") else ()
    raise BadRequest("tags_not_present")


def _limits(body: dict[str, Any]) -> dict[str, int]:
    try:
        return check_user_limits(body.get("limits") or {})
    except ValueError as error:
        raise BadRequest(str(error)) from None


async def _secret(call: Call, body: dict[str, Any]) -> tuple[str, str]:
    """Algorithm and hash of the password that a user is to have."""
    if "password" in body and "password_hash" in body:
        raise BadRequest("both_password_and_password_hash_are_provided")
    if "password_hash" in body:
        return _hash(body)
    password = body.get("password", "")
    if not isinstance(password, str):
        raise BadRequest(["not_string", "password"])
    users = call.node.broker.users
    if "password" in body:
        try:
            users.check_password(password)
        except UserError as error:
            raise BadRequest(str(error)) from None
    if not password:
        # Blank passwords are refused at login: it is the same as none.
        return DEFAULT_ALGORITHM, ""
    made = partial(hash_password, octets_in(password), users.algorithm)
    return users.algorithm, await trio.to_thread.run_sync(made) if is_slow(users.algorithm) else made()


def _hash(body: dict[str, Any]) -> tuple[str, str]:
    found = body["password_hash"]
    if not isinstance(found, str):
        raise BadRequest(["not_string", "password_hash"])
    algorithm = body.get("hashing_algorithm", algorithm_of(found))
    if algorithm not in ALGORITHMS:
        raise BadRequest(f"hashing_algorithm {algorithm!r} is not known, allowed: {', '.join(ALGORITHMS)}")
    if not is_slow(algorithm):
        try:
            base64.b64decode(found, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest(["not_base64", found]) from None
    return algorithm, found


async def delete(call: Call) -> Answer:
    """DELETE /users/{user}."""
    name = user_named(call).name
    call.node.work(lambda: call.node.broker.delete_user(name))
    await call.node.safe()
    return no_content()


async def bulk_delete(call: Call) -> Answer:
    """POST /users/bulk-delete: those that are there; the first that is not is told, and nobody after it is deleted."""
    body = call.json()
    required(body, "users")
    names = body["users"]
    if not isinstance(names, list):
        raise BadRequest("users must be a list of texts")
    broker = call.node.broker
    try:
        for name in names:
            if not isinstance(name, str) or name not in broker.users:
                raise BadRequest(["no_such_user", name])
            call.node.work(partial(broker.delete_user, name))
            await trio.lowlevel.checkpoint()
    finally:
        with trio.CancelScope(shield=True):
            await call.node.safe()
    return no_content()


USER: Final = record("", name=TEXT, password_hash=TEXT, hashing_algorithm=TEXT, tags=array_of(TEXT), limits=OBJECT)
BODY: Final = record(
    "tags",
    password=TEXT,
    password_hash=TEXT,
    hashing_algorithm={"enum": list(ALGORITHMS)},
    tags={"type": ["string", "array"], "items": TEXT},
    limits=OBJECT,
)
_ONE: Final = "/users/{user}"
_GONE: Final = "there is no such user"

TABLE: Final = (
    Endpoint("GET", "/users", ADMINISTRATOR, list_all, "All users", {200: page_of(USER)}, query=LIST_QUERY),
    Endpoint(
        "GET",
        "/users/without-permissions",
        ADMINISTRATOR,
        without_permissions,
        "Users who may not enter any vhost",
        {200: page_of(USER)},
        query=LIST_QUERY,
    ),
    Endpoint(
        "POST",
        "/users/bulk-delete",
        ADMINISTRATOR,
        bulk_delete,
        "Delete several users, and close their connections",
        {204: "deleted", 400: "one of them does not exist"},
        body=record("users", users=array_of(TEXT)),
    ),
    Endpoint("GET", _ONE, ADMINISTRATOR, show, "One user", {200: USER, 404: _GONE}),
    Endpoint(
        "PUT",
        _ONE,
        ADMINISTRATOR,
        put,
        "Make a user, or change its password, tags and limits",
        {201: "made", 204: "changed", 400: "it cannot be so"},
        body=BODY,
    ),
    Endpoint(
        "DELETE", _ONE, ADMINISTRATOR, delete, "Delete a user, and close its connections", {204: "deleted", 404: _GONE}
    ),
    Endpoint(
        "GET",
        f"{_ONE}/permissions",
        ADMINISTRATOR,
        permissions,
        "What a user may do",
        {200: page_of(PERMISSION), 404: _GONE},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        f"{_ONE}/topic-permissions",
        ADMINISTRATOR,
        topic_permissions,
        "What a user may do on topic exchanges",
        {200: page_of(TOPIC_PERMISSION), 404: _GONE},
        query=LIST_QUERY,
    ),
)

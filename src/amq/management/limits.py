"""Limits of vhosts and of users: /api/vhost-limits and /api/user-limits."""

from collections.abc import Iterable
from typing import Any, Final

from amq.auth.users import User
from amq.management.answers import Answer, no_content
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MANAGEMENT, Endpoint
from amq.management.entities_json import required
from amq.management.entity_schemas import LIST_QUERY, TEXT, WHOLE, page_of, record
from amq.management.errors import BadRequest, NotFound
from amq.management.listing import listing
from amq.management.policies import check_quota
from amq.management.visible import listed_vhosts
from amq.vhost import parameters
from amq.vhost.parameters import VHOST_LIMITS, ParameterError
from amq.vhost.vhost import Vhost

# -- of vhosts --


def vhost_limits_json(vhost: Vhost) -> dict[str, Any]:
    """What limits a vhost."""
    return {"vhost": vhost.name, "value": dict(vhost.limits)}


async def list_of_vhosts(call: Call) -> Answer:
    """GET /vhost-limits: of the vhosts that have any."""
    return await _vhosts_listed(call, listed_vhosts(call))


async def list_of_vhost(call: Call) -> Answer:
    """GET /vhost-limits/{vhost}: a list all the same."""
    return await _vhosts_listed(call, [call.vhost])


async def _vhosts_listed(call: Call, vhosts: Iterable[Vhost]) -> Answer:
    return await listing(call, [vhost for vhost in vhosts if vhost.limits], vhost_limits_json, sorts=("vhost",))


async def put_of_vhost(call: Call) -> Answer:
    """PUT /vhost-limits/{vhost}/{name}."""
    body = call.json()
    vhost = call.vhost
    required(body, "value")
    if not vhost.limits:
        check_quota(call, VHOST_LIMITS)
    try:
        call.node.work(lambda: parameters.set_limit(vhost, call.path["name"], body["value"]))
    except ParameterError as error:
        raise BadRequest(str(error)) from None
    await call.node.safe()
    return no_content()


async def delete_of_vhost(call: Call) -> Answer:
    """DELETE /vhost-limits/{vhost}/{name}: there need not be one."""
    vhost = call.vhost
    call.node.work(lambda: parameters.clear_limit(vhost, call.path["name"]))
    await call.node.safe()
    return no_content()


# -- of users --


def user_limits_json(user: User) -> dict[str, Any]:
    """What limits a user."""
    return {"user": user.name, "value": dict(user.limits)}


async def list_of_users(call: Call) -> Answer:
    """GET /user-limits: of the users that have any; who is not administrator sees its own."""
    everybody = call.has_role(ADMINISTRATOR)
    users = [user for user in call.node.broker.users if everybody or user.name == call.user.name]
    return await _users_listed(call, users)


async def list_of_user(call: Call) -> Answer:
    """GET /user-limits/{user}: a list all the same."""
    user = _user(call)
    own = user is not None and (call.has_role(ADMINISTRATOR) or user.name == call.user.name)
    if user is None:
        raise NotFound()
    return await _users_listed(call, [user] if own else [])


async def _users_listed(call: Call, users: Iterable[User]) -> Answer:
    return await listing(call, [user for user in users if user.limits], user_limits_json, sorts=("user",))


async def put_of_user(call: Call) -> Answer:
    """PUT /user-limits/{user}/{name}."""
    body = call.json()
    required(body, "value")
    user = _user(call)
    if user is None:
        raise BadRequest(["no_such_user", call.path["user"]])
    try:
        limits = {**user.limits, **parameters.check_user_limits({call.path["name"]: body["value"]})}
    except ValueError as error:
        raise BadRequest(str(error)) from None
    call.node.work(lambda: call.node.broker.users.set_limits(user.name, limits))
    await call.node.safe()
    return no_content()


async def delete_of_user(call: Call) -> Answer:
    """DELETE /user-limits/{user}/{name}: there need not be one."""
    user = _user(call)
    if user is None:
        raise NotFound()
    limits = {name: value for name, value in user.limits.items() if name != call.path["name"]}
    call.node.work(lambda: call.node.broker.users.set_limits(user.name, limits))
    await call.node.safe()
    return no_content()


def _user(call: Call) -> User | None:
    return call.node.broker.users.get(call.path["user"])


_VALUE: Final = record("value", value=WHOLE)
_OF_VHOST: Final = record("", vhost=TEXT, value={"type": "object"})
_OF_USER: Final = record("", user=TEXT, value={"type": "object"})
_NO_VHOST: Final = "there is no such vhost"
_NO_USER: Final = "there is no such user"

TABLE: Final = (
    Endpoint(
        "GET",
        "/vhost-limits",
        MANAGEMENT,
        list_of_vhosts,
        "What limits vhosts",
        {200: page_of(_OF_VHOST)},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        "/vhost-limits/{vhost}",
        MANAGEMENT,
        list_of_vhost,
        "What limits a vhost",
        {200: page_of(_OF_VHOST), 404: _NO_VHOST},
        query=LIST_QUERY,
    ),
    Endpoint(
        "PUT",
        "/vhost-limits/{vhost}/{name}",
        ADMINISTRATOR,
        put_of_vhost,
        "Limit a vhost: max-connections or max-queues",
        {204: "set", 400: "no such limit, or no number", 404: _NO_VHOST},
        body=_VALUE,
    ),
    Endpoint(
        "DELETE",
        "/vhost-limits/{vhost}/{name}",
        ADMINISTRATOR,
        delete_of_vhost,
        "Limit a vhost no longer",
        {204: "cleared", 404: _NO_VHOST},
    ),
    Endpoint(
        "GET",
        "/user-limits",
        MANAGEMENT,
        list_of_users,
        "What limits users",
        {200: page_of(_OF_USER)},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        "/user-limits/{user}",
        MANAGEMENT,
        list_of_user,
        "What limits a user",
        {200: page_of(_OF_USER), 404: _NO_USER},
        query=LIST_QUERY,
    ),
    Endpoint(
        "PUT",
        "/user-limits/{user}/{name}",
        ADMINISTRATOR,
        put_of_user,
        "Limit a user: max-connections or max-channels",
        {204: "set", 400: "no such user or limit, or no number"},
        body=_VALUE,
    ),
    Endpoint(
        "DELETE",
        "/user-limits/{user}/{name}",
        ADMINISTRATOR,
        delete_of_user,
        "Limit a user no longer",
        {204: "cleared", 404: _NO_USER},
    ),
)

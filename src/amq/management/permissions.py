"""What users may do in vhosts: /api/permissions and /api/topic-permissions."""

from typing import Any, Final

from amq.lang.pattern import PatternError, compile_pattern
from amq.management.answers import Answer, created, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, Endpoint
from amq.management.entities_json import required
from amq.management.entity_schemas import LIST_QUERY, TEXT, array_of, page_of, record
from amq.management.errors import BadRequest, NotFound
from amq.management.listing import listing
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.vhost import Vhost

NOBODY: Final = "vhost_or_user_not_found"


def permission_json(vhost: Vhost, user: str, permission: Permission) -> dict[str, Any]:
    """A user's permissions in a vhost."""
    return {
        "user": user,
        "vhost": vhost.name,
        "configure": permission.configure,
        "write": permission.write,
        "read": permission.read,
    }


def topic_permission_json(vhost: Vhost, user: str, permission: TopicPermission) -> dict[str, Any]:
    """A user's permissions on a topic exchange of a vhost."""
    return {
        "user": user,
        "vhost": vhost.name,
        "exchange": permission.exchange,
        "write": permission.write,
        "read": permission.read,
    }


# -- permissions --


async def list_all(call: Call) -> Answer:
    """GET /permissions."""
    found = [
        (vhost, user, permission)
        for vhost in call.node.broker.vhosts.values()
        for user, permission in vhost.permissions.all().items()
    ]
    return await listing(call, found, lambda one: permission_json(*one), sorts=("vhost", "user"))


async def show(call: Call) -> Answer:
    """GET /permissions/{vhost}/{user}."""
    permission = call.vhost.permissions.get(call.path["user"])
    if permission is None:
        raise NotFound()
    return ok(permission_json(call.vhost, call.path["user"], permission))


async def put(call: Call) -> Answer:
    """PUT /permissions/{vhost}/{user}."""
    body = call.json()
    vhost, user = _place(call)
    required(body, "configure", "write", "read")
    permission = Permission(*[pattern_in(body, key) for key in ("configure", "write", "read")])
    there = vhost.permissions.get(user) is not None
    call.node.work(lambda: vhost.permissions.set(user, permission))
    await call.node.safe()
    return no_content() if there else created()


async def delete(call: Call) -> Answer:
    """DELETE /permissions/{vhost}/{user}."""
    vhost, user = call.vhost, call.path["user"]
    if vhost.permissions.get(user) is None:
        raise NotFound()
    call.node.work(lambda: vhost.permissions.clear(user))
    await call.node.safe()
    return no_content()


# -- topic permissions --


async def list_topics(call: Call) -> Answer:
    """GET /topic-permissions."""
    found = [
        (vhost, user, permission)
        for vhost in call.node.broker.vhosts.values()
        for user, permission in vhost.permissions.all_topics()
    ]
    return await listing(call, found, lambda one: topic_permission_json(*one), sorts=("vhost", "user", "exchange"))


async def show_topics(call: Call) -> Answer:
    """GET /topic-permissions/{vhost}/{user}, and the same with an exchange: a list all the same."""
    found = topics_of(call)
    if not found:
        raise NotFound()
    user = call.path["user"]
    described = [topic_permission_json(call.vhost, user, permission) for permission in found]
    return ok(sorted(described, key=lambda one: str(one["exchange"])))


async def put_topic(call: Call) -> Answer:
    """PUT /topic-permissions/{vhost}/{user}."""
    body = call.json()
    vhost, user = _place(call)
    required(body, "exchange", "write", "read")
    exchange = text_in(body, "exchange")
    permission = TopicPermission(exchange, pattern_in(body, "write"), pattern_in(body, "read"))
    there = any(name == user for name, _ in vhost.permissions.all_topics())
    call.node.work(lambda: vhost.permissions.set_topic(user, permission))
    await call.node.safe()
    return no_content() if there else created()


async def delete_topics(call: Call) -> Answer:
    """DELETE /topic-permissions/{vhost}/{user}, on one exchange or on all."""
    vhost, user = call.vhost, call.path["user"]
    if not topics_of(call):
        raise NotFound()
    call.node.work(lambda: vhost.permissions.clear_topic(user, call.path.get("exchange")))
    await call.node.safe()
    return no_content()


def topics_of(call: Call) -> list[TopicPermission]:
    """The topic permissions that the path names."""
    wanted = call.path.get("exchange")
    return [
        permission
        for user, permission in call.vhost.permissions.all_topics()
        if user == call.path["user"] and wanted in (None, permission.exchange)
    ]


# -- what requests say --


def _place(call: Call) -> tuple[Vhost, str]:
    """Vhost and user of the path. Raises BadRequest."""
    broker, user = call.node.broker, call.path["user"]
    vhost = broker.vhosts.get(call.path["vhost"])
    if vhost is None or user not in broker.users:
        raise BadRequest(NOBODY)
    return vhost, user


def text_in(body: dict[str, Any], key: str) -> str:
    """Text under a key that is there. Raises BadRequest."""
    value = body[key]
    if not isinstance(value, str):
        raise BadRequest(["not_string", key])
    return value


def pattern_in(body: dict[str, Any], key: str) -> str:
    """A regular expression under a key that is there. Raises BadRequest."""
    pattern = text_in(body, key)
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise BadRequest(["invalid_regexp", pattern, [error.problem, error.position]]) from None
    return pattern


PERMISSION: Final = record("", user=TEXT, vhost=TEXT, configure=TEXT, write=TEXT, read=TEXT)
TOPIC_PERMISSION: Final = record("", user=TEXT, vhost=TEXT, exchange=TEXT, write=TEXT, read=TEXT)
_PATTERNS: Final = record("configure write read", configure=TEXT, write=TEXT, read=TEXT)
_TOPIC_PATTERNS: Final = record("exchange write read", exchange=TEXT, write=TEXT, read=TEXT)
_ONE: Final = "/permissions/{vhost}/{user}"
_TOPICS: Final = "/topic-permissions/{vhost}/{user}"
_TOPIC: Final = f"{_TOPICS}/{{exchange}}"
_SET: Final = {201: "set for the first time", 204: "replaced", 400: "no such vhost or user, or no regular expression"}
_GONE: Final = "there are none"

TABLE: Final = (
    Endpoint(
        "GET",
        "/permissions",
        ADMINISTRATOR,
        list_all,
        "What users may do",
        {200: page_of(PERMISSION)},
        query=LIST_QUERY,
    ),
    Endpoint("GET", _ONE, ADMINISTRATOR, show, "What a user may do in a vhost", {200: PERMISSION, 404: _GONE}),
    Endpoint("PUT", _ONE, ADMINISTRATOR, put, "Let a user do something in a vhost", _SET, body=_PATTERNS, vhost=False),
    Endpoint("DELETE", _ONE, ADMINISTRATOR, delete, "Let a user do nothing in a vhost", {204: "cleared", 404: _GONE}),
    Endpoint(
        "GET",
        "/topic-permissions",
        ADMINISTRATOR,
        list_topics,
        "What users may do on topic exchanges",
        {200: page_of(TOPIC_PERMISSION)},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        _TOPICS,
        ADMINISTRATOR,
        show_topics,
        "What a user may do on topic exchanges of a vhost",
        {200: array_of(TOPIC_PERMISSION), 404: _GONE},
    ),
    Endpoint(
        "PUT",
        _TOPICS,
        ADMINISTRATOR,
        put_topic,
        "Bound what a user may do on a topic exchange",
        _SET,
        body=_TOPIC_PATTERNS,
        vhost=False,
    ),
    Endpoint(
        "DELETE",
        _TOPICS,
        ADMINISTRATOR,
        delete_topics,
        "Bound a user on topic exchanges of a vhost no longer",
        {204: "cleared", 404: _GONE},
    ),
    Endpoint(
        "GET",
        _TOPIC,
        ADMINISTRATOR,
        show_topics,
        "What a user may do on one topic exchange",
        {200: array_of(TOPIC_PERMISSION), 404: _GONE},
    ),
    Endpoint(
        "DELETE",
        _TOPIC,
        ADMINISTRATOR,
        delete_topics,
        "Bound a user on one topic exchange no longer",
        {204: "cleared", 404: _GONE},
    ),
)

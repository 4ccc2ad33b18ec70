"""How often logins were tried, and the hash of a password: /auth/attempts, /auth/hash_password."""

from typing import Any, Final

from amq.auth import proving
from amq.auth.attempts import Attempts, Tally
from amq.management.answers import Answer, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MONITORING, TEXT, Endpoint, Schema
from amq.management.errors import BadRequest, NotFound

COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
COUNTS: Final = {"auth_attempts": COUNT, "auth_attempts_failed": COUNT, "auth_attempts_succeeded": COUNT}
BY_PROTOCOL: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"protocol": TEXT, **COUNTS},
        "required": ["protocol", *COUNTS],
    },
}
BY_SOURCE: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"remote_address": TEXT, "username": TEXT, "protocol": TEXT, **COUNTS},
        "required": ["remote_address", "username", "protocol", *COUNTS],
    },
}
HASH: Final[Schema] = {"type": "object", "properties": {"ok": TEXT}, "required": ["ok"]}
NO_NODE: Final = "There is no such node"


async def by_protocol(call: Call) -> Answer:
    """GET /auth/attempts/{node}."""
    found = _attempts(call).by_protocol
    return ok([{"protocol": protocol, **counts(tally)} for protocol, tally in found.items()])


async def by_source(call: Call) -> Answer:
    """GET /auth/attempts/{node}/source."""
    found = _attempts(call).by_source
    return ok(
        [
            {"remote_address": address, "username": name, "protocol": protocol, **counts(tally)}
            for (address, name, protocol), tally in found.items()
        ]
    )


async def forget(call: Call) -> Answer:
    """DELETE of either: count from 0 again."""
    _attempts(call).clear()
    return no_content()


async def hash_password(call: Call) -> Answer:
    """GET /auth/hash_password/{password}."""
    try:
        return ok({"ok": await proving.hashed(call.path["password"], call.node.broker.users.algorithm)})
    except ValueError as error:
        raise BadRequest(str(error)) from None


def counts(tally: Tally) -> dict[str, Any]:
    """A tally as RabbitMQ shows it."""
    return {
        "auth_attempts": tally.attempts,
        "auth_attempts_failed": tally.failed,
        "auth_attempts_succeeded": tally.succeeded,
    }


def _attempts(call: Call) -> Attempts:
    if call.path["node"] != call.node.name:
        raise NotFound()
    return call.node.broker.logins.attempts


TABLE: Final = (
    Endpoint(
        "GET",
        "/auth/attempts/{node}",
        MONITORING,
        by_protocol,
        "Logins that were tried, by protocol",
        {200: BY_PROTOCOL, 404: NO_NODE},
    ),
    Endpoint(
        "DELETE",
        "/auth/attempts/{node}",
        MONITORING,
        forget,
        "Count logins from 0 again",
        {204: "Forgotten", 404: NO_NODE},
    ),
    Endpoint(
        "GET",
        "/auth/attempts/{node}/source",
        MONITORING,
        by_source,
        "Logins that were tried, by remote address, user and protocol",
        {200: BY_SOURCE, 404: NO_NODE},
    ),
    Endpoint(
        "DELETE",
        "/auth/attempts/{node}/source",
        MONITORING,
        forget,
        "Count logins from 0 again",
        {204: "Forgotten", 404: NO_NODE},
    ),
    Endpoint(
        "GET",
        "/auth/hash_password/{password}",
        ADMINISTRATOR,
        hash_password,
        "The hash of a password, for definitions and users",
        {200: HASH, 400: "The algorithm that is configured is not installed"},
    ),
)

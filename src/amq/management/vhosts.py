"""Vhosts: /api/vhosts, and what belongs to one."""

from typing import Any, Final

import trio

from amq.broker import Broker
from amq.definitions.seeding import SeedingError, new_vhost
from amq.definitions.steps import Steps
from amq.management.answers import Answer, created, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MANAGEMENT, MONITORING, Endpoint
from amq.management.entities_json import checked_name, flag_in, octets_in
from amq.management.entity_schemas import LIST_QUERY, STATS_QUERY, TEXT, TRUTH, page_of, record
from amq.management.entity_schemas import TABLE as OBJECT
from amq.management.errors import ApiError, BadRequest
from amq.management.listing import listing
from amq.management.permissions import PERMISSION, TOPIC_PERMISSION, permission_json, topic_permission_json
from amq.management.slicing import in_slices
from amq.management.windows import stats_disabled, windows
from amq.metrics import stats
from amq.metrics.ranges import Ranges
from amq.vhost import metadata, topology, tracing
from amq.vhost.permission import Permission
from amq.vhost.vhost import Vhost

# What a user may do in a vhost that it has made.
EVERYTHING: Final = Permission(".*", ".*", ".*")


def vhost_json(call: Call, vhost: Vhost, ranges: Ranges | None) -> dict[str, Any]:
    """A vhost as the API shows it; without `ranges`, without figures."""
    described = metadata_json(vhost)
    shown: dict[str, Any] = {
        "name": vhost.name,
        "default_queue_type": metadata.NO_QUEUE_TYPE,
        **described,
        "metadata": described,
        "tracing": vhost.tracing,
        "cluster_state": {call.node.name: "running"},
    }
    if ranges is not None and call.node.sampler is not None:
        shown |= _figures(call, vhost, ranges)
    return shown


def metadata_json(vhost: Vhost) -> dict[str, Any]:
    """What an operator has said about a vhost."""
    shown: dict[str, Any] = {"description": vhost.description, "tags": list(vhost.tags)}
    if vhost.default_queue_type is not None:
        shown["default_queue_type"] = vhost.default_queue_type
    if vhost.protected_from_deletion:
        shown["protected_from_deletion"] = True
    return shown


def _figures(call: Call, vhost: Vhost, ranges: Ranges) -> dict[str, Any]:
    """What has happened in it; nothing for one in which nothing has."""
    sampler = call.node.sampler
    counts = stats.message_stats(sampler, vhost, ranges)
    found: dict[str, Any] = {}
    if vhost.queues or counts:
        found |= stats.queue_totals(sampler, vhost, ranges)
    if counts:
        found["message_stats"] = counts
    traffic = stats.octets(sampler, vhost, ranges)
    if traffic.get("recv_oct"):
        found |= traffic
    return found


async def list_all(call: Call) -> Answer:
    """GET /vhosts."""
    everything = call.has_role(MONITORING)
    vhosts = call.node.broker.vhosts.values() if everything else call.vhosts()
    ranges = None if stats_disabled(call) else windows(call)
    return await listing(
        call,
        sorted(vhosts, key=lambda vhost: vhost.name),
        lambda vhost: vhost_json(call, vhost, ranges),
        name=lambda vhost: vhost.name,
        sorts=("name",),
    )


async def show(call: Call) -> Answer:
    """GET /vhosts/{vhost}."""
    return ok(vhost_json(call, call.vhost, None if stats_disabled(call) else windows(call)))


async def put(call: Call) -> Answer:
    """PUT /vhosts/{vhost}. What the body does not say is reset, but for tracing."""
    body = call.json()
    name = call.path["vhost"]
    checked_name(octets_in(name), "virtual host name")
    described = (_text(body, "description") or "", tags_in(body), _queue_type(body))
    traced = flag_in(body, "tracing") if "tracing" in body else None
    there = name in call.node.broker.vhosts
    try:
        call.node.work(lambda: _describe(call, name, described, traced))
    except (SeedingError, metadata.MetadataError) as error:
        raise BadRequest(str(error)) from None
    await call.node.safe()
    return no_content() if there else created()


def _describe(call: Call, name: str, described: tuple[str, tuple[str, ...], str | None], traced: bool | None) -> None:
    broker = call.node.broker
    metadata.check_queue_type(described[2])
    vhost = broker.vhosts.get(name)
    if vhost is None:
        vhost = new_vhost(broker, name)
        if not call.local:
            vhost.permissions.set(call.user.name, EVERYTHING)
    metadata.describe(vhost, *described)
    if traced is not None:
        tracing.switch(vhost, traced)


def _text(body: dict[str, Any], key: str) -> str | None:
    value = body.get(key)
    if value is None or isinstance(value, str):
        return value
    raise BadRequest(["not_string", key])


def _queue_type(body: dict[str, Any]) -> str | None:
    return _text(body, "default_queue_type" if "default_queue_type" in body else "defaultqueuetype")


def tags_in(body: dict[str, Any]) -> tuple[str, ...]:
    """The tags in a body: a list, or one text with commas. Raises BadRequest."""
    value = body.get("tags", [])
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadRequest("tags must be a list of texts, or one text with commas")
    # Each once, in this order.
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


async def delete(call: Call) -> Answer:
    """DELETE /vhosts/{vhost}."""
    vhost = call.vhost
    if vhost.protected_from_deletion:
        problem = f"Refusing to delete virtual host '{vhost.name}' because it is protected from deletion"
        raise ApiError(412, "precondition_failed", problem)
    # Whoever asked for it may go away in the middle.
    with trio.CancelScope(shield=True):
        await in_slices(call.node, _deleting(call.node.broker, vhost))
        await call.node.safe()
    return no_content()


def _deleting(broker: Broker, vhost: Vhost) -> Steps[None]:
    """Delete a vhost: what takes long first, one queue after the other, and all that is left of it at once."""
    for client in list(broker.clients):
        if client.vhost_name() == vhost.name:
            client.force_close(f"vhost '{vhost.name}' is deleted")
    for queue in list(vhost.queues.values()):
        topology.delete_queue(vhost, queue)
        yield
    if broker.vhosts.get(vhost.name) is vhost:
        broker.delete_vhost(vhost.name)


async def start(call: Call) -> Answer:
    """POST /vhosts/{vhost}/start/{node}. A vhost that exists runs."""
    name, node = call.path["vhost"], call.path["node"]
    if node != call.node.name:
        raise BadRequest(f"Request to node {node} failed with nodedown")
    if name not in call.node.broker.vhosts:
        raise BadRequest(f'Request to node {node} failed with {{no_such_vhost,<<"{name}">>}}')
    return no_content()


async def protect(call: Call) -> Answer:
    """POST /vhosts/{vhost}/deletion/protection."""
    return await _protect(call, True)


async def unprotect(call: Call) -> Answer:
    """DELETE /vhosts/{vhost}/deletion/protection."""
    return await _protect(call, False)


async def _protect(call: Call, protected: bool) -> Answer:
    vhost = call.vhost
    call.node.work(lambda: metadata.protect(vhost, protected))
    await call.node.safe()
    return no_content()


async def permissions(call: Call) -> Answer:
    """GET /vhosts/{vhost}/permissions."""
    vhost = call.vhost
    found = sorted(vhost.permissions.all().items())
    return await listing(call, found, lambda one: permission_json(vhost, *one), sorts=("user",))


async def topic_permissions(call: Call) -> Answer:
    """GET /vhosts/{vhost}/topic-permissions."""
    vhost = call.vhost
    found = vhost.permissions.all_topics()
    return await listing(call, found, lambda one: topic_permission_json(vhost, *one), sorts=("user", "exchange"))


VHOST: Final = record("", name=TEXT, description=TEXT, default_queue_type=TEXT, metadata=OBJECT, tracing=TRUTH)
BODY: Final = record(
    "",
    description={"type": ["string", "null"]},
    tags={"type": ["array", "string"], "items": TEXT},
    tracing={"enum": [True, False, "true", "false"]},
    default_queue_type={"type": ["string", "null"]},
)
_ONE: Final = "/vhosts/{vhost}"
_GONE: Final = "there is no such vhost"

TABLE: Final = (
    Endpoint("GET", "/vhosts", MANAGEMENT, list_all, "All vhosts", {200: page_of(VHOST)}, query=LIST_QUERY),
    Endpoint("GET", _ONE, ADMINISTRATOR, show, "One vhost", {200: VHOST, 404: _GONE}, query=STATS_QUERY),
    Endpoint(
        "PUT",
        _ONE,
        ADMINISTRATOR,
        put,
        "Make a vhost, or describe it anew",
        {201: "made", 204: "there was one of that name", 400: "it cannot be so"},
        body=BODY,
        vhost=False,
    ),
    Endpoint(
        "DELETE",
        _ONE,
        ADMINISTRATOR,
        delete,
        "Delete a vhost with all that is in it",
        {204: "deleted", 404: _GONE, 412: "it is protected from deletion"},
    ),
    Endpoint(
        "POST",
        f"{_ONE}/start/{{node}}",
        ADMINISTRATOR,
        start,
        "Start a vhost on a node",
        {204: "it runs", 400: "there is no such node or vhost"},
        vhost=False,
    ),
    Endpoint(
        "POST",
        f"{_ONE}/deletion/protection",
        ADMINISTRATOR,
        protect,
        "Protect a vhost from deletion",
        {204: "protected", 404: _GONE},
    ),
    Endpoint(
        "DELETE",
        f"{_ONE}/deletion/protection",
        ADMINISTRATOR,
        unprotect,
        "Let a vhost be deleted again",
        {204: "no longer protected", 404: _GONE},
    ),
    Endpoint(
        "GET",
        f"{_ONE}/permissions",
        ADMINISTRATOR,
        permissions,
        "What users may do in a vhost",
        {200: page_of(PERMISSION), 404: _GONE},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        f"{_ONE}/topic-permissions",
        ADMINISTRATOR,
        topic_permissions,
        "What users may do on topic exchanges of a vhost",
        {200: page_of(TOPIC_PERMISSION), 404: _GONE},
        query=LIST_QUERY,
    ),
)

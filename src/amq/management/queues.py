"""Queues: /api/queues."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from amq.connection import entities
from amq.management.answers import Answer, created, no_content, ok
from amq.management.bindings import arriving, bindings_listed
from amq.management.call import Call
from amq.management.connection_json import consumer_json
from amq.management.endpoint import ADMINISTRATOR, MANAGEMENT, Endpoint, Parameter
from amq.management.entities_json import arguments_in, checked_name, flag_in, octets, required, text
from amq.management.entity_schemas import (
    ACTION,
    BINDING,
    DECLARED_QUEUE,
    LIST_QUERY,
    QUEUE,
    SORT_QUERY,
    STATS_QUERY,
    TOTALS_QUERY,
    array_of,
    page_of,
)
from amq.management.errors import BadRequest, NotFound
from amq.management.listing import item_with, listing
from amq.management.ordering import in_order
from amq.management.queue_json import (
    consumers_of_queue,
    queue_bare,
    queue_brief,
    queue_detailed,
    queue_full,
    queue_totals,
)
from amq.management.reasons import defining
from amq.management.turns import Turns
from amq.management.visible import listed_vhosts
from amq.management.windows import stats_disabled, totals_enabled, windows
from amq.queues.base import Queue
from amq.vhost.vhost import Vhost

Found = tuple[Vhost, Queue]
Describe = Callable[[Found], dict[str, Any]]


def queue_named(call: Call, missing: NotFound | None = None) -> Queue:
    """The queue that the path names. Raises NotFound."""
    queue = call.vhost.queues.get(octets(call.path["queue"]))
    if queue is None:
        raise missing or NotFound()
    return queue


# -- looking --


async def list_all(call: Call) -> Answer:
    """GET /queues."""
    return await _listed(call, listed_vhosts(call), "columns" in call.query)


async def list_detailed(call: Call) -> Answer:
    """GET /queues/detailed."""
    return await _listed(call, listed_vhosts(call), True)


async def list_of_vhost(call: Call) -> Answer:
    """GET /queues/{vhost}."""
    return await _listed(call, [call.vhost], "columns" in call.query)


async def _listed(call: Call, vhosts: Iterable[Vhost], detailed: bool) -> Answer:
    turns = Turns()
    found: list[Found] = []
    for vhost in vhosts:
        # A hundred thousand at once would take 20 ms.
        found += [(vhost, queue) async for queue in turns.each(await in_order(vhost.queues, turns))]
    return await listing(call, found, _describer(call, detailed), name=_name, values=_VALUES)


def _name(found: Found) -> str:
    return text(found[1].name)


# What is told about ten thousand queues without describing each of them.
_VALUES: Final[Mapping[str, Callable[[Found], Any]]] = {
    "name": _name,
    "consumers": lambda found: found[1].consumer_count(),
    "messages": lambda found: found[1].ready_count() + found[1].unacked,
    "messages_ready": lambda found: found[1].ready_count(),
    "messages_unacknowledged": lambda found: found[1].unacked,
    "message_bytes_ready": lambda found: found[1].size,
}


def _describer(call: Call, detailed: bool) -> Describe:
    node = call.node
    if stats_disabled(call):
        brief = queue_totals if totals_enabled(call) else queue_bare
        return lambda found: brief(node, found[0], found[1])
    ranges = windows(call, "invalid_range_parameters")
    full = queue_detailed if detailed else queue_brief
    return lambda found: full(node, found[0], found[1], ranges)


async def show(call: Call) -> Answer:
    """GET /queues/{vhost}/{queue}."""
    queue = queue_named(call)
    if stats_disabled(call):
        return ok((queue_totals if totals_enabled(call) else queue_bare)(call.node, call.vhost, queue))
    node, vhost = call.node, call.vhost
    described = queue_full(node, vhost, queue, windows(call))
    consumers = consumers_of_queue(queue)
    return await item_with(
        call, described, "consumer_details", consumers, lambda each: consumer_json(node, vhost, each)
    )


async def bindings(call: Call) -> Answer:
    """GET /queues/{vhost}/{queue}/bindings."""
    queue = call.vhost.queues.get(octets(call.path["queue"]))
    return await bindings_listed(call, arriving(call.vhost, queue) if queue is not None else ())


# -- changing --


async def put(call: Call) -> Answer:
    """PUT /queues/{vhost}/{queue}. What it declares belongs to no connection, so it is never exclusive."""
    body = call.json()
    check_node(call, body)
    vhost = call.vhost
    name = checked_name(octets(call.path["queue"]), "queue")
    passive, durable, auto_delete = [flag_in(body, key) for key in ("passive", "durable", "auto_delete")]
    meant = [0, name, passive, durable, False, auto_delete, True, arguments_in(body)]
    there = name in vhost.queues
    with defining():
        call.node.work(lambda: entities.queue_declare(call.channel(vhost), meant))
    await call.node.safe()
    return no_content() if there else created()


def check_node(call: Call, body: dict[str, Any]) -> None:
    """Raise BadRequest when a request means another node than this one."""
    node = body.get("node", call.node.name)
    if not isinstance(node, str) or node not in (call.node.name, call.node.name.partition("@")[0]):
        raise BadRequest(f"Node {node} could not be contacted")


async def delete(call: Call) -> Answer:
    """DELETE /queues/{vhost}/{queue}."""
    vhost = call.vhost
    conditions = [call.query.get(condition) == "true" for condition in ("if-unused", "if-empty")]
    meant = [0, queue_named(call).name, *conditions, True]
    with defining():
        call.node.work(lambda: entities.queue_delete(call.channel(vhost), meant))
    await call.node.safe()
    return no_content()


async def purge(call: Call) -> Answer:
    """DELETE /queues/{vhost}/{queue}/contents."""
    vhost = call.vhost
    name = queue_named(call).name
    with defining():
        call.node.work(lambda: entities.queue_purge(call.channel(vhost), [0, name, True]))
    await call.node.safe()
    return no_content()


async def act(call: Call) -> Answer:
    """POST /queues/{vhost}/{queue}/actions: about mirrors, of which a queue of a single node has none to wait for."""
    queue_named(call, NotFound("queue_not_found", "not_found"))
    body = call.json()
    required(body, "action")
    if body["action"] not in ("sync", "cancel_sync"):
        raise BadRequest(["unknown", body["action"]])
    return no_content()


_ONE: Final = "/queues/{vhost}/{queue}"
_LIST: Final = {200: page_of(QUEUE)}
_GONE: Final = "there is no such queue"
_QUERY: Final = (*LIST_QUERY, TOTALS_QUERY)
_CONDITIONS: Final = (
    Parameter("if-unused", "`true`: only if it has no consumers"),
    Parameter("if-empty", "`true`: only if no messages are ready in it"),
)

TABLE: Final = (
    Endpoint("GET", "/queues", MANAGEMENT, list_all, "All queues", _LIST, query=_QUERY),
    Endpoint("GET", "/queues/detailed", MANAGEMENT, list_detailed, "All queues with all fields", _LIST, query=_QUERY),
    Endpoint("GET", "/queues/{vhost}", MANAGEMENT, list_of_vhost, "The queues of a vhost", _LIST, query=_QUERY),
    Endpoint(
        "GET",
        _ONE,
        MANAGEMENT,
        show,
        "One queue with its consumers",
        {200: QUEUE, 404: _GONE},
        query=(*STATS_QUERY, TOTALS_QUERY),
    ),
    Endpoint(
        "PUT",
        _ONE,
        MANAGEMENT,
        put,
        "Declare a queue",
        {201: "declared", 204: "it was there already", 400: "it is there, but different, or cannot be so"},
        DECLARED_QUEUE,
    ),
    Endpoint(
        "DELETE",
        _ONE,
        MANAGEMENT,
        delete,
        "Delete a queue",
        {204: "deleted", 400: "it is in use or not empty, or another connection's own", 404: _GONE},
        query=_CONDITIONS,
    ),
    Endpoint(
        "GET",
        _ONE + "/bindings",
        MANAGEMENT,
        bindings,
        "The bindings to a queue",
        {200: array_of(BINDING)},
        query=SORT_QUERY,
    ),
    Endpoint(
        "DELETE",
        _ONE + "/contents",
        MANAGEMENT,
        purge,
        "Drop all ready messages of a queue",
        {204: "purged", 400: "it is another connection's own", 404: _GONE},
    ),
    Endpoint(
        "POST",
        _ONE + "/actions",
        ADMINISTRATOR,
        act,
        "Ask for synchronisation of mirrors",
        {204: "there is nothing to synchronise", 400: "an action that does not exist", 404: _GONE},
        ACTION,
    ),
)

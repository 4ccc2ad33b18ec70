"""What RabbitMQ has for clusters, as a cluster of one node answers: its name, and replicas of which there are none."""

from typing import Final

from amq.management.answers import Answer, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MANAGEMENT, TEXT, Endpoint, Schema
from amq.management.errors import BadRequest, NotFound
from amq.vhost import parameters
from amq.vhost.parameters import ParameterError

PARAMETER: Final = "cluster_name"
# What RabbitMQ says where replicas are asked for of a queue that can have none.
NOT_SUPPORTED: Final = "classic_queue_not_supported"

NAME: Final[Schema] = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
REPLICA: Final[Schema] = {"type": "object", "properties": {"node": TEXT}}
GROWTH: Final[Schema] = {
    "type": "object",
    "properties": {"vhost_pattern": TEXT, "queue_pattern": TEXT, "strategy": {"enum": ["all", "even"]}},
}


async def name(call: Call) -> Answer:
    """GET /cluster-name."""
    return ok({"name": call.node.broker.cluster_name()})


async def rename(call: Call) -> Answer:
    """PUT /cluster-name."""
    broker = call.node.broker
    given = call.json().get("name")
    if given is None:
        raise BadRequest("[{key_missing,name}]")
    if not isinstance(given, str):
        raise BadRequest("name must be text")
    try:
        call.node.work(lambda: parameters.set_global(broker.journal, broker.global_parameters, PARAMETER, given))
    except ParameterError as error:
        raise BadRequest(str(error)) from None
    await call.node.safe()
    return no_content()


async def rebalance(_call: Call) -> Answer:
    """POST /rebalance/queues: the one node leads every queue already."""
    return no_content()


async def reset(call: Call) -> Answer:
    """DELETE /reset[/{node}]: forget the samples that rates and charts are made of."""
    if call.path.get("node", call.node.name) != call.node.name:
        raise NotFound()
    call.node.sampler.reset()
    return no_content()


async def replicas(call: Call) -> Answer:
    """Anything about the replicas of one queue. Raises BadRequest: no queue here can have any."""
    if call.path["queue"].encode("utf-8", "surrogateescape") not in call.vhost.queues:
        raise NotFound()
    call.json()
    raise BadRequest(NOT_SUPPORTED)


async def all_replicas(call: Call) -> Answer:
    """Let every queue have, or not have, a replica on a node: there are none that could."""
    if call.path["node"] != call.node.name:
        raise NotFound()
    call.json()
    return no_content()


NO_REPLICAS: Final = {400: "No queue here can have replicas", 404: "There is no such queue"}
QUORUM: Final = "/queues/quorum/{vhost}/{queue}"

TABLE: Final = (
    Endpoint("GET", "/cluster-name", MANAGEMENT, name, "What the cluster is called", {200: NAME}),
    Endpoint(
        "PUT", "/cluster-name", ADMINISTRATOR, rename, "Rename the cluster", {204: "Renamed", 400: "No name"}, NAME
    ),
    Endpoint(
        "POST",
        "/rebalance/queues",
        ADMINISTRATOR,
        rebalance,
        "Spread the leaders of queues over the nodes, of which there is one",
        {204: "Nothing was to be moved"},
    ),
    Endpoint("DELETE", "/reset", ADMINISTRATOR, reset, "Forget the samples of rates and charts", {204: "Forgotten"}),
    Endpoint(
        "DELETE",
        "/reset/{node}",
        ADMINISTRATOR,
        reset,
        "Forget the samples of one node",
        {204: "Forgotten", 404: "There is no such node"},
    ),
    Endpoint("GET", f"{QUORUM}/status", MANAGEMENT, replicas, "The replicas of a quorum queue", NO_REPLICAS),
    Endpoint(
        "POST", f"{QUORUM}/replicas/add", ADMINISTRATOR, replicas, "Add a replica of a queue", NO_REPLICAS, REPLICA
    ),
    Endpoint(
        "DELETE",
        f"{QUORUM}/replicas/delete",
        ADMINISTRATOR,
        replicas,
        "Remove a replica of a queue",
        NO_REPLICAS,
        REPLICA,
    ),
    Endpoint(
        "POST",
        "/queues/quorum/replicas/on/{node}/grow",
        ADMINISTRATOR,
        all_replicas,
        "Add replicas of quorum queues, of which there are none, on a node",
        {204: "Nothing was to be done", 404: "There is no such node"},
        GROWTH,
    ),
    Endpoint(
        "DELETE",
        "/queues/quorum/replicas/on/{node}/shrink",
        ADMINISTRATOR,
        all_replicas,
        "Remove all replicas of quorum queues, of which there are none, from a node",
        {204: "Nothing was to be done", 404: "There is no such node"},
    ),
)

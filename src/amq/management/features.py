"""Which of RabbitMQ's features there are: /feature-flags, /deprecated-features, /extensions.

amq has no flags of its own: what RabbitMQ 3.13 lists as stable is always enabled here, for tools that ask.
"""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Any, Final

from amq.management.answers import Answer, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MANAGEMENT, TEXT, Endpoint, Schema
from amq.management.errors import BadRequest
from amq.management.turns import Turns
from amq.vhost.policy import Policy

# Name -> what it means; all of them stable and enabled.
FLAGS: Final = {
    "classic_mirrored_queue_version": "Versions of classic mirrored queues can be chosen",
    "classic_queue_type_delivery_support": "Deliveries of classic queues carry their queue's type",
    "detailed_queues_endpoint": "/api/queues/detailed",
    "direct_exchange_routing_v2": "Direct exchanges route by an index",
    "drop_unroutable_metric": "Unroutable messages that were dropped are counted",
    "empty_basic_get_metric": "basic.get on an empty queue is counted",
    "feature_flags_v2": "Feature flags of the second kind",
    "implicit_default_bindings": "Bindings to the default exchange are not stored",
    "listener_records_in_ets": "Listeners are kept in memory",
    "maintenance_mode_status": "Nodes can be in maintenance",
    "message_containers": "Messages keep their properties through every protocol",
    "message_containers_deaths_v2": "Dead letters keep the order of their deaths",
    "quorum_queue": "The queue type quorum is known",
    "quorum_queue_non_voters": "Replicas of quorum queues may join without a vote",
    "restart_streams": "Streams can be restarted",
    "stream_filtering": "Streams can be filtered",
    "stream_queue": "The queue type stream is known",
    "stream_sac_coordinator_unblock_group": "Groups of single active consumers recover",
    "stream_single_active_consumer": "Streams can have a single active consumer",
    "stream_update_config_command": "Policies of streams take effect at once",
    "tracking_records_in_ets": "Connections are tracked in memory",
    "user_limits": "Users have limits",
    "virtual_host_metadata": "Virtual hosts have a description and tags",
}
PERMITTED: Final = "permitted_by_default"
DEPRECATED: Final = {
    "classic_queue_mirroring": "Classic queues that are mirrored by policies (ha-mode)",
    "global_qos": "basic.qos with global = true, for all consumers of a channel together",
    "management_metrics_collection": "Rates and charts that the management API makes itself",
    "ram_node_type": "Nodes that keep definitions in memory alone",
    "transient_nonexcl_queues": "Queues that are neither durable nor exclusive",
}

FLAG: Final[Schema] = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "desc": TEXT,
        "doc_url": TEXT,
        "state": {"enum": ["enabled", "disabled", "unavailable"]},
        "stability": {"enum": ["stable", "experimental", "required"]},
        "provided_by": TEXT,
    },
    "required": ["name", "state", "stability"],
}
FEATURE: Final[Schema] = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "desc": TEXT,
        "deprecation_phase": TEXT,
        "doc_url": TEXT,
        "state": {"enum": ["permitted", "denied"]},
        "provided_by": TEXT,
    },
    "required": ["name", "deprecation_phase", "state"],
}


async def flags(_call: Call) -> Answer:
    """GET /feature-flags."""
    return ok(
        [
            {
                "name": name,
                "desc": meaning,
                "doc_url": "",
                "state": "enabled",
                "stability": "stable",
                "provided_by": "rabbit",
            }
            for name, meaning in FLAGS.items()
        ]
    )


async def enable(call: Call) -> Answer:
    """PUT /feature-flags/{name}/enable: each is enabled already. Raises BadRequest for one that is not known."""
    if call.path["name"] not in FLAGS:
        raise BadRequest("unsupported")
    return no_content()


async def deprecated(_call: Call) -> Answer:
    """GET /deprecated-features."""
    return ok([_deprecated(name) for name in DEPRECATED])


async def deprecated_and_used(call: Call) -> Answer:
    """GET /deprecated-features/used."""
    used = set()
    if not call.node.broker.settings.management.disable_stats:
        used.add("management_metrics_collection")
    if any(_mirrors(vhost.policies.all()) for vhost in call.node.broker.vhosts.values()):
        used.add("classic_queue_mirroring")
    if await _transient_queues(call):
        used.add("transient_nonexcl_queues")
    return ok([_deprecated(name) for name in DEPRECATED if name in used])


async def extensions(_call: Call) -> Answer:
    """GET /extensions: scripts that plugins add to RabbitMQ's console."""
    return ok([])


def _deprecated(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "desc": DEPRECATED[name],
        "deprecation_phase": PERMITTED,
        "doc_url": "",
        "state": "permitted",
        "provided_by": "rabbit",
    }


def _mirrors(policies: Iterable[Policy]) -> bool:
    return any(key.startswith("ha-") for policy in policies for key in policy.definition)


async def _transient_queues(call: Call) -> bool:
    turns = Turns()
    for vhost in list(call.node.broker.vhosts.values()):
        async with aclosing(turns.each(list(vhost.queues.values()))) as queues:
            async for queue in queues:
                if not (queue.durable or queue.exclusive):
                    return True
    return False


TABLE: Final = (
    Endpoint(
        "GET",
        "/feature-flags",
        ADMINISTRATOR,
        flags,
        "RabbitMQ's feature flags, all of which are enabled",
        {200: {"type": "array", "items": FLAG}},
    ),
    Endpoint(
        "PUT",
        "/feature-flags/{name}/enable",
        ADMINISTRATOR,
        enable,
        "Enable a feature flag",
        {204: "It is enabled", 400: "There is no such flag"},
    ),
    Endpoint(
        "GET",
        "/deprecated-features",
        ADMINISTRATOR,
        deprecated,
        "Features that RabbitMQ will take away",
        {200: {"type": "array", "items": FEATURE}},
    ),
    Endpoint(
        "GET",
        "/deprecated-features/used",
        ADMINISTRATOR,
        deprecated_and_used,
        "Those of them that are in use",
        {200: {"type": "array", "items": FEATURE}},
    ),
    Endpoint(
        "GET",
        "/extensions",
        MANAGEMENT,
        extensions,
        "Extensions of the console, of which there are none",
        {200: {"type": "array", "items": {"type": "object"}}},
    ),
)

"""What `amq list` can list: where each is in the HTTP API, and which columns are shown unless others are asked for."""

from typing import Final

import attrs


@attrs.frozen
class Resource:
    """`where` is its path below /api; `in_vhosts`, whether a vhost's name after it selects those of one vhost."""

    name: str
    where: str
    columns: tuple[str, ...]
    in_vhosts: bool = False


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RESOURCES: Final = (
    Resource(
        "queues",
        "queues",
        _columns("vhost name type state messages messages_ready messages_unacknowledged consumers policy"),
        in_vhosts=True,
    ),
    Resource("exchanges", "exchanges", _columns("vhost name type durable auto_delete internal policy"), in_vhosts=True),
    Resource(
        "bindings",
        "bindings",
        _columns("vhost source destination_type destination routing_key arguments"),
        in_vhosts=True,
    ),
    Resource("connections", "connections", _columns("name user vhost state channels protocol ssl")),
    Resource(
        "channels",
        "channels",
        _columns("name user vhost state consumer_count messages_unacknowledged prefetch_count confirm"),
    ),
    Resource(
        "consumers",
        "consumers",
        _columns("queue.vhost queue.name consumer_tag channel_details.name ack_required prefetch_count active"),
        in_vhosts=True,
    ),
    Resource("users", "users", _columns("name tags")),
    Resource("vhosts", "vhosts", _columns("name description tags messages tracing")),
    Resource("permissions", "permissions", _columns("vhost user configure write read")),
    Resource("topic-permissions", "topic-permissions", _columns("vhost user exchange write read")),
    Resource("policies", "policies", _columns("vhost name pattern apply-to priority definition"), in_vhosts=True),
    Resource(
        "operator-policies",
        "operator-policies",
        _columns("vhost name pattern apply-to priority definition"),
        in_vhosts=True,
    ),
    Resource("parameters", "parameters", _columns("vhost component name value")),
    Resource("global-parameters", "global-parameters", _columns("name value")),
    Resource("feature-flags", "feature-flags", _columns("name state stability desc")),
    Resource("deprecated-features", "deprecated-features", _columns("name deprecation_phase desc")),
    Resource("nodes", "nodes", _columns("name running uptime mem_used mem_limit fd_used disk_free proc_used")),
)

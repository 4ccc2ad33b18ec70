"""Queues and exchanges as JSON, with RabbitMQ's names of fields. How much is told depends on who asks:

bare        what a queue was declared as
totals      that, and its lengths
brief       a list of queues: no fields that are null, nothing that only people look at
detailed    the same list with `columns`, and /queues/detailed
full        one queue, with its consumers
"""

from typing import Any, Final

from amq.connection.connection import Connection
from amq.connection.consumer import ChannelConsumer
from amq.connection.session import Session
from amq.exchanges.base import Exchange
from amq.management.connection_json import (
    NO_GARBAGE_COLLECTION,
    connection_details,
    idle_since,
)
from amq.management.entities_json import table_json, text
from amq.management.node import Node
from amq.message import Message
from amq.metrics import stats
from amq.metrics.ranges import NO_RANGES, Ranges
from amq.metrics.sizes import sizes_of
from amq.queues.base import Queue
from amq.queues.classic import ClassicQueue
from amq.vhost.policy import Policy, effective_definition
from amq.vhost.vhost import Vhost

Json = dict[str, Any]

# RabbitMQ's default for classic queues, unless `x-queue-version` says something else.
STORAGE_VERSION: Final = 1


def queue_bare(node: Node, vhost: Vhost, queue: Queue) -> Json:
    """What a queue was declared as."""
    return {
        "arguments": table_json(queue.arguments),
        "auto_delete": queue.auto_delete,
        "durable": queue.durable,
        "exclusive": queue.exclusive,
        "name": text(queue.name),
        "node": node.name,
        "state": "running",
        "type": "classic",
        "vhost": vhost.name,
    }


def queue_totals(node: Node, vhost: Vhost, queue: Queue) -> Json:
    """A queue and its lengths, without anything that takes longer."""
    ready = queue.ready_count()
    return {
        **queue_bare(node, vhost, queue),
        **policy_json(queue),
        "messages": ready + queue.unacked,
        "messages_ready": ready,
        "messages_unacknowledged": queue.unacked,
    }


def queue_brief(node: Node, vhost: Vhost, queue: Queue, ranges: Ranges = NO_RANGES) -> Json:
    """A queue in a list."""
    described = queue_bare(node, vhost, queue)
    described |= stats.queue_totals(node.sampler, queue, ranges)
    described |= _sizes(node, queue)
    described |= {name: value for name, value in _settings(queue).items() if value is not None}
    capacity = node.sampler.capacity(queue)
    described["consumer_capacity"] = described["consumer_utilisation"] = capacity
    described["consumers"] = queue.consumer_count()
    described["reductions"] = 0
    described["reductions_details"] = {"rate": 0.0}
    described["storage_version"] = queue.arguments.get("x-queue-version", ("l", STORAGE_VERSION))[1]
    message_stats = stats.message_stats(node.sampler, queue, ranges)
    if message_stats:
        described["message_stats"] = message_stats
    return described


def queue_detailed(node: Node, vhost: Vhost, queue: Queue, ranges: Ranges = NO_RANGES) -> Json:
    """A queue in a list that tells everything."""
    described = queue_brief(node, vhost, queue, ranges) | _settings(queue)
    described["garbage_collection"] = NO_GARBAGE_COLLECTION
    clock = node.broker.clock
    idle = idle_since(node, queue, queue.used_at + clock.wall() - clock.now)
    if idle is not None:
        described["idle_since"] = idle
    return described


def queue_full(node: Node, vhost: Vhost, queue: Queue, ranges: Ranges = NO_RANGES) -> Json:
    """One queue, but for its consumers.

    Where its messages come from and go to is not counted, as in RabbitMQ with its rates mode `basic`.
    """
    described = queue_detailed(node, vhost, queue, ranges)
    described["deliveries"] = []
    described["incoming"] = []
    owner = queue.owner.outbox.client if isinstance(queue.owner, Session) else None
    if isinstance(owner, Connection):
        described["owner_pid_details"] = connection_details(owner)
    return described


def consumers_of_queue(queue: Queue) -> list[ChannelConsumer]:
    """The consumers of a queue, in order of registration."""
    if not isinstance(queue, ClassicQueue):
        return []
    return [consumer for consumer in queue.consumers.all if isinstance(consumer, ChannelConsumer)]


def head_of(queue: Queue) -> Message | None:
    """The next message, if it is in memory."""
    if not isinstance(queue, ClassicQueue):
        return None
    for _, fifo in queue.backlog.levels_in_order():
        if fifo.returned:
            return fifo.returned[0][1]
        if fifo.ready:
            return fifo.ready[0]
        if fifo.size():
            return None
    return None


def exchange_json(node: Node, vhost: Vhost, exchange: Exchange, ranges: Ranges | None = NO_RANGES) -> Json:
    """An exchange; with None instead of ranges, without figures."""
    described: Json = {
        "arguments": table_json(exchange.arguments),
        "auto_delete": exchange.auto_delete,
        "durable": exchange.durable,
        "internal": exchange.internal,
        "name": text(exchange.name),
        "type": exchange.type_name,
        "user_who_performed_action": "rmq-internal",
        "vhost": vhost.name,
        **policy_json(exchange),
    }
    message_stats = stats.message_stats(node.sampler, exchange, ranges) if ranges is not None else {}
    if message_stats:
        described["message_stats"] = message_stats
    return described


def policy_json(thing: Queue | Exchange) -> Json:
    """The name of the policy that counts for something, if there is one."""
    return {"policy": thing.policy.name} if isinstance(thing.policy, Policy) else {}


def _settings(queue: Queue) -> Json:
    """What may or may not be there: null in a detailed description."""
    policy, operator_policy = queue.policy, queue.operator_policy
    exclusive = active = None
    if isinstance(queue, ClassicQueue) and queue.consumers.all:
        first = next(iter(queue.consumers.all))
        if first.exclusive:
            exclusive = text(first.tag)
        if queue.consumers.single_active:
            active = text(first.tag)
    head = head_of(queue)
    return {
        "effective_policy_definition": effective_definition(queue),
        "exclusive_consumer_tag": exclusive,
        "head_message_timestamp": None if head is None else head.properties.timestamp,
        "operator_policy": operator_policy.name if isinstance(operator_policy, Policy) else None,
        "policy": policy.name if isinstance(policy, Policy) else None,
        "recoverable_slaves": None,
        "single_active_consumer_tag": active,
    }


def _sizes(node: Node, queue: Queue) -> Json:
    """How much there is of what, in memory and on disk."""
    sizes = sizes_of(node.sampler, queue)
    return {
        "memory": sizes.memory,
        "message_bytes": sizes.octets,
        "message_bytes_paged_out": sizes.ready_octets - sizes.at_hand_octets,
        "message_bytes_persistent": sizes.persistent_octets,
        "message_bytes_ram": sizes.at_hand_octets + sizes.unacked_octets,
        "message_bytes_ready": sizes.ready_octets,
        "message_bytes_unacknowledged": sizes.unacked_octets,
        "messages_paged_out": sizes.ready - sizes.at_hand,
        "messages_persistent": sizes.persistent,
        "messages_ram": sizes.at_hand + sizes.unacked,
        "messages_ready_ram": sizes.at_hand,
        "messages_unacknowledged_ram": sizes.unacked,
    }

"""Where the memory of the process goes, by RabbitMQ's words.

Python does not say which object uses what, so the parts are reckoned: bodies of messages are counted by their octets,
everything else by its number and by what one of a kind takes, as was measured (benchmarks/metrics_cost.py --memory; a
connection with its task and socket by the memory of a process). What the process had when it began to serve is code;
what is left over is `other_system`.
"""

from typing import Final

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.metrics.facts import Facts
from amq.metrics.sampler import Sampler
from amq.metrics.slices import Slices

# Octets of one of each without what it holds.
CONNECTION: Final = 15_000
CHANNEL: Final = 1_500
CONSUMER: Final = 2_000
DELIVERY: Final = 200
QUEUE: Final = 3_000
MESSAGE: Final = 180
EXCHANGE: Final = 500
BINDING: Final = 950
HISTORY: Final = 650
# RabbitMQ's words for what there is nothing of here.
NOTHING: Final = (
    "queue_slave_procs",
    "quorum_queue_procs",
    "quorum_queue_dlx_procs",
    "stream_queue_procs",
    "stream_queue_replica_reader_procs",
    "stream_queue_coordinator_procs",
    "plugins",
    "mgmt_db",
    "quorum_ets",
    "other_ets",
    "msg_index",
    "atom",
    "reserved_unallocated",
)


class Parts:
    """The parts in octets, while they are being counted."""

    def __init__(self) -> None:
        self.connections: int = 0
        self.writers: int = 0
        self.channels: int = 0
        self.queues: int = 0
        self.bodies: int = 0
        self.definitions: int = 0
        self.histories: int = 0

    def add_connection(self, connection: Connection) -> None:
        """One connection with its channels, and what it has not taken yet."""
        self.connections += CONNECTION
        self.writers += connection.outbox.size
        for channel in connection.channels.values():
            self.channels += CHANNEL + CONSUMER * len(channel.ledger.subscribers)
            self.channels += DELIVERY * len(channel.ledger.unacked)


async def breakdown(sampler: Sampler, facts: Facts) -> dict[str, int]:
    """The octets of each part; together they are about what the process uses."""
    parts = await _count(sampler, sampler.broker)
    used = facts.mem_used
    shown = {
        "connection_readers": parts.connections,
        "connection_writers": parts.writers,
        "connection_channels": parts.channels,
        "connection_other": 0,
        "queue_procs": parts.queues,
        "binary": parts.bodies,
        "mnesia": parts.definitions,
        "metrics": parts.histories,
        "code": min(facts.mem_at_start, used),
        "other_proc": 0,
        "allocated_unused": facts.mem_unused,
    }
    shown |= dict.fromkeys(NOTHING, 0)
    shown["other_system"] = max(used - sum(shown.values()), 0)
    return shown


async def _count(sampler: Sampler, broker: Broker) -> Parts:
    parts = Parts()
    slices = Slices()
    for client in list(broker.clients):
        if isinstance(client, Connection):
            parts.add_connection(client)
        await slices.breathe()
    for history in list(sampler.histories.values()):
        parts.histories += HISTORY + history.octets()
        await slices.breathe()
    for vhost in list(broker.vhosts.values()):
        for exchange in list(vhost.exchanges.values()):
            parts.definitions += EXCHANGE + BINDING * len(exchange.bindings)
            await slices.breathe()
        for queue in list(vhost.queues.values()):
            messages, octets = queue.in_memory()
            parts.queues += QUEUE + MESSAGE * messages
            parts.bodies += octets + sampler.unacked_octets(queue)
            await slices.breathe()
    return parts

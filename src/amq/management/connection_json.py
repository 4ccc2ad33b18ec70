"""Connections, channels and consumers as JSON, with RabbitMQ's names of fields."""

from collections.abc import Iterator
from typing import Any, Final

from amq.auth.certificates import distinguished_name
from amq.broker import Broker, Client
from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.connection.consumer import ChannelConsumer
from amq.management.cipher_names import cipher_names
from amq.management.entities_json import moment, safe_text, table_json, text
from amq.management.node import Node
from amq.metrics import stats
from amq.metrics.ranges import NO_RANGES, Ranges
from amq.queues.base import Queue
from amq.queues.classic import ClassicQueue
from amq.vhost.vhost import Vhost

Json = dict[str, Any]

# What RabbitMQ answers while it does not know: no Erlang process has its memory collected here.
NO_GARBAGE_COLLECTION: Final = {
    "fullsweep_after": -1,
    "max_heap_size": -1,
    "min_bin_vheap_size": -1,
    "min_heap_size": -1,
    "minor_gcs": -1,
}
# How long something stands still before it counts as idle, in s.
IDLE: Final = 10.0


def opened(broker: Broker) -> list[Connection]:
    """The connections that got into a vhost and are still there."""
    return [client for client in broker.clients if is_open(client)]  # type: ignore[misc]


def is_open(client: Client) -> bool:
    """Whether it is a connection that got into a vhost and is still there."""
    return isinstance(client, Connection) and client.session is not None and not client.gone


def vhost_of(connection: Connection) -> Vhost:
    """The vhost of an open connection."""
    assert connection.session is not None
    return connection.session.vhost


def user_of(connection: Connection) -> str:
    """Who an open connection belongs to."""
    assert connection.session is not None
    return connection.session.user.name


def name_of(connection: Connection) -> str:
    """`127.0.0.1:60716 -> 127.0.0.1:5672`."""
    return str(connection.peer)


def channel_name(connection: Connection, channel: Channel) -> str:
    """The connection's name with the channel's number: `127.0.0.1:60716 -> 127.0.0.1:5672 (1)`."""
    return f"{connection.peer} ({channel.number})"


# -- connections --


def connection_json(node: Node, connection: Connection, ranges: Ranges = NO_RANGES) -> Json:
    """One connection with its figures."""
    shake = connection.handshake
    peer = connection.peer
    user = user_of(connection)
    described: Json = {
        "auth_mechanism": None if shake.mechanism is None else shake.mechanism.name,
        "channel_max": shake.channel_max,
        "channels": len(connection.channels),
        "client_properties": table_json(shake.properties),
        "connected_at": int(connection.connected_at * 1000),
        "frame_max": shake.frame_max,
        "garbage_collection": NO_GARBAGE_COLLECTION,
        "host": peer.server_host,
        "name": name_of(connection),
        "node": node.name,
        "peer_host": peer.host,
        "peer_port": peer.port,
        "port": peer.server_port,
        "protocol": "AMQP 0-9-1",
        "recv_cnt": connection.received_count,
        "reductions": 0,
        "reductions_details": {"rate": 0.0},
        "send_cnt": connection.sent_count,
        "send_pend": len(connection.outbox.pieces),
        "state": connection_state(node.broker, connection),
        "timeout": shake.heartbeat,
        "type": "network",
        "user": user,
        "user_who_performed_action": user,
        "vhost": vhost_of(connection).name,
        **_tls_json(connection),
        **stats.octets(node.sampler, connection, ranges),
    }
    named = shake.properties.get("connection_name")
    if named is not None and named[0] == "S":
        described["user_provided_name"] = safe_text(named[1])
    return described


def tracked_json(node: Node, connection: Connection) -> Json:
    """What is known of a connection without its figures."""
    return {
        "name": name_of(connection),
        "node": node.name,
        "user": user_of(connection),
        "vhost": vhost_of(connection).name,
    }


def connection_state(broker: Broker, connection: Connection) -> str:
    """running, flow (it has to wait for the disk), blocking (an alarm is set), blocked (and it publishes), closing."""
    if connection.closing or connection.finished:
        return "closing"
    if connection.blocked:
        return "blocked"
    if broker.alarms:
        return "blocking"
    return "flow" if connection.lagging else "running"


def _tls_json(connection: Connection) -> Json:
    peer = connection.peer
    certificate = peer.certificate
    described: Json = {
        "peer_cert_issuer": None,
        "peer_cert_subject": None,
        "peer_cert_validity": None,
        "ssl": peer.tls,
        "ssl_cipher": None,
        "ssl_hash": None,
        "ssl_key_exchange": None,
        "ssl_protocol": None,
    }
    if peer.cipher:
        names = cipher_names(peer.cipher)
        described["ssl_protocol"] = peer.tls_version.lower()
        described["ssl_key_exchange"] = names.key_exchange
        described["ssl_cipher"] = names.cipher
        described["ssl_hash"] = names.hash
    if certificate is not None:
        described["peer_cert_subject"] = distinguished_name(certificate)
        described["peer_cert_issuer"] = distinguished_name({"subject": certificate.get("issuer", ())})
        described["peer_cert_validity"] = f"{certificate.get('notBefore')} - {certificate.get('notAfter')}"
    return described


# -- channels --


def channel_json(node: Node, connection: Connection, channel: Channel, ranges: Ranges = NO_RANGES) -> Json:
    """One channel with its figures."""
    transaction = channel.publisher.transaction
    confirms = channel.publisher.confirms
    user = user_of(connection)
    described: Json = {
        "acks_uncommitted": len(transaction.deliveries()) if transaction is not None else 0,
        "confirm": confirms is not None,
        "connection_details": connection_details(connection),
        "consumer_count": sum(1 for _ in consumers_of(channel)),
        "garbage_collection": NO_GARBAGE_COLLECTION,
        "global_prefetch_count": channel.ledger.limit,
        "messages_unacknowledged": len(channel.ledger.unacked),
        "messages_uncommitted": len(transaction.publications) if transaction is not None else 0,
        "messages_unconfirmed": confirms.published - confirms.confirmed if confirms is not None else 0,
        "name": channel_name(connection, channel),
        "node": node.name,
        "number": channel.number,
        "pending_raft_commands": 0,
        "prefetch_count": channel.prefetch,
        "reductions": 0,
        "reductions_details": {"rate": 0.0},
        "state": "closing" if channel.closing else "flow" if connection.lagging else "running",
        "transactional": transaction is not None,
        "user": user,
        "user_who_performed_action": user,
        "vhost": vhost_of(connection).name,
    }
    message_stats = stats.message_stats(node.sampler, channel, ranges)
    if message_stats:
        described["message_stats"] = message_stats
    idle = idle_since(node, channel, connection.connected_at)
    if idle is not None:
        described["idle_since"] = idle
    return described


def idle_since(node: Node, entity: Channel | Queue, known: float) -> str | None:
    """Since when none of its counts has moved, if that is some time ago; `known` is when it moved for sure, in s since
    1970.
    """
    history = node.sampler.histories.get(entity)
    moved = known if history is None else max(known, history.changed / 1000)
    return moment(moved) if node.broker.clock.wall() - moved >= IDLE else None


def connection_details(connection: Connection) -> Json:
    """A connection as a part of what belongs to it."""
    return {"name": name_of(connection), "peer_host": connection.peer.host, "peer_port": connection.peer.port}


# -- consumers --


def consumers_of(channel: Channel) -> Iterator[ChannelConsumer]:
    """A channel's consumers of queues: direct reply-to is none."""
    for consumer in channel.ledger.subscribers.values():
        if isinstance(consumer, ChannelConsumer) and isinstance(consumer.queue, ClassicQueue):
            yield consumer


def consumer_json(node: Node, vhost: Vhost, consumer: ChannelConsumer) -> Json:
    """One consumer."""
    queue = consumer.queue
    status = activity_status(queue, consumer)
    return {
        "ack_required": not consumer.no_ack,
        "active": status != "waiting",
        "activity_status": status,
        "arguments": table_json(consumer.arguments),
        "channel_details": channel_details(node, consumer),
        "consumer_tag": text(consumer.tag),
        "consumer_timeout": consumer_timeout(node, queue),
        "exclusive": consumer.exclusive,
        "prefetch_count": consumer.prefetch,
        "queue": {"name": text(queue.name), "vhost": vhost.name},
    }


def channel_details(node: Node, consumer: ChannelConsumer) -> Json:
    """The channel of a consumer, as a part of it."""
    connection = consumer.outbox.client
    if not isinstance(connection, Connection):
        return {}
    return {
        "connection_name": name_of(connection),
        "name": f"{connection.peer} ({consumer.channel})",
        "node": node.name,
        "number": consumer.channel,
        "peer_host": connection.peer.host,
        "peer_port": connection.peer.port,
        "user": user_of(connection),
    }


def activity_status(queue: Queue, consumer: ChannelConsumer) -> str:
    """up; with single active consumer, single_active or waiting."""
    if not isinstance(queue, ClassicQueue) or not queue.consumers.single_active:
        return "up"
    return "single_active" if next(iter(queue.consumers.all), None) is consumer else "waiting"


def consumer_timeout(node: Node, queue: Queue) -> int | None:
    """How long a consumer may keep a delivery, in ms; None: for ever."""
    most = node.broker.settings.consumer_timeout or None
    own = queue.options.consumer_timeout if isinstance(queue, ClassicQueue) else -1
    if own < 0:
        return most
    return own if most is None else min(own, most)

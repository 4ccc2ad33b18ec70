"""Which objects figures are told of, and with which labels."""

from collections.abc import Callable, Iterator

import attrs

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.exchanges.base import Exchange
from amq.metrics.facts import Facts
from amq.metrics.journal import JournalStatistics
from amq.metrics.sampler import Sampler
from amq.vhost.vhost import Vhost

Labels = tuple[tuple[str, str], ...]


@attrs.frozen
class Source:
    """Where the figures come from. `started` is in s since 1970."""

    sampler: Sampler
    facts: Callable[[], Facts]
    node_name: str
    started: float
    journal: JournalStatistics | None

    @property
    def broker(self) -> Broker:
        """The broker."""
        return self.sampler.broker

    def vhosts(self, names: frozenset[str] | None) -> list[Vhost]:
        """The vhosts of these names; all of them for None."""
        return [vhost for vhost in self.broker.vhosts.values() if names is None or vhost.name in names]


def the_node(_source: Source, _vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """The node, without a label."""
    yield (), None


def protocols(source: Source, _vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """What logins came to by protocol."""
    for protocol, tally in list(source.broker.logins.attempts.by_protocol.items()):
        yield (("protocol", protocol),), tally


def remotes(source: Source, _vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """What logins came to by where they came from and who they were for."""
    for (address, name, protocol), tally in list(source.broker.logins.attempts.by_source.items()):
        labels = (("remote_address", address), ("username", name), ("protocol", protocol))
        yield tuple((label, text) for label, text in labels if text), tally


def queues(source: Source, vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Queues."""
    for vhost in source.vhosts(vhosts):
        for each in list(vhost.queues.values()):
            yield (("vhost", vhost.name), ("queue", text(each.name))), each


def published_queues(source: Source, vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Queues, with the label that RabbitMQ has for where a message ends up."""
    for vhost in source.vhosts(vhosts):
        for each in list(vhost.queues.values()):
            yield (("queue_vhost", vhost.name), ("queue", text(each.name))), each


def exchanges(source: Source, vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Exchanges."""
    for vhost in source.vhosts(vhosts):
        for each in list(vhost.exchanges.values()):
            yield (("vhost", vhost.name), ("exchange", text(each.name))), each


def typed_exchanges(source: Source, vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Exchanges with their types."""
    for labels, each in exchanges(source, vhosts):
        assert isinstance(each, Exchange)
        yield (*labels, ("type", each.type_name)), each


def running_vhosts(source: Source, vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Vhosts."""
    for vhost in source.vhosts(vhosts):
        yield (("vhost", vhost.name),), vhost


def opened(broker: Broker) -> Iterator[Connection]:
    """The connections that have opened a vhost."""
    for client in list(broker.clients):
        if isinstance(client, Connection) and client.session is not None:
            yield client


def connections(source: Source, _vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Connections."""
    for each in opened(source.broker):
        # RabbitMQ calls this label `channel`, whatever it names.
        yield (("channel", str(each.peer)), ("connection", str(each.peer))), each


def channels(source: Source, _vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Channels."""
    for each in opened(source.broker):
        name = str(each.peer)
        for number, found in list(each.channels.items()):
            yield (("channel", f"{name} ({number})"),), found


def channels_in_vhosts(source: Source, _vhosts: frozenset[str] | None) -> Iterator[tuple[Labels, object]]:
    """Channels with the vhosts that they are in."""
    for each in opened(source.broker):
        name, vhost = str(each.peer), each.vhost_name() or ""
        for number, found in list(each.channels.items()):
            yield (("channel", f"{name} ({number})"), ("vhost", vhost)), found


def text(name: bytes) -> str:
    """A name as a label has it."""
    return name.decode("utf-8", "replace")

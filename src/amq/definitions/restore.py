"""Makes a new broker have what the definition store holds.

In the order in which things depend on each other: policies stand before the exchanges and queues that they are about.
Nothing of it is handed to the journal as a change, but for exchanges that were stored before the journal kept what
waits in them: their queue gets its number now. What cannot be restored (an exchange type whose plug-in is missing) is
named in a warning and stays in the store; the rest goes on.
"""

from collections.abc import Iterable
from typing import Final

import attrs

from amq.auth.users import User
from amq.broker import Broker
from amq.definitions import stored
from amq.definitions.document import ExchangeDefinition, PolicyDefinition, UserPermission, UserTopicPermission
from amq.definitions.entry import Entry
from amq.definitions.making import make_binding, make_exchange, make_queue, vhost_named
from amq.definitions.stored import (
    Definition,
    KeepingExchange,
    LimitsEntry,
    NumberedQueue,
    OrderedBinding,
    ParameterEntry,
    VhostEntry,
)
from amq.errors import Fault
from amq.exchanges.base import Exchange
from amq.vhost import metadata, parameters, topology, tracing
from amq.vhost.parameters import GlobalParameter
from amq.vhost.vhost import Vhost

ORDER: Final = (
    GlobalParameter,
    VhostEntry,
    User,
    UserPermission,
    UserTopicPermission,
    LimitsEntry,
    ParameterEntry,
    PolicyDefinition,
    ExchangeDefinition,
    KeepingExchange,
    NumberedQueue,
    OrderedBinding,
)


@attrs.frozen
class Restored:
    """`warnings` name what could not be restored; `missing` are the ids of the queues among that.

    Those queues, some of which belong to exchanges, are in the store, and what the journal has for them must be kept.
    """

    warnings: list[str]
    missing: frozenset[int]


def restore(entries: Iterable[Entry], broker: Broker) -> Restored:
    """Make the broker, which has no vhost yet, have what these entries define."""
    restoration = _Restoration(broker)
    journal = broker.journal
    journal.restoring = True
    try:
        restoration.run(entries)
    finally:
        journal.restoring = False
    for vhost, exchange in restoration.renumbered:
        topology.tell_exchange(vhost, exchange, False)
    return Restored(restoration.warnings, frozenset(restoration.missing))


@attrs.define
class _Restoration:
    broker: Broker
    warnings: list[str] = attrs.field(factory=list)
    missing: set[int] = attrs.field(factory=set)
    # Exchanges that got a queue of their own whose number is not in the store.
    renumbered: list[tuple[Vhost, Exchange]] = attrs.field(factory=list)
    # Exchanges and queues that were warned about: of their bindings no more is said.
    _absent: set[tuple[str, str, bytes]] = attrs.field(factory=set)

    def run(self, entries: Iterable[Entry]) -> None:
        by_kind: dict[type, list[tuple[int, Definition, str]]] = {kind: [] for kind in ORDER}
        for entry in entries:
            path = entry.key.decode("utf-8", "replace")
            try:
                found = stored.read(entry.key, entry.value)
            except ValueError as error:
                self.warn(path, str(error).removeprefix(f"{path}: "))
            else:
                by_kind[type(found)].append((entry.revision, found, path))
        by_kind[OrderedBinding].sort(key=_age)
        for kind in ORDER:
            for _, definition, path in by_kind[kind]:
                try:
                    self.make(definition)
                except (Fault, ValueError) as error:
                    self.miss(definition, path, error.text if isinstance(error, Fault) else str(error))

    def make(self, given: Definition) -> None:
        """Make one thing. Raises Fault or ValueError."""
        broker = self.broker
        if isinstance(given, NumberedQueue):
            make_queue(broker, given, given.queue_id)
        elif isinstance(given, OrderedBinding):
            make_binding(broker, given)
        elif isinstance(given, ExchangeDefinition):
            self.make_exchange(given, given.waiting_id if isinstance(given, KeepingExchange) else 0)
        elif isinstance(given, VhostEntry):
            self.make_vhost(given)
        elif isinstance(given, User):
            broker.users.put(given)
        elif isinstance(given, GlobalParameter):
            parameters.set_global(broker.journal, broker.global_parameters, given.name, given.value)
        else:
            self.make_rule(given, vhost_named(broker, given.vhost))

    def make_vhost(self, given: VhostEntry) -> None:
        """Make a vhost with all that is said about it."""
        vhost = self.broker.add_vhost(given.name)
        metadata.describe(vhost, given.description, given.tags, given.default_queue_type)
        metadata.protect(vhost, given.protected_from_deletion)
        tracing.switch(vhost, given.tracing)

    def make_rule(
        self,
        given: UserPermission | UserTopicPermission | LimitsEntry | ParameterEntry | PolicyDefinition,
        vhost: Vhost,
    ) -> None:
        """Make what an operator says about a vhost."""
        if isinstance(given, UserPermission):
            vhost.permissions.set(given.user, given.permission)
        elif isinstance(given, UserTopicPermission):
            vhost.permissions.set_topic(given.user, given.permission)
        elif isinstance(given, LimitsEntry):
            parameters.set_limits(vhost, given.limits)
        elif isinstance(given, ParameterEntry):
            parameters.keep(vhost, given.component, given.name, given.value)
        elif given.policy.operator:
            vhost.operator_policies.set(given.policy)
        else:
            vhost.policies.set(given.policy)

    def make_exchange(self, given: ExchangeDefinition, waiting_id: int) -> None:
        """Make an exchange; `waiting_id` is that of the queue in which it keeps messages (0: none is stored)."""
        exchange = make_exchange(self.broker, given, waiting_id)
        if exchange.waiting is not None and exchange.waiting.id != waiting_id:
            self.renumbered.append((vhost_named(self.broker, given.vhost), exchange))

    def miss(self, given: Definition, path: str, problem: str) -> None:
        """Something cannot be made."""
        if isinstance(given, ExchangeDefinition):
            self._absent.add((given.vhost, "exchange", given.name))
            if isinstance(given, KeepingExchange):
                self.missing.add(given.waiting_id)
        elif isinstance(given, NumberedQueue):
            self._absent.add((given.vhost, "queue", given.name))
            self.missing.add(given.queue_id)
        elif isinstance(given, OrderedBinding):
            ends = {
                (given.vhost, "exchange", given.source),
                (given.vhost, given.destination_type, given.destination),
            }
            if ends & self._absent:
                return
        self.warn(path, problem)

    def warn(self, path: str, problem: str) -> None:
        """Say what cannot be restored."""
        self.warnings.append(f"{path} cannot be restored and stays in the store as it is: {problem}")


def _age(found: tuple[int, Definition, str]) -> tuple[int, int]:
    """By revision, and among those of one by their order."""
    binding = found[1]
    return found[0], binding.order if isinstance(binding, OrderedBinding) else 0

"""Makes a broker have what a document defines.

In RabbitMQ's order: users, vhosts, permissions, global parameters, policies, limits and parameters, exchanges, queues,
bindings. Queues, exchanges and bindings that exist already stay as they are, everything else is replaced by what the
document says. The whole document is checked first: one that is wrong somewhere changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from amq.broker import Broker
from amq.definitions.check import checking
from amq.definitions.document import (
    Document,
    ExchangeDefinition,
    LimitsDefinition,
    ParameterDefinition,
    PolicyDefinition,
    QueueDefinition,
    UserPermission,
    UserTopicPermission,
    VhostDefinition,
)
from amq.definitions.making import make_binding, make_exchange, make_queue, vhost_named
from amq.definitions.seeding import SeedingError, new_vhost
from amq.definitions.steps import Steps, finish
from amq.errors import Fault
from amq.vhost import metadata, parameters, tracing
from amq.vhost.parameters import GlobalParameter

T = TypeVar("T")


def apply(document: Document, broker: Broker) -> list[str]:
    """Apply it at once; see `applying`."""
    return finish(applying(document, broker))


def applying(document: Document, broker: Broker) -> Steps[list[str]]:
    """Check it and apply it; returns the document's warnings and those about what was passed over.

    Raises DocumentError, and then nothing has changed. Between two steps the broker goes on living: what can no longer
    be made at its turn, since somebody deleted what it needs, is one more warning.
    """
    checked = yield from checking(document, broker)
    maker = _Maker(broker)
    for user in checked.users:
        broker.users.put(user)
        yield
    warnings = checked.warnings
    for section, make in maker.sections(checked):
        for number, given in enumerate(section):
            try:
                make(given)
            except (Fault, SeedingError) as error:
                path = getattr(given, "path", f"[{number}]")
                warnings.append(f"{path}: not imported, {error.text if isinstance(error, Fault) else error}")
            yield
    return warnings


class _Maker:
    """Makes one thing of each kind. Raises Fault or SeedingError."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    def sections(self, document: Document) -> Iterator[tuple[Sequence[object], Callable[..., None]]]:
        """What is to be made in which order, and what makes it."""
        yield document.vhosts, self.vhost
        yield document.permissions, self.permission
        yield document.topic_permissions, self.topic_permission
        yield document.global_parameters, self.global_parameter
        yield document.policies, self.policy
        yield document.operator_policies, self.operator_policy
        yield document.limits, self.limits
        yield document.parameters, self.parameter
        yield document.exchanges, self.exchange
        yield document.queues, self.queue
        yield document.bindings, lambda given: make_binding(self.broker, given)

    def vhost(self, given: VhostDefinition) -> None:
        broker = self.broker
        vhost = broker.vhosts.get(given.name) or new_vhost(broker, given.name)
        metadata.describe(
            vhost,
            vhost.description if given.description is None else given.description,
            vhost.tags if given.tags is None else given.tags,
            vhost.default_queue_type if given.default_queue_type is None else given.default_queue_type,
        )
        if given.tracing is not None:
            tracing.switch(vhost, given.tracing)
        if given.protected_from_deletion is not None:
            metadata.protect(vhost, given.protected_from_deletion)

    def permission(self, given: UserPermission) -> None:
        vhost_named(self.broker, given.vhost).permissions.set(given.user, given.permission)

    def topic_permission(self, given: UserTopicPermission) -> None:
        vhost_named(self.broker, given.vhost).permissions.set_topic(given.user, given.permission)

    def global_parameter(self, given: GlobalParameter) -> None:
        broker = self.broker
        parameters.set_global(broker.journal, broker.global_parameters, given.name, given.value)

    def policy(self, given: PolicyDefinition) -> None:
        vhost_named(self.broker, given.vhost).policies.set(given.policy)

    def operator_policy(self, given: PolicyDefinition) -> None:
        vhost_named(self.broker, given.vhost).operator_policies.set(given.policy)

    def limits(self, given: LimitsDefinition) -> None:
        parameters.set_limits(vhost_named(self.broker, given.vhost), given.limits)

    def parameter(self, given: ParameterDefinition) -> None:
        parameters.keep(vhost_named(self.broker, given.vhost), given.component, given.name, given.value)

    def exchange(self, given: ExchangeDefinition) -> None:
        if given.name not in vhost_named(self.broker, given.vhost).exchanges:
            make_exchange(self.broker, given)

    def queue(self, given: QueueDefinition) -> None:
        if given.name not in vhost_named(self.broker, given.vhost).queues:
            make_queue(self.broker, given)

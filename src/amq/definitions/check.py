"""Compares a document with a broker before anything of it is made: what is wrong, what is there, what cannot be.

    wrong            a vhost, user or exchange type that does not exist, arguments that a type refuses, too many queues
    passed over      queues of types that do not exist here, bindings without their ends, names that are the broker's

The first thing that is wrong raises DocumentError, and nothing has been changed. What is passed over is in the
warnings. Works in steps, since documents may be long.
"""

from collections import Counter
from typing import Final

import attrs

from amq.broker import Broker
from amq.definitions import quotas
from amq.definitions.document import (
    BindingDefinition,
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
from amq.definitions.fields import DocumentError
from amq.definitions.steps import Steps
from amq.errors import Fault
from amq.exchanges.base import Exchange
from amq.queues import arguments as queue_arguments
from amq.vhost import metadata, topology
from amq.vhost.parameters import MAX_QUEUES, OPERATOR_POLICY, POLICY, VHOST_LIMITS, ParameterError
from amq.wire.tables import Table, type_name

# Names of queues that are the broker's own.
RESERVED_QUEUES: Final = b"amq.rabbitmq."
# Queue types of RabbitMQ that do not exist here.
MISSING_TYPES: Final = (b"quorum", b"stream")


def checking(document: Document, broker: Broker) -> Steps[Document]:
    """Check it; returns what is left to be made, with all warnings. Raises DocumentError."""
    check = _Check(broker, document)
    yield from check.places()
    yield from check.exchanges()
    yield from check.queues()
    yield from check.bindings()
    return attrs.evolve(
        document,
        vhosts=check.vhosts,
        exchanges=check.new_exchanges,
        queues=check.new_queues,
        bindings=check.good_bindings,
        warnings=check.warnings,
    )


class _Check:
    def __init__(self, broker: Broker, document: Document) -> None:
        self.broker = broker
        self.document = document
        self.users = {user.name for user in broker.users} | {user.name for user in document.users}
        self.known = broker.vhosts.keys() | {vhost.name for vhost in document.vhosts}
        self.warnings = [*document.warnings, *_foreign(document.parameters)]
        self.vhosts = [self._described(vhost) for vhost in document.vhosts]
        self.new_exchanges: list[ExchangeDefinition] = []
        self.new_queues: list[QueueDefinition] = []
        self.good_bindings: list[BindingDefinition] = []
        # What will be there: as it would be made, by vhost and name.
        self._exchanges: dict[tuple[str, bytes], Exchange] = {}
        self._queues: set[tuple[str, bytes]] = set()
        # Those that are passed over: of their bindings no more is said.
        self._passed_over: set[tuple[str, str, bytes]] = set()

    def places(self) -> Steps[None]:
        """Every vhost and user that is spoken of exists, or will."""
        document = self.document
        granted: list[UserPermission | UserTopicPermission] = [*document.permissions, *document.topic_permissions]
        for permission in granted:
            if permission.user not in self.users:
                raise DocumentError(f"{permission.path}.user", f"user '{permission.user}' does not exist")
            self._require(permission.vhost, permission.path)
            yield
        rules: list[PolicyDefinition | LimitsDefinition | ParameterDefinition]
        rules = [*document.policies, *document.operator_policies, *document.limits, *document.parameters]
        for placed in rules:
            self._require(placed.vhost, placed.path)
            yield
        self._check_quotas()
        most = self.broker.settings.limits.vhosts
        if most is not None and len(self.known) > most:
            raise DocumentError("vhosts", f"there would be {len(self.known)} vhosts, {most} are allowed (vhost_max)")

    def _check_quotas(self) -> None:
        """Raises DocumentError when there would be too many parameters of a component."""
        vhosts, document = self.broker.vhosts, self.document
        added: Counter[str] = Counter()
        for policy in document.policies:
            added[POLICY] += policy.vhost not in vhosts or not vhosts[policy.vhost].policies.get(policy.policy.name)
        for policy in document.operator_policies:
            there = policy.vhost in vhosts and vhosts[policy.vhost].operator_policies.get(policy.policy.name)
            added[OPERATOR_POLICY] += not there
        for limits in document.limits:
            added[VHOST_LIMITS] += limits.vhost not in vhosts or not vhosts[limits.vhost].limits
        for parameter in document.parameters:
            key = (parameter.component, parameter.name)
            added[parameter.component] += parameter.vhost not in vhosts or key not in vhosts[parameter.vhost].parameters
        for component, count in added.items():
            try:
                quotas.check_room(self.broker, component, count)
            except ParameterError as error:
                raise DocumentError("", "; ".join(error.problems)) from None

    def exchanges(self) -> Steps[None]:
        """Every exchange that is new can be made."""
        for given in self.document.exchanges:
            self._require(given.vhost, given.path)
            if not given.name or given.name.startswith(topology.RESERVED):
                if self._exchange(given.vhost, given.name) is None:
                    self._pass_over(given, "exchange", "its name is the broker's")
            elif self._exchange(given.vhost, given.name) is None:
                self._exchanges[given.vhost, given.name] = _tried(given)
                self.new_exchanges.append(given)
            yield

    def queues(self) -> Steps[None]:
        """Every queue that is new can be made, and there are not too many of them."""
        added: Counter[str] = Counter()
        for given in self.document.queues:
            self._require(given.vhost, given.path)
            if not self._is_queue(given.vhost, given.name) and not self._cannot_be(given):
                _check_arguments(given)
                self._queues.add((given.vhost, given.name))
                self.new_queues.append(given)
                added[given.vhost] += 1
            yield
        for name, count in added.items():
            self._check_room(name, count)

    def bindings(self) -> Steps[None]:
        """Every binding has its ends, and its exchange takes it."""
        for given in self.document.bindings:
            self._require(given.vhost, given.path)
            missing = self._missing_end(given)
            if missing is None:
                source = self._exchange(given.vhost, given.source)
                assert source is not None
                _check_binding(given.path, source, given)
                self.good_bindings.append(given)
            elif missing:
                self.warnings.append(f"{given.path}: not imported, {missing}")
            yield

    def _described(self, given: VhostDefinition) -> VhostDefinition:
        """A vhost, without a default queue type that does not exist here."""
        try:
            metadata.check_queue_type(given.default_queue_type)
        except metadata.MetadataError as error:
            self.warnings.append(f"{given.path}.default_queue_type: not imported, {error}")
            return attrs.evolve(given, default_queue_type=None)
        return given

    def _require(self, vhost: str, path: str) -> None:
        if vhost not in self.known:
            raise DocumentError(f"{path}.vhost", f"vhost '{vhost}' does not exist")

    def _exchange(self, vhost: str, name: bytes) -> Exchange | None:
        there = self.broker.vhosts.get(vhost)
        found = None if there is None else there.exchanges.get(name)
        if found is None and there is None and name in PREDECLARED:
            # The same in every vhost.
            kind = topology.type_named(PREDECLARED[name])
            return kind(name, True, False, False, {})
        return found or self._exchanges.get((vhost, name))

    def _is_queue(self, vhost: str, name: bytes) -> bool:
        there = self.broker.vhosts.get(vhost)
        return (there is not None and name in there.queues) or (vhost, name) in self._queues

    def _cannot_be(self, given: QueueDefinition) -> bool:
        """Whether a queue is passed over."""
        queue_type = given.arguments.get("x-queue-type", ("S", b"classic"))[1]
        if given.name.startswith(RESERVED_QUEUES):
            self._pass_over(given, "queue", "its name is the broker's")
        elif queue_type in MISSING_TYPES:
            self._pass_over(given, "queue", f"there are no queues of type '{queue_type.decode()}' here")
        else:
            return False
        return True

    def _pass_over(self, given: ExchangeDefinition | QueueDefinition, kind: str, reason: str) -> None:
        self._passed_over.add((given.vhost, kind, given.name))
        self.warnings.append(f"{given.path}: {_label(kind, given)} is not imported, {reason}")

    def _check_room(self, vhost: str, added: int) -> None:
        """Raises DocumentError when a vhost would have more queues than it may."""
        there = self.broker.vhosts.get(vhost)
        limits = {} if there is None else there.limits
        for given in self.document.limits:
            limits = given.limits if given.vhost == vhost else limits
        most = limits.get(MAX_QUEUES, -1)
        present = 0 if there is None else len(there.queues)
        if 0 <= most < present + added:
            raise DocumentError(
                "",
                f'Adding {added} queue(s) to virtual host "{vhost}" would exceed the limit of {most} queue(s).\n\n'
                f"This virtual host currently has {present} queue(s) defined.\n\nImport aborted!",
            )

    def _missing_end(self, given: BindingDefinition) -> str | None:
        """Why a binding is passed over: words, or none when that has been said; None when both its ends are there."""
        if not given.source:
            return "nothing can be bound to the default exchange"
        ends = (("exchange", given.source), (given.destination_type, given.destination))
        for kind, name in ends:
            if (given.vhost, kind, name) in self._passed_over:
                return ""
            there = self._is_queue(given.vhost, name) if kind == "queue" else self._exchange(given.vhost, name)
            if not there:
                return f"there is no {kind} '{_text(name)}' in vhost '{given.vhost}'"
        return None


PREDECLARED: Final = {name: kind for name, kind, _ in topology.PREDECLARED}


def _foreign(parameters: list[ParameterDefinition]) -> list[str]:
    """One warning for all that is kept without effect."""
    components = sorted({parameter.component for parameter in parameters})
    if not components:
        return []
    return [f"parameters: kept without effect, there are no components of these names here: {', '.join(components)}"]


def _tried(given: ExchangeDefinition) -> Exchange:
    """The exchange as it would be, but in no vhost. Raises DocumentError."""
    try:
        kind = topology.type_named(given.type_name)
        _check_name(given, "exchange", given.arguments, "alternate-exchange")
        kind.check_arguments(given.arguments)
        return kind(given.name, given.durable, given.auto_delete, given.internal, given.arguments)
    except Fault as fault:
        raise DocumentError(given.path, fault.text) from None


def _check_arguments(given: QueueDefinition) -> None:
    _check_name(given, "queue", given.arguments, "x-dead-letter-exchange")
    try:
        queue_arguments.parse(_label("queue", given), given.arguments)
    except Fault as fault:
        raise DocumentError(given.path, fault.text) from None


def _check_name(given: ExchangeDefinition | QueueDefinition, kind: str, arguments: Table, key: str) -> None:
    field = arguments.get(key)
    if field is not None and field[0] != "S":
        problem = f"invalid type '{type_name(field[0])}' for arg '{key}' in {_label(kind, given)}"
        raise DocumentError(given.path, problem)


def _check_binding(path: str, source: Exchange, given: BindingDefinition) -> None:
    try:
        source.check_binding(given.routing_key, given.arguments)
    except Fault as fault:
        raise DocumentError(path, fault.text) from None


def _label(kind: str, given: ExchangeDefinition | QueueDefinition) -> str:
    return f"{kind} '{_text(given.name)}' in vhost '{given.vhost}'"


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")

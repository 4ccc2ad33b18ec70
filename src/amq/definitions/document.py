"""RabbitMQ's definitions document (JSON, as 3.x and 4.x export it): what exists, as values.

`amq.definitions.parse` reads one, `amq.definitions.check` compares it with what is there, and `amq.definitions.apply`
makes it so.
"""

from typing import Any

import attrs

from amq.auth.users import User
from amq.vhost.parameters import GlobalParameter
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.policy import Policy
from amq.wire.tables import Table


@attrs.frozen
class VhostDefinition:
    """A vhost; what is None is not said. `path` is the place in the document, here and below."""

    name: str
    description: str | None
    tags: tuple[str, ...] | None
    default_queue_type: str | None
    tracing: bool | None
    protected_from_deletion: bool | None
    path: str


@attrs.frozen
class UserPermission:
    """What a user may do in a vhost."""

    user: str
    vhost: str
    permission: Permission
    path: str


@attrs.frozen
class UserTopicPermission:
    """What a user may do on a topic exchange of a vhost."""

    user: str
    vhost: str
    permission: TopicPermission
    path: str


@attrs.frozen
class PolicyDefinition:
    """A policy or an operator policy."""

    vhost: str
    policy: Policy
    path: str


@attrs.frozen
class LimitsDefinition:
    """What limits a vhost."""

    vhost: str
    limits: dict[str, int]
    path: str


@attrs.frozen
class ParameterDefinition:
    """A parameter of a vhost that belongs to a plug-in of RabbitMQ."""

    vhost: str
    component: str
    name: str
    value: Any
    path: str


@attrs.frozen
class ExchangeDefinition:
    """An exchange."""

    vhost: str
    name: bytes
    type_name: bytes
    durable: bool
    auto_delete: bool
    internal: bool
    arguments: Table
    path: str


@attrs.frozen
class QueueDefinition:
    """A queue; its type is the argument `x-queue-type`."""

    vhost: str
    name: bytes
    durable: bool
    auto_delete: bool
    arguments: Table
    path: str


@attrs.frozen
class BindingDefinition:
    """A binding; `destination_type` is "queue" or "exchange"."""

    vhost: str
    source: bytes
    destination_type: str
    destination: bytes
    routing_key: bytes
    arguments: Table
    path: str


@attrs.define
class Document:
    """Everything a document defines, in its order. `warnings` name what was read and will not be made."""

    users: list[User] = attrs.field(factory=list)
    vhosts: list[VhostDefinition] = attrs.field(factory=list)
    permissions: list[UserPermission] = attrs.field(factory=list)
    topic_permissions: list[UserTopicPermission] = attrs.field(factory=list)
    global_parameters: list[GlobalParameter] = attrs.field(factory=list)
    policies: list[PolicyDefinition] = attrs.field(factory=list)
    operator_policies: list[PolicyDefinition] = attrs.field(factory=list)
    limits: list[LimitsDefinition] = attrs.field(factory=list)
    parameters: list[ParameterDefinition] = attrs.field(factory=list)
    exchanges: list[ExchangeDefinition] = attrs.field(factory=list)
    queues: list[QueueDefinition] = attrs.field(factory=list)
    bindings: list[BindingDefinition] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)

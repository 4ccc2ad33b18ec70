"""A change of what exists, on its way to the definition store.

Knows nothing of the store: `kind` says what `entity` is, and `amq.definitions.entities` makes keys and values of it.
"""

from typing import Final

VHOST: Final = "vhosts"
USER: Final = "users"
PERMISSION: Final = "permissions"
TOPIC_PERMISSION: Final = "topic_permissions"
EXCHANGE: Final = "exchanges"
QUEUE: Final = "queues"
BINDING: Final = "bindings"
POLICY: Final = "policies"
OPERATOR_POLICY: Final = "operator_policies"
PARAMETER: Final = "parameters"
GLOBAL_PARAMETER: Final = "global_parameters"


class Change:
    """Something was made or altered, or with `gone` it was removed.

    `vhost` is where it belongs ("" for users and global parameters), `name` tells it from others of its kind there (a
    tuple of texts and octets, whatever that takes), `entity` is the object itself as it is now (its values are read
    when the change is taken to the store; None when it is gone).
    """

    __slots__ = ("kind", "vhost", "name", "entity", "gone")

    def __init__(self, kind: str, vhost: str, name: tuple[object, ...], entity: object, gone: bool) -> None:
        self.kind = kind
        self.vhost = vhost
        self.name = name
        self.entity = entity
        self.gone = gone

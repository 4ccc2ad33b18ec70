"""One virtual host: the exchanges and queues in it, and the way of a message through them."""

from amq.destination import Destination
from amq.exchanges import router
from amq.exchanges.base import Binding, Exchange
from amq.message import Message
from amq.queues.base import Agenda, Queue
from amq.vhost.permission import Permissions
from amq.vhost.policy import Governed


class Route:
    """Where the messages of one basic.publish go: its arguments parsed, permitted and routed.

    `queues` is None when every message must be routed by itself; `ids` are those of the queues that the journal keeps.
    """

    __slots__ = ("address", "exchange", "routing_key", "mandatory", "queues", "ids")

    def __init__(
        self, address: bytes, exchange: Exchange, routing_key: bytes, mandatory: bool, queues: list[Queue] | None
    ) -> None:
        self.address = address
        self.exchange = exchange
        self.routing_key = routing_key
        self.mandatory = mandatory
        self.queues = queues
        self.ids: list[int] = [queue.id for queue in queues or () if queue.keeps]


class Vhost(Governed):
    """The entities of one virtual host by name.

    `limits` are at most "max-connections" and "max-queues"; `parameters` are runtime parameters (any JSON value) by
    component and name. `tracing`: see `amq.vhost.tracing`. `incoming` holds the bindings that lead to a destination,
    `routes` what publishers of each user were routed to before: valid until anything changes that routing or permission
    depends on.
    """

    __slots__ = (
        "permissions",
        "incoming",
        "routes",
        "routes_version",
        "replies",
        "description",
        "tags",
        "default_queue_type",
        "tracing",
        "protected_from_deletion",
        "limits",
        "parameters",
    )

    def __init__(self, name: str, agenda: Agenda) -> None:
        super().__init__(name, agenda)
        self.permissions = Permissions(name, agenda.journal)
        self.incoming: dict[Destination, dict[tuple[object, ...], Binding]] = {}
        self.routes: dict[str, dict[bytes, Route]] = {}
        # Of the permissions that the routes were granted under.
        self.routes_version: int = self.permissions.version
        # Direct reply-to: who waits for an answer under a name of his own, each as a queue that keeps nothing.
        self.replies: dict[bytes, Queue] = {}
        self.description: str = ""
        self.tags: tuple[str, ...] = ()
        self.default_queue_type: str | None = None
        self.tracing: bool = False
        # Whether an operator has to say so before it can be deleted.
        self.protected_from_deletion: bool = False
        self.limits: dict[str, int] = {}
        self.parameters: dict[tuple[str, str], object] = {}

    def routes_of(self, user: str) -> dict[bytes, Route]:
        """The cache of a user's routes: the same dict for as long as the vhost lives."""
        return self.routes.setdefault(user, {})

    def changed(self) -> None:
        """Forget every cached route."""
        self.routes_version = self.permissions.version
        for routes in self.routes.values():
            if routes:
                routes.clear()

    def named(self, kind: str, name: bytes) -> str:
        """How error texts name an entity: `queue 'q' in vhost '/'`."""
        return f"{kind} '{name.decode('utf-8', 'replace')}' in vhost '{self.name}'"

    def route(self, exchange: Exchange, routing_keys: list[bytes], message: Message) -> router.Routing:
        """The queues that a message reaches, each once."""
        return router.route(self.exchanges, exchange, routing_keys, message)

"""An operator inside the core: a session and a channel without a socket, so that what is declared, bound or deleted
over HTTP is checked, and refused, by the code that AMQP clients reach, with the same words.
"""

from amq.auth.users import User
from amq.broker import Broker, Client
from amq.connection.channel import Channel
from amq.connection.outbox import Outbox
from amq.connection.session import Session
from amq.errors import CONNECTION_FORCED
from amq.vhost.permission import Access
from amq.vhost.vhost import Vhost


class Visitor(Client):
    """A client that nobody sees: what it is told is dropped, and it has no connection to close."""

    __slots__ = ()

    def due(self, now: float) -> None:
        pass

    def alarm_changed(self) -> None:
        pass

    def confirm(self) -> None:
        pass

    def caught_up(self) -> None:
        pass

    def head_arrived(self) -> None:
        pass

    def go_on(self) -> None:
        pass

    def vhost_name(self) -> str | None:
        return None

    def name(self) -> str:
        return "management"

    def user_name(self) -> str | None:
        return None

    def force_close(self, reason: str, code: int = CONNECTION_FORCED) -> None:
        pass


class Caller(Visitor):
    """The client of a request, under its user's name."""

    __slots__ = ("_user",)

    def __init__(self, user: str) -> None:
        self._user = user

    def user_name(self) -> str | None:
        return self._user


class Owner(Access):
    """The access of who owns the broker's process: to everything."""

    __slots__ = ()

    def _require(self, operation: str, kind: str, name: bytes) -> None:
        pass

    def _require_topic(self, operation: str, exchange: bytes, routing_key: bytes) -> None:
        pass


def visit(broker: Broker, vhost: Vhost, user: User, everything: bool) -> Channel:
    """A channel of this user in that vhost; with `everything`, permissions are not asked for."""
    session = Session(broker, vhost, user, Outbox(Caller(user.name), []), 0, False)
    if everything:
        session.access = Owner(vhost.permissions, user.name)
    return Channel(0, session)

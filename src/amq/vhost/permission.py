"""What users may do in one vhost: permissions, topic permissions, and a cache of what was granted.

Patterns (`amq.lang.pattern`) are the operator's, names come from clients: neither can make a search take long. The
empty pattern of a permission stands for nothing but the empty name, as in RabbitMQ.

A check runs on the first use of a name; whoever caches routes drops them when `Permissions.version` moves.
"""

from typing import Final

import attrs

from amq.errors import ACCESS_REFUSED, ChannelFault
from amq.journal import change
from amq.journal.batch import Batch
from amq.journal.change import Change
from amq.lang.pattern import PatternError, compile_pattern

# What was granted is remembered for so many names of one user in one vhost; then it is forgotten all at once.
MAX_GRANTED: Final = 512
# What the empty pattern means.
NO_NAME: Final = "^$"


def _checked(_instance: object, _attribute: "attrs.Attribute[str]", value: str) -> None:
    compile_pattern(value)


@attrs.frozen
class Permission:
    """What one user may configure, write and read, as regular expressions over names of queues and exchanges.

    Raises PatternError.
    """

    configure: str = attrs.field(validator=_checked)
    write: str = attrs.field(validator=_checked)
    read: str = attrs.field(validator=_checked)


@attrs.frozen
class TopicPermission:
    """Which routing keys one user may publish with (`write`) and bind with (`read`) on one topic exchange.

    `{username}` and `{vhost}` in a pattern stand for the names themselves. Raises PatternError.
    """

    exchange: str
    write: str = attrs.field(validator=_checked)
    read: str = attrs.field(validator=_checked)


class Permissions:
    """All permissions of one vhost, by user name.

    `version` moves with every change; `journal` is told of it.
    """

    __slots__ = ("vhost", "version", "_journal", "_by_user", "_topics")

    def __init__(self, vhost: str, journal: Batch | None = None) -> None:
        self.vhost = vhost
        self._journal = journal or Batch(keeps=False)
        self.version = 0
        self._by_user: dict[str, Permission] = {}
        self._topics: dict[str, dict[str, TopicPermission]] = {}

    def set(self, user: str, permission: Permission) -> None:
        """Give a user permissions, in place of those that it has."""
        if self._by_user.get(user) != permission:
            self._by_user[user] = permission
            self._changed(change.PERMISSION, (user,), permission)

    def clear(self, user: str) -> None:
        """Take a user's permissions; without any it may not enter the vhost. Nothing happens if it has none."""
        if self._by_user.pop(user, None) is not None:
            self._changed(change.PERMISSION, (user,), None)

    def get(self, user: str) -> Permission | None:
        """A user's permissions, or None."""
        return self._by_user.get(user)

    def all(self) -> dict[str, Permission]:
        """Every user's permissions, a copy."""
        return dict(self._by_user)

    def set_topic(self, user: str, permission: TopicPermission) -> None:
        """Give a user topic permissions on one exchange, in place of those that it has there."""
        of_user = self._topics.setdefault(user, {})
        if of_user.get(permission.exchange) != permission:
            of_user[permission.exchange] = permission
            self._changed(change.TOPIC_PERMISSION, (user, permission.exchange), permission)

    def clear_topic(self, user: str, exchange: str | None = None) -> None:
        """Take a user's topic permissions on one exchange, or on all. Nothing happens if it has none."""
        of_user = self._topics.get(user, {})
        taken = [exchange] if exchange is not None else list(of_user)
        for name in taken:
            if of_user.pop(name, None) is not None:
                self._changed(change.TOPIC_PERMISSION, (user, name), None)
        if not of_user:
            self._topics.pop(user, None)

    def get_topic(self, user: str, exchange: str) -> TopicPermission | None:
        """A user's topic permissions on one exchange, or None."""
        return self._topics.get(user, {}).get(exchange)

    def all_topics(self) -> list[tuple[str, TopicPermission]]:
        """User and topic permission, for every one there is."""
        return [(user, permission) for user, of_user in self._topics.items() for permission in of_user.values()]

    def may_enter(self, user: str) -> bool:
        """Whether the user may open a connection to this vhost: any permission record will do, even an empty one."""
        return user in self._by_user

    def access(self, user: str) -> "Access":
        """One user's view, to be kept by its connection."""
        return Access(self, user)

    def _changed(self, kind: str, name: tuple[object, ...], permission: Permission | TopicPermission | None) -> None:
        self.version += 1
        self._journal.define(Change(kind, self.vhost, name, permission, permission is None))


class Access:
    """One user in one vhost, as its channels see it. Remembers what was granted until permissions change.

    `kind` is "queue" or "exchange", here and in what clients read. Refusals raise ChannelFault(403).
    """

    __slots__ = ("user", "vhost", "_permissions", "_version", "_granted")

    def __init__(self, permissions: Permissions, user: str) -> None:
        self.user = user
        self.vhost = permissions.vhost
        self._permissions = permissions
        self._version = permissions.version
        self._granted: set[tuple[str, str, bytes, bytes]] = set()

    def configure(self, kind: str, name: bytes) -> None:
        """Declare or delete it."""
        self._require("configure", kind, name)

    def write(self, kind: str, name: bytes) -> None:
        """Publish to an exchange, bind a queue, be dead-lettered to."""
        self._require("write", kind, name)

    def read(self, kind: str, name: bytes) -> None:
        """Consume from, get from or purge a queue, bind to an exchange."""
        self._require("read", kind, name)

    def write_topic(self, exchange: bytes, routing_key: bytes) -> None:
        """Publish to a topic exchange with a routing key."""
        self._require_topic("write", exchange, routing_key)

    def read_topic(self, exchange: bytes, routing_key: bytes) -> None:
        """Bind to a topic exchange with a routing key."""
        self._require_topic("read", exchange, routing_key)

    def _require(self, operation: str, kind: str, name: bytes) -> None:
        if self._was_granted((operation, kind, name, b"")):
            return
        checked = b"amq.default" if kind == "exchange" and not name else name
        permission = self._permissions.get(self.user)
        pattern = None if permission is None else getattr(permission, operation)
        if pattern is None or not compile_pattern(pattern or NO_NAME).search(checked):
            self._refuse(f"{operation} access to {kind} '{_text(checked)}' in vhost '{self.vhost}'")
        self._grant((operation, kind, name, b""))

    def _require_topic(self, operation: str, exchange: bytes, routing_key: bytes) -> None:
        if self._was_granted((operation, "topic", exchange, routing_key)):
            return
        permission = self._permissions.get_topic(self.user, _text(exchange))
        if permission is not None and not self._topic_matches(getattr(permission, operation), routing_key):
            self._refuse(
                f"{operation} access to topic '{_text(routing_key)}' "
                f"in exchange '{_text(exchange)}' in vhost '{self.vhost}'"
            )
        self._grant((operation, "topic", exchange, routing_key))

    def _topic_matches(self, pattern: str, routing_key: bytes) -> bool:
        # RabbitMQ puts the names in as they are, not quoted: a name that spoils the pattern matches nothing.
        expanded = pattern.replace("{username}", self.user).replace("{vhost}", self.vhost)
        try:
            return compile_pattern(expanded or NO_NAME).search(routing_key) is not None
        except PatternError:
            return False

    def _was_granted(self, use: tuple[str, str, bytes, bytes]) -> bool:
        if self._version != self._permissions.version:
            self._version = self._permissions.version
            self._granted.clear()
        return use in self._granted

    def _grant(self, use: tuple[str, str, bytes, bytes]) -> None:
        if len(self._granted) >= MAX_GRANTED:
            self._granted.clear()
        self._granted.add(use)

    def _refuse(self, what: str) -> None:
        raise ChannelFault(ACCESS_REFUSED, f"{what} refused for user '{self.user}'")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")

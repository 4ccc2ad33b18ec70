"""The names that a selector can use, and what they stand for in a message."""

from typing import Any, Final

from amq.lang.selector import Node
from amq.lang.selector_subject import NUMBERS, TEXTS, Subject, follow, follow_json

Path = list[str | int]

# Fields of a death, as selectors spell them, and where they are in its table.
DEATH_FIELDS: Final[dict[str, Path]] = {
    "queue": ["queue"],
    "reason": ["reason"],
    "count": ["count"],
    "exchange": ["exchange"],
    "routing_key": ["routing-keys", 0],
    "time": ["time"],
    "original_expiration": ["original-expiration"],
}


class UnknownName(ValueError):
    """No name of this language; the text says what there is instead."""


class Text(Node):
    """A property that is a string."""

    __slots__ = ("flag",)

    def __init__(self, flag: int) -> None:
        self.flag = flag

    def value(self, subject: Subject) -> Any:
        octets = subject.octets(self.flag)
        return None if octets is None else octets[1:].decode("utf-8", "surrogateescape")


class Number(Node):
    """A property that is an integer."""

    __slots__ = ("flag",)

    def __init__(self, flag: int) -> None:
        self.flag = flag

    def value(self, subject: Subject) -> Any:
        octets = subject.octets(self.flag)
        return None if octets is None else int.from_bytes(octets, "big")


class Header(Node):
    """A header, or what stands at a path in it; all of them for the empty path."""

    __slots__ = ("path", "octets")

    def __init__(self, path: Path) -> None:
        self.path = path
        # What a message with that header has in it: most of those without are told apart before anything is decoded.
        self.octets: bytes = str(path[0]).encode("utf-8", "surrogateescape") if path else b""

    def value(self, subject: Subject) -> Any:
        if self.octets not in subject.message.header:
            return None
        headers = subject.headers()
        return None if headers is None else follow(headers, self.path)


class Body(Node):
    """The body as text."""

    __slots__ = ()

    def value(self, subject: Subject) -> Any:
        return subject.text()


class Json(Node):
    """What stands at a path in a body that is JSON."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def value(self, subject: Subject) -> Any:
        return follow_json(subject.json(), self.path)


class RoutingKey(Node):
    """The routing key that it was published, or dead-lettered, with."""

    __slots__ = ()

    def value(self, subject: Subject) -> Any:
        return subject.message.routing_key().decode("utf-8", "surrogateescape")


class ExchangeName(Node):
    """The exchange that it was published to; the empty string for the default exchange."""

    __slots__ = ()

    def value(self, subject: Subject) -> Any:
        return subject.message.exchange().decode("utf-8", "surrogateescape")


class Redelivered(Node):
    """Whether it was delivered before."""

    __slots__ = ()

    def value(self, subject: Subject) -> Any:
        return subject.redelivered


class Size(Node):
    """Octets of the body."""

    __slots__ = ()

    def value(self, subject: Subject) -> Any:
        return len(subject.message.body)


PLAIN: Final[dict[str, Node]] = {
    **{name: Text(flag) for name, flag in TEXTS.items()},
    **{name: Number(flag) for name, flag in NUMBERS.items()},
    "routing_key": RoutingKey(),
    "exchange": ExchangeName(),
    "redelivered": Redelivered(),
    "size": Size(),
}
# All that a selector can begin a name with.
NAMES: Final = (*sorted(PLAIN), "headers.NAME", "x_death.FIELD", "body", "body.json.PATH")


def resolve(path: Path) -> Node:
    """What a name stands for: the parts between its dots and in its brackets.

    Raises UnknownName.
    """
    first, rest = path[0], path[1:]
    if first == "headers":
        if rest and type(rest[0]) is int:
            raise UnknownName("headers have names: headers.NAME or headers['NAME']")
        return Header(rest)
    if first == "x_death":
        return death(rest)
    if first == "body":
        if rest and rest[0] != "json":
            raise UnknownName("after 'body' only '.json' can follow, with a path into a body that is JSON")
        return Json(rest[1:]) if rest else Body()
    node = PLAIN.get(str(first))
    if node is None:
        raise UnknownName(f"there is no '{first}'; allowed are {', '.join(NAMES)}")
    if rest:
        raise UnknownName(f"'{first}' has no parts")
    return node


def death(path: Path) -> Node:
    """`x_death.FIELD` is about the latest death, `x_death[1].FIELD` about the one before it. Raises UnknownName."""
    place: int | str = 0
    if path and type(path[0]) is int:
        place, path = path[0], path[1:]
    if not path:
        return Header(["x-death", place])
    field = DEATH_FIELDS.get(str(path[0]))
    if field is None or len(path) > 1:
        raise UnknownName(f"a death has {', '.join(DEATH_FIELDS)}")
    return Header(["x-death", place, *field])

"""The headers exchange: bindings ask for headers, and for values of them.

A criterion is a header's name with a value, or with PRESENT. A message offers a set of criteria; a binding wants
all or any of its own to be among them. Bindings are indexed by criteria: a message meets those that have something
in common with it, not all there are.
"""

from typing import Any, ClassVar, Final

from amq.destination import Destination
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.exchanges.base import Binding, Exchange, Identity, count_in, count_out
from amq.message import Message
from amq.wire.erlang import term
from amq.wire.tables import Table, type_name

# A str, as no header's comparable value is but those of booleans.
PRESENT: Final = "present"
MATCH: Final = "x-match"
_MATCHES: Final = (b"all", b"any", b"all-with-x", b"any-with-x")

Criterion = tuple[str, object]


class Demand:
    """A binding that wants all of its criteria. It is indexed under one of them, the `pivot`."""

    __slots__ = ("criteria", "destination", "pivot")

    def __init__(self, criteria: frozenset[Criterion], destination: Destination, pivot: Criterion) -> None:
        self.criteria = criteria
        self.destination = destination
        self.pivot = pivot


class Headers(Exchange):
    """`unconditional` holds those who want all of nothing, and so get everything."""

    __slots__ = ("unconditional", "demands", "all_by_pivot", "any_by_criterion")
    type_name: ClassVar[str] = "headers"

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self.unconditional: dict[Destination, int] = {}
        self.demands: dict[Identity, Demand] = {}
        self.all_by_pivot: dict[Criterion, dict[Identity, Demand]] = {}
        self.any_by_criterion: dict[Criterion, dict[Destination, int]] = {}

    def check_binding(self, routing_key: bytes, arguments: Table) -> None:
        """Refuse an `x-match` that means nothing.

        Raises ChannelFault(406).
        """
        field = arguments.get(MATCH)
        if field is None:
            return
        if field[0] != "S":
            text = f"Invalid x-match field type {type_name(field[0])} (value {term(field)}); expected longstr"
            raise ChannelFault(PRECONDITION_FAILED, text)
        if field[1] not in _MATCHES:
            text = f"Invalid x-match field value {term(field)}; expected all, any, all-with-x, or any-with-x"
            raise ChannelFault(PRECONDITION_FAILED, text)

    def add(self, binding: Binding) -> None:
        """Enter the binding under its criteria."""
        criteria = wanted(binding.arguments)
        if wants_any(binding.arguments):
            for criterion in criteria:
                count_in(self.any_by_criterion.setdefault(criterion, {}), binding.destination)
        elif not criteria:
            count_in(self.unconditional, binding.destination)
        else:
            pivot = self.rarest(criteria)
            demand = Demand(criteria, binding.destination, pivot)
            self.demands[binding.identity] = demand
            self.all_by_pivot.setdefault(pivot, {})[binding.identity] = demand

    def remove(self, binding: Binding) -> None:
        """Take the binding out, and its criteria with their last one."""
        criteria = wanted(binding.arguments)
        if wants_any(binding.arguments):
            for criterion in criteria:
                destinations = self.any_by_criterion[criterion]
                count_out(destinations, binding.destination)
                if not destinations:
                    del self.any_by_criterion[criterion]
        elif not criteria:
            count_out(self.unconditional, binding.destination)
        else:
            pivot = self.demands.pop(binding.identity).pivot
            demands = self.all_by_pivot[pivot]
            del demands[binding.identity]
            if not demands:
                del self.all_by_pivot[pivot]

    def rarest(self, criteria: frozenset[Criterion]) -> Criterion:
        """The criterion under which the fewest demands stand so far: the one that will be tried in vain least."""
        best: Criterion | None = None
        fewest: int = 0
        for criterion in criteria:
            count = len(self.all_by_pivot.get(criterion, ()))
            if best is None or count < fewest:
                best = criterion
                fewest = count
        assert best is not None, "a demand has criteria"
        return best

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append what wants the headers of this message."""
        found.extend(self.unconditional)
        offered = offers(message.properties.headers())
        for criterion in offered:
            destinations = self.any_by_criterion.get(criterion)
            if destinations is not None:
                found.extend(destinations)
            demands = self.all_by_pivot.get(criterion)
            if demands is not None:
                found.extend([demand.destination for demand in demands.values() if demand.criteria <= offered])

    def route_all(self, routing_keys: list[bytes], message: Message, found: list[Destination]) -> None:
        """Append what wants the headers of this message, once for all keys."""
        self.route(routing_keys[0], message, found)


def wants_any(arguments: Table) -> bool:
    """Whether one criterion is enough."""
    field = arguments.get(MATCH)
    return field is not None and field[1] in (b"any", b"any-with-x")


def wanted(arguments: Table) -> frozenset[Criterion]:
    """The criteria of a binding. Headers that begin with `x-` count only if `x-match` says so."""
    field = arguments.get(MATCH)
    with_x = field is not None and field[1] in (b"all-with-x", b"any-with-x")
    criteria: list[Criterion] = []
    for key, (kind, value) in arguments.items():
        if key == MATCH or (not with_x and key.startswith("x-")):
            continue
        criteria.append((key, PRESENT if kind == "V" else comparable(kind, value)))
    return frozenset(criteria)


def offers(headers: Table) -> set[Criterion]:
    """Every criterion that a message with these headers meets."""
    criteria: set[Criterion] = set()
    for key, (kind, value) in headers.items():
        criteria.add((key, PRESENT))
        criteria.add((key, comparable(kind, value)))
    return criteria


def comparable(kind: str, value: Any) -> object:
    """A hashable stand-in, equal for values that RabbitMQ holds equal, whatever their types on the wire.

    Numbers of any width are equal by value, and so are text and octets; a boolean equals no number. Inside
    arrays and tables the types count as well; an empty array and an empty table are one.
    """
    if kind == "t":
        return "true" if value else "false"
    if kind == "A":
        return tuple([(type_name(inner), comparable(inner, item)) for inner, item in value])
    if kind == "F":
        return tuple([(key, type_name(inner), comparable(inner, item)) for key, (inner, item) in value.items()])
    return value

"""Where a message would go, without sending one: the bindings that lead on from an exchange, and which of them take it.

The way is walked as `amq.exchanges.router` walks it, exchange by exchange, with a reason for every binding met.
"""

from collections.abc import Iterator
from typing import Any, Final

from amq.connection import content
from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.default import Default
from amq.exchanges.delayed import Delayed, delay_of
from amq.management.answers import Answer, ok
from amq.management.bindings import Bound, binding_json
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint, Parameter, Schema
from amq.management.entities_json import name_in, text
from amq.management.entity_schemas import BINDING, TEXT, TRUTH, WHOLE, array_of, record
from amq.management.entity_schemas import TABLE as OBJECT
from amq.management.errors import BadRequest
from amq.management.exchanges import exchange_named
from amq.management.explaining import Reason, quoted, reason
from amq.management.message_query import number
from amq.management.properties_json import content_header
from amq.management.turns import Turns
from amq.message import Message, address
from amq.queues.base import Queue
from amq.vhost.vhost import Vhost
from amq.wire import properties as props

# Bindings of the graph, unless the request wants fewer or more.
DRAWN: Final = 60
MOST_DRAWN: Final = 1_000
# Bindings that do not match and are told with their reasons, by the way's first exchanges first.
MOST_MISSES: Final = 100


class Walk:
    """The way of one message. `queues` in the order in which the router reaches them, each once."""

    def __init__(self, vhost: Vhost, first: Exchange, routing_keys: list[bytes], message: Message) -> None:
        self.vhost = vhost
        self.keys = routing_keys
        self.message = message
        self.queues: list[Queue] = []
        self.hops: list[dict[str, Any]] = []
        self.misses: list[dict[str, Any]] = []
        self.missed = 0
        self.notes: list[str] = []
        self.certain = True
        self.pending: list[Destination] = [first]
        self.seen: set[Destination] = {first}
        if first.internal:
            self.notes.append("The exchange is internal: clients cannot publish to it themselves.")

    async def go(self) -> None:
        """Walk to the end of every way, in slices."""
        turns = Turns()
        for target in self.pending:
            if isinstance(target, Exchange):
                await self.leave(target, turns)
            elif isinstance(target, Queue):
                self.queues.append(target)

    async def leave(self, exchange: Exchange, turns: Turns) -> None:
        """Find the bindings of an exchange that take the message, or what it falls to."""
        before = len(self.hops)
        if isinstance(exchange, Default):
            self.by_name(exchange)
        elif isinstance(exchange, Delayed) and delay_of(self.message) > 0:
            delay = delay_of(self.message)
            self.notes.append(f"The message waits in exchange {quoted(exchange.name)} for {delay} ms first.")
        async for binding in turns.each(list(exchange.bindings.values())):
            found = reason(exchange, binding, self.keys, self.message)
            hop = {**binding_json(Bound(self.vhost, binding)), "kind": "binding", "reason": found.why}
            if found.takes:
                self.take(hop, binding.destination, found)
            else:
                self.missed += 1
                if len(self.misses) < MOST_MISSES:
                    self.misses.append(hop)
        if len(self.hops) == before and exchange.alternate:
            self.fall(exchange, exchange.alternate)

    def by_name(self, exchange: Default) -> None:
        """From the default exchange: to the queues that have the keys as their names."""
        for key in dict.fromkeys(self.keys):
            queue = exchange.queues.get(key)
            if queue is None:
                self.notes.append(f"No queue has the name {quoted(key)}.")
                continue
            hop = {**binding_json(Bound(self.vhost, Binding(exchange, queue, key, {}))), "kind": "default"}
            self.take(hop | {"reason": "the routing key is the queue's name"}, queue, Reason(True, ""))

    def fall(self, exchange: Exchange, name: bytes) -> None:
        """From an exchange where nothing matched to its alternate."""
        alternate = self.vhost.exchanges.get(name)
        if alternate is None:
            self.notes.append(f"The alternate exchange {quoted(name)} of {quoted(exchange.name)} does not exist.")
            return
        why = f"nothing matched in {quoted(exchange.name)}: its alternate exchange takes the message"
        hop = {**binding_json(Bound(self.vhost, Binding(exchange, alternate, b"", {}))), "kind": "alternate"}
        self.take(hop | {"reason": why, "properties_key": ""}, alternate, Reason(True, why))

    def take(self, hop: dict[str, Any], destination: Destination, found: Reason) -> None:
        """Note a hop, and go on from where it leads."""
        self.hops.append(hop)
        self.certain = self.certain and found.certain
        if destination not in self.seen:
            self.seen.add(destination)
            self.pending.append(destination)

    def told(self) -> dict[str, Any]:
        """The answer."""
        notes = self.notes
        if not self.certain:
            notes = [*notes, "Some of it is left to chance: not every message takes all of these ways."]
        return {
            "routed": bool(self.queues),
            "certain": self.certain,
            "queues": [text(queue.name) for queue in self.queues],
            "hops": self.hops,
            "misses": self.misses,
            "misses_left_out": self.missed - len(self.misses),
            "notes": notes,
        }


async def route(call: Call) -> Answer:
    """POST /amq/exchanges/{vhost}/{exchange}/route."""
    exchange = exchange_named(call)
    body = call.json()
    key = name_in(body, "routing_key")
    properties = body.get("properties") or {}
    if not isinstance(properties, dict):
        raise BadRequest("properties must be an object")
    if body.get("headers"):
        properties = {**properties, "headers": body["headers"]}
    header = content_header(properties, 0)
    keys = [key]
    read = props.read(header)
    if read.special:
        read.expiration = None
        header, keys, _ = content.special(header, read, keys, None)
    walk = Walk(call.vhost, exchange, keys, Message(address(exchange.name, key), header, b"", props.read(header)))
    await walk.go()
    return ok(walk.told())


async def graph(call: Call) -> Answer:
    """GET /amq/exchanges/{vhost}/{exchange}/graph."""
    most = number(call.query, "most", DRAWN, 1, MOST_DRAWN)
    vhost = call.vhost
    first = exchange_named(call)
    met: dict[Exchange, None] = {first: None}
    drawn: list[dict[str, Any]] = []
    left_out = 0
    async for exchange, hop in Turns().each(_onward(vhost, first)):
        met.setdefault(exchange)
        if hop is not None and len(drawn) < most:
            drawn.append(hop)
        elif hop is not None:
            left_out += 1
    exchanges = [{"name": text(one.name), "type": one.type_name, "internal": one.internal} for one in met]
    return ok({"exchanges": exchanges, "bindings": drawn, "left_out": left_out})


def _onward(vhost: Vhost, first: Exchange) -> Iterator[tuple[Exchange, dict[str, Any] | None]]:
    # Every exchange that can be reached, and every way that leads on from it, nearest first.
    pending = [first]
    seen = {first}
    for exchange in pending:
        yield exchange, None
        ways = [(binding, "binding") for binding in exchange.bindings.values()]
        alternate = vhost.exchanges.get(exchange.alternate) if exchange.alternate else None
        if alternate is not None:
            ways.append((Binding(exchange, alternate, b"", {}), "alternate"))
        for binding, kind in ways:
            described = {**binding_json(Bound(vhost, binding)), "kind": kind}
            yield exchange, described | ({"properties_key": ""} if kind == "alternate" else {})
            target = binding.destination
            if isinstance(target, Exchange) and target not in seen:
                seen.add(target)
                pending.append(target)


_HOP: Final[Schema] = {
    **BINDING,
    "properties": {**BINDING["properties"], "kind": {"enum": ["binding", "alternate", "default"]}, "reason": TEXT},
}
_ROUTE: Final = record(
    "routed certain queues hops misses misses_left_out notes",
    routed=TRUTH,
    certain=TRUTH,
    queues=array_of(TEXT),
    hops=array_of(_HOP),
    misses=array_of(_HOP),
    misses_left_out=WHOLE,
    notes=array_of(TEXT),
)
_GRAPH: Final = record(
    "exchanges bindings left_out",
    exchanges=array_of(record("name type internal", name=TEXT, type=TEXT, internal=TRUTH)),
    bindings=array_of(_HOP),
    left_out=WHOLE,
)
_TRIED: Final = record("", routing_key=TEXT, headers=OBJECT, properties=OBJECT)
_GONE: Final = "there is no such exchange"

TABLE: Final = (
    Endpoint(
        "POST",
        "/amq/exchanges/{vhost}/{exchange}/route",
        MANAGEMENT,
        route,
        "Where a message would go and why; nothing is published",
        {200: _ROUTE, 400: "no message can be so", 404: _GONE},
        _TRIED,
    ),
    Endpoint(
        "GET",
        "/amq/exchanges/{vhost}/{exchange}/graph",
        MANAGEMENT,
        graph,
        "What leads on from an exchange, directly and through others, nearest first",
        {200: _GRAPH, 404: _GONE},
        query=(Parameter("most", f"bindings to tell of, 1 to {MOST_DRAWN} ({DRAWN})", WHOLE),),
    ),
)

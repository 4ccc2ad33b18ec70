"""Why a message takes a binding, or does not, in words.

Each exchange type has its say here as it has in `amq.exchanges`; a type that this module has not heard of is asked
where it routes to, and that has to do. Nothing is changed by being explained: a random exchange draws nothing, a recent
history remembers nothing.
"""

from collections.abc import Callable
from typing import Any, Final

import attrs

from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.consistent_hash import ConsistentHash
from amq.exchanges.delayed import Delayed
from amq.exchanges.direct import Direct
from amq.exchanges.fanout import Fanout
from amq.exchanges.headers import MATCH, Headers, comparable, offers, wanted, wants_any
from amq.exchanges.random_choice import RandomChoice
from amq.exchanges.topic import Topic, pattern_words
from amq.management.entities_json import field_json, text
from amq.message import Message
from amq.wire.tables import Field, Table

Words = list[bytes]
# Which words of a key each word of a pattern stands for: from, to.
Spans = list[tuple[int, int]]


@attrs.frozen
class Reason:
    """Whether a binding takes a message, and why. Not `certain`: it may, or another one will."""

    takes: bool
    why: str
    certain: bool = True


def reason(exchange: Exchange, binding: Binding, routing_keys: list[bytes], message: Message) -> Reason:
    """Why a binding of this exchange takes a message with these keys (its own, then those of CC and BCC), or not."""
    if isinstance(exchange, Delayed):
        return reason(exchange.inner, binding, routing_keys, message)
    for kind, explain in _TYPES:
        if isinstance(exchange, kind):
            return explain(exchange, binding, routing_keys, message)
    found: list[Destination] = []
    exchange.route_all(routing_keys, message, found)
    takes = binding.destination in found
    return Reason(takes, f"an exchange of type {exchange.type_name} {'sends' if takes else 'does not send'} it there")


def quoted(octets: bytes) -> str:
    """A routing key or a name in a sentence."""
    return f"“{text(octets)}”" if octets else "empty"


def _direct(_: Exchange, binding: Binding, routing_keys: list[bytes], __: Message) -> Reason:
    key = binding.routing_key
    if key in routing_keys:
        return Reason(True, f"the routing key is {quoted(key)}{_from_header(routing_keys, key)}")
    return Reason(False, f"its key is {quoted(key)}")


def _fanout(_: Exchange, __: Binding, ___: list[bytes], ____: Message) -> Reason:
    return Reason(True, "a fanout takes every message, whatever its key")


# -- topics --


def _topic(_: Exchange, binding: Binding, routing_keys: list[bytes], __: Message) -> Reason:
    pattern = pattern_words(binding.routing_key)
    for key in routing_keys:
        words = key.split(b".") if key else []
        spans = matched(pattern, words)
        if spans is not None:
            return Reason(True, _reading(pattern, words, spans) + _from_header(routing_keys, key))
    key = routing_keys[0]
    return Reason(False, _misread(pattern, key.split(b".") if key else []))


def matched(pattern: Words, words: Words) -> Spans | None:
    """What each word of a pattern stands for in a key, as little as possible for each `#`; None: it does not match."""
    sizes = len(pattern), len(words)
    fits = [[False] * (sizes[1] + 1) for _ in range(sizes[0] + 1)]
    fits[sizes[0]][sizes[1]] = True
    for i in reversed(range(sizes[0])):
        for j in reversed(range(sizes[1] + 1)):
            more = j < sizes[1]
            if pattern[i] == b"#":
                fits[i][j] = fits[i + 1][j] or (more and fits[i][j + 1])
            else:
                fits[i][j] = more and pattern[i] in (b"*", words[j]) and fits[i + 1][j + 1]
    if not fits[0][0]:
        return None
    spans: Spans = []
    at = 0
    for i, word in enumerate(pattern):
        start = at
        if word != b"#":
            at += 1
        while not fits[i + 1][at]:
            at += 1
        spans.append((start, at))
    return spans


def _reading(pattern: Words, words: Words, spans: Spans) -> str:
    parts = [
        f"{text(word)} stands for {quoted(b'.'.join(words[start:stop])) if stop > start else 'no word'}"
        for word, (start, stop) in zip(pattern, spans, strict=True)
        if word in (b"#", b"*")
    ]
    shown = quoted(b".".join(pattern))
    return f"the pattern {shown} matches: {', '.join(parts)}" if parts else f"the routing key is {shown}"


def _misread(pattern: Words, words: Words) -> str:
    shown = f"the pattern {quoted(b'.'.join(pattern))}"
    if b"#" in pattern:
        return f"{shown} does not match"
    if len(pattern) != len(words):
        return f"{shown} wants {_counted(len(pattern), 'word')}, the key has {len(words)}"
    place = next(place for place, word in enumerate(pattern) if word not in (b"*", words[place]))
    return f"{shown} wants {quoted(pattern[place])} as word {place + 1}, the key has {quoted(words[place])} there"


# -- headers --


def _headers(_: Exchange, binding: Binding, __: list[bytes], message: Message) -> Reason:
    headers = message.properties.headers()
    offered = offers(headers)
    criteria = wanted(binding.arguments)
    asked = {name: field for name, field in binding.arguments.items() if name in dict(criteria) and name != MATCH}
    met = {name: field for name, field in asked.items() if _criterion(name, field) in offered}
    if wants_any(binding.arguments):
        if met:
            return Reason(True, f"it wants any, and the message has {_listed(met)}")
        return Reason(False, f"it wants any of {_listed(asked)}" if asked else "it wants any of no headers at all")
    if criteria <= offered:
        return Reason(True, f"the message has {_listed(asked)}" if asked else "it asks for no header")
    missing = {name: field for name, field in asked.items() if name not in met}
    return Reason(False, f"it wants {_listed(missing)}; the message has {_contrast(missing, headers)}")


def _criterion(name: str, field: Field) -> tuple[str, object]:
    kind, value = field
    return (name, "present" if kind == "V" else comparable(kind, value))


def _listed(fields: Table) -> str:
    return " and ".join(f"{name} = {field_json(field)}" if field[0] != "V" else name for name, field in fields.items())


def _contrast(missing: Table, headers: Table) -> str:
    return " and ".join(
        f"{name} = {field_json(headers[name])}" if name in headers else f"no {name}" for name in missing
    )


# -- types that pick --


def _hashed(exchange: Any, binding: Binding, routing_keys: list[bytes], message: Message) -> Reason:
    found: list[Destination] = []
    exchange.route_all(routing_keys, message, found)
    weight, total = int(binding.routing_key), len(exchange.owners)
    by = "routing key"
    if exchange.header is not None:
        by = f"header {exchange.header}"
    elif exchange.property:
        by = f"property {exchange.property.decode()}"
    if binding.destination not in found:
        return Reason(False, f"the hash of the {by} falls to another (its share is {weight} in {total})")
    if exchange.claims[binding.destination][0] is not binding:
        return Reason(False, "an older binding of the same destination counts")
    return Reason(True, f"the hash of the {by} falls into its share of {weight} in {total}")


def _random(exchange: Any, _: Binding, __: list[bytes], ___: Message) -> Reason:
    total = len(exchange.choices)
    if total == 1:
        return Reason(True, "it is the only one to pick from")
    return Reason(True, f"one of {total} bindings is picked at random for each message", certain=False)


def _from_header(routing_keys: list[bytes], key: bytes) -> str:
    return "" if key == routing_keys[0] else f" (the key {quoted(key)} is from the header CC or BCC)"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


_TYPES: Final[tuple[tuple[type[Exchange], Callable[[Any, Binding, list[bytes], Message], Reason]], ...]] = (
    (Direct, _direct),
    (Fanout, _fanout),
    (Topic, _topic),
    (Headers, _headers),
    (ConsistentHash, _hashed),
    (RandomChoice, _random),
)

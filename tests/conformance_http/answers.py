"""Answers of the HTTP API as they are compared: what differs from run to run is replaced by its type.

{"messages": 5, "node": "rabbit@here", "rate": 0.4}  ->  {"messages": 5, "node": "<node>", "rate": "<number>"}
"""

import json
import re
from collections.abc import Iterator
from typing import Any

Json = Any

# Fields whose values depend on time, machine or process.
VOLATILE = frozenset(
    {
        *("rate", "avg_rate", "avg", "timestamp", "sample", "connected_at", "port", "peer_port", "password_hash"),
        *("recv_oct", "send_oct", "recv_cnt", "send_cnt", "send_pend", "consumer_capacity", "consumer_utilisation"),
        *("memory", "reductions", "fullsweep_after", "max_heap_size", "min_heap_size", "min_bin_vheap_size"),
        *("minor_gcs", "uptime", "ports", "protocols"),
    }
)
# Fields that are there when something has been idle for long enough.
PASSING = frozenset({"idle_since"})
# Lists whose order means nothing.
UNORDERED = frozenset(
    {
        *("consumer_details", "tags"),
        *("vhosts", "users", "permissions", "queues", "exchanges", "bindings", "policies", "parameters"),
    }
)
# Text that names what has another name in every run.
NAMES = (
    (re.compile(r"127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+"), "<connection>"),
    (re.compile(r"127\.0\.0\.1%3A\d+%20-%3E%20127\.0\.0\.1%3A\d+"), "<connection>"),
    (re.compile(r"\b(?:rabbit|amq|conformance\d*|r\d+)@[\w.-]+"), "<node>"),
    (re.compile(r"\b(?:amq\.(?:gen|ctag)-|ctag\d+\.)[\w-]+"), "<generated>"),
)
HEADERS = ("content-type", "location", "allow", "www-authenticate", "cache-control")


def typed(value: Json) -> str:
    """A scalar's type; integers and floats are one."""
    if isinstance(value, bool):
        return "<bool>"
    if isinstance(value, int | float):
        return "<number>"
    return "<null>" if value is None else "<text>"


def steady(value: Json, key: str = "") -> Json:
    """A value without what differs from run to run."""
    if isinstance(value, dict):
        return {named(name): steady(each, name) for name, each in value.items() if name not in PASSING}
    if isinstance(value, list):
        if key in VOLATILE:
            return shape(value)
        items = [steady(each) for each in value]
        return in_order(items) if key in UNORDERED else items
    if isinstance(value, str):
        value = named(value)
    return typed(value) if key in VOLATILE else value


def named(text: str) -> str:
    """Text that names nothing by a name that it has in this run only."""
    for pattern, instead in NAMES:
        text = pattern.sub(instead, text)
    return text


def in_order(items: list[Json]) -> list[Json]:
    """Items in an order that depends on nothing but themselves."""
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def shape(value: Json) -> Json:
    """Names and types of fields alone; a list is what its items have in common and what some of them have."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items() if name not in PASSING}
    if isinstance(value, list):
        merged: Json = None
        for each in value:
            merged = shape(each) if merged is None else united(merged, shape(each))
        return [] if merged is None else [merged]
    return typed(value)


def united(one: Json, other: Json) -> Json:
    """What fits both of two shapes."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*one, *other])
        return {name: united(one.get(name, other.get(name)), other.get(name, one.get(name))) for name in names}
    if isinstance(one, list) and isinstance(other, list):
        return [united(one[0], other[0])] if one and other else one or other
    return one if one == other else "<various>"


def differences(theirs: Json, ours: Json, path: str = "") -> Iterator[str]:
    """What RabbitMQ's value and amq's do not have in common, a line for each place."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in dict.fromkeys([*theirs, *ours]):
            place = f"{path}.{name}" if path else name
            if name not in ours:
                yield f"{place}: RabbitMQ alone has it: {theirs[name]!r}"
            elif name not in theirs:
                yield f"{place}: amq alone has it: {ours[name]!r}"
            else:
                yield from differences(theirs[name], ours[name], place)
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            yield f"{path}: RabbitMQ has {len(theirs)} items, amq {len(ours)}: {theirs!r}, {ours!r}"
            return
        for number, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif theirs != ours and "<various>" not in (theirs, ours):
        yield f"{path}: RabbitMQ says {theirs!r}, amq {ours!r}"

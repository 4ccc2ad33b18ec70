"""Declaring, deleting and binding exchanges."""

import pytest

from tests.conformance.client import Channel
from tests.conformance.values import Typed

BUILTINS = [
    ("amq.direct", "direct"),
    ("amq.fanout", "fanout"),
    ("amq.topic", "topic"),
    ("amq.headers", "headers"),
    ("amq.match", "headers"),
]


@pytest.mark.parametrize(("name", "kind"), BUILTINS)
def test_a_predeclared_exchange_may_be_declared_as_it_is(c: Channel, name: str, kind: str) -> None:
    c.call("exchange.declare", exchange=name, type=kind, durable=True)
    c.call("exchange.declare", exchange=name, passive=True)


def test_the_trace_exchange_is_an_internal_topic(c: Channel) -> None:
    c.call("exchange.declare", exchange="amq.rabbitmq.trace", type="topic", durable=True, internal=True)


@pytest.mark.parametrize("kind", ["direct", "fanout", "topic", "headers"])
def test_an_exchange_equals_itself(c: Channel, x: str, kind: str) -> None:
    for _ in range(2):
        c.call("exchange.declare", exchange=x, type=kind, durable=True, auto_delete=True)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"type": "fanout"}, "'type' for {}: received 'fanout' but current is 'direct'"),
        ({"durable": True}, "'durable' for {}: received 'true' but current is 'false'"),
        ({"auto_delete": True}, "'auto_delete' for {}: received 'true' but current is 'false'"),
        ({"internal": True}, "'internal' for {}: received 'true' but current is 'false'"),
        (
            {"arguments": {"alternate-exchange": "other"}},
            "'alternate-exchange' for {}: received the value 'other' of type 'longstr' but current is none",
        ),
        (
            {"type": "topic", "durable": True, "internal": True},
            "'type' for {}: received 'topic' but current is 'direct'",
        ),
        (
            {"durable": True, "auto_delete": True, "internal": True},
            "'durable' for {}: received 'true' but current is 'false'",
        ),
    ],
    ids=["type", "durable", "auto-delete", "internal", "alternate", "type-first", "durable-first"],
)
def test_another_property_of_an_exchange_is_inequivalent(
    c: Channel, x: str, change: dict[str, object], difference: str
) -> None:
    c.call("exchange.declare", exchange=x, type="direct")
    c.say("exchange.declare", **{"exchange": x, "type": "direct", **change})
    c.channel_closed(406, "inequivalent arg " + difference.format(f"exchange '{x}' in vhost '/'"))


def test_a_predeclared_exchange_cannot_be_redeclared_otherwise(c: Channel) -> None:
    c.say("exchange.declare", exchange="amq.direct", type="fanout", durable=True)
    c.channel_closed(
        406,
        "inequivalent arg 'type' for exchange 'amq.direct' in vhost '/': received 'fanout' but current is 'direct'",
    )


def test_arguments_that_an_exchange_does_not_know_are_not_compared(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct", arguments={"x-colour": "red"})
    c.call("exchange.declare", exchange=x, type="direct", arguments={"x-colour": Typed("l", 5)})


def test_an_unknown_exchange_type_is_named(c: Channel, x: str) -> None:
    c.say("exchange.declare", exchange=x, type="carrier-pigeon")
    c.channel_closed(406, "unknown exchange type 'carrier-pigeon'")


def test_a_missing_exchange_is_not_found_passively(c: Channel, x: str) -> None:
    c.say("exchange.declare", exchange=x, type="direct", passive=True)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


def test_a_passive_exchange_declare_compares_nothing(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout")
    c.call("exchange.declare", exchange=x, type="carrier-pigeon", durable=True, passive=True)


@pytest.mark.parametrize("passive", [False, True], ids=["active", "passive"])
def test_the_default_exchange_cannot_be_declared(c: Channel, passive: bool) -> None:
    c.say("exchange.declare", exchange="", type="direct", durable=True, passive=passive)
    c.channel_closed(403, "operation not permitted on the default exchange")


def test_a_new_exchange_with_a_reserved_name_is_refused(c: Channel) -> None:
    c.say("exchange.declare", exchange="amq.mine", type="direct")
    c.channel_closed(403, "exchange name 'amq.mine' contains reserved prefix 'amq.*'")


def test_an_alternate_exchange_must_be_text(c: Channel, x: str) -> None:
    c.say("exchange.declare", exchange=x, type="direct", arguments={"alternate-exchange": 1})
    c.channel_closed(406, f"invalid type 'signedint' for arg 'alternate-exchange' in exchange '{x}' in vhost '/'")


def test_line_ends_vanish_from_an_exchange_name(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=f"{x[:5]}\r\n{x[5:]}", type="direct")
    c.call("exchange.declare", exchange=x, passive=True)


def test_an_exchange_declare_without_wait_is_silent_and_effective(c: Channel, x: str) -> None:
    c.say("exchange.declare", exchange=x, type="direct", nowait=True)
    c.call("exchange.declare", exchange=x, passive=True)


def test_a_deleted_exchange_is_gone(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct")
    c.call("exchange.delete", exchange=x)
    c.say("exchange.declare", exchange=x, passive=True)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


def test_a_delete_of_a_missing_exchange_is_fine(c: Channel, x: str) -> None:
    c.call("exchange.delete", exchange=x)
    c.call("exchange.delete", exchange=x, if_unused=True)


def test_the_default_exchange_cannot_be_deleted(c: Channel) -> None:
    c.say("exchange.delete", exchange="")
    c.channel_closed(403, "operation not permitted on the default exchange")


@pytest.mark.parametrize("name", ["amq.direct", "amq.rabbitmq.trace", "amq.not-there"])
def test_a_system_exchange_cannot_be_deleted(c: Channel, name: str) -> None:
    c.say("exchange.delete", exchange=name)
    c.channel_closed(403, f"deletion of system exchange '{name}' in vhost '/' not allowed")


def test_a_bound_exchange_is_in_use(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct")
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue=q, exchange=x)
    c.say("exchange.delete", exchange=x, if_unused=True)
    c.channel_closed(406, f"exchange '{x}' in vhost '/' in use")


def test_an_exchange_that_is_only_a_destination_is_unused(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct")
    c.call("exchange.bind", destination=x, source="amq.fanout")
    c.call("exchange.delete", exchange=x, if_unused=True)


def test_an_auto_delete_exchange_goes_with_its_last_binding(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct", auto_delete=True)
    c.call("queue.declare", queue=q)
    for key in "ab":
        c.call("queue.bind", queue=q, exchange=x, routing_key=key)
    c.call("queue.unbind", queue=q, exchange=x, routing_key="a")
    c.call("exchange.declare", exchange=x, passive=True)
    c.call("queue.unbind", queue=q, exchange=x, routing_key="b")
    c.say("exchange.declare", exchange=x, passive=True)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


def test_an_auto_delete_exchange_goes_with_its_last_queue(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout", auto_delete=True)
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue=q, exchange=x)
    c.call("queue.delete", queue=q)
    c.say("exchange.declare", exchange=x, passive=True)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


def test_an_auto_delete_exchange_does_not_count_bindings_to_it(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout", auto_delete=True)
    c.call("exchange.bind", destination=x, source="amq.fanout")
    c.call("exchange.unbind", destination=x, source="amq.fanout")
    c.call("exchange.declare", exchange=x, passive=True)


def test_auto_delete_runs_along_a_chain_of_exchanges(c: Channel, q: str, x: str) -> None:
    inner = x + "-inner"
    for name in x, inner:
        c.call("exchange.declare", exchange=name, type="fanout", auto_delete=True)
    c.call("queue.declare", queue=q)
    c.call("exchange.bind", destination=inner, source=x)
    c.call("queue.bind", queue=q, exchange=inner)
    c.call("queue.delete", queue=q)
    for name in inner, x:
        c.say("exchange.declare", exchange=name, passive=True)
        c.channel_closed(404, f"no exchange '{name}' in vhost '/'")


@pytest.mark.parametrize("method", ["exchange.bind", "exchange.unbind"])
@pytest.mark.parametrize("side", ["source", "destination"])
def test_the_default_exchange_is_no_side_of_a_binding(c: Channel, method: str, side: str) -> None:
    other = "destination" if side == "source" else "source"
    c.say(method, **{side: "", other: "amq.fanout"})
    c.channel_closed(403, "operation not permitted on the default exchange")


def test_binding_exchanges_names_the_missing_one(c: Channel, x: str) -> None:
    c.say("exchange.bind", source=x, destination="amq.fanout")
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")
    c.say("exchange.bind", source="amq.fanout", destination=x)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


def test_of_two_missing_exchanges_the_source_is_named(c: Channel, x: str) -> None:
    c.say("exchange.bind", source=x, destination=x + "-other")
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


def test_unbinding_missing_exchanges_is_fine(c: Channel, x: str) -> None:
    c.call("exchange.unbind", source=x, destination=x + "-other", routing_key="k")


def test_publishing_to_an_internal_exchange_is_refused(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout", internal=True)
    c.publish("x", x)
    c.channel_closed(403, f"cannot publish to internal exchange '{x}' in vhost '/'", by="basic.publish")


def test_an_internal_exchange_routes_what_comes_from_another(c: Channel, q: str, x: str) -> None:
    inner = x + "-inner"
    c.call("exchange.declare", exchange=x, type="fanout")
    c.call("exchange.declare", exchange=inner, type="fanout", internal=True)
    c.call("exchange.bind", destination=inner, source=x)
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue=q, exchange=inner)
    c.publish("x", x, "k")
    c.get(q, "x", exchange=x, routing_key="k")


def test_publishing_to_a_missing_exchange_closes_the_channel(c: Channel, x: str) -> None:
    c.publish("x", x)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'", by="basic.publish")


def test_deleting_an_exchange_removes_its_bindings_on_both_sides(c: Channel, q: str, x: str) -> None:
    inner = x + "-inner"
    c.call("exchange.declare", exchange=x, type="fanout")
    c.call("exchange.declare", exchange=inner, type="fanout")
    c.call("queue.declare", queue=q)
    c.call("exchange.bind", destination=inner, source=x)
    c.call("queue.bind", queue=q, exchange=inner)
    c.call("exchange.delete", exchange=inner)
    c.call("exchange.declare", exchange=inner, type="fanout")
    for name in x, inner:
        c.publish("m", name, "k", mandatory=True)
        c.hear("basic.return", exchange=name)


def test_deleting_its_last_destination_removes_an_auto_delete_exchange(c: Channel, x: str) -> None:
    inner = x + "-inner"
    c.call("exchange.declare", exchange=x, type="fanout", auto_delete=True)
    c.call("exchange.declare", exchange=inner, type="fanout")
    c.call("exchange.bind", destination=inner, source=x)
    c.call("exchange.delete", exchange=inner)
    c.say("exchange.declare", exchange=x, passive=True)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


@pytest.mark.parametrize("method", ["exchange.delete", "exchange.bind", "exchange.unbind"])
def test_exchange_methods_without_wait_are_silent(c: Channel, x: str, method: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout")
    fields = {"exchange": x} if method == "exchange.delete" else {"source": x, "destination": "amq.fanout"}
    c.say(method, nowait=True, **fields)
    c.quiet()

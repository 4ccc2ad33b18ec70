"""What a document defines, made in a broker."""

import json
from typing import Any

import pytest

from amq.auth.passwords import verify_password
from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions.apply import apply
from amq.definitions.fields import DocumentError
from amq.definitions.parse import parse
from amq.errors import ChannelFault
from tests.harness.dialogue import enter


@pytest.fixture
def broker() -> Broker:
    return Broker(Settings(), now=0.0, wall=0.0)


def load(broker: Broker, **sections: Any) -> list[str]:
    return apply(parse(json.dumps(sections)), broker)


def refusal(broker: Broker, **sections: Any) -> str:
    with pytest.raises(DocumentError) as raised:
        load(broker, **sections)
    return str(raised.value)


def exchange(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "vhost": "/", "type": "direct", "durable": True, "auto_delete": False, **fields}


def queue(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}, **fields}


def binding(source: str, destination: str, **fields: Any) -> dict[str, Any]:
    return {
        "source": source,
        "vhost": "/",
        "destination": destination,
        "destination_type": "queue",
        "routing_key": "k",
        **fields,
    }


def test_users_vhosts_and_permissions_come_to_be(broker: Broker) -> None:
    warnings = load(
        broker,
        users=[{"name": "app", "password": "pw", "tags": ["monitoring"]}],
        vhosts=[{"name": "v"}],
        permissions=[{"user": "app", "vhost": "v", "configure": "", "write": "^w", "read": ""}],
        topic_permissions=[{"user": "app", "vhost": "v", "exchange": "amq.topic", "write": "^a", "read": ""}],
    )
    assert warnings == []
    user = broker.users.get("app")
    assert user is not None
    assert verify_password(b"pw", user.password_hash)
    permissions = broker.vhosts["v"].permissions
    assert permissions.may_enter("app")
    assert not permissions.may_enter("guest")
    access = permissions.access("app")
    access.write("exchange", b"w")
    access.write_topic(b"amq.topic", b"a.b")
    with pytest.raises(ChannelFault):
        access.write_topic(b"amq.topic", b"b.a")


def test_queues_exchanges_and_bindings_come_to_be(broker: Broker) -> None:
    load(
        broker,
        exchanges=[exchange("x", type="fanout"), exchange("y", arguments={"alternate-exchange": "x"})],
        queues=[queue("q", durable=False, arguments={"x-max-length": 3})],
        bindings=[binding("y", "q"), binding("x", "y", destination_type="exchange")],
    )
    vhost = broker.vhosts["/"]
    assert vhost.exchanges[b"x"].type_name == "fanout"
    assert vhost.exchanges[b"y"].alternate == b"x"
    assert vhost.queues[b"q"].arguments == {"x-max-length": ("l", 3)}
    assert not vhost.queues[b"q"].durable
    (bound,) = vhost.exchanges[b"y"].bindings.values()
    assert (bound.destination, bound.routing_key) == (vhost.queues[b"q"], b"k")
    (between,) = vhost.exchanges[b"x"].bindings.values()
    assert between.destination is vhost.exchanges[b"y"]


def test_the_same_document_twice_changes_nothing(broker: Broker) -> None:
    sections: dict[str, Any] = {
        "exchanges": [exchange("x")],
        "queues": [queue("q")],
        "bindings": [binding("x", "q")],
    }
    load(broker, **sections)
    before = dict(broker.vhosts["/"].queues)
    load(broker, **sections)
    assert broker.vhosts["/"].queues == before
    assert len(broker.vhosts["/"].exchanges[b"x"].bindings) == 1


def test_what_exists_stays_as_it_is(broker: Broker) -> None:
    load(broker, queues=[queue("q")])
    load(broker, queues=[queue("q", durable=False)])
    assert broker.vhosts["/"].queues[b"q"].durable


def test_a_user_that_exists_is_replaced(broker: Broker) -> None:
    load(broker, users=[{"name": "guest", "password": "new", "tags": []}])
    user = broker.users.get("guest")
    assert user is not None
    assert verify_password(b"new", user.password_hash)
    assert user.tags == frozenset()


def test_permissions_count_at_once_even_for_a_route_that_is_cached(broker: Broker) -> None:
    client = enter(broker, channels=[1])
    client.publish(1, "q")
    client.hears_nothing()
    load(broker, permissions=[{"user": "guest", "vhost": "/", "configure": "", "write": "", "read": ""}])
    client.publish(1, "q")
    client.hears_channel_close(
        1, 403, "write access to exchange 'amq.default' in vhost '/' refused for user 'guest'", by=(60, 40)
    )


def test_names_that_are_the_brokers_are_passed_over_with_a_warning(broker: Broker) -> None:
    warnings = load(
        broker,
        exchanges=[exchange("amq.direct", type="fanout"), exchange("")],
        queues=[queue("amq.gen-1")],
        policies=[{"name": "p"}],
    )
    assert warnings == [
        "policies: not applied yet (1 found)",
        "exchanges[0]: exchange 'amq.direct' is not imported, its name is the broker's",
        "exchanges[1]: exchange '' is not imported, its name is the broker's",
        "queues[0]: queue 'amq.gen-1' is not imported, its name is the broker's",
    ]
    assert broker.vhosts["/"].exchanges[b"amq.direct"].type_name == "direct"
    assert broker.vhosts["/"].queues == {}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"permissions": [{"user": "eve", "vhost": "/", "configure": "", "write": "", "read": ""}]},
            "permissions[0].user: user 'eve' does not exist",
        ),
        (
            {"permissions": [{"user": "guest", "vhost": "v", "configure": "", "write": "", "read": ""}]},
            "permissions[0].vhost: vhost 'v' does not exist",
        ),
        ({"queues": [queue("q", vhost="v")]}, "queues[0].vhost: vhost 'v' does not exist"),
        ({"exchanges": [exchange("x", type="magic")]}, "exchanges[0]: unknown exchange type 'magic'"),
        (
            {"exchanges": [exchange("x", arguments={"alternate-exchange": 5})]},
            "exchanges[0]: invalid type 'long' for arg 'alternate-exchange' in exchange 'x' in vhost '/'",
        ),
        (
            {"queues": [queue("p"), queue("q", arguments={"x-expires": 0})]},
            "queues[1]: invalid arg 'x-expires' for queue 'q' in vhost '/': {value_zero,0}",
        ),
        ({"bindings": [binding("x", "q")]}, "bindings[0]: no exchange 'x' in vhost '/'"),
        ({"bindings": [binding("amq.direct", "q")]}, "bindings[0]: no queue 'q' in vhost '/'"),
        (
            {"queues": [queue("q")], "bindings": [binding("", "q")]},
            "bindings[0]: nothing can be bound to the default exchange",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(broker: Broker, sections: dict[str, Any], message: str) -> None:
    assert refusal(broker, **sections) == message

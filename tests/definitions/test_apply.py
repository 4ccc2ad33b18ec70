"""What a document defines, made in a broker."""

import json
from typing import Any

import pytest

from amq.auth.passwords import verify_password
from amq.broker import Broker
from amq.config.access import LimitSettings
from amq.config.settings import Settings
from amq.definitions.apply import apply, applying
from amq.definitions.fields import DocumentError
from amq.definitions.parse import parse
from amq.definitions.steps import finish
from amq.errors import ChannelFault
from amq.vhost.policy import effective_definition
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


def parameter(component: str, name: str, value: Any) -> dict[str, Any]:
    return {"vhost": "/", "component": component, "name": name, "value": value}


TO_EXCHANGE: dict[str, Any] = {"destination_type": "exchange"}


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
    assert user.tags == ()


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
        exchanges=[exchange("amq.direct", type="fanout"), exchange(""), exchange("amq.mine")],
        queues=[queue("amq.rabbitmq.reply-to.x"), queue("amq.gen-1")],
    )
    assert warnings == [
        "exchanges[2]: exchange 'amq.mine' in vhost '/' is not imported, its name is the broker's",
        "queues[0]: queue 'amq.rabbitmq.reply-to.x' in vhost '/' is not imported, its name is the broker's",
    ]
    assert broker.vhosts["/"].exchanges[b"amq.direct"].type_name == "direct"
    assert list(broker.vhosts["/"].queues) == [b"amq.gen-1"], "a durable queue may have got its name from a broker"


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
        (
            {"exchanges": [exchange("x", type="x-consistent-hash")], "bindings": [binding("x", "x", **TO_EXCHANGE)]},
            'bindings[0]: The binding key must be an integer: <<"k">>',
        ),
        (
            {"policies": [{"name": "p", "vhost": "v", "pattern": "", "definition": {"expires": 1}}]},
            "policies[0].vhost: vhost 'v' does not exist",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(broker: Broker, sections: dict[str, Any], message: str) -> None:
    assert refusal(broker, **sections) == message


def test_a_document_that_is_wrong_at_its_end_changes_nothing(broker: Broker) -> None:
    before = (set(broker.vhosts), {user.name for user in broker.users}, dict(broker.global_parameters))
    refusal(
        broker,
        users=[{"name": "new", "password": "x", "tags": []}],
        vhosts=[{"name": "v"}],
        global_parameters=[{"name": "g", "value": 1}],
        queues=[queue("q")],
        bindings=[binding("amq.direct", "q", vhost="nowhere")],
    )
    assert before == (set(broker.vhosts), {user.name for user in broker.users}, dict(broker.global_parameters))
    assert broker.vhosts["/"].queues == {}


def test_bindings_without_an_end_are_passed_over_with_a_warning(broker: Broker) -> None:
    warnings = load(
        broker,
        queues=[queue("q")],
        bindings=[binding("x", "q"), binding("amq.direct", "r"), binding("", "q"), binding("amq.direct", "q")],
    )
    assert warnings == [
        "bindings[0]: not imported, there is no exchange 'x' in vhost '/'",
        "bindings[1]: not imported, there is no queue 'r' in vhost '/'",
        "bindings[2]: not imported, nothing can be bound to the default exchange",
    ]
    assert len(broker.vhosts["/"].exchanges[b"amq.direct"].bindings) == 1


def test_queues_of_types_that_do_not_exist_here_are_passed_over_with_their_bindings(broker: Broker) -> None:
    warnings = load(
        broker,
        queues=[queue("q", arguments={"x-queue-type": "quorum"}), queue("s", arguments={"x-queue-type": "stream"})],
        bindings=[binding("amq.direct", "q")],
    )
    assert warnings == [
        "queues[0]: queue 'q' in vhost '/' is not imported, there are no queues of type 'quorum' here",
        "queues[1]: queue 's' in vhost '/' is not imported, there are no queues of type 'stream' here",
    ]
    assert broker.vhosts["/"].queues == {}


def test_policies_and_limits_and_parameters_take_effect(broker: Broker) -> None:
    warnings = load(
        broker,
        vhosts=[{"name": "/", "description": "Main", "tags": ["a", "b"], "tracing": False}],
        policies=[{"name": "p", "vhost": "/", "pattern": "^q", "definition": {"max-length": 5}}],
        parameters=[
            parameter("operator_policy", "o", {"pattern": "^q", "definition": {"max-length": 3}, "priority": 0}),
            parameter("vhost-limits", "limits", {"max-queues": 2}),
            parameter("shovel", "s", {"src-queue": "q"}),
            parameter("federation-upstream", "u", {"uri": "amqp://"}),
        ],
        global_parameters=[{"name": "cluster_name", "value": "here"}],
        queues=[queue("q")],
    )
    vhost = broker.vhosts["/"]
    assert (vhost.description, vhost.tags, vhost.limits) == ("Main", ("a", "b"), {"max-queues": 2})
    assert effective_definition(vhost.queues[b"q"]) == {"max-length": 3}
    assert vhost.parameters == {
        ("shovel", "s"): {"src-queue": "q"},
        ("federation-upstream", "u"): {"uri": "amqp://"},
    }
    assert broker.cluster_name() == "here"
    assert warnings == [
        "parameters: kept without effect, there are no components of these names here: federation-upstream, shovel"
    ]


def test_what_a_document_does_not_say_of_a_vhost_stays(broker: Broker) -> None:
    load(broker, vhosts=[{"name": "/", "description": "Main", "tags": ["a"]}])
    load(broker, vhosts=[{"name": "/", "tags": []}])
    assert (broker.vhosts["/"].description, broker.vhosts["/"].tags) == ("Main", ())


def test_a_default_queue_type_that_does_not_exist_here_is_left_out_with_a_warning(broker: Broker) -> None:
    vhosts = [{"name": "/", "default_queue_type": "classic"}, {"name": "v", "default_queue_type": "quorum"}]
    assert load(broker, vhosts=vhosts) == [
        "vhosts[1].default_queue_type: not imported, unsupported default queue type 'quorum', allowed: classic"
    ]
    assert broker.vhosts["/"].default_queue_type == "classic"
    assert broker.vhosts["v"].default_queue_type is None


def test_more_queues_than_a_vhost_may_have_are_refused_in_rabbitmqs_words(broker: Broker) -> None:
    load(broker, queues=[queue("p")], parameters=[parameter("vhost-limits", "limits", {"max-queues": 2})])
    assert refusal(broker, queues=[queue("p"), queue("q"), queue("r")]) == (
        'Adding 2 queue(s) to virtual host "/" would exceed the limit of 2 queue(s).\n\n'
        "This virtual host currently has 1 queue(s) defined.\n\nImport aborted!"
    )
    # The document's own limits count.
    load(
        broker,
        queues=[queue("q"), queue("r")],
        parameters=[parameter("vhost-limits", "limits", {"max-queues": 3})],
    )
    assert len(broker.vhosts["/"].queues) == 3


def test_what_was_deleted_between_two_steps_is_a_warning(broker: Broker) -> None:
    steps = applying(parse(json.dumps({"vhosts": [{"name": "v"}], "queues": [queue("q", vhost="v")]})), broker)
    while "v" not in broker.vhosts:
        next(steps)
    broker.delete_vhost("v")
    assert finish(steps) == ["queues[0]: not imported, no vhost 'v'"]


def test_there_may_be_no_more_vhosts_than_configured() -> None:
    broker = Broker(Settings(limits=LimitSettings(vhosts=2)), now=0.0, wall=0.0)
    load(broker, vhosts=[{"name": "/"}, {"name": "v"}])
    assert refusal(broker, vhosts=[{"name": "w"}]) == "vhosts: there would be 3 vhosts, 2 are allowed (vhost_max)"


def test_there_may_be_no_more_parameters_of_a_component_than_configured() -> None:
    broker = Broker(Settings(parameter_limits={"shovel": 1, "policy": 1}), now=0.0, wall=0.0)
    load(broker, parameters=[parameter("shovel", "s", 1), parameter("federation-upstream", "u", 1)])
    # The same one again is no further one.
    load(broker, parameters=[parameter("shovel", "s", 2)])
    assert refusal(broker, parameters=[parameter("shovel", "t", 1)]) == "component shovel is limited to 1 per node"
    policies = [{"name": name, "vhost": "/", "pattern": "", "definition": {"expires": 1}} for name in ("p", "q")]
    assert refusal(broker, policies=policies) == "component policy is limited to 1 per node"

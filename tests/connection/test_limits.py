"""How much clients may open and declare: limits of the node, of a vhost and of a user."""

from typing import Any

import pytest

from amq.auth.users import PasswordRefused
from amq.auth.validation import MIN_LENGTH
from amq.broker import Broker, VhostLimitReached
from amq.config.access import LimitSettings, LoginSettings
from amq.config.settings import Settings
from amq.vhost import parameters
from amq.vhost.permission import Permission
from tests.harness.dialogue import Dialogue, enter, new_broker


def broker_with(**limits: Any) -> Broker:
    """With users guest and app, who may do everything in the vhosts `/` and `shop`; `limits` are the node's."""
    broker = new_broker(limits=LimitSettings(**limits))
    broker.users.add("app", "secret")
    broker.add_vhost("shop")
    for vhost in broker.vhosts.values():
        for user in ("guest", "app"):
            vhost.permissions.set(user, Permission(".*", ".*", ".*"))
    return broker


def app(broker: Broker, vhost: str = "/", **options: Any) -> Dialogue:
    return enter(broker, vhost=vhost, user="app", password="secret", **options)


def refused(broker: Broker, text: str, vhost: str = "/", user: str = "app", password: str = "secret") -> None:
    """A connection is refused with 530 and this text."""
    client = Dialogue(broker)
    client.greet()
    client.start_ok(user, password)
    client.tune_ok()
    client.say(0, "connection.open", virtual_host=vhost)
    client.hears_close(530, text, by=(10, 40))


NODE = "connection refused: node connection limit (2) is reached"
VHOST = "access to vhost '/' refused for user 'app': connection limit (1) is reached"
USER = "connection refused for user 'app': user connection limit (1) is reached"
ACCESS = "access to vhost '/' refused for user 'app'"


def test_a_node_has_so_many_connections_and_gets_new_ones_when_some_are_gone() -> None:
    broker = broker_with(connections=2)
    first, _ = enter(broker), enter(broker, vhost="shop")
    refused(broker, NODE)
    first.say(0, "connection.close")
    app(broker)


def test_a_vhost_has_so_many_connections() -> None:
    broker = broker_with()
    parameters.set_limit(broker.vhosts["/"], "max-connections", 1)
    client = enter(broker)
    refused(broker, VHOST)
    app(broker, "shop")
    client.connection.lost(broker.clock.now)
    app(broker)


def test_a_user_has_so_many_connections_in_all_vhosts() -> None:
    broker = broker_with()
    broker.users.set_limits("app", {"max-connections": 1})
    app(broker, "shop")
    refused(broker, USER)
    enter(broker)


def test_zero_lets_nobody_in_and_less_than_that_everybody() -> None:
    broker = broker_with()
    vhost = broker.vhosts["/"]
    parameters.set_limit(vhost, "max-connections", 0)
    refused(broker, "access to vhost '/' refused for user 'app': connection limit (0) is reached")
    parameters.set_limit(vhost, "max-connections", -1)
    broker.users.set_limits("app", {"max-connections": 0})
    refused(broker, "connection refused for user 'app': user connection limit (0) is reached")
    broker.users.set_limits("app", {"max-connections": -1})
    app(broker)


def test_limits_are_checked_in_rabbitmqs_order() -> None:
    broker = broker_with(connections=2)
    vhost = broker.vhosts["/"]
    vhost.permissions.clear("app")
    parameters.set_limit(vhost, "max-connections", 1)
    broker.users.set_limits("app", {"max-connections": 1})
    inside = enter(broker), app(broker, "shop")
    refused(broker, NODE, vhost="missing")
    inside[1].say(0, "connection.close")
    refused(broker, "vhost missing not found", vhost="missing")
    refused(broker, VHOST)
    inside[0].say(0, "connection.close")
    app(broker, "shop")
    refused(broker, USER)
    broker.users.set_limits("app", {})
    refused(broker, ACCESS)


def test_a_limit_that_is_lowered_leaves_who_is_in() -> None:
    broker = broker_with()
    client = app(broker, channels=[1, 2])
    broker.users.set_limits("app", {"max-connections": 0, "max-channels": 1})
    parameters.set_limit(broker.vhosts["/"], "max-connections", 0)
    client.declare(1, "q")
    client.declare(2, "r")


OF_USER = "number of channels opened for user 'app' has reached the maximum allowed user limit of (2)"
OF_NODE = f"number of channels opened on node '{Settings().node_name}' has reached the maximum allowed limit of (2)"


def test_a_user_has_so_many_channels_over_all_connections() -> None:
    broker = broker_with()
    broker.users.set_limits("app", {"max-channels": 2})
    first = app(broker, channels=[1])
    second = app(broker, channels=[1])
    second.say(2, "channel.open")
    second.hears_close(530, OF_USER, by=(0, 0))
    # Its own channel went with it.
    first.open(2)
    first.say(1, "channel.close")
    first.hears(1, "channel.close-ok")
    first.open(3)
    enter(broker, channels=[1, 2, 3])


def test_a_channel_that_the_broker_has_closed_counts_until_the_client_agrees() -> None:
    broker = broker_with()
    broker.users.set_limits("app", {"max-channels": 1})
    client = app(broker, channels=[1])
    client.say(1, "queue.declare", queue="missing", passive=True)
    client.hears(1, "channel.close")
    assert broker.occupancy.channels == 1
    client.say(1, "channel.close-ok")
    assert broker.occupancy.channels == 0
    client.open(1)


def test_a_node_has_so_many_channels() -> None:
    broker = broker_with(channels=2)
    enter(broker, channels=[1, 2])
    client = app(broker)
    client.say(1, "channel.open")
    client.hears_close(530, OF_NODE, by=(0, 0))


def test_nobody_is_left_in_the_counts_however_he_went() -> None:
    broker = broker_with()
    clients = [app(broker, channels=[1, 2]) for _ in range(4)]
    assert (broker.occupancy.connections, broker.occupancy.channels) == (4, 8)
    clients[0].say(0, "connection.close")
    clients[1].connection.lost(broker.clock.now)
    clients[2].connection.force_close("x")
    clients[3].send(b"garbage that is no frame")
    assert (broker.occupancy.connections, broker.occupancy.channels) == (0, 0)
    for client in clients:
        client.connection.lost(broker.clock.now)
    assert broker.occupancy.connections == 0


def test_a_vhost_has_so_many_queues() -> None:
    broker = broker_with()
    vhost = broker.vhosts["/"]
    parameters.set_limit(vhost, "max-queues", 1)
    client = enter(broker, channels=[1, 2])
    client.declare(1, "q")
    # What is there already may be declared again.
    client.declare(1, "q")
    client.say(1, "queue.declare", queue="r")
    client.hears_channel_close(1, 406, "cannot declare queue 'r': queue limit in vhost '/' (1) is reached")
    enter(broker, vhost="shop", channels=[1]).declare(1, "r")
    client.say(2, "queue.delete", queue="q")
    client.hears(2, "queue.delete-ok")
    client.declare(2, "r")
    parameters.set_limit(vhost, "max-queues", -1)
    client.declare(2, "s")


def test_bad_arguments_are_told_before_a_limit() -> None:
    broker = broker_with(queues=0)
    client = enter(broker, channels=[1])
    client.say(1, "queue.declare", queue="q", arguments={"x-expires": 0})
    client.hears_channel_close(1, 406, "invalid arg 'x-expires' for queue 'q' in vhost '/': {value_zero,0}")


def test_all_vhosts_together_have_so_many_queues() -> None:
    broker = broker_with(queues=1)
    enter(broker, vhost="shop", channels=[1]).declare(1, "q")
    client = enter(broker, channels=[1])
    client.say(1, "queue.declare", queue="r")
    client.hears_channel_close(1, 406, "cannot declare queue 'r': queue limit in cluster (1) is reached")


def test_all_vhosts_together_have_so_many_exchanges() -> None:
    # Every vhost comes with seven.
    client = enter(broker_with(exchanges=15), channels=[1])
    for name in ("x", "x"):
        client.say(1, "exchange.declare", exchange=name, type="fanout")
        client.hears(1, "exchange.declare-ok")
    client.say(1, "exchange.declare", exchange="y", type="fanout")
    client.hears_channel_close(1, 406, "cannot declare exchange 'y': exchange limit of 15 is reached")


def test_there_are_so_many_vhosts() -> None:
    broker = broker_with(vhosts=2)
    assert broker.add_vhost("shop") is broker.vhosts["shop"]
    with pytest.raises(VhostLimitReached, match=r"^cannot create vhost 'third': vhost limit of 2 is reached$"):
        broker.add_vhost("third")
    assert set(broker.vhosts) == {"/", "shop"}


# -- the default type of queues --


def arguments_of(broker: Broker, queue: bytes = b"q") -> dict[str, Any]:
    return dict(broker.vhosts["/"].queues[queue].arguments)


def test_queues_have_no_type_unless_there_is_a_default() -> None:
    client = enter(broker_with(), channels=[1])
    client.declare(1, "q")
    assert arguments_of(client.broker) == {}


@pytest.mark.parametrize("of_vhost", [False, True])
def test_a_default_type_becomes_an_argument_of_queues_that_have_none(of_vhost: bool) -> None:
    broker = broker_with(default_queue_type="quorum" if of_vhost else "classic")
    if of_vhost:
        broker.vhosts["/"].default_queue_type = "classic"
    client = enter(broker, channels=[1])
    client.declare(1, "q", durable=True, arguments={"x-max-length": 5})
    assert arguments_of(broker) == {"x-max-length": ("I", 5), "x-queue-type": ("S", b"classic")}
    # To declare it again with or without the type is the same.
    client.declare(1, "q", durable=True, arguments={"x-max-length": 5, "x-queue-type": "classic"})


@pytest.mark.parametrize("options", [{}, {"exclusive": True, "durable": True}, {"durable": True, "auto_delete": True}])
def test_a_queue_that_cannot_be_of_the_default_type_is_classic(options: dict[str, Any]) -> None:
    client = enter(broker_with(default_queue_type="quorum"), channels=[1])
    client.declare(1, "q", **options)
    assert arguments_of(client.broker) == {}


def test_a_default_type_that_does_not_exist_here_is_refused_like_one_that_was_asked_for() -> None:
    client = enter(broker_with(default_queue_type="quorum"), channels=[1])
    client.say(1, "queue.declare", queue="q", durable=True)
    client.hears_close(540, "queue type 'quorum' of queue 'q' in vhost '/' is not supported")


# -- deleted users --


def test_deleting_a_user_closes_its_connections_and_clears_its_permissions() -> None:
    broker = broker_with()
    broker.vhosts["/"].permissions.set("app", Permission(".*", ".*", ".*"))
    client, other = app(broker), enter(broker)
    broker.delete_user("app")
    client.hears_close(320, "user 'app' is deleted", by=(0, 0))
    other.hears_nothing()
    assert [vhost.permissions.get("app") for vhost in broker.vhosts.values()] == [None, None]
    assert "app" not in broker.users


def test_other_changes_of_a_user_leave_its_connections_and_permissions_count_at_once() -> None:
    broker = broker_with()
    client = app(broker, channels=[1])
    broker.users.set_password("app", "other")
    broker.users.set_tags("app", ["impersonator"])
    client.declare(1, "q")
    broker.vhosts["/"].permissions.clear("app")
    client.say(1, "queue.declare", queue="q")
    client.hears_channel_close(1, 403, "configure access to queue 'q' in vhost '/' refused for user 'app'")
    assert not client.connection.finished


def test_a_broker_that_runs_goes_by_other_settings_from_the_next_login_on() -> None:
    broker = broker_with()
    app(broker)
    broker.adopt(
        Settings(
            limits=LimitSettings(connections=1),
            logins=LoginSettings(validation_backend=MIN_LENGTH, min_length=3),
            password_hashing_module="rabbit_password_hashing_sha512",
            auth_mechanisms=("PLAIN", "ANONYMOUS"),
        )
    )
    refused(broker, "connection refused: node connection limit (1) is reached")
    assert broker.users.algorithm == "rabbit_password_hashing_sha512"
    with pytest.raises(PasswordRefused):
        broker.users.check_password("ab")
    client = Dialogue(broker)
    assert client.greet()["mechanisms"] == b"PLAIN ANONYMOUS"
    client.start_ok(mechanism="ANONYMOUS", response=b"trace")
    client.hears(0, "connection.tune")

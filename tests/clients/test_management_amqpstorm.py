"""AMQPStorm's client of RabbitMQ's HTTP API, beside its client of AMQP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from amqpstorm import AMQPConnectionError, Connection
from amqpstorm.management import ApiConnectionError, ApiError, ManagementApi

from tests.clients.target import await_state
from tests.harness.process import BrokerProcess


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker with its HTTP API."""
    broker = BrokerProcess(tmp_path_factory.mktemp("broker"), management=True)
    broker.start()
    yield broker
    assert broker.stop() == 0
    assert "Traceback" not in broker.output()


@pytest.fixture
def api(process: BrokerProcess) -> Iterator[ManagementApi]:
    """The client; a vhost `v` is there for the test."""
    with ManagementApi(f"http://127.0.0.1:{process.http_port}", "guest", "guest", timeout=20) as api:
        api.virtual_host.create("v")
        yield api
        api.virtual_host.delete("v")


def test_the_broker_is_alive_and_tells_about_itself(api: ManagementApi) -> None:
    assert api.aliveness_test("v") == {"status": "ok"}
    assert api.whoami()["name"] == "guest"
    node = api.overview()["node"]
    assert [one["name"] for one in api.nodes()] == [node]
    assert api.node(node)["running"] is True
    assert api.healthchecks.get() == {"status": "ok"}
    assert api.healthchecks.get(node) == {"status": "ok"}


def test_queues_are_paged_filtered_bound_and_purged(api: ManagementApi) -> None:
    for number in range(5):
        api.queue.declare(f"q{number}", virtual_host="v", durable=True)
    assert len(api.queue.list("v", show_all=True)) == 5
    assert [one["name"] for one in api.queue.list("v", name="^q[13]$", use_regex=True)] == ["q1", "q3"]
    assert [one["name"] for one in api.queue.list("v", page_size=2)] == [f"q{number}" for number in range(5)]
    api.exchange.declare("x", "topic", virtual_host="v", durable=True)
    api.queue.bind(queue="q0", exchange="x", routing_key="a.#", virtual_host="v", arguments={"k": 1})
    bound = [one for one in api.queue.bindings("q0", "v") if one["source"] == "x"]
    assert [(one["routing_key"], one["arguments"]) for one in bound] == [("a.#", {"k": 1})]
    api.queue.unbind(
        queue="q0", exchange="x", routing_key="a.#", virtual_host="v", properties_key=bound[0]["properties_key"]
    )
    assert all(one["source"] == "" for one in api.queue.bindings("q0", "v"))
    assert api.basic.publish("body", "q0", virtual_host="v") == {"routed": True}
    api.queue.purge("q0", virtual_host="v")
    assert api.basic.get("q0", virtual_host="v") == []


def test_a_queue_is_checked_for_before_it_is_declared(api: ManagementApi) -> None:
    with pytest.raises(ApiError, match="NOT-FOUND") as missing:
        api.queue.declare("q", virtual_host="v", passive=True)
    assert missing.value.error_code == 404
    api.queue.declare("q", virtual_host="v", durable=True, arguments={"x-max-length": 3})
    assert api.queue.declare("q", virtual_host="v", passive=True)["arguments"] == {"x-max-length": 3}


def test_messages_come_with_their_properties_and_bodies(api: ManagementApi) -> None:
    api.queue.declare("q", virtual_host="v")
    properties = {"headers": {"n": 1}, "correlation_id": "c", "delivery_mode": 2}
    for number in range(3):
        api.basic.publish(f"body {number}", "q", virtual_host="v", properties=properties)
    messages = api.basic.get("q", virtual_host="v", count=2, requeue=False)
    assert [message.body for message in messages] == ["body 0", "body 1"]
    assert (messages[0].correlation_id, messages[0].properties["headers"]) == ("c", {"n": 1})
    whole = api.basic.get("q", virtual_host="v", to_dict=True, requeue=True)[0]
    assert (whole["payload"], whole["redelivered"], whole["message_count"]) == ("body 2", False, 0)


def test_users_get_permissions(api: ManagementApi, process: BrokerProcess) -> None:
    api.user.create("storm", "secret", tags="monitoring,management")
    assert api.user.get("storm")["tags"] == ["monitoring", "management"]
    api.user.set_permission("storm", "v", "^a", "^b", "^c")
    mine = {"user": "storm", "vhost": "v", "configure": "^a", "write": "^b", "read": "^c"}
    assert api.user.get_permission("storm", "v") == mine
    assert mine in api.virtual_host.get_permissions("v")
    assert ManagementApi(f"http://127.0.0.1:{process.http_port}", "storm", "secret").whoami()["name"] == "storm"
    api.user.delete_permission("storm", "v")
    assert api.user.get_permissions("storm") == []
    api.user.delete("storm")


def test_connections_and_channels_are_seen_and_closed(api: ManagementApi, process: BrokerProcess) -> None:
    connection = Connection(process.host, "guest", "guest", port=process.port, timeout=20)
    connection.channel()
    await_state(lambda: len(api.channel.list()) == 1)
    (seen,) = api.connection.list()
    assert api.connection.get(seen["name"])["client_properties"]["product"] == "AMQPStorm"
    assert api.channel.get(api.channel.list()[0]["name"])["number"] == 1
    api.connection.close(seen["name"], reason="enough")
    await_state(lambda: api.connection.list() == [])
    await_state(lambda: not connection.is_open)
    with pytest.raises(AMQPConnectionError, match="enough"):
        connection.check_for_errors()


def test_wrong_credentials_and_wrong_addresses_are_told_apart(process: BrokerProcess) -> None:
    wrong = ManagementApi(f"http://127.0.0.1:{process.http_port}", "guest", "wrong", timeout=20)
    with pytest.raises(ApiError, match="401 Client Error: Unauthorized"):
        wrong.aliveness_test()
    with pytest.raises(ApiConnectionError):
        ManagementApi("http://127.0.0.1:1", "guest", "guest", timeout=20).whoami()

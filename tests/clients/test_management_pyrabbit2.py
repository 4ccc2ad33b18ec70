"""pyrabbit2, a client of RabbitMQ's HTTP API: what it can ask for is answered so that it understands it."""

from __future__ import annotations

from collections.abc import Iterator

import pika
import pytest
from pyrabbit2.api import Client, PermissionError
from pyrabbit2.http import HTTPError

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
def client(process: BrokerProcess) -> Iterator[Client]:
    """The client; a vhost `v` is there for the test."""
    client = Client(f"127.0.0.1:{process.http_port}", "guest", "guest", timeout=20)
    client.create_vhost("v")
    client.set_vhost_permissions("v", "guest", ".*", ".*", ".*")
    yield client
    client.delete_vhost("v")


def test_the_broker_is_alive_and_tells_who_and_what_it_is(client: Client) -> None:
    assert client.is_alive("v")
    assert client.get_whoami()["name"] == "guest"
    overview = client.get_overview()
    assert (overview["node"], overview["rabbitmq_version"]) == (client.get_nodes()[0]["name"], "3.13.7")
    assert client.get_cluster_name()["name"]
    assert {"/", "v"} <= set(client.get_vhost_names())


def test_queues_exchanges_and_bindings(client: Client) -> None:
    client.create_exchange("v", "x", "topic", durable=True, arguments={"alternate-exchange": "amq.fanout"})
    client.create_queue("v", "q", durable=True, auto_delete=False, arguments={"x-max-length": 5})
    assert client.get_exchange("v", "x")["type"] == "topic"
    assert client.get_queue("v", "q")["arguments"] == {"x-max-length": 5}
    client.create_binding("v", "x", "q", "k.#", {"h": "v"})
    (by_default, made) = client.get_queue_bindings("v", "q")
    assert (by_default["source"], by_default["routing_key"]) == ("", "q")
    assert (made["source"], made["routing_key"], made["arguments"]) == ("x", "k.#", {"h": "v"})
    client.delete_binding("v", "x", "q", made["properties_key"])
    assert client.get_queue_bindings("v", "q") == [by_default]
    client.delete_queue("v", "q")
    client.delete_exchange("v", "x")
    assert client.get_queues("v") == []


def test_messages_are_published_counted_got_and_purged(client: Client) -> None:
    client.create_queue("v", "q", durable=True)
    client.create_binding("v", "amq.topic", "q", "k.#")
    assert client.publish("v", "amq.topic", "k.a", "hello", properties={"delivery_mode": 2})
    assert not client.publish("v", "amq.topic", "other", "lost")
    assert client.get_queue_depth("v", "q") == 1
    looked_at = client.get_messages("v", "q", count=1, requeue=True)
    assert (looked_at[0]["payload"], looked_at[0]["properties"]) == ("hello", {"delivery_mode": 2})
    assert client.get_messages("v", "q", count=1, requeue=True)[0]["redelivered"] is True
    assert client.get_messages("v", "q", requeue=False, truncate=3, encoding="base64")[0]["payload"] == "aGVs"
    client.publish("v", "amq.default", "q", "more")
    client.purge_queue("v", "q")
    assert client.get_queue_depth("v", "q") == 0


def test_users_permissions_and_policies(client: Client) -> None:
    client.create_user("acceptance", "secret", "management")
    assert {"acceptance", "guest"} <= {user["name"] for user in client.get_users()}
    client.set_vhost_permissions("v", "acceptance", config="^a", wr="^b", rd="^c")
    mine = {"user": "acceptance", "vhost": "v", "configure": "^a", "write": "^b", "read": "^c"}
    assert client.get_permission("v", "acceptance") == mine
    assert client.get_user_permissions("acceptance") == [mine]
    assert mine in client.get_vhost_permissions("v")
    client.delete_permission("v", "acceptance")
    assert client.get_user_permissions("acceptance") == []
    client.delete_user("acceptance")
    client.create_policy("v", "p", pattern="^q", definition={"message-ttl": 1000}, priority=1)
    assert client.get_policy("v", "p")["definition"] == {"message-ttl": 1000}
    client.create_queue("v", "q")
    assert client.get_queue("v", "q")["policy"] == "p"
    client.delete_policy("v", "p")
    assert client.get_all_policies() == []


def test_connections_and_channels_are_seen_and_closed(client: Client, process: BrokerProcess) -> None:
    parameters = pika.ConnectionParameters(process.host, process.port, virtual_host="v")
    connection = pika.BlockingConnection(parameters)
    connection.channel()
    await_state(lambda: len(client.get_channels()) == 1)
    (seen,) = client.get_connections()
    assert client.get_connection(seen["name"])["user"] == "guest"
    channel = client.get_channels()[0]["name"]
    assert client.get_channel(channel)["connection_details"]["name"] == seen["name"]
    client.delete_connection(seen["name"])
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="Closed via management plugin"):
        connection.process_data_events(time_limit=20)
    await_state(lambda: client.get_connections() == [])


def test_what_is_not_there_is_an_error_with_its_code_and_reason(client: Client) -> None:
    with pytest.raises(HTTPError) as missing:
        client.get_queue("v", "none")
    assert (missing.value.status, missing.value.reason) == (404, '{"error":"Object Not Found","reason":"Not Found"}')
    with pytest.raises(PermissionError, match="not_authorised"):
        client.create_queue("v", "amq.mine")

"""What monitoring agents read out of the HTTP API: each field is there, and of the type that their decoders bear.

Telegraf (inputs.rabbitmq) decodes whole answers into integers, texts and truth values, and gives up an answer in which
a single one is of another type; Datadog's check makes numbers of single fields; Zabbix' templates look for paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pika
import pytest

from tests.clients.target import await_state
from tests.harness.process import BrokerProcess

NUMBER: Final = (int, float)
# Of these, each comes with a rate.
OVERVIEW_COUNTS: Final = [
    "ack",
    "confirm",
    "deliver",
    "deliver_get",
    "drop_unroutable",
    "get",
    "publish",
    "redeliver",
    "return_unroutable",
]
QUEUE_COUNTS: Final = ["ack", "deliver", "deliver_get", "get", "publish", "redeliver"]
EXCHANGE_COUNTS: Final = ["publish_in", "publish_out"]
LENGTHS: Final = ["messages", "messages_ready", "messages_unacknowledged"]
QUEUE_OCTETS: Final = [
    "message_bytes",
    "message_bytes_ready",
    "message_bytes_unacknowledged",
    "message_bytes_ram",
    "message_bytes_persistent",
]

Fields = Mapping[str, Any]


def counted(names: list[str], below: str = "") -> dict[str, Any]:
    """Counts and their rates."""
    counts: dict[str, Any] = {f"{below}{name}": int for name in names}
    return counts | {f"{below}{name}_details/rate": NUMBER for name in names}


OVERVIEW: Final[Fields] = {
    "rabbitmq_version": str,
    "management_version": str,
    "cluster_name": str,
    **counted(OVERVIEW_COUNTS, "message_stats/"),
    **counted(LENGTHS, "queue_totals/"),
    **{f"object_totals/{kind}": int for kind in ["channels", "connections", "consumers", "exchanges", "queues"]},
}
QUEUE: Final[Fields] = {
    **counted(QUEUE_COUNTS, "message_stats/"),
    **counted(LENGTHS),
    **dict.fromkeys(QUEUE_OCTETS, int),
    **dict.fromkeys(("memory", "consumers", "head_message_timestamp"), int),
    **dict.fromkeys(("consumer_utilisation", "consumer_capacity"), NUMBER),
    **dict.fromkeys(("name", "node", "vhost", "type", "state", "policy"), str),
    **dict.fromkeys(("durable", "auto_delete", "exclusive"), bool),
}
EXCHANGE: Final[Fields] = {
    **counted(EXCHANGE_COUNTS, "message_stats/"),
    **dict.fromkeys(("name", "type", "vhost"), str),
    **dict.fromkeys(("durable", "auto_delete", "internal"), bool),
}
NODE: Final[Fields] = {
    "name": str,
    "partitions": list,
    **dict.fromkeys(("running", "mem_alarm", "disk_free_alarm"), bool),
    **dict.fromkeys(
        [
            "disk_free",
            "disk_free_limit",
            "fd_total",
            "fd_used",
            "mem_limit",
            "mem_used",
            "proc_total",
            "proc_used",
            "run_queue",
            "sockets_total",
            "sockets_used",
            "uptime",
        ],
        int,
    ),
    **counted(
        [
            "mnesia_disk_tx_count",
            "mnesia_ram_tx_count",
            "gc_num",
            "gc_bytes_reclaimed",
            "io_read_bytes",
            "io_write_bytes",
        ]
    ),
    **dict.fromkeys(("io_read_avg_time", "io_write_avg_time"), NUMBER),
    **dict.fromkeys(("io_read_avg_time_details/rate", "io_write_avg_time_details/rate"), NUMBER),
}
MEMORY: Final[Fields] = {
    f"memory/{name}": int
    for name in [
        "connection_readers",
        "connection_writers",
        "connection_channels",
        "connection_other",
        "queue_procs",
        "queue_slave_procs",
        "plugins",
        "other_proc",
        "metrics",
        "mgmt_db",
        "mnesia",
        "other_ets",
        "binary",
        "msg_index",
        "code",
        "atom",
        "other_system",
        "allocated_unused",
        "reserved_unallocated",
    ]
}
CONNECTION: Final[Fields] = dict.fromkeys(("name", "node", "state", "user", "vhost", "protocol"), str) | {
    "channels": int,
    "recv_oct": int,
    "send_oct": int,
    "recv_oct_details/rate": NUMBER,
    "send_oct_details/rate": NUMBER,
}


def find(value: Any, path: str) -> Any:
    """What stands at a path of names; None for what is missing."""
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def wrong(value: Any, fields: Fields, required: bool = True) -> dict[str, Any]:
    """Fields that are of another type, or missing although they are required."""
    found = {path: find(value, path) for path in fields}
    return {
        path: one
        for path, one in found.items()
        if (required or one is not None) and (not isinstance(one, fields[path]) or bool_for_number(one, fields[path]))
    }


def bool_for_number(one: Any, wanted: Any) -> bool:
    """Python takes a truth value for a number; decoders of JSON do not."""
    return isinstance(one, bool) and wanted is not bool


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker whose statistics are taken each second."""
    folder: Path = tmp_path_factory.mktemp("broker")
    broker = BrokerProcess(folder, management=True, environment={"AMQ_COLLECT_STATISTICS_INTERVAL": "1000"})
    broker.start()
    yield broker
    broker.kill()
    assert "Traceback" not in broker.output()


@pytest.fixture(scope="module")
def api(broker: BrokerProcess) -> Iterator[httpx.Client]:
    """The agent's client: a user with the tag `monitoring`."""
    base = f"http://127.0.0.1:{broker.http_port}/api"
    everything = {"configure": "", "write": "", "read": ".*"}
    with httpx.Client(base_url=base, auth=("guest", "guest")) as operator:
        operator.put("/users/agent", json={"password": "secret", "tags": "monitoring"}).raise_for_status()
        operator.put("/permissions/%2F/agent", json=everything).raise_for_status()
        policy = {"pattern": "^busy$", "definition": {"max-length": 1000}, "apply-to": "queues"}
        operator.put("/policies/%2F/bounded", json=policy).raise_for_status()
    with httpx.Client(base_url=base, auth=("agent", "secret"), timeout=20) as agent:
        yield agent


@pytest.fixture(scope="module")
def traffic(broker: BrokerProcess, api: httpx.Client) -> Iterator[None]:
    """Of everything that is counted, some; the connection stays."""
    parameters = pika.ConnectionParameters(broker.host, broker.port)
    with pika.BlockingConnection(parameters) as connection:
        work(connection.channel())
        await_state(lambda: overview_wrong(api) == {} and queue_wrong(api) == {})
        yield


def work(channel: pika.adapters.blocking_connection.BlockingChannel) -> None:
    """Publish, lose, get, give back, consume and leave some."""
    stamped = pika.BasicProperties(timestamp=1_700_000_000, delivery_mode=2)
    channel.queue_declare("idle", durable=True)
    channel.queue_declare("busy", durable=True)
    channel.queue_bind("busy", "amq.topic", "k.#")
    channel.confirm_delivery()
    for number in range(10):
        channel.basic_publish("amq.topic", "k.a", f"body {number}", stamped)
    channel.basic_publish("amq.topic", "nowhere", b"dropped")
    with pytest.raises(pika.exceptions.UnroutableError):
        channel.basic_publish("amq.topic", "nowhere", b"returned", mandatory=True)
    method, _, _ = channel.basic_get("busy")
    channel.basic_nack(method.delivery_tag, requeue=True)
    method, _, _ = channel.basic_get("busy")
    channel.basic_ack(method.delivery_tag)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("busy", lambda *_: None)
    channel.connection.process_data_events(0.1)


def overview_wrong(api: httpx.Client) -> dict[str, Any]:
    """What an agent would miss in the overview."""
    return wrong(api.get("/overview").raise_for_status().json(), OVERVIEW)


def queue_wrong(api: httpx.Client) -> dict[str, Any]:
    """What an agent would miss of the queue that is in use."""
    return wrong(named(api, "/queues", "busy"), QUEUE)


def named(api: httpx.Client, path: str, name: str) -> Any:
    """One of a list."""
    found = api.get(path).raise_for_status().json()
    return next(one for one in found if one["name"] == name)


def test_an_agent_that_comes_first_finds_all_it_needs_empty(api: httpx.Client) -> None:
    overview = api.get("/overview").raise_for_status().json()
    assert isinstance(overview["message_stats"], dict)
    assert isinstance(overview["queue_totals"], dict)
    assert wrong(overview, {path: kind for path, kind in OVERVIEW.items() if "object_totals" in path}) == {}
    assert api.get("/connections").json() == []


@pytest.mark.usefixtures("traffic")
def test_the_overview_has_every_figure(api: httpx.Client) -> None:
    assert overview_wrong(api) == {}
    listeners = api.get("/overview").json()["listeners"]
    assert {"amqp", "http"} <= {listener["protocol"] for listener in listeners}


@pytest.mark.usefixtures("traffic")
def test_a_queue_in_use_has_every_figure(api: httpx.Client) -> None:
    assert queue_wrong(api) == {}


@pytest.mark.usefixtures("traffic")
def test_an_exchange_in_use_has_every_figure(api: httpx.Client) -> None:
    assert wrong(named(api, "/exchanges", "amq.topic"), EXCHANGE) == {}


@pytest.mark.usefixtures("traffic")
def test_what_stands_still_has_no_figure_of_another_type(api: httpx.Client) -> None:
    assert wrong(named(api, "/queues", "idle"), QUEUE, required=False) == {}
    exchanges = api.get("/exchanges").raise_for_status().json()
    assert [wrong(exchange, EXCHANGE, required=False) for exchange in exchanges] == [{}] * len(exchanges)


@pytest.mark.usefixtures("traffic")
def test_a_node_and_its_memory_have_every_figure(api: httpx.Client) -> None:
    (node,) = api.get("/nodes").raise_for_status().json()
    assert wrong(node, NODE) == {}
    assert wrong(api.get(f"/nodes/{node['name']}/memory").raise_for_status().json(), MEMORY) == {}


@pytest.mark.usefixtures("traffic")
def test_a_connection_has_every_figure(api: httpx.Client) -> None:
    (connection,) = api.get("/connections").raise_for_status().json()
    assert wrong(connection, CONNECTION) == {}
    assert connection["state"] == "running"


@pytest.mark.usefixtures("traffic")
def test_agents_may_ask_whether_all_is_well(api: httpx.Client) -> None:
    (node,) = api.get("/nodes").json()
    checks = ["alarms", "local-alarms", "virtual-hosts", "node-is-quorum-critical", "node-is-mirror-sync-critical"]
    answers = [api.get(f"/health/checks/{check}") for check in checks] + [api.get(f"/healthchecks/node/{node['name']}")]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "ok")] * 6

"""What probes ask."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx
import pytest
import trustme
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.settings import TlsSettings
from amq.management.node import ListenerFact, Node
from amq.vhost.permission import Permission
from tests.harness.dialogue import enter
from tests.management.conftest import client_of

OK = {"status": "ok"}
CHECKS = "/health/checks"
ALWAYS_WELL = (
    "/healthchecks/node",
    "/healthchecks/node/amq@test",
    f"{CHECKS}/alarms",
    f"{CHECKS}/local-alarms",
    f"{CHECKS}/virtual-hosts",
    f"{CHECKS}/below-node-connection-limit",
    f"{CHECKS}/is-in-service",
    f"{CHECKS}/reached-target-cluster-size",
    f"{CHECKS}/metadata-store/initialized",
    f"{CHECKS}/metadata-store/initialized/with-data",
    f"{CHECKS}/certificate-expiration/1/weeks",
    f"{CHECKS}/quorum-queues-without-elected-leaders/all-vhosts",
    f"{CHECKS}/quorum-queues-without-elected-leaders/all-vhosts/pattern/.*",
    f"{CHECKS}/quorum-queues-without-elected-leaders/vhost/%2F/",
    f"{CHECKS}/quorum-queues-without-elected-leaders/vhost/%2F/pattern/.*",
    "/aliveness-test/%2F",
)


async def ask(client: httpx.AsyncClient, path: str) -> tuple[int, dict[str, object]]:
    answer = await client.get(path)
    return answer.status_code, answer.json()


def listens(node: Node, *listeners: tuple[str, int]) -> None:
    node.listeners = lambda: [ListenerFact(protocol, "127.0.0.1", port) for protocol, port in listeners]


def failed(reason: str, **more: object) -> tuple[int, dict[str, object]]:
    return 503, {"status": "failed", "reason": reason, **more}


@pytest.mark.parametrize("path", ALWAYS_WELL)
async def test_a_broker_that_runs_is_well(client: httpx.AsyncClient, path: str) -> None:
    assert await ask(client, path) == (200, OK)


@pytest.mark.parametrize("check", ["node-is-mirror-sync-critical", "node-is-quorum-critical"])
async def test_nothing_is_critical_in_a_single_node(client: httpx.AsyncClient, check: str) -> None:
    assert await ask(client, f"{CHECKS}/{check}") == (200, {**OK, "reason": "single node cluster"})


async def test_alarms_are_told(client: httpx.AsyncClient, node: Node) -> None:
    node.broker.set_alarm("memory", True)
    node.broker.set_alarm("disk", True)
    alarms = [{"node": "amq@test", "resource": "disk"}, {"node": "amq@test", "resource": "memory"}]
    assert await ask(client, f"{CHECKS}/alarms") == failed("There are alarms in effect in the cluster", alarms=alarms)
    assert await ask(client, f"{CHECKS}/local-alarms") == failed(
        "There are alarms in effect on the node", alarms=alarms
    )
    assert await ask(client, "/healthchecks/node") == failed("resource alarm(s) in effect:[disk,memory]")


async def test_another_node_is_not_known(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthchecks/node/amq@elsewhere")).status_code == 404


# -- listeners --


async def test_a_port_listens_or_does_not(client: httpx.AsyncClient, node: Node) -> None:
    listens(node, ("amqp", 5672), ("http", 15672))
    assert await ask(client, f"{CHECKS}/port-listener/5672") == (200, {**OK, "port": 5672})
    missing = failed("No active listener", missing=1, ports=[5672, 15672])
    assert await ask(client, f"{CHECKS}/port-listener/1") == missing


@pytest.mark.parametrize("port", ["x", "5672x", "", "1.5", "٥", "9" * 40])
async def test_what_is_no_port_is_refused(client: httpx.AsyncClient, port: str) -> None:
    status, body = await ask(client, f"{CHECKS}/port-listener/{port or '%20'}")
    assert (status, body) == (400, {"error": "bad_request", "reason": "Invalid port"})


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("amqp", "amqp"),
        ("amqp091", "amqp"),
        ("AMQP0-9-1", "amqp"),
        ("amqp1.0", "amqp"),
        ("amqps", "amqp/ssl"),
        ("amqp%2Fssl", "amqp/ssl"),
        ("http", "http"),
        ("management_ui", "http"),
        ("http%2Fprometheus", "http/prometheus"),
    ],
)
async def test_protocols_have_many_names(client: httpx.AsyncClient, node: Node, name: str, protocol: str) -> None:
    listens(node, ("amqp", 1), ("amqp/ssl", 2), ("http", 3), ("http/prometheus", 4))
    assert await ask(client, f"{CHECKS}/protocol-listener/{name}") == (200, {**OK, "protocol": protocol})


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("mqtt3.1.1", "mqtt"),
        ("mqtt31", "mqtt"),
        ("mqtts", "mqtt/ssl"),
        ("stomp1.2", "stomp"),
        ("stomp+tls", "stomp/ssl"),
        ("web_mqtt", "http/web-mqtt"),
        ("web-stomp%2Ftls", "https/web-stomp"),
        ("distribution", "clustering"),
        ("https", "https"),
        ("nonsense", "nonsense"),
    ],
)
async def test_a_protocol_that_is_not_listened_for_is_told(
    client: httpx.AsyncClient, node: Node, name: str, protocol: str
) -> None:
    listens(node, ("amqp", 1), ("amqp", 2))
    missing = failed("No active listener", missing=protocol, protocols=["amqp"])
    assert await ask(client, f"{CHECKS}/protocol-listener/{name}") == missing


async def test_several_protocols_can_be_asked_for_at_once(client: httpx.AsyncClient, node: Node) -> None:
    listens(node, ("amqp", 1), ("http", 2))
    assert await ask(client, f"{CHECKS}/protocol-listener/amqp091,http") == (200, {**OK, "protocols": ["amqp", "http"]})
    missing = failed("No active listener", missing=["mqtt", "amqp/ssl"], protocols=["amqp", "http"])
    assert await ask(client, f"{CHECKS}/protocol-listener/mqtt,http,amqps") == missing


# -- certificates --


@pytest.fixture
def secured(node: Node, tmp_path: Path) -> Node:
    """A node with a TLS listener whose certificate, and that of its authority, ends in 40 days."""
    end = datetime.now(UTC) + timedelta(days=40)
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", not_after=end)
    (tmp_path / "server.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    (tmp_path / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    tls = TlsSettings(
        certfile=str(tmp_path / "server.pem"), cacertfile=str(tmp_path / "ca.pem"), keyfile=str(tmp_path / "key.pem")
    )
    node.broker.settings = attrs.evolve(node.broker.settings, tls=tls)
    listens(node, ("amqp", 5672), ("amqp/ssl", 5671))
    return node


@pytest.mark.parametrize("within", ["39/days", "5/weeks", "1/months", "0/years", "-1/days", "-99999999999/years"])
async def test_certificates_are_good_for_a_while(client: httpx.AsyncClient, secured: Node, within: str) -> None:
    assert await ask(client, f"{CHECKS}/certificate-expiration/{within}") == (200, OK)


@pytest.mark.parametrize("within", ["41/days", "6/weeks", "2/MONTHS", "1/years"])
async def test_certificates_that_end_are_told(client: httpx.AsyncClient, secured: Node, within: str) -> None:
    status, body = await ask(client, f"{CHECKS}/certificate-expiration/{within}")
    assert (status, body["status"], body["reason"]) == (503, "failed", "Certificates expiring")
    [expired] = body["expired"]  # type: ignore[misc]
    assert (expired["node"], expired["protocol"], expired["port"]) == ("amq@test", "amqp/ssl", 5671)
    assert expired["interface"] == "127.0.0.1"
    [ends] = expired["certfile_expires_on"]
    assert datetime.strptime(ends, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) > datetime.now(UTC) + timedelta(days=39)
    assert expired["cacertfile_expires_on"] == []


async def test_every_certificate_ends_some_day(client: httpx.AsyncClient, secured: Node) -> None:
    status, body = await ask(client, f"{CHECKS}/certificate-expiration/99999999999/years")
    assert status == 503
    [expired] = body["expired"]  # type: ignore[misc]
    assert len(expired["cacertfile_expires_on"]) == 1


async def test_a_certificate_that_cannot_be_read_is_told(
    client: httpx.AsyncClient, secured: Node, tmp_path: Path
) -> None:
    (tmp_path / "server.pem").write_text("nothing")
    status, body = await ask(client, f"{CHECKS}/certificate-expiration/1/days")
    assert status == 503
    assert body["expired"][0]["certfile_expires_on"] == [f"{tmp_path}/server.pem: no certificate in it"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("within", "reason"),
    [
        ("x/days", "Invalid expiration value."),
        ("1.5/days", "Invalid expiration value."),
        ("1/fortnights", "Time unit not recognised. Supported units: days, weeks, months, years."),
    ],
)
async def test_a_time_that_makes_no_sense_is_refused(client: httpx.AsyncClient, within: str, reason: str) -> None:
    status, body = await ask(client, f"{CHECKS}/certificate-expiration/{within}")
    assert (status, body) == (400, {"error": "bad_request", "reason": reason})


# -- readiness --


async def test_a_broker_is_ready_when_it_listens_and_has_room(client: httpx.AsyncClient, node: Node) -> None:
    path = f"{CHECKS}/ready-to-serve-clients"
    assert await ask(client, path) == failed("no active listeners for AMQP/AMQPS")
    listens(node, ("amqp", 5672))
    assert await ask(client, path) == (200, OK)
    settings = node.broker.settings
    node.broker.settings = attrs.evolve(settings, limits=attrs.evolve(settings.limits, connections=1))
    assert await ask(client, path) == (200, OK)
    enter(broker=node.broker)
    full = "node connection limit is reached"
    assert await ask(client, path) == failed(full, connections=1)
    assert await ask(client, f"{CHECKS}/below-node-connection-limit") == failed(full)


async def test_a_broker_that_stops_is_out_of_service(client: httpx.AsyncClient, node: Node) -> None:
    node.stopping.set()
    out = "node is not currently available to serve"
    assert await ask(client, f"{CHECKS}/is-in-service") == failed(f"this rabbit {out}")
    assert await ask(client, f"{CHECKS}/ready-to-serve-clients") == failed(f"the rabbit {out}")


async def test_a_store_without_vhosts_has_nothing_in_it(client: httpx.AsyncClient, node: Node) -> None:
    node.broker.delete_vhost("/")
    reason = "Metadata store has not yet been initialized: it reports to have no virtual hosts"
    assert await ask(client, f"{CHECKS}/metadata-store/initialized/with-data") == failed(reason)


async def test_checks_need_no_more_than_the_role_of_management(app: ASGIApp, broker: Broker) -> None:
    broker.users.add("prober", "secret", tags=["management"])
    async with client_of(app, ("prober", "secret")) as client:
        assert await ask(client, f"{CHECKS}/alarms") == (200, OK)


# -- a message there and back --


async def test_the_test_queue_stays_and_stays_empty(client: httpx.AsyncClient, node: Node) -> None:
    for _ in range(3):
        assert await ask(client, "/aliveness-test/%2F") == (200, OK)
    [queue] = node.broker.vhosts["/"].queues.values()
    assert (queue.name, queue.durable, queue.ready_count(), queue.unacked) == (b"aliveness-test", False, 0, 0)
    assert (queue.tally.published, queue.tally.got_no_ack) == (3, 3)


async def test_a_message_that_does_not_come_back_is_a_failure(client: httpx.AsyncClient, node: Node) -> None:
    assert await ask(client, "/aliveness-test/%2F") == (200, OK)
    thief = enter(channels=[1], broker=node.broker)
    thief.consume(1, "aliveness-test", no_ack=True)
    assert await ask(client, "/aliveness-test/%2F") == failed("aliveness-test queue is empty")


async def test_another_vhost_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/aliveness-test/nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("management", "User not authorised to access virtual host"),
        ("monitoring", "User not authorised to access virtual host"),
        ("administrator", "Access refused."),
    ],
)
async def test_who_may_not_enter_a_vhost_may_not_try_it(app: ASGIApp, broker: Broker, tag: str, reason: str) -> None:
    broker.users.add("prober", "secret", tags=[tag])
    async with client_of(app, ("prober", "secret")) as client:
        status, body = await ask(client, "/aliveness-test/%2F")
    assert (status, body["reason"]) == (401, reason)


@pytest.mark.parametrize(
    "permission", [Permission("", ".*", ".*"), Permission(".*", "", ".*"), Permission(".*", ".*", "")]
)
async def test_trying_a_vhost_takes_every_permission(app: ASGIApp, broker: Broker, permission: Permission) -> None:
    broker.users.add("prober", "secret", tags=["management"])
    broker.vhosts["/"].permissions.set("prober", permission)
    async with client_of(app, ("prober", "secret")) as client:
        status, body = await ask(client, "/aliveness-test/%2F")
    assert status == 401
    assert "refused for user 'prober'" in str(body["reason"])

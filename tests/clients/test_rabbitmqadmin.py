"""rabbitmqadmin, the script that RabbitMQ's management plugin ships: every verb, every kind of object, every format."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import amqp
import attrs
import httpx
import pytest

from tests.clients.target import await_state
from tests.harness.process import BrokerProcess

ROOT = Path(__file__).parents[2]
PLUGIN = "lib/rabbitmq/lib/rabbitmq_server-*/plugins/rabbitmq_management-*/priv/www/cli/rabbitmqadmin"
PATIENCE = 20.0


def find_script() -> Path | None:
    """Where `make test` has put it, where Debian's package has, or wherever else it is on the PATH."""
    fetched = ROOT / ".venv" / "rabbitmqadmin"
    if fetched.exists():
        return fetched
    shipped = next(Path("/usr").glob(PLUGIN), None)
    on_path = shutil.which("rabbitmqadmin")
    return shipped or (Path(on_path) if on_path else None)


SCRIPT = find_script()
pytestmark = pytest.mark.skipif(SCRIPT is None, reason="not installed (Debian: in rabbitmq-server): rabbitmqadmin")


@attrs.frozen
class Admin:
    """The script, told where the HTTP API is."""

    http: int
    amqp: int
    home: Path

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """One command, whatever comes of it."""
        command = [sys.executable, str(SCRIPT), "--host=127.0.0.1", f"--port={self.http}", *arguments]
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=self.home,
            # An old script, and warnings of the Python that runs it are none of ours.
            env={"HOME": str(self.home), "PYTHONWARNINGS": "ignore"},
        )

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """A command that must work; returns what it printed."""
        ended = self.run(*arguments, stdin=stdin)
        assert ended.returncode == 0, f"{arguments}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def ask(self, method: str, path: str, body: Any) -> None:
        """A request that must work, for what is not the script's business."""
        url = f"http://127.0.0.1:{self.http}/api{path}"
        httpx.request(method, url, json=body, auth=("guest", "guest")).raise_for_status()

    def json(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self("--format=raw_json", *arguments))

    def names(self, *arguments: str) -> list[str]:
        """The names of what a command lists."""
        return [each["name"] for each in self.json(*arguments, "name")]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker with its HTTP API."""
    broker = BrokerProcess(tmp_path_factory.mktemp("broker"), management=True)
    broker.start()
    yield broker
    assert broker.stop() == 0
    assert "Traceback" not in broker.output()


@pytest.fixture
def admin(process: BrokerProcess, tmp_path: Path) -> Iterator[Admin]:
    """The script; a vhost `v` is there for the test, and nothing else."""
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    with httpx.Client(base_url=f"http://127.0.0.1:{process.http_port}/api", auth=("guest", "guest")) as client:
        client.put("/vhosts/v", json={}).raise_for_status()
        client.put("/permissions/v/guest", json=everything).raise_for_status()
        yield Admin(process.http_port, process.port, tmp_path)
        client.delete("/vhosts/v").raise_for_status()


def test_queues_are_declared_listed_purged_and_deleted(admin: Admin) -> None:
    admin("-V", "v", "declare", "queue", "name=a", "durable=false", 'arguments={"x-max-length": 5}')
    admin("-V", "v", "declare", "queue", "name=b", "auto_delete=true", "queue_type=classic")
    assert admin.names("-V", "v", "list", "queues") == ["a", "b"]
    found = admin.json("-V", "v", "list", "queues", "name", "durable", "arguments", "auto_delete")
    assert found[0] == {"name": "a", "durable": False, "arguments": {"x-max-length": 5}, "auto_delete": False}
    assert found[1]["arguments"] == {"x-queue-type": "classic"}
    admin("-V", "v", "publish", "routing_key=a", "payload=x")
    assert "queue purged" in admin("-V", "v", "purge", "queue", "name=a")
    assert admin.json("-V", "v", "get", "queue=a") == []
    assert "queue deleted" in admin("-V", "v", "delete", "queue", "name=a")
    assert admin.names("-V", "v", "list", "queues") == ["b"]


def test_what_cannot_be_is_refused_with_the_broker_s_words(admin: Admin) -> None:
    admin("-V", "v", "declare", "queue", "name=a")
    again = admin.run("-V", "v", "declare", "queue", "name=a", "durable=false")
    assert again.returncode != 0
    assert (
        "inequivalent arg 'durable' for queue 'a' in vhost 'v': received 'false' but current is 'true'" in again.stderr
    )
    missing = admin.run("-V", "v", "delete", "queue", "name=none")
    assert missing.returncode != 0
    assert "Not found: /api/queues/v/none" in missing.stderr
    denied = admin.run("-u", "guest", "-p", "wrong", "list", "queues")
    assert denied.returncode != 0
    assert "Access refused" in denied.stderr


def test_exchanges_and_bindings_of_both_kinds(admin: Admin) -> None:
    admin("-V", "v", "declare", "exchange", "name=x", "type=topic", "internal=false")
    admin("-V", "v", "declare", "exchange", "name=y", "type=fanout", "auto_delete=true")
    admin("-V", "v", "declare", "queue", "name=q")
    assert {"x", "y", "amq.direct"} <= set(admin.names("-V", "v", "list", "exchanges"))
    admin("-V", "v", "declare", "binding", "source=x", "destination=q", "routing_key=a.#", 'arguments={"k": 1}')
    admin("-V", "v", "declare", "binding", "source=x", "destination=y", "destination_type=exchange", "routing_key=e")
    found = admin.json("-V", "v", "list", "bindings", "source", "destination", "destination_type", "properties_key")
    by_kind = {each["destination_type"]: each for each in found if each["source"] == "x"}
    assert set(by_kind) == {"queue", "exchange"}
    key = by_kind["queue"]["properties_key"]
    assert key.startswith("a.%23~")
    ends = ["source=x", "destination_type=queue", "destination=q"]
    admin("-V", "v", "delete", "binding", *ends, f"properties_key={key}")
    ends = ["source=x", "destination_type=exchange", "destination=y"]
    admin("-V", "v", "delete", "binding", *ends, "properties_key=e")
    assert [each for each in admin.json("-V", "v", "list", "bindings", "source") if each["source"]] == []
    # Whose last binding goes goes with it only if it has been a source.
    admin("-V", "v", "delete", "exchange", "name=x")
    admin("-V", "v", "delete", "exchange", "name=y")
    assert not {"x", "y"} & set(admin.names("-V", "v", "list", "exchanges"))


def test_messages_are_published_and_got_in_every_way(admin: Admin, tmp_path: Path) -> None:
    admin("-V", "v", "declare", "queue", "name=q")
    assert "Message published" in admin("-V", "v", "publish", "routing_key=q", "payload=one")
    properties = '{"delivery_mode": 2, "headers": {"h": 1}, "message_id": "m2"}'
    admin("-V", "v", "publish", "exchange=amq.default", "routing_key=q", f"properties={properties}", stdin="two")
    admin("-V", "v", "publish", "routing_key=q", "payload=//4=", "payload_encoding=base64")
    assert "NOT routed" in admin("-V", "v", "publish", "routing_key=nowhere", "payload=lost")
    found = admin.json("-V", "v", "get", "queue=q", "count=5")
    assert [each["payload"] for each in found] == ["one", "two", "//4="]
    assert found[1]["properties"] == {"delivery_mode": 2, "headers": {"h": 1}, "message_id": "m2"}
    assert [each["payload_encoding"] for each in found] == ["string", "string", "base64"]
    again = admin.json("-V", "v", "get", "queue=q", "ackmode=ack_requeue_false")
    assert [each["redelivered"] for each in again] == [True]
    admin("-V", "v", "get", "queue=q", "payload_file=body", "ackmode=reject_requeue_false")
    assert (tmp_path / "body").read_text() == "two"
    last = admin.json("-V", "v", "get", "queue=q", "encoding=base64", "ackmode=reject_requeue_true")
    assert last[0]["payload"] == "//4="


def test_vhosts_come_and_go(admin: Admin) -> None:
    admin("declare", "vhost", "name=w", "tracing=true")
    assert admin.json("list", "vhosts", "name", "tracing")[-1] == {"name": "w", "tracing": True}
    admin("delete", "vhost", "name=w")
    assert admin.names("list", "vhosts") == ["/", "v"]


def test_users_permissions_and_their_removal(admin: Admin) -> None:
    admin("declare", "user", "name=u", "password=secret", "tags=monitoring")
    admin("declare", "user", "name=h", "password_hash=", "tags=")
    assert {"guest", "u", "h"} <= set(admin.names("list", "users"))
    admin("declare", "permission", "vhost=v", "user=u", "configure=", "write=^a", "read=.*")
    found = admin.json("list", "permissions", "user", "vhost", "configure", "write", "read")
    assert {"user": "u", "vhost": "v", "configure": "", "write": "^a", "read": ".*"} in found
    assert admin.names("-u", "u", "-p", "secret", "list", "vhosts")
    admin("delete", "permission", "vhost=v", "user=u")
    admin("delete", "user", "name=u")
    admin("delete", "user", "name=h")
    assert admin.names("list", "users") == ["guest"]


def test_policies_operator_policies_parameters_and_limits(admin: Admin) -> None:
    admin("-V", "v", "declare", "queue", "name=aq")
    admin("-V", "v", "declare", "policy", "name=p", "pattern=^a", 'definition={"max-length": 9}', "apply-to=queues")
    admin("-V", "v", "declare", "operator_policy", "name=o", "pattern=^a", 'definition={"max-length": 4}')
    assert admin.names("-V", "v", "list", "policies") == ["p"]
    assert admin.names("-V", "v", "list", "operator_policies") == ["o"]
    queue = admin.json("-V", "v", "list", "queues", "policy", "operator_policy", "effective_policy_definition")[0]
    assert queue == {"policy": "p", "operator_policy": "o", "effective_policy_definition": {"max-length": 4}}
    admin("declare", "vhost_limit", "vhost=v", "name=max-queues", "value=7")
    assert admin.json("list", "vhost_limits") == [{"vhost": "v", "value": {"max-queues": 7}}]
    limits = ["component=vhost-limits", "name=limits"]
    admin("-V", "v", "declare", "parameter", *limits, 'value={"max-connections": 3}')
    found = {(each["component"], each["name"]) for each in admin.json("list", "parameters")}
    # As in RabbitMQ, whose operator policies are parameters too.
    assert found == {("operator_policy", "o"), ("vhost-limits", "limits")}
    admin("-V", "v", "delete", "parameter", *limits)
    admin("declare", "vhost_limit", "vhost=v", "name=max-queues", "value=7")
    admin("delete", "vhost_limit", "vhost=v", "name=max-queues")
    admin("-V", "v", "delete", "policy", "name=p")
    admin("-V", "v", "delete", "operator_policy", "name=o")
    assert admin.names("-V", "v", "list", "policies") == []


def test_clients_are_listed_and_connections_closed(admin: Admin) -> None:
    with amqp.Connection(f"127.0.0.1:{admin.amqp}", virtual_host="v") as connection:
        channel = connection.channel()
        channel.queue_declare("q")
        channel.basic_consume("q", consumer_tag="me")
        names = admin.names("list", "connections")
        assert len(names) == 1
        assert admin.names("list", "channels") == [f"{names[0]} (1)"]
        assert admin.json("list", "consumers", "consumer_tag", "queue.name") == [
            {"consumer_tag": "me", "queue": {"name": "q"}}
        ]
        assert "connection closed" in admin("close", "connection", f"name={names[0]}")
        with pytest.raises(amqp.ConnectionForced, match="Closed via management plugin"):
            connection.drain_events(timeout=PATIENCE)
    await_state(lambda: admin.names("list", "connections") == [])


def test_the_node_and_the_overview_are_shown(admin: Admin) -> None:
    (node,) = admin.json("list", "nodes", "name", "type", "mem_used")
    assert node["type"] == "disc"
    assert node["mem_used"] > 0
    shown = admin("show", "overview")
    assert "rabbitmq_version" in shown
    assert "3.13" in shown
    assert {"/", "v"} == set(admin.names("list", "vhosts"))


def test_definitions_go_out_and_come_back(admin: Admin, tmp_path: Path) -> None:
    admin("-V", "v", "declare", "queue", "name=kept", 'arguments={"x-max-length": 5}')
    admin("-V", "v", "declare", "policy", "name=p", "pattern=^k", 'definition={"max-length": 9}')
    assert "Exported definitions" in admin("export", "whole.json")
    admin("-V", "v", "export", "one.json")
    assert [each["name"] for each in json.loads((tmp_path / "one.json").read_text())["queues"]] == ["kept"]
    admin("-V", "v", "delete", "queue", "name=kept")
    admin("-V", "v", "delete", "policy", "name=p")
    assert "Uploaded definitions" in admin("import", "whole.json")
    assert admin.names("-V", "v", "list", "queues") == ["kept"]
    admin("-V", "v", "delete", "queue", "name=kept")
    admin("-V", "v", "import", "one.json")
    assert admin.names("-V", "v", "list", "policies") == ["p"]


@pytest.mark.parametrize(
    ("format_name", "shown"),
    [
        ("tsv", "name\tdurable\nq1\tTrue\nq2\tTrue"),
        ("table", "| q1   | True    |"),
        ("long", "   name: q1\ndurable: True"),
        ("kvp", 'name="q1" durable="True"'),
        ("bash", "q1 q2"),
        ("pretty_json", '"name": "q1"'),
        ("raw_json", '[{"name":"q1","durable":true},{"name":"q2","durable":true}]'),
    ],
)
def test_lists_come_in_every_format(admin: Admin, format_name: str, shown: str) -> None:
    admin.ask("PUT", "/queues/v/q1", {"durable": True})
    admin.ask("PUT", "/queues/v/q2", {"durable": True})
    assert shown in admin("-V", "v", f"--format={format_name}", "list", "queues", "name", "durable")


def test_lists_are_sorted_as_asked(admin: Admin) -> None:
    for name, count in (("a", 1), ("b", 3), ("c", 2)):
        admin.ask("PUT", f"/queues/v/{name}", {})
        message = {"properties": {}, "routing_key": name, "payload": "x", "payload_encoding": "string"}
        for _ in range(count):
            admin.ask("POST", "/exchanges/v/amq.default/publish", message)
    assert admin.names("-V", "v", "--sort=messages", "list", "queues") == ["a", "c", "b"]
    assert admin.names("-V", "v", "--sort=messages", "--sort-reverse", "list", "queues") == ["b", "c", "a"]


@pytest.mark.parametrize(
    "kind",
    [
        *("connections", "channels", "consumers", "exchanges", "queues", "bindings", "users", "vhosts", "permissions"),
        *("nodes", "parameters", "policies", "operator_policies", "vhost_limits"),
    ],
)
def test_everything_can_be_listed_with_all_its_columns(admin: Admin, kind: str) -> None:
    admin.ask("PUT", "/queues/v/q", {})
    with amqp.Connection(f"127.0.0.1:{admin.amqp}", virtual_host="v") as connection:
        connection.channel().basic_consume("q")
        assert admin("list", kind)
        assert admin("--depth=10", "--format=long", "list", kind)


def test_settings_come_from_a_file_and_an_address(admin: Admin, tmp_path: Path) -> None:
    (tmp_path / "admin.conf").write_text(f"[here]\nhostname = 127.0.0.1\nport = {admin.http}\nvhost = v\n")
    admin("--config=admin.conf", "--node=here", "declare", "queue", "name=q")
    assert admin.names("-U", f"http://127.0.0.1:{admin.http}", "-V", "v", "list", "queues") == ["q"]

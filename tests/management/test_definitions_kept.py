"""What was answered with success is there after the process was killed: whatever an operator defines."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pika
import pytest

from tests.harness.process import BrokerProcess
from tests.management.test_definitions import comparable, export

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
# Every kind of definition: where it is set, and the body.
DEFINED: list[tuple[str, Any]] = [
    ("/vhosts/v", {"description": "Mine", "tags": "a,b", "tracing": True}),
    ("/users/u", {"password": "secret", "tags": "monitoring"}),
    ("/user-limits/u/max-channels", {"value": 7}),
    ("/permissions/v/u", ALL),
    ("/topic-permissions/v/u", {"exchange": "amq.topic", "write": "^a", "read": ""}),
    ("/policies/v/p", {"pattern": "^q", "definition": {"max-length": 3}, "priority": 2}),
    ("/operator-policies/v/o", {"pattern": "^q", "definition": {"max-length": 2}}),
    ("/vhost-limits/v/max-queues", {"value": 9}),
    ("/global-parameters/g", {"value": {"a": [1, None]}}),
    ("/exchanges/v/x", {"type": "topic", "durable": True}),
    ("/queues/v/q", {"durable": True, "arguments": {"x-message-ttl": 60_000}}),
]


def again(process: BrokerProcess) -> httpx.Client:
    """Kill the process and start it again; returns a client."""
    process.kill()
    process.start()
    return httpx.Client(base_url=f"http://127.0.0.1:{process.http_port}/api", auth=("guest", "guest"))


def exported(client: httpx.Client) -> Any:
    return client.get("/definitions").json()


def test_everything_that_is_defined_survives_a_kill(process: BrokerProcess, api: httpx.Client) -> None:
    for path, body in DEFINED:
        assert api.put(path, json=body).status_code in (201, 204), path
    assert api.post("/bindings/v/e/x/q/q", json={"routing_key": "a.#"}).status_code == 201
    assert api.post("/vhosts/v/deletion/protection").status_code == 204
    before = exported(api)
    with again(process) as client:
        assert exported(client) == before
        assert client.get("/vhosts/v").json()["tracing"] is True
        assert client.delete("/vhosts/v").status_code == 412
        queue = client.get("/queues/v/q").json()
        assert queue["effective_policy_definition"] == {"max-length": 2}
        assert httpx.get(f"{client.base_url}whoami", auth=("u", "secret")).json()["name"] == "u"


def test_everything_that_is_removed_is_gone_after_a_kill(process: BrokerProcess, api: httpx.Client) -> None:
    before = exported(api)
    for path, body in DEFINED:
        api.put(path, json=body)
    for path, _ in reversed(DEFINED):
        assert api.delete(path).status_code == 204, path
    with again(process) as client:
        assert exported(client) == before


def test_an_import_survives_a_kill(process: BrokerProcess, api: httpx.Client) -> None:
    document = export("rabbitmq-3.10.8")
    assert api.post("/definitions", json=document).status_code == 204
    before = exported(api)
    with again(process) as client:
        found = exported(client)
    # What is transient goes with the process.
    assert [queue["name"] for queue in before["queues"] if queue not in found["queues"]] == ["temp"]
    assert [exchange["name"] for exchange in before["exchanges"] if exchange not in found["exchanges"]] == ["gone"]
    wanted = comparable(document)
    for section in ("users", "permissions", "topic_permissions", "parameters", "policies", "vhosts"):
        assert comparable(found)[section] == wanted[section]
    url = f"amqp://sha512:secret-512@127.0.0.1:{process.port}/shop"
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        assert connection.is_open


def test_a_deleted_vhost_with_very_many_queues_is_gone_after_a_kill(process: BrokerProcess, api: httpx.Client) -> None:
    queues = [{"name": f"q{number}", "vhost": "v", "durable": True} for number in range(1500)]
    assert api.post("/definitions", json={"vhosts": [{"name": "v"}], "queues": queues}).status_code == 204
    assert len(exported(api)["queues"]) == 1500
    assert api.delete("/vhosts/v").status_code == 204
    with again(process) as client:
        assert exported(client)["queues"] == []
        assert client.get("/vhosts/v").status_code == 404


def test_definitions_are_loaded_at_the_start_and_left_out_when_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(export("rabbitmq-3.10.8")))
    config = tmp_path / "amq.conf"
    config.write_text(f"load_definitions = {path}\ndefinitions.skip_if_unchanged = true\n")
    process = BrokerProcess(tmp_path, data=tmp_path / "data", management=True, options=("--config", str(config)))
    try:
        process.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{process.http_port}/api", auth=("guest", "guest")) as client:
            assert "shop" in [vhost["name"] for vhost in client.get("/vhosts").json()]
            assert client.delete("/users/md5").status_code == 204
        with again(process) as client:
            assert "md5" not in [user["name"] for user in client.get("/users").json()], "it is not imported again"
        path.write_text(json.dumps({"vhosts": [{"name": "more"}]}))
        with again(process) as client:
            assert "more" in [vhost["name"] for vhost in client.get("/vhosts").json()]
    finally:
        process.kill()


@pytest.mark.parametrize("text", ["{", '{"queues": [{"name": "q", "vhost": "nowhere"}]}'])
def test_definitions_that_cannot_be_loaded_end_the_start_with_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "definitions.json"
    path.write_text(text)
    config = tmp_path / "amq.conf"
    config.write_text(f"load_definitions = {path}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "amq", "serve", "--in-memory", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 2
    assert re.fullmatch(rf"amq: .*load_definitions: {path}: .*\n", ended.stderr)

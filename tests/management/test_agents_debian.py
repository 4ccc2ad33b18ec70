"""Monitoring tools that Debian ships: Prometheus' own linter, and the checks of Nagios."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pika
import pytest

from tests.harness.process import BrokerProcess

SECONDS = 60.0
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="not installed (Debian: prometheus): promtool")
needs_checks = pytest.mark.skipif(
    not shutil.which("check_rabbitmq_overview"), reason="not installed (Debian: nagios-plugins-rabbitmq)"
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker with the name that the checks expect of a RabbitMQ on the host `box`, and a client that stays."""
    folder: Path = tmp_path_factory.mktemp("broker")
    broker = BrokerProcess(folder, management=True, environment={"RABBITMQ_NODENAME": "rabbit@box"})
    broker.start()
    with pika.BlockingConnection(pika.ConnectionParameters(broker.host, broker.port)) as connection:
        channel = connection.channel()
        channel.queue_declare("q")
        channel.basic_publish("", "q", b"body")
        channel.basic_consume("q", lambda *_: None)
        connection.process_data_events(0.1)
        yield broker
    broker.kill()
    assert "Traceback" not in broker.output()


@needs_promtool
@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/per-object", "/metrics/detailed?family=queue_coarse_metrics&family=channel_metrics"]
)
def test_prometheus_reads_every_figure(broker: BrokerProcess, path: str) -> None:
    exposed = httpx.get(f"http://127.0.0.1:{broker.figures_port}{path}", timeout=SECONDS).raise_for_status().text
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=exposed, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    # Names that are RabbitMQ's may not please the linter; what cannot be parsed is told otherwise.
    complaints = [line for line in checked.stderr.splitlines() if "suffix" not in line]
    assert (complaints, checked.stdout) == ([], "")
    assert exposed.count("# TYPE rabbitmq_") > 10


@needs_checks
@pytest.mark.parametrize(
    "check",
    [
        ["aliveness"],
        ["connections"],
        ["objects"],
        ["overview", "--critical", "100,100,100"],
        ["partition", "--node", "box"],
        ["queue", "--queue", "q"],
        ["server", "--node", "box"],
        ["watermark", "--node", "box"],
    ],
    ids=lambda check: check[0],
)
def test_nagios_finds_all_well(broker: BrokerProcess, check: list[str]) -> None:
    where = ["-H", "127.0.0.1", "--port", str(broker.http_port), "-u", "guest", "-p", "guest"]
    command = [f"check_rabbitmq_{check[0]}", *where, *check[1:]]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (checked.returncode, checked.stdout.partition(" - ")[0]) == (0, f"RABBITMQ_{check[0].upper()} OK")

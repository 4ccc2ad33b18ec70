"""SIGHUP and the API's reload: what changes in a running broker, what does not, and what a mistake costs (nothing)."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pika
import pytest
import trustme

from tests.harness.process import BrokerProcess, free_port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "amq.conf"
    path.write_text("heartbeat = 60\nlog.level = info\n")
    return path


@pytest.fixture
def broker(tmp_path: Path, config: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path, options=("--config", str(config)), management=True)
    process.start()
    yield process
    process.stop()


def hang_up(broker: BrokerProcess, until: str) -> str:
    """Send SIGHUP, and wait for a line that holds this text."""
    before = len(broker.output())
    os.kill(broker.pid, signal.SIGHUP)
    await_text(broker, before, until)
    return broker.output()[before:]


def await_text(broker: BrokerProcess, start: int, text: str) -> None:
    """Wait until the broker has written this text, from the position `start` of its output on."""
    deadline = time.monotonic() + 20
    while text not in broker.output()[start:]:
        assert time.monotonic() < deadline, broker.output()[start:]
        time.sleep(0.02)


def suggested_heartbeat(broker: BrokerProcess) -> int:
    """What the broker suggests to a new client, in s."""
    suggestions: list[int] = []

    def take(_connection: object, suggested: int) -> int:
        suggestions.append(suggested)
        return suggested

    parameters = pika.URLParameters(broker.url)
    parameters.heartbeat = take
    with pika.BlockingConnection(parameters):
        return suggestions[0]


def test_what_can_change_does_and_the_rest_is_told(broker: BrokerProcess, config: Path) -> None:
    config.write_text(
        "heartbeat = 20\nlog.level = debug\njournal.segment_bytes = 4MiB\nvm_memory_high_watermark.absolute = 9GB\n"
    )
    said = hang_up(broker, "needs a restart")
    assert "reloaded heartbeat: 60 -> 20" in said
    assert "reloaded log.level: info -> debug" in said or "reloaded log" in said
    assert "reloaded vm_memory_high_watermark: changed" in said
    assert "needs a restart: journal.segment_bytes: 67108864 -> 4194304" in said
    assert suggested_heartbeat(broker) == 20
    await_text(broker, 0, "[debug]")


def test_a_mistake_changes_nothing(broker: BrokerProcess, config: Path) -> None:
    config.write_text("log.level = debug\nheartbeat = soon\n")
    said = hang_up(broker, "is not reloaded")
    assert f"the configuration is not reloaded: {config}:2:13: heartbeat: 'soon' is not a whole number" in said
    with pika.BlockingConnection(pika.URLParameters(broker.url)):
        pass
    assert "[debug]" not in broker.output()


def test_the_api_reloads_too_and_says_what_came_of_it(broker: BrokerProcess, config: Path) -> None:
    config.write_text("heartbeat = 30\nchannel_max = 100\nlog.level = info\nnonsense.key = 1\n")
    with httpx.Client(base_url=f"http://127.0.0.1:{broker.http_port}", auth=("guest", "guest")) as api:
        outcome = api.post("/api/amq/reload").json()
        assert outcome["changed"] == ["heartbeat: 60 -> 30", "channel_max: 2047 -> 100"]
        assert outcome["needs_restart"] == []
        assert ["nonsense.key" in warning for warning in outcome["warnings"]] == [True]
        config.write_text("heartbeat = -1\n")
        refused = api.post("/api/amq/reload")
        assert (refused.status_code, refused.json()["error"]) == (400, "bad_request")
        assert "heartbeat: -1 is out of range" in refused.json()["reason"]


def serial(port: int, authority: trustme.CA) -> str:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        certificate = secured.getpeercert()
        assert certificate is not None
        return str(certificate["serialNumber"])


def test_certificates_that_were_renewed_are_shown_to_new_clients_and_old_ones_stay(tmp_path: Path) -> None:
    authority = trustme.CA()

    def issue() -> None:
        certificate = authority.issue_cert("localhost")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")

    issue()
    tls_port = free_port()
    config = tmp_path / "tls.conf"
    config.write_text(
        f"listeners.ssl.1 = 127.0.0.1:{tls_port}\n"
        f"ssl_options.certfile = {tmp_path}/cert.pem\nssl_options.keyfile = {tmp_path}/key.pem\n"
    )
    broker = BrokerProcess(tmp_path, options=("--config", str(config)))
    broker.start()
    try:
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            before = serial(tls_port, authority)
            issue()
            hang_up(broker, "read anew")
            assert serial(tls_port, authority) != before
            (tmp_path / "key.pem").write_text("not a key")
            hang_up(broker, "is not reloaded")
            assert serial(tls_port, authority) != before
            connection.process_data_events(0)
    finally:
        broker.stop()

"""`amq serve` as a process: what it says, where it listens, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pika
import pytest

from tests.harness.process import WITHOUT_WEB, BrokerFailed, BrokerProcess, free_port

if TYPE_CHECKING:
    from tests.cli.conftest import Connect

SHUTDOWN = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"
SECONDS = 20


class SignalledBroker(BrokerProcess):
    """A broker process that a test sends signals to itself."""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


class HomelyBroker(BrokerProcess):
    """A broker process that is not told whether to keep anything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._options = ()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[SignalledBroker]:
    broker = SignalledBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


def wait_for_line(broker: SignalledBroker, pattern: str) -> None:
    for _ in range(SECONDS * 100):
        if re.search(pattern, broker.output()):
            return
        time.sleep(0.01)
    pytest.fail(f"the broker never wrote {pattern!r}:\n{broker.output()}")


def test_the_banner_says_address_user_data_and_version(broker: SignalledBroker) -> None:
    wait_for_line(broker, "Ctrl-C")
    banner = broker.output()
    assert f"amq {version('amq')} " in banner
    assert re.search(rf"address +127\.0\.0\.1:{broker.port}\n", banner)
    assert re.search(r"user +guest, from this machine only\n", banner)
    assert re.search(r"vhost +/\n", banner)
    assert re.search(r"data +in memory", banner)


def test_the_banner_names_the_users_and_vhosts_of_definitions(tmp_path: Path) -> None:
    definitions = {
        "users": [{"name": "ann", "password": "x"}],
        "vhosts": [{"name": f"jobs{number}"} for number in range(7)],
    }
    (tmp_path / "definitions.json").write_text(json.dumps(definitions))
    (tmp_path / "amq.conf").write_text(f"load_definitions = {tmp_path / 'definitions.json'}\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"))
    broker.start()
    assert broker.stop() == 0
    assert re.search(r"user +ann\n", broker.output())
    assert re.search(r"vhost +jobs0; jobs1; jobs2; jobs3; jobs4; \.\.\.\n", broker.output())


# -- where data are kept --


def test_the_banner_names_the_data_folder_in_full(tmp_path: Path) -> None:
    broker = BrokerProcess(tmp_path, data=Path("data"))
    broker.start()
    assert broker.stop() == 0
    assert re.search(rf"data +{tmp_path}/data\n", broker.output())
    assert (tmp_path / "data/store.json").exists()


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({}, ".local/state/amq"),
        ({"XDG_STATE_HOME": "relative, so it does not count"}, ".local/state/amq"),
        ({"XDG_STATE_HOME": "{}/states"}, "states/amq"),
        ({"XDG_STATE_HOME": "{}/states", "AMQ_DATA": "{}/broker"}, "broker"),
    ],
)
def test_data_are_kept_at_home_unless_somebody_says_where(
    environ: dict[str, str], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_STATE_HOME", "AMQ_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in environ.items():
        monkeypatch.setenv(name, value.replace("{}", str(tmp_path)))
    broker = HomelyBroker(tmp_path)
    broker.start()
    assert broker.stop() == 0
    assert re.search(rf"data +{tmp_path / place}\n", broker.output())
    assert (tmp_path / place / "store.json").exists()


def test_two_brokers_have_a_folder_each_and_one_after_the_other_the_same(tmp_path: Path) -> None:
    first, second = (BrokerProcess(tmp_path, data=tmp_path / "data") for _ in range(2))
    first.start()
    try:
        with pytest.raises(BrokerFailed, match=rf"is in use by another broker \(process {first.pid}\)"):
            second.start()
    finally:
        first.kill()
    second.start()
    assert second.stop() == 0


def test_publishers_are_blocked_while_too_little_of_the_disk_is_free(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "amq.conf").write_text("disk_free_limit.absolute = 1000PiB\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"), data=tmp_path / "data")
    broker.start()
    try:
        connection = connect(broker.port)
        reasons: list[str] = []
        connection.add_on_connection_blocked_callback(lambda _, frame: reasons.append(frame.method.reason))
        channel = connection.channel()
        channel.queue_declare("q")
        wait_for_line(broker, r"Free disk space is insufficient\. Free bytes: \d+\. Limit: \d+")
        wait_for_line(broker, "disk resource limit alarm set")
        channel.basic_publish("", "q", b"")
        connection.process_data_events(SECONDS)
        assert reasons == ["low on disk"]
    finally:
        broker.kill()


# -- how it starts and ends --


@pytest.mark.parametrize("command", [["-m", "amq"], ["-m", "amq", "serve"]])
def test_python_m_amq_serves_with_and_without_saying_so(command: list[str], tmp_path: Path, connect: Connect) -> None:
    port = free_port()
    arguments = [sys.executable, *command, "--listen", f"127.0.0.1:{port}"]
    environ = {**os.environ, **WITHOUT_WEB, "AMQ_DATA": "none"}
    with subprocess.Popen(
        arguments, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert version("amq") in process.stdout.readline()
        connect(port).close()
        process.terminate()
        assert process.wait(SECONDS) == 0


def test_it_listens_wherever_it_is_told(tmp_path: Path, connect: Connect) -> None:
    other = free_port()
    broker = BrokerProcess(tmp_path, options=("--listen", f"[::1]:{other}"))
    broker.start()
    try:
        connect(broker.port).close()
        connect(other, "::1").close()
        assert f"[::1]:{other}" in broker.output()
    finally:
        broker.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_every_client_with_320_and_ends_with_0(
    broker: SignalledBroker, number: signal.Signals, connect: Connect
) -> None:
    clients = [connect(broker.port) for _ in range(3)]
    broker.process.send_signal(number)
    for client in clients:
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as closed:
            client.sleep(SECONDS)
        assert closed.value.reply_code == 320
        assert closed.value.reply_text == SHUTDOWN
    assert broker.process.wait(SECONDS) == 0
    assert "Traceback" not in broker.output()


def test_nobody_is_accepted_any_more_while_it_stops(broker: SignalledBroker, connect: Connect) -> None:
    connect(broker.port)
    broker.process.send_signal(signal.SIGTERM)
    wait_for_line(broker, "SIGTERM received")
    for _ in range(100):
        try:
            socket.create_connection((broker.host, broker.port)).close()
        except ConnectionError:
            break
        time.sleep(0.01)
    else:
        pytest.fail("the port is still open")
    assert broker.process.wait(SECONDS) == 0


def test_clients_that_never_answer_do_not_keep_it(broker: SignalledBroker, connect: Connect) -> None:
    connect(broker.port)
    with socket.create_connection((broker.host, broker.port)):
        broker.process.send_signal(signal.SIGTERM)
        assert broker.process.wait(SECONDS) == 0


def test_a_second_signal_ends_it_at_once(broker: SignalledBroker, connect: Connect) -> None:
    connect(broker.port)
    broker.process.send_signal(signal.SIGTERM)
    wait_for_line(broker, "SIGTERM received")
    for _ in range(SECONDS * 20):
        broker.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            broker.process.wait(0.05)
            break
    assert broker.process.returncode == -signal.SIGTERM


def test_one_request_to_stop_that_arrives_twice_is_one(broker: SignalledBroker, connect: Connect) -> None:
    """`timeout 10 make run` signals the process group and make, and make signals its child."""
    connection = connect(broker.port)
    assert connection.is_open
    broker.process.send_signal(signal.SIGTERM)
    broker.process.send_signal(signal.SIGINT)
    assert broker.process.wait(SECONDS) == 0


def test_it_can_start_again_at_once_on_its_port(broker: SignalledBroker, connect: Connect) -> None:
    connect(broker.port)
    broker.restart()
    connect(broker.port).close()


def test_running_out_of_file_descriptors_is_survived(broker: SignalledBroker, connect: Connect) -> None:
    resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (30, 30))
    with contextlib.ExitStack() as crowd:
        for _ in range(40):
            crowd.enter_context(socket.create_connection((broker.host, broker.port)))
        wait_for_line(broker, rf"cannot accept connections on 127\.0\.0\.1:{broker.port} for now: Too many open files")
    connect(broker.port).close()
    assert broker.output().count("cannot accept connections") < 5
    assert "Traceback" not in broker.output()


def test_the_log_level_counts(tmp_path: Path, connect: Connect) -> None:
    broker = BrokerProcess(tmp_path, options=("--log-level", "error"))
    broker.start()
    connect(broker.port).close()
    assert broker.stop() == 0
    assert "[info]" not in broker.output()


def test_what_the_command_line_asks_a_broker_with_is_no_key(tmp_path: Path) -> None:
    broker = BrokerProcess(tmp_path, environment={"AMQ_URL": "http://host", "AMQ_AMQP_URL": "amqp://host"})
    broker.start()
    assert broker.stop() == 0
    assert "unknown variable" not in broker.output()


def test_an_unknown_key_is_a_warning_that_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "amq.conf").write_text("hartbeat = 30\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"))
    broker.start()
    assert broker.stop() == 0
    assert re.search(r"\[warning\] .*unknown key 'hartbeat'.*'heartbeat'", broker.output())


def test_a_client_that_comes_and_goes_leaves_the_lines_that_operators_search_for(
    broker: SignalledBroker, connect: Connect
) -> None:
    connect(broker.port).close()
    wait_for_line(broker, r"\[info\] accepting AMQP connection .*127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+")
    wait_for_line(broker, r"\[info\] connection .*user 'guest' authenticated and granted access to vhost '/'")
    wait_for_line(broker, r"\[info\] closing AMQP connection ")


def test_publishers_are_blocked_beyond_the_memory_that_is_allowed(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "amq.conf").write_text("vm_memory_high_watermark.absolute = 1\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"))
    broker.start()
    try:
        connection = connect(broker.port)
        reasons: list[str] = []
        connection.add_on_connection_blocked_callback(lambda _, frame: reasons.append(frame.method.reason))
        channel = connection.channel()
        channel.queue_declare("q")
        wait_for_line(broker, "memory resource limit alarm set")
        channel.basic_publish("", "q", b"")
        connection.process_data_events(SECONDS)
        assert reasons == ["low on memory"]
    finally:
        broker.kill()

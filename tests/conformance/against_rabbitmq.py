"""Put the dialogues to a real RabbitMQ and say where it differs from what they expect of amq.

    python tests/conformance/against_rabbitmq.py [HOST:PORT] [pytest arguments]

Without an address, Debian's RabbitMQ (package rabbitmq-server) is started on a free loopback port with
the plugins that the dialogues need, in a scratch folder, and stopped afterwards. Exit status: 0 when
every difference is a wanted one (differences.py), 1 when not, 2 when there is no RabbitMQ to run.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
PLUGINS = ("rabbitmq_consistent_hash_exchange", "rabbitmq_random_exchange", "rabbitmq_recent_history_exchange")
START_LIMIT = 90.0
STOP_LIMIT = 30.0


class Tally:
    """A pytest plugin that counts what became of each dialogue."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.wanted: list[tuple[str, str]] = []
        self.unexpected: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a dialogue once: by its call, or by the step that kept it from being called."""
        name = report.nodeid.rpartition("::")[2]
        if report.failed:
            self.unexpected.append((name, failure(report)))
        elif report.when != "call":
            return
        elif report.skipped and hasattr(report, "wasxfail"):
            self.wanted.append((name, report.wasxfail))
        self.outcomes["run"] += report.when == "call"
        self.outcomes["same"] += report.when == "call" and report.passed

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read is an unexpected difference too."""
        if report.failed:
            self.unexpected.append((report.nodeid, str(report.longrepr)))

    def summary(self) -> str:
        """The result in words."""
        lines = [f"wanted difference: {name}\n    {reason}" for name, reason in self.wanted]
        lines += [f"UNEXPECTED: {name}\n    {text}" for name, text in self.unexpected]
        run, same = self.outcomes["run"], self.outcomes["same"]
        counts = f"{run} dialogues run, {same} same, {len(self.wanted)} wanted differences"
        return "\n".join([*lines, f"{counts}, {len(self.unexpected)} unexpected differences"])


def failure(report: pytest.TestReport) -> str:
    """What a failed dialogue expected and heard, without the way there."""
    lines = [line[1:].strip() for line in str(report.longrepr).splitlines() if line.startswith("E")]
    return "\n    ".join(lines) or str(report.longrepr)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_speaks(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when a connection.start comes; RabbitMQ accepts a little before it is ready to answer."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as probe:
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                if probe.recv(1):
                    return
        except OSError:
            time.sleep(0.3)
    sys.exit("RabbitMQ did not start; is epmd allowed to run, and is the host name resolvable?")


@contextmanager
def rabbitmq(plugins: tuple[str, ...] = PLUGINS, configuration: str = "") -> Iterator[str]:
    """Run Debian's RabbitMQ in a scratch folder, with what `configuration` (rabbitmq.conf) says; yields its address."""
    if not SERVER.exists():
        print("no RabbitMQ here: apt-get install rabbitmq-server, or name one as HOST:PORT", file=sys.stderr)
        sys.exit(2)
    folder = tempfile.mkdtemp(prefix="conformance-")
    port, distribution = free_port(), free_port()
    (Path(folder) / "plugins").write_text(f"[{','.join(plugins)}].")
    (Path(folder) / "rabbitmq.conf").write_text(configuration)
    environment = {
        **os.environ,
        "HOME": folder,
        "RABBITMQ_NODENAME": f"conformance{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": folder + "/db",
        "RABBITMQ_LOG_BASE": folder + "/log",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder + "/plugins",
        "RABBITMQ_CONFIG_FILE": folder + "/rabbitmq.conf",
        "RABBITMQ_PID_FILE": folder + "/pid",
    }
    process = subprocess.Popen(
        [str(SERVER)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until_it_speaks(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def put(target: str, arguments: list[str]) -> int:
    """Run the dialogues against a server and print the summary; the exit status."""
    os.environ["AMQ_CONFORMANCE_TARGET"] = target
    os.chdir(HERE.parents[1])
    tally = Tally()
    status = pytest.main(["-q", "-p", "no:cacheprovider", "--tb=short", str(HERE), *arguments], plugins=[tally])
    print(tally.summary())
    broken = status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    return 1 if tally.unexpected or broken or not tally.outcomes["run"] else 0


def main() -> int:
    """Find or start the server, and judge it."""
    arguments = sys.argv[1:]
    if arguments and re.fullmatch(r"[\w.-]+:\d+", arguments[0]):
        return put(arguments[0], arguments[1:])
    with rabbitmq() as target:
        return put(target, arguments)


if __name__ == "__main__":
    sys.exit(main())

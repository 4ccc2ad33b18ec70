"""Play the HTTP scenarios with amq and with a real RabbitMQ's management plugin, and say where their answers differ.

    python -m tests.conformance_http.against_rabbitmq [HTTP_PORT:AMQP_PORT] [--record] [SCENARIO ...]

Without ports, Debian's RabbitMQ (package rabbitmq-server) is started on free loopback ports in a scratch folder, and
stopped afterwards. With `--record` its answers become those that the test suite compares amq's with. Exit status: 0
when every difference is a wanted one (wanted.py), 1 when not, 2 when there is no RabbitMQ to run.
"""

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conformance.against_rabbitmq import PLUGINS, free_port, rabbitmq
from tests.conformance_http import recording
from tests.conformance_http.comparing import compared
from tests.conformance_http.play import Target
from tests.conformance_http.scenarios import SCENARIOS
from tests.harness.process import BrokerProcess

START_LIMIT = 60.0
# How old figures may be, in s; RabbitMQ collects them every five seconds.
RABBITMQ_LAG = 6.0
AMQ_LAG = 0.6
OFTEN = {"AMQ_COLLECT_STATISTICS_INTERVAL": "250"}


@contextmanager
def real() -> Iterator[Target]:
    """A RabbitMQ with its management plugin."""
    port = free_port()
    configuration = f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n"
    with rabbitmq((*PLUGINS, "rabbitmq_management"), configuration) as address:
        target = Target(port, int(address.rpartition(":")[2]), RABBITMQ_LAG)
        wait_until_it_answers(target)
        yield target


def wait_until_it_answers(target: Target) -> None:
    """Return when the HTTP API is there."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        try:
            if httpx.get(f"http://127.0.0.1:{target.http}/api/whoami", auth=("guest", "guest")).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    sys.exit("RabbitMQ's management plugin did not start")


def compare(theirs: Target, names: list[str], record: bool) -> int:
    """Play the scenarios with both and print the summary; the exit status."""
    unexpected = 0
    with tempfile.TemporaryDirectory() as folder:
        broker = BrokerProcess(Path(folder), data=Path(folder) / "data", management=True, environment=OFTEN)
        broker.start()
        try:
            ours = Target(broker.http_port, broker.port, AMQ_LAG)
            for name in names:
                unexpected += judge(name, theirs, ours, record)
        finally:
            broker.kill()
    print(f"{len(names)} scenarios played, {unexpected} unexpected differences")
    return 1 if unexpected else 0


def judge(name: str, theirs: Target, ours: Target, record: bool) -> int:
    """Play one scenario; returns how many differences are unexpected."""
    said = recording.play(name, theirs)
    if record:
        recording.write(name, said)
    comparison = compared(name, said, recording.play(name, ours))
    for rule, lines in comparison.wanted.items():
        print(f"wanted difference: {name}, {len(lines)} times\n    {rule.reason}")
    problems = [*comparison.unexpected, *(f"no longer different: {rule.reason}" for rule in comparison.stale)]
    for line in problems:
        print(f"UNEXPECTED: {name}\n    {line}")
    return len(problems)


def main() -> int:
    """Find or start the server, and judge what it answers."""
    arguments = sys.argv[1:]
    record = "--record" in arguments
    ports = next((re.fullmatch(r"(\d+):(\d+)", each) for each in arguments if ":" in each), None)
    names = [each for each in arguments if each in SCENARIOS] or list(SCENARIOS)
    if ports is not None:
        return compare(Target(int(ports[1]), int(ports[2]), RABBITMQ_LAG), names, record)
    with real() as target:
        return compare(target, names, record)


if __name__ == "__main__":
    sys.exit(main())

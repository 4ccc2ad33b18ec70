"""A broker process under hostile clients: its memory and descriptors, and an innocent client that must not notice."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from tests.conformance.client import Connection
from tests.harness.process import BrokerProcess

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
MIB: Final = 1 << 20
# What the allocator may keep of memory that was given back, and what a server of some clients may need more.
SLACK: Final = 24 * MIB
# How long the broker may take to let go of what is gone, in s.
PATIENCE: Final = 20.0


def resident(broker: BrokerProcess) -> int:
    """Octets of the broker in main memory."""
    return int(Path(f"/proc/{broker.pid}/statm").read_text().split()[1]) * PAGE


def descriptors(broker: BrokerProcess) -> int:
    """Open files and sockets of the broker."""
    return len(list(Path(f"/proc/{broker.pid}/fd").iterdir()))


def eventually(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Fail unless the condition comes true before patience ends, in s."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Innocent:
    """A client that publishes and gets its own messages all the time, in a thread of its own.

    `rounds` counts the messages that came back, `slowest` is the longest that one took, in s.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self.connection = Connection(address)
        self.connection.enter()
        self.channel = self.connection.channel(1)
        self.channel.call("queue.declare", queue="innocent", exclusive=True)
        self.rounds = 0
        self.slowest = 0.0
        self.failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.wait(0.01):
                began = time.monotonic()
                self.channel.publish(b"%d" % self.rounds, routing_key="innocent")
                self.channel.get("innocent", b"%d" % self.rounds)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.rounds += 1
        except BaseException as error:
            self.failure = error

    def stop(self) -> None:
        """End; raises what went wrong."""
        self._stop.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure
        self.connection.leave()


class Siege:
    """A stretch of hostility: when it is over, memory and descriptors of the broker are as before.

    The hostile connections that were opened with `dial` and `enter` are dropped at its end. `slack` is by how many
    octets the broker's memory may have grown then, `patience` for how long (s) the broker may keep what is gone.
    """

    def __init__(self, broker: BrokerProcess, slack: int = SLACK, patience: float = PATIENCE) -> None:
        self.broker = broker
        self.slack = slack
        self.patience = patience
        self.innocent = Innocent((broker.host, broker.port))
        self.memory = resident(broker)
        self.descriptors = descriptors(broker)
        self.opened: list[Connection] = []

    def dial(self) -> Connection:
        """A socket that has said nothing yet."""
        self.opened.append(Connection((self.broker.host, self.broker.port)))
        return self.opened[-1]

    def enter(self, **options: int) -> Connection:
        """A connection that is through the handshake."""
        connection = self.dial()
        connection.enter(**options)
        return connection

    def grown(self) -> int:
        """Octets of memory that the broker uses more than before."""
        return resident(self.broker) - self.memory

    def serves(self, times: int = 3) -> None:
        """The innocent client gets served now."""
        rounds = self.innocent.rounds + times
        eventually(
            lambda: self.innocent.rounds >= rounds or self.innocent.failure is not None, "a client is not served"
        )

    def __enter__(self) -> Siege:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self.opened:
            connection.hang_up()
        try:
            if kind is None:
                self.serves()
                eventually(lambda: descriptors(self.broker) <= self.descriptors, "descriptors stay open")
                eventually(lambda: self.grown() < self.slack, "memory is not given back", self.patience)
        finally:
            self.innocent.stop()
        assert "Traceback" not in self.broker.output()
        assert self.innocent.rounds > 0


def served(folder: Path, configuration: str) -> Iterator[BrokerProcess]:
    """A broker process with that configuration; it must live to the end of the module and write no traceback."""
    file = folder / "rabbitmq.conf"
    file.write_text(configuration)
    process = BrokerProcess(folder, options=("--config", str(file)))
    process.start()
    yield process
    assert process.running, process.output()
    process.stop()
    assert "Traceback" not in process.output()

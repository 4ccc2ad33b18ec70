"""The server under test, and connections to it that clean up behind a dialogue.

By default the server is amq in a process of its own. With ``AMQ_CONFORMANCE_TARGET=host:port`` it is
whatever answers there (user guest, virtual host /): the way to put the corpus to a real RabbitMQ.
"""

import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.client import Channel, Connection
from tests.conformance.differences import DIFFERENCES
from tests.conformance.heard import Mismatch
from tests.harness.process import WITHOUT_WEB

START_LIMIT = 15.0
numbers = itertools.count(1)


class Server:
    """Where the server listens, what it is, and the connection that removes what dialogues leave behind."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.sweeper = Connection(address)
        self.sweeper.enter()
        properties = self.sweeper.server_properties
        self.is_rabbitmq = str(properties.get("platform", "")).startswith("Erlang")
        self.version = tuple(int(part) for part in str(properties.get("version", "0.0")).split(".")[:2])

    def differs(self, name: str) -> bool:
        """Whether the table says that this server goes its own way in a dialogue."""
        entry = DIFFERENCES.get(name)
        return self.is_rabbitmq and entry is not None and (entry.before is None or self.version < entry.before)

    def sweep(self, declared: list[tuple[str, str]]) -> None:
        """Delete what a dialogue declared."""
        channel = Channel(self.sweeper, 1)
        channel.say("channel.open")
        channel.hear("channel.open-ok")
        for kind, name in dict.fromkeys(declared):
            if not name or (name.startswith("amq.") and not name.startswith("amq.gen-")):
                continue
            channel.say(f"{kind}.delete", **{kind: name})
            if self.sweeper.next_method(1, f"{kind}.delete-ok").name == "channel.close":
                channel.call_again()
        channel.say("channel.close", reply_code=200)
        channel.hear("channel.close-ok")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_accepts(address: tuple[str, int], process: "subprocess.Popen[bytes]") -> None:
    """Return when the port accepts; fail the suite when the process ends or takes too long."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the broker ended with status {process.returncode}")
        try:
            socket.create_connection(address, 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the broker did not listen in time")


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Where the server listens; an amq process is started and stopped here."""
    target = os.environ.get("AMQ_CONFORMANCE_TARGET")
    if target:
        host, _, port = target.rpartition(":")
        yield host, int(port)
        return
    home = tmp_path_factory.mktemp("amq")
    here = ("127.0.0.1", free_port())
    sources = os.pathsep.join([str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH", "")])
    with (home / "log").open("wb") as log:
        command = [sys.executable, "-m", "amq", "serve", "--data", str(home / "data")]
        command += ["--listen", f"127.0.0.1:{here[1]}"]
        process = subprocess.Popen(
            command, cwd=home, env={**os.environ, **WITHOUT_WEB, "PYTHONPATH": sources}, stdout=log, stderr=log
        )
        try:
            wait_until_it_accepts(here, process)
            yield here
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def server(address: tuple[str, int]) -> Iterator[Server]:
    """The server under test."""
    running = Server(address)
    yield running
    running.sweeper.leave()


@pytest.fixture
def dial(server: Server) -> Iterator[Callable[[], Connection]]:
    """Open sockets that have said nothing yet; they and what they declare are cleaned up."""
    opened: list[Connection] = []

    def open_socket() -> Connection:
        opened.append(Connection(server.address))
        return opened[-1]

    yield open_socket
    for connection in opened:
        connection.leave()
    declared = [entity for connection in opened for entity in connection.declared]
    if declared:
        server.sweep(declared)


@pytest.fixture
def connect(dial: Callable[[], Connection]) -> Callable[..., Connection]:
    """Open connections that are through the handshake; arguments go to start-ok and tune-ok."""

    def handshake(**options: Any) -> Connection:
        connection = dial()
        connection.enter(**options)
        return connection

    return handshake


@pytest.fixture
def c(connect: Callable[..., Connection]) -> Channel:
    """Channel 1 of a connection of its own."""
    return connect().channel(1)


@pytest.fixture
def q() -> str:
    """A queue name of its own."""
    return f"conformance-{os.getpid()}-{next(numbers)}-q"


@pytest.fixture
def x() -> str:
    """An exchange name of its own."""
    return f"conformance-{os.getpid()}-{next(numbers)}-x"


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Check a dialogue of the table of differences by what that server is known to say."""
    server: Server = pyfuncitem._request.getfixturevalue("server")
    if not server.differs(pyfuncitem.name):
        return (yield)
    entry = DIFFERENCES[pyfuncitem.name]
    try:
        yield
    except Mismatch as mismatch:
        if entry.rabbitmq not in mismatch.heard:
            raise
        pytest.xfail(f"{entry.reason}: amq says {entry.amq}, RabbitMQ says {entry.rabbitmq}")
    pytest.fail(f"{pyfuncitem.name} is listed as a difference, and the server does not differ")

"""pika as the client of broker processes, and a broker for commands that ask one; what a test leaves is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pika
import pytest

from tests.cli.broker_at_hand import Amq
from tests.harness.leftovers import closed_afterwards
from tests.harness.process import BrokerProcess

SECONDS = 20

Connect = Callable[..., pika.BlockingConnection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections to a port of 127.0.0.1, or of another host that is named."""
    with closed_afterwards() as opened:

        def connect(port: int, host: str = "127.0.0.1") -> pika.BlockingConnection:
            connection = pika.BlockingConnection(
                pika.ConnectionParameters(host, port, heartbeat=0, stack_timeout=SECONDS)
            )
            opened.append(connection)
            return connection

        yield connect


@pytest.fixture(scope="session")
def broker_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BrokerProcess, Path]]:
    """A broker with its HTTP API and its data folder, for every test that leaves no more behind than it found."""
    folder = tmp_path_factory.mktemp("at-hand")
    broker = BrokerProcess(folder, data=folder / "data", management=True)
    broker.start()
    assert broker.http_port
    yield broker, folder / "data"
    broker.kill()
    assert "Traceback" not in broker.output()


@pytest.fixture
def amq(
    broker_at_hand: tuple[BrokerProcess, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Amq]:
    """The command beside that broker; vhost `t` is there for the test, and empty."""
    monkeypatch.delenv("AMQ_URL", raising=False)
    amq = Amq(*broker_at_hand, capsys)
    amq.done("add", "vhost", "t")
    amq.done("set", "permissions", "guest", ".*", ".*", ".*", "-p", "t")
    yield amq
    amq.done("delete", "vhost", "t")

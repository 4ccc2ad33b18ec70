"""The HTTP API without sockets: an application around a broker, and a client of it.

`node`, `app`, `client` share one broker, which begins with guest and vhost `/`. What needs a process uses `api`.
"""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.reloaded import Outcome
from amq.config.settings import Settings
from amq.management.app import application
from amq.management.node import Node
from amq.metrics.facts import Process
from amq.metrics.sampler import Sampler
from amq.server.logs import Log
from amq.server.thresholds import Alarms
from tests.harness.process import BrokerProcess

LOOPBACK = ("127.0.0.1", 50_000)


def new_node(broker: Broker) -> Node:
    """A node with a broker that nobody serves to others, and that shares its log with others."""

    async def reload() -> Outcome:
        return Outcome([], [], [])

    started = time.time()
    process = Process(broker, started, lambda: 1 << 26, lambda: 1 << 30, lambda: 50_000_000)
    return Node(
        broker=broker,
        name="amq@test",
        flush=lambda: None,
        started=started,
        sampler=Sampler(broker, 5.0, process.measure),
        facts=lambda: process.measure(0, 0),
        listeners=list,
        journal=None,
        log=Log(),
        reload=reload,
        thresholds=Alarms(broker, None, None),
    )


def client_of(app: ASGIApp, auth: tuple[str, str] | None = ("guest", "guest")) -> httpx.AsyncClient:
    """A client whose paths begin below /api."""
    transport = httpx.ASGITransport(app, client=LOOPBACK)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api", auth=auth)


@pytest.fixture
def broker() -> Broker:
    return Broker(Settings(), time.monotonic(), time.time())


@pytest.fixture
def node(broker: Broker) -> Node:
    return new_node(broker)


@pytest.fixture
def app(node: Node) -> ASGIApp:
    return application(node)


@pytest.fixture
async def client(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """The administrator `guest`, from loopback."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
def process(tmp_path: Path) -> Iterator[BrokerProcess]:
    """`amq serve` with a data folder and the HTTP API at `process.http_port`."""
    process = BrokerProcess(tmp_path, data=tmp_path / "data", management=True)
    process.start()
    yield process
    process.kill()
    assert "Traceback" not in process.output()


@pytest.fixture
def api(process: BrokerProcess) -> Iterator[httpx.Client]:
    """A client of that process as the administrator `guest`; its paths begin below /api."""
    with httpx.Client(base_url=f"http://127.0.0.1:{process.http_port}/api", auth=("guest", "guest")) as client:
        yield client

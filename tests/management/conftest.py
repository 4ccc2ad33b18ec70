"""The HTTP API without sockets: an application around a broker, and a client of it.

`node`, `app`, `client` share one broker, which begins with guest and vhost `/`. What needs a process uses `api`.
"""

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.settings import Settings
from amq.management.app import application
from amq.management.node import Node

LOOPBACK = ("127.0.0.1", 50_000)


def new_node(broker: Broker) -> Node:
    """A node with nothing but its broker: no facts, no figures, no log."""

    async def reload() -> list[str]:
        return []

    return Node(
        broker=broker,
        name="amq@test",
        flush=lambda: None,
        started=time.time(),
        sampler=None,
        facts=lambda: None,
        listeners=lambda: [],
        journal=None,
        log=None,
        reload=reload,
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

"""The broker that real clients talk to, and the names that no other test uses.

`AMQ_CLIENTS_TARGET=host:port` names a running server (a RabbitMQ, say) to test instead of a broker of our own; tests
that must stop their server are skipped then.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients.target import Address, Names
from tests.harness.process import OUTPUT_TAIL, BrokerProcess, running_broker

TARGET = os.environ.get("AMQ_CLIENTS_TARGET", "")


@pytest.fixture(scope="session")
def session_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess | None]:
    """One broker process for the whole run, or None where AMQ_CLIENTS_TARGET names the server."""
    if TARGET:
        yield None
        return
    with running_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="session")
def server(session_broker: BrokerProcess | None) -> Address:
    """The server under test."""
    if session_broker is not None:
        return Address(session_broker.host, session_broker.port)
    parts = urlsplit(f"//{TARGET}")
    return Address(parts.hostname or "127.0.0.1", parts.port or 5672)


@pytest.fixture
def names(server: Address) -> Iterator[Names]:
    """Names for the queues and exchanges of this test."""
    names = Names(server)
    yield names
    names.delete_all()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker process of this test alone, which it may stop, kill and restart."""
    if TARGET:
        pytest.skip("the server that AMQ_CLIENTS_TARGET names cannot be restarted")
    broker = BrokerProcess(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its broker wrote."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, BrokerProcess):
                report.sections.append((f"broker on port {value.port}", value.output()[-OUTPUT_TAIL:]))
    return report

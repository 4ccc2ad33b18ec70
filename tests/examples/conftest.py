"""One broker process for all example programs and all that the documents show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.process import BrokerProcess


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Nothing that an example does may make the broker complain of itself."""
    broker = BrokerProcess(tmp_path_factory.mktemp("broker"))
    broker.start()
    try:
        yield broker
        status = broker.stop()
    finally:
        broker.kill()
    assert status == 0, broker.output()
    assert "Traceback" not in broker.output(), broker.output()

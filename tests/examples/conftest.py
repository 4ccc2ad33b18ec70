"""One broker process for all example programs and all that the documents show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.process import BrokerProcess, running_broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Nothing that an example does may make the broker complain of itself."""
    with running_broker(tmp_path_factory.mktemp("broker"), management=True) as broker:
        yield broker

"""What holds for all tests: some need the hot core as it is written, and are skipped where it was compiled."""

import pytest

from amq.cli.version import compiled


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if compiled():
        skip = pytest.mark.skip(reason="the hot core is compiled")
        for item in items:
            if item.get_closest_marker("interpreted"):
                item.add_marker(skip)

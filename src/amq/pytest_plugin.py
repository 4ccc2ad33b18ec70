"""Fixtures for the tests of programs that use AMQP (entry point `pytest11`).

`amq_broker` is a vhost of the test's own on a broker that the whole test run shares; `amq_broker.url` leads to it:

    def test_an_order_is_shipped(amq_broker):
        shop = Shop(amq_broker.url)
        amq_broker.drop_connections()
        ...

It works the same under pytest-asyncio and pytest-trio. Importing this costs nothing: trio and the broker are loaded
when a fixture is first used.
"""

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from amq.embed import ThreadedBroker

# Vhosts have short strings for names.
LONGEST: Final = 255  # octets

_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option `--amq-data`."""
    parser.addoption(
        "--amq-data",
        metavar="DIR",
        help="keep what is durable in the broker of amq_server and amq_broker in this folder (default: in memory)",
    )


@pytest.fixture(scope="session")
def amq_server(pytestconfig: pytest.Config) -> "Iterator[ThreadedBroker]":
    """The broker behind `amq_broker`, for fixtures that live longer than a test. In memory but for `--amq-data`."""
    from amq import embed

    with embed.running(data=pytestconfig.getoption("--amq-data")) as broker:
        yield broker


@pytest.fixture
def amq_broker(amq_server: "ThreadedBroker", request: pytest.FixtureRequest) -> "Iterator[ThreadedBroker]":
    """A fresh vhost of the broker: `url`, `host`, `port`, `vhost`, and the levers of `amq.embed.ThreadedBroker`.

    After the test the vhost is deleted, connections to it are closed, and no lever stays pulled. Raises StartError when
    the port was taken in a restart of an earlier test and still is.
    """
    if not amq_server.listening:
        amq_server.restart()
    vhost = _vhost_of(request.node.name, next(_numbers))
    amq_server.add_vhost(vhost)
    yield amq_server.in_vhost(vhost)
    amq_server.unblock_publishers()
    amq_server.accept_logins()
    amq_server.delete_vhost(vhost)


def _vhost_of(test: str, number: int) -> str:
    """The name of a test's vhost; its number tells it from those of tests whose names begin alike."""
    suffix = f" #{number}"
    return test.encode(errors="replace")[: LONGEST - len(suffix)].decode(errors="ignore") + suffix

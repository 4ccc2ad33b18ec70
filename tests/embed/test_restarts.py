"""Restarts that something stands in the way of, and levers of a broker that has stopped."""

from __future__ import annotations

import multiprocessing
import resource
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from amq import embed
from amq.server.errors import StartError

if TYPE_CHECKING:
    from tests.embed.conftest import Connect

SECONDS = 20
LEVERS: dict[str, Callable[[embed.ThreadedBroker], None]] = {
    "drop": embed.ThreadedBroker.drop_connections,
    "close": embed.ThreadedBroker.close_connections,
    "block": embed.ThreadedBroker.block_publishers,
    "unblock": embed.ThreadedBroker.unblock_publishers,
    "refuse": embed.ThreadedBroker.refuse_logins,
    "accept": embed.ThreadedBroker.accept_logins,
    "add": lambda broker: broker.add_vhost("v"),
    "delete": lambda broker: broker.delete_vhost("v"),
    "restart": embed.ThreadedBroker.restart,
}


@contextmanager
def no_file_descriptors() -> Iterator[None]:
    """The process cannot open a socket; those that it has stay."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def broker() -> Iterator[embed.ThreadedBroker]:
    with embed.running() as broker:
        yield broker


def test_a_failed_restart_can_be_tried_again(broker: embed.ThreadedBroker, connect: Connect) -> None:
    connect(broker).channel().queue_declare("q", durable=True)
    for _ in range(2):
        with no_file_descriptors(), pytest.raises(StartError, match="Too many open files"):
            broker.restart()
        assert not broker.listening
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((broker.host, broker.port))
    broker.restart()
    assert broker.listening
    connect(broker).channel().queue_declare("q", passive=True)


@pytest.mark.parametrize("lever", [name for name in LEVERS if name != "restart"])
def test_levers_work_while_it_does_not_listen(broker: embed.ThreadedBroker, lever: str) -> None:
    with no_file_descriptors(), pytest.raises(StartError):
        broker.restart()
    LEVERS[lever](broker)
    broker.restart()
    with socket.create_connection((broker.host, broker.port)):
        pass


def test_an_error_in_the_block_comes_out_of_a_broker_that_does_not_listen() -> None:
    with pytest.raises(StartError, match="Too many open files"), embed.running() as broker, no_file_descriptors():
        broker.restart()


def test_a_process_that_was_forked_does_not_keep_the_port(broker: embed.ThreadedBroker, connect: Connect) -> None:
    forks = multiprocessing.get_context("fork")
    over = forks.Event()
    child = forks.Process(target=over.wait, args=(SECONDS,))
    child.start()
    try:
        broker.restart()
        assert connect(broker).is_open
    finally:
        over.set()
        child.join()


def test_restarts_and_other_levers_from_many_threads(broker: embed.ThreadedBroker, connect: Connect) -> None:
    with ThreadPoolExecutor(len(LEVERS) * 3) as threads:
        pulled = [threads.submit(lever, broker) for _ in range(3) for lever in LEVERS.values()]
        assert [one.result(SECONDS) for one in pulled] == [None] * len(pulled)
    broker.accept_logins()
    assert connect(broker).is_open


@pytest.mark.parametrize("lever", LEVERS)
def test_a_broker_that_has_stopped_says_so(lever: str) -> None:
    with embed.running() as broker:
        pass
    with pytest.raises(RuntimeError, match=r"^the broker has stopped$"):
        LEVERS[lever](broker)

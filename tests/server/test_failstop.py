"""The end of a broker whose disk has failed: what its clients hear, how its process ends, what a program gets."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pika
import pytest
import trio

from amq.config.settings import Listener, Settings
from amq.config.web import ManagementSettings, PrometheusSettings
from amq.server import main
from amq.server.errors import StorageFailed
from amq.server.failstop import fail_stop, raise_out
from amq.server.listener import close_doors
from amq.server.preparing import new_broker
from amq.server.server import Server
from tests.harness.leftovers import closed_afterwards

SECONDS = 20
FAILURE = StorageFailed("sync", "journal/0000000001.seg", OSError(5, "Input/output error"))
LINE = "the disk failed: cannot sync journal/0000000001.seg: Input/output error"

# A broker that says its port, and whose disk fails when it is told so.
PROGRAM = """
import logging, sys, time, trio
from amq.config.settings import Listener, Settings
from amq.server import logs
from amq.server.errors import StorageFailed
from amq.server.failstop import fail_stop
from amq.server.listener import close_doors
from amq.server.preparing import new_broker
from amq.server.server import Server

class Hanging(logging.Handler):
    def emit(self, record):
        if record.levelno == logging.CRITICAL:
            time.sleep(60)

async def main():
    settings = Settings(listeners=(Listener("127.0.0.1", 0),))
    server = Server(settings, new_broker(settings))
    await server.open()
    print(server.doors[0].port, flush=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail, server)
        await server.run()
        nursery.cancel_scope.cancel()

async def fail(server):
    await trio.to_thread.run_sync(sys.stdin.readline)
    await fail_stop(server, StorageFailed("sync", "journal/0000000001.seg", OSError(5, "Input/output error")))

logs.configure(Settings())
if "hang" in sys.argv:
    logging.getLogger().addHandler(Hanging())
trio.run(main)
"""


class FailingBroker:
    """The program, and where it listens."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.port = int(process.stdout.readline())

    def fail(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """The exit status, and what was logged."""
        _, log = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, log

    def connect(self) -> pika.BlockingConnection:
        return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.port, heartbeat=0))


@contextmanager
def failing_broker(*arguments: str) -> Iterator[FailingBroker]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield FailingBroker(process)
        finally:
            process.kill()


def test_every_client_hears_541_and_the_process_ends_with_70() -> None:
    with failing_broker() as broker:
        clients = [broker.connect() for _ in range(3)]
        broker.fail()
        for client in clients:
            with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as closed:
                client.sleep(SECONDS)
            assert closed.value.reply_code == 541
            assert closed.value.reply_text == "INTERNAL_ERROR - the broker's disk has failed"
        status, log = broker.end()
        assert status == 70
        assert [line.endswith(LINE) for line in log.splitlines() if "[critical]" in line] == [True]
        assert "Traceback" not in log


def test_clients_that_never_answer_and_those_that_never_logged_in_do_not_keep_it() -> None:
    with failing_broker() as broker, socket.create_connection(("127.0.0.1", broker.port)), closed_afterwards() as idle:
        idle.append(broker.connect())
        broker.fail()
        status, log = broker.end()
        assert status == 70
        assert log.count(LINE) == 1


def test_a_log_that_hangs_does_not_keep_it() -> None:
    with failing_broker("hang") as broker:
        broker.fail()
        assert broker.end()[0] == 70


# -- in the test's own loop --


class Left(BaseException):
    """In place of the end of the process."""


def leave(status: int) -> None:
    raise Left(status)


async def greeted(server: Server) -> trio.SocketStream:
    """A client that has heard connection.start."""
    stream = await trio.open_tcp_stream("127.0.0.1", server.doors[0].port)
    await stream.send_all(b"AMQP\x00\x00\x09\x01")
    assert (await stream.receive_some()).startswith(b"\x01\x00\x00")
    return stream


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    settings = Settings(listeners=(Listener("127.0.0.1", 0),))
    server = Server(settings, new_broker(settings))
    await server.open()
    yield server
    close_doors(server.doors)


async def test_whatever_goes_wrong_on_the_way_the_process_ends(server: Server) -> None:
    class Defective:
        def force_close(self, reason: str, code: int) -> None:
            raise RuntimeError("a defect")

    server.broker.clients[Defective()] = None  # type: ignore[index]
    with pytest.raises(Left) as left:
        await fail_stop(server, FAILURE, leave)
    assert left.value.args == (70,)


async def test_without_clients_it_ends_at_once(server: Server) -> None:
    began = trio.current_time()
    with pytest.RaisesGroup(Left):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_stop, server, FAILURE, leave)
            await server.run()
            nursery.cancel_scope.cancel()
    assert trio.current_time() - began < 0.4


async def test_in_a_program_the_failure_is_raised_once_every_client_is_gone(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(server: Server) -> None:
        async with await greeted(server) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(raise_out, server, FAILURE)
            assert await stream.receive_some() == b""

    with pytest.raises(BaseExceptionGroup) as raised:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail, server)
            await server.run()
            nursery.cancel_scope.cancel()
    assert raised.group_contains(StorageFailed)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL] == [LINE]
    assert server.broker.clients == {}


# -- before there are clients --

# Listens nowhere.
QUIET = Settings(
    listeners=(), management=ManagementSettings(enabled=False), prometheus=PrometheusSettings(enabled=False)
)


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: ExceptionGroup("", [ExceptionGroup("", [error])])])
def test_a_disk_that_fails_at_the_start_is_one_line_and_status_70(
    wrap: Callable[[Exception], Exception], caplog: pytest.LogCaptureFixture
) -> None:
    def announce(server: Server) -> None:
        raise wrap(FAILURE)

    assert main.run(QUIET, announce, lambda: (QUIET, [])) == 70
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL] == [LINE]


def test_other_errors_come_out_as_they_are() -> None:
    def announce(server: Server) -> None:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        main.run(QUIET, announce, lambda: (QUIET, []))


def test_a_failure_says_what_could_not_be_done_to_which_file_and_why() -> None:
    assert str(FAILURE) == LINE
    assert str(StorageFailed("write", "f", OSError("7 of 9 octets written at 0"))) == (
        "the disk failed: cannot write f: 7 of 9 octets written at 0"
    )
    assert str(StorageFailed("write", "f", ValueError())) == "the disk failed: cannot write f: ValueError"

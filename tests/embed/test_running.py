"""The broker in a thread: started, used by synchronous and asyncio programs, stopped without a trace."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import aio_pika
import pika
import pytest

from amq import embed
from amq.config.settings import Listener
from amq.server.errors import StartError

if TYPE_CHECKING:
    from tests.embed.conftest import Connect


def open_files() -> set[str]:
    return {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}


@pytest.fixture
def broker() -> Iterator[embed.ThreadedBroker]:
    with embed.running() as broker:
        yield broker


def test_a_synchronous_program_finds_it_at_its_url(broker: embed.ThreadedBroker, connect: Connect) -> None:
    connection = connect(broker)
    channel = connection.channel()
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"hello")
    assert channel.basic_get("q", auto_ack=True)[2] == b"hello"
    connection.close()


def test_an_asyncio_program_finds_it_at_its_url() -> None:
    async def program() -> bytes:
        with embed.running() as broker:
            async with await aio_pika.connect(broker.url) as connection:
                channel = await connection.channel()
                queue = await channel.declare_queue("q")
                await channel.default_exchange.publish(aio_pika.Message(b"hello"), "q")
                message = await queue.get(no_ack=True)
                return message.body

    assert asyncio.run(program()) == b"hello"


def test_two_brokers_do_not_know_each_other(connect: Connect) -> None:
    with embed.running() as one, embed.running() as other:
        assert one.port != other.port
        first = connect(one)
        first.channel().queue_declare("q")
        second = connect(other)
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="no queue 'q' in vhost '/'"):
            second.channel().queue_declare("q", passive=True)
        first.close()
        second.close()


def test_nothing_is_left_of_it(caplog: pytest.LogCaptureFixture, connect: Connect) -> None:
    threads = set(threading.enumerate())
    files = open_files()
    with embed.running() as broker:
        connect(broker).close()
        connection = connect(broker)
    gc.collect()
    assert set(threading.enumerate()) <= threads
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
        connection.sleep(20)
    assert open_files() <= files
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((broker.host, broker.port))
    assert [record for record in caplog.records if record.name == "amq" and record.levelno >= logging.ERROR] == []


def test_settings_can_be_passed() -> None:
    with embed.running(default_user="anna", default_pass="p@ss/word", default_vhost="/jobs", heartbeat=7) as broker:
        connection = pika.BlockingConnection(pika.URLParameters(broker.url))
        assert connection._impl.params.virtual_host == "/jobs"
        assert connection._impl.params.credentials.username == "anna"
        assert connection._impl.params.heartbeat == 7
        connection.close()


def test_a_wrong_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"), embed.running(heartbeat=-1):
        pytest.fail("started")
    with pytest.raises(TypeError, match="hartbeat"), embed.running(hartbeat=1):
        pytest.fail("started")


@pytest.mark.parametrize("listeners", ["x", ("127.0.0.1:5672",), 5672, None], ids=repr)
def test_listeners_of_another_type_are_refused(listeners: object) -> None:
    with pytest.raises(TypeError, match=r"amq\.config\.settings\.Listener, not "), embed.running(listeners=listeners):
        pytest.fail("started")


def test_a_broker_without_listeners_is_refused() -> None:
    with pytest.raises(ValueError, match="listeners must not be empty"), embed.running(listeners=()):
        pytest.fail("started")


def test_a_port_in_use_is_an_error_that_leaves_nothing_behind() -> None:
    threads = set(threading.enumerate())
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(StartError, match="the port is in use"),
        embed.running(listeners=(Listener("127.0.0.1", taken.getsockname()[1]),)),
    ):
        pytest.fail("started")
    assert set(threading.enumerate()) <= threads


def test_an_error_in_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError, match="mine"), embed.running():
        raise LookupError("mine")


def test_an_interrupted_start_leaves_nothing_behind() -> None:
    program = """
import os, signal, threading, amq.embed, amq.embedding

class Listeners(tuple):
    interrupted = False

    # By the broker's thread while it starts.
    def __iter__(self):
        if not Listeners.interrupted:
            Listeners.interrupted = True
            os.kill(os.getpid(), signal.SIGINT)
        return super().__iter__()

try:
    with amq.embed.running(listeners=Listeners(amq.embedding.FREE_PORT)):
        raise SystemExit("started")
except KeyboardInterrupt:
    print(Listeners.interrupted, threading.enumerate() == [threading.main_thread()])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "True True\n"

"""Listening sockets: all or none of them, and what happens while nothing can be accepted."""

from __future__ import annotations

import errno
import logging
import socket
from typing import Any

import pytest
import trio
import trio.testing

from amq.config.settings import Listener, TcpSettings
from amq.server.errors import StartError
from amq.server.listener import Door, close_doors, open_doors


async def test_every_interface_means_ipv4_and_ipv6() -> None:
    doors = await open_doors((Listener("", 0),), None)
    assert {door.host for door in doors} == {"0.0.0.0", "::"}
    close_doors(doors)


async def test_a_door_knows_the_port_that_the_system_chose() -> None:
    doors = await open_doors((Listener("::1", 0), Listener("127.0.0.1", 0)), None)
    assert [door.address() for door in doors] == [f"[::1]:{doors[0].port}", f"127.0.0.1:{doors[1].port}"]
    async with await trio.open_tcp_stream("127.0.0.1", doors[1].port):
        close_doors(doors)


async def test_when_one_cannot_be_opened_none_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = await open_doors((Listener("127.0.0.1", 0),), None)
        close_doors(free)
        with pytest.raises(StartError, match="the port is in use"):
            await open_doors((Listener("127.0.0.1", free[0].port), Listener(*taken.getsockname())), None)
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.1", free[0].port)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 64, "a..b"])
async def test_a_host_that_is_none_is_an_error_of_one_line(host: str) -> None:
    with pytest.raises(StartError) as caught:
        await open_doors((Listener(host, 0),), None)
    assert str(caught.value).startswith(f"cannot listen on {host}:0: ")
    assert "\n" not in str(caught.value)


class ExhaustedListener:
    """Has no file descriptor to spare so many times, then accepts; nothing else ever comes."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.accepted = 0

    async def accept(self) -> Any:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        self.accepted += 1
        if self.accepted > 1:
            await trio.sleep_forever()
        return "a stream"


async def test_a_lack_of_descriptors_is_logged_once_and_waited_out(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(ExhaustedListener(50), None, "127.0.0.1", 5672)  # type: ignore[arg-type]
    taken: list[Any] = []
    nursery.start_soon(door.accept, lambda _, stream: taken.append(stream))
    await trio.sleep(60)
    assert taken == ["a stream"]
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "cannot accept connections on 127.0.0.1:5672 for now: Too many open files")
    ]


async def test_another_error_is_not_passed_over() -> None:
    class BrokenListener(ExhaustedListener):
        async def accept(self) -> Any:
            raise OSError(errno.EBADF, "Bad file descriptor")

    door = Door(BrokenListener(0), None, "127.0.0.1", 5672)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="Bad file descriptor"):
        await door.accept(lambda *_: None)


async def test_closed_doors_are_closed_for_processes_that_inherited_them_too() -> None:
    doors = await open_doors((Listener("127.0.0.1", 0),), None)
    inherited = doors[0].listener.socket.dup()
    close_doors(doors)
    with inherited:
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.1", doors[0].port)
        close_doors(await open_doors((Listener("127.0.0.1", doors[0].port),), None))


async def test_doors_may_be_closed_twice() -> None:
    doors = await open_doors((Listener("127.0.0.1", 0),), None)
    close_doors(doors)
    close_doors(doors)
    assert doors[0].listener.socket.fileno() == -1


async def test_sockets_have_the_options_that_were_asked_for() -> None:
    doors = await open_doors(
        (Listener("127.0.0.1", 0),), None, TcpSettings(keepalive=True, sndbuf=70_000, recbuf=80_000)
    )
    try:
        asked = doors[0].listener.socket
        assert asked.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        # Linux doubles what it is asked for.
        assert asked.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (70_000, 140_000)
        assert asked.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (80_000, 160_000)
    finally:
        close_doors(doors)

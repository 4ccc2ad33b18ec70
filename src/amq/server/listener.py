"""Listening sockets, and the loop that accepts clients from one.

Knows TCP; what happens to a client is for whoever takes the accepted stream.
"""

import contextlib
import errno
import logging
import resource
import socket
import ssl
from collections.abc import Callable
from typing import Final

import attrs
import trio

from amq.config.settings import Listener, TcpSettings
from amq.server.errors import StartError

LOGGER: Final = logging.getLogger(__name__)

DEFAULT: Final = TcpSettings()
# The process or the machine is out of something; clients wait in the backlog meanwhile.
EXHAUSTED: Final = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
PAUSE: Final = 0.1  # seconds
# File descriptors that no client gets.
HELD_BACK: Final = 32


@attrs.define(eq=False)
class Door:
    """A socket that listens. `tls` is the context that its clients are wrapped in, or None for plain TCP."""

    listener: trio.SocketListener
    tls: ssl.SSLContext | None
    host: str
    port: int

    def address(self) -> str:
        """`host:port` for a reader, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    async def accept(self, take: Callable[["Door", trio.SocketStream], None]) -> None:
        """Give every client to `take`, until cancelled; survives a lack of file descriptors or memory."""
        exhausted = False
        while True:
            try:
                stream = await self.listener.accept()
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                if not exhausted:
                    LOGGER.error("cannot accept connections on %s for now: %s", self.address(), error.strerror)
                exhausted = True
                await trio.sleep(PAUSE)
                continue
            exhausted = False
            take(self, stream)


async def open_doors(
    listeners: tuple[Listener, ...], tls: ssl.SSLContext | None, tcp: TcpSettings = DEFAULT
) -> list[Door]:
    """Listen on all of them; one listener opens several sockets when its name has several addresses.

    Raises StartError, and listens on none, when one of them cannot be opened.
    """
    doors: list[Door] = []
    try:
        for listener in listeners:
            for opened in await _open(listener, tcp):
                host, port = opened.socket.getsockname()[:2]
                doors.append(Door(opened, tls if listener.tls else None, host, port))
    except BaseException:
        close_doors(doors)
        raise
    return doors


def close_doors(doors: list[Door]) -> None:
    """Stop listening. Clients that are connected stay. Doors that are closed already are no error."""
    for door in doors:
        # A process that this one has forked may hold a copy of the socket, which closing ours leaves listening.
        with contextlib.suppress(OSError):
            door.listener.socket.shutdown(socket.SHUT_RDWR)
        door.listener.socket.close()


async def _open(listener: Listener, tcp: TcpSettings) -> list[trio.SocketListener]:
    try:
        opened = await trio.open_tcp_listeners(listener.port, host=listener.host or None, backlog=tcp.backlog)
        for each in opened:
            # Accepted sockets inherit them.
            for option, size in ((socket.SO_SNDBUF, tcp.sndbuf), (socket.SO_RCVBUF, tcp.recbuf)):
                if size is not None:
                    each.socket.setsockopt(socket.SOL_SOCKET, option, size)
            each.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, tcp.keepalive)
        return opened
    except OSError as error:
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise StartError(f"cannot listen on {listener}: {reason}") from None
    except UnicodeError:
        raise StartError(f"cannot listen on {listener}: not a host name") from None


def hardly_a_descriptor_left(latest: int) -> bool:
    """Whether the process is about to run out of file descriptors; the lowest one that is free is always the next."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most != resource.RLIM_INFINITY and latest >= most - HELD_BACK

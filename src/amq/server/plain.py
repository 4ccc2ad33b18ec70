"""A client on a plain TCP socket, by file descriptor: no task, until it departs."""

import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from amq.connection.outbox import Piece
from amq.server.reactor import READ, WRITE, Reactor
from amq.server.transport import CHUNK, LAST_LOOK, LAST_WORDS, Transport

LOGGER: Final = logging.getLogger(__name__)


@attrs.define(eq=False)
class PlainTransport(Transport):
    """`fd` is a connected socket that does not block; this is its owner. `ended` is called once it is closed.

    `start` runs something in a task of its own.
    """

    fd: int
    reactor: Reactor
    start: Callable[[Callable[[], Awaitable[None]]], None]
    ended: Callable[["PlainTransport"], None]
    # What the reactor watches the socket for; nothing once it has been told to forget it.
    _watched: int | None = attrs.field(default=None, init=False)
    _departing: bool = attrs.field(default=False, init=False)
    _gone: bool = attrs.field(default=False, init=False)

    def begin(self) -> None:
        """Serve the client."""
        self.connection.shell = self
        self._watch(READ)

    def end(self) -> None:
        """Close the socket, whatever is left."""
        if self._gone:
            return
        self._gone = True
        self._watch(None)
        self._rest = b""
        try:
            self.connection.lost(time.monotonic())
            self.flush()
        except Exception:
            LOGGER.exception("the end of %s failed", self.connection.peer)
        finally:
            self.connection.shell = None
            if self._departing:
                # Its task must not go on waiting for a descriptor that may be another client's in a moment.
                trio.lowlevel.notify_closing(self.fd)
            os.close(self.fd)
            self.ended(self)

    def cut(self) -> None:
        """The same, as a broken network does."""
        _shut_down(self.fd, socket.SHUT_RDWR)
        self.end()

    # -- what the reactor calls --

    def ready(self, events: int) -> None:
        """The socket has room, or something to read, or is broken."""
        try:
            if events & WRITE and self._rest:
                self._send_rest()
            if events & ~WRITE and not (self._departing or self._gone):
                self._receive()
        except Exception:
            # A defect of ours must not take the other clients along.
            LOGGER.exception("serving %s failed", self.connection.peer)
            self.end()

    def _receive(self) -> None:
        if self._held:
            # It is broken, which will not go away, and its last octets are not wanted yet.
            self._watch(None)
            return
        if self._pressed is not None:
            return
        try:
            data = os.read(self.fd, self._chunk)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            # Many may leave at once, and what they leave behind takes time.
            self._departing = True
            self._watch(None)
            self.reactor.later(self.end)
            return
        self.feed(data)
        self._look()

    def _look(self) -> None:
        """Whether to go on reading at once."""
        if self._gone or self._departing:
            return
        if self._held:
            self._watch(WRITE if self._rest else 0)
        elif self.gives_way():
            self.reactor.waiting[self.gave_way] = None

    def _send_rest(self) -> None:
        try:
            taken = self.write_some(self._rest)
        except OSError:
            self.end()
            return
        if taken < len(self._rest):
            self._rest = self._rest[taken:]
            return
        self.relieved()
        if not (self._rest or self._departing or self._gone):
            self._watch(0 if self._held else READ)

    # -- what the transport asks for --

    def write_some(self, data: Piece) -> int:
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0

    def want_room(self) -> None:
        self._watch(WRITE if self._held else READ | WRITE)

    def read_on(self) -> None:
        self._watch(READ | WRITE if self._rest else READ)
        if self.gives_way():
            self.reactor.waiting[self.gave_way] = None

    def fail(self) -> None:
        # Not here: this may be in the middle of sending to others, of whom many may be broken at once.
        if not (self._departing or self._gone):
            self._departing = True
            self._watch(None)
            self.start(self._give_up)

    async def _give_up(self) -> None:
        self.end()

    def _watch(self, events: int | None) -> None:
        if events == self._watched:
            return
        if events is None:
            self.reactor.forget(self.fd)
        elif self._watched is None:
            self.reactor.watch(self.fd, events, self.ready)
        else:
            self.reactor.change(self.fd, events)
        self._watched = events

    # -- the end in good order --

    def depart(self) -> None:
        if self._departing or self._gone:
            return
        self._departing = True
        self._watch(None)
        self.start(self._farewell)

    async def _farewell(self) -> None:
        """Send what is left and have the client end its side, so that our last words arrive.

        Unread octets at close() would make the kernel reset the connection and lose them.
        """
        if self._gone:
            return
        try:
            with trio.move_on_after(LAST_WORDS):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read_off, nursery.cancel_scope)
                    while self._rest:
                        await trio.lowlevel.wait_writable(self.fd)
                        self._rest = self._rest[self.write_some(self._rest) :] or self.connection.outbox.take()
                    _shut_down(self.fd, socket.SHUT_WR)
                    nursery.cancel_scope.deadline = trio.current_time() + LAST_LOOK
        except BaseExceptionGroup as group:
            # (Not `except*`: PyPy 3.11 fails over it in a task that is cancelled.)
            _, rest = group.split((OSError, trio.ClosedResourceError))
            if rest is not None:
                raise rest from None
        finally:
            self.end()

    async def _read_off(self, scope: trio.CancelScope) -> None:
        """Until the client has ended its side."""
        while True:
            await trio.lowlevel.wait_readable(self.fd)
            try:
                if not os.read(self.fd, CHUNK):
                    scope.cancel()
                    return
            except BlockingIOError:
                continue


def _shut_down(fd: int, how: int) -> None:
    """shutdown(2); no error when the client was quicker."""
    connected = socket.socket(fileno=fd)
    try:
        connected.shutdown(how)
    except OSError:
        pass
    finally:
        connected.detach()

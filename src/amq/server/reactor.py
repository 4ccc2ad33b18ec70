"""Sockets by the thousand in one task: whoever watches a descriptor is called when it is ready.

A task for each client would cost some 20 KiB per client and two switches per chunk. Here a client that says nothing is
an entry in the kernel's table and one in ours. Linux's epoll, inside of trio's own.
"""

import select
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import trio

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT
# Descriptors that are asked about at once.
MOST: Final = 256
# After so long other tasks get a turn, in s.
TURN: Final = 0.002


class Reactor:
    """`watch` and `forget` descriptors; `run` serves them. `waiting` are looked at again and again while there are any.

    A handler is called with the events (READ, WRITE, select.EPOLLHUP, select.EPOLLERR) and must not raise.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        # Called until they return True.
        self.waiting: dict[Callable[[float], bool], None] = {}
        self._later: deque[Callable[[], None]] = deque()

    def watch(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        """Have `handler` called as long as one of the events is the case."""
        self._epoll.register(fd, events)
        self._handlers[fd] = handler

    def change(self, fd: int, events: int) -> None:
        """Watch for these events from now on."""
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Watch a descriptor no more, before it is closed."""
        self._epoll.unregister(fd)
        del self._handlers[fd]

    def later(self, action: Callable[[], None]) -> None:
        """For handlers: have something done that is not urgent, when those have been served who are ready now."""
        self._later.append(action)

    def close(self) -> None:
        """Let go of the kernel's table."""
        self._epoll.close()

    async def run(self) -> None:
        """Until cancelled."""
        fd = self._epoll.fileno()
        while True:
            if self.waiting or self._later:
                await trio.lowlevel.checkpoint()
                now = time.monotonic()
                for ready in [look for look in self.waiting if look(now)]:
                    self.waiting.pop(ready, None)
            else:
                await trio.lowlevel.wait_readable(fd)
            await self._round(self._epoll.poll(0, MOST))
            self._do_some()

    def _do_some(self) -> None:
        """Part of what can wait: whoever is ready meanwhile waits for no more than TURN."""
        if self._later:
            end = time.monotonic() + TURN
            while self._later and time.monotonic() < end:
                self._later.popleft()()

    async def _round(self, found: list[tuple[int, int]]) -> None:
        handlers = self._handlers
        end = time.monotonic() + TURN
        for fd, events in found:
            # It may have been closed since, and even opened for somebody else, who will find that there is nothing.
            handler = handlers.get(fd)
            if handler is not None:
                handler(events)
                if time.monotonic() > end:
                    await trio.lowlevel.checkpoint()
                    end = time.monotonic() + TURN

"""The side flow of stalls.py: 1,000 messages a second through a broker, from a process that does nothing else.

One connection publishes, another one consumes; both ends are here, so there is one clock. Where the system lets it, the
process goes before all others: what is measured is to be the broker's stall and not this one's.
"""

import contextlib
import gc
import multiprocessing
import os
import re
import select
import socket
import struct
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from raw_client import BODY, Client, frame, method, short

INTERVAL: Final = 0.001  # seconds between two messages
FLOW: Final = "flow"
REAL_TIME: Final = 10  # priority
NICE: Final = -15


class Window(NamedTuple):
    """What was seen since the last look, in ms: how long the slowest message was under way, the longest time in which
    none arrived, and how late the flow itself was at most.
    """

    slowest: float
    gap: float
    own: float
    messages: int


class _Flow:
    """Publishes and consumes. A body is the moment of its sending."""

    def __init__(self, port: int) -> None:
        self.publisher = Client(port)
        self.publisher.ask((50, 10), b"\0\0" + short(FLOW) + b"\0" + bytes(4), (50, 11))
        self.consumer = Client(port)
        self.consumer.ask((60, 20), b"\0\0" + short(FLOW) + short("c") + b"\x02" + bytes(4), (60, 21))
        self.input = self.consumer.socket
        self.input.setblocking(False)
        publish = method(1, (60, 40), b"\0\0" + short("") + short(FLOW) + b"\0")
        self.head = publish + frame(2, 1, struct.pack(">HHQH", 60, 0, 8, 0))
        # Behind the end of the header's frame and the head of its own.
        self.mark = re.compile(re.escape(struct.pack(">BHI", BODY, 1, 8)) + b"(.{8})\xce", re.DOTALL)
        self.pending = b""
        self.begin()

    def begin(self) -> None:
        """A window begins."""
        self.slowest = self.gap = self.own = 0.0
        self.messages = 0
        self.arrived = time.perf_counter()

    def window(self) -> Window:
        """What was seen; the next window begins."""
        gap = max(self.gap, time.perf_counter() - self.arrived)
        seen = Window(self.slowest * 1000, gap * 1000, self.own * 1000, self.messages)
        self.begin()
        return seen

    def run(self, pipe: Connection) -> None:
        """Until the pipe says "end"; "window" is answered with one."""
        inputs: list[socket.socket | Connection] = [self.input, pipe]
        due = time.perf_counter()
        while True:
            now = time.perf_counter()
            if now >= due:
                self.own = max(self.own, now - due)
                self.publisher.socket.sendall(self.head + frame(BODY, 1, struct.pack(">d", now)))
                # What could not be sent in time is not made up for: it would come in a heap.
                due = max(due + INTERVAL, now)
            ready = select.select(inputs, [], [], max(due - time.perf_counter(), 0))[0]
            if self.input in ready:
                self.take()
            if pipe in ready:
                if pipe.recv() == "end":
                    return
                pipe.send(self.window())

    def take(self) -> None:
        """Look at what has come."""
        self.pending += self.input.recv(1 << 16)
        now = time.perf_counter()
        end = 0
        for found in self.mark.finditer(self.pending):
            self.slowest = max(self.slowest, now - struct.unpack(">d", found[1])[0])
            self.messages += 1
            end = found.end()
        if end:
            self.gap = max(self.gap, now - self.arrived)
            self.arrived = now
        self.pending = self.pending[end:]


def _flow(port: int, pipe: Connection) -> None:
    with contextlib.suppress(OSError):
        os.nice(NICE)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME))
    gc.disable()
    _Flow(port).run(pipe)


@contextlib.contextmanager
def flowing(port: int) -> Iterator[Connection]:
    """The flow runs meanwhile; send "window" to the connection to get one."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_flow, args=(port, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        with contextlib.suppress(OSError):
            ours.send("end")
        process.join(5)
        process.kill()

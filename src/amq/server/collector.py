"""When Python's garbage collector looks at everything: now and then, and not while a backlog grows.

A full collection visits every message that waits, for nothing: what AMQP clients leave behind is in no cycle, only
requests over HTTP and mishaps are. Left to itself CPython does it whenever the number of objects has grown by a
quarter, and all clients wait meanwhile (measured: 120 ms at 600,000 messages). Here it is done when enough clients have
gone, and rarely enough to cost little: while a backlog makes the process large, once an hour.
"""

import gc
import time
from collections.abc import Callable
from typing import Final

import attrs
import trio

from amq.server import memory

# Young objects are looked at once, in portions of ten thousand, which takes about 1 ms; those that are older never by
# themselves. A second look, as CPython has it, finds next to nothing: with 100,000 messages under way to a thousand
# consumers it cost a fifth of the throughput.
THRESHOLDS: Final = (10_000, 1_000_000_000, 1_000_000_000)
INTERVAL: Final = 60.0  # seconds
# At most this share of the time is spent on full collections, however many messages there are.
SHARE: Final = 0.002
# So many clients that left are worth a collection before the interval is over.
GONE: Final = 1000
# A process that has grown by so many octets since its start takes long to look at, and is looked at once in SELDOM s.
GROWN: Final = 1 << 25
SELDOM: Final = 3600.0
# A process smaller than this is left as it is, in octets.
WORTH_RELEASING: Final = 1 << 27


@attrs.define(eq=False)
class Collector:
    """Runs full collections, and has the allocator give back afterwards what it keeps of a backlog that was drained.

    `gone` is to be called for every client that has left. `resident` measures the memory of the process, in octets.
    """

    resident: Callable[[], int] = memory.resident
    release: Callable[[], None] = memory.release
    _left: int = attrs.field(default=0, init=False)
    _enough: trio.Event = attrs.field(factory=trio.Event, init=False)

    def gone(self) -> None:
        """A client has left, and its connection is garbage."""
        self._left += 1
        if self._left >= GONE:
            self._enough.set()

    async def run(self) -> None:
        """Until cancelled. Does nothing where collections are not CPython's (PyPy's are incremental)."""
        if not hasattr(gc, "freeze"):
            return
        # What is here now stays until the end.
        gc.freeze()
        before = gc.get_threshold()
        gc.set_threshold(*THRESHOLDS)
        try:
            await self._collect_now_and_then()
        finally:
            gc.set_threshold(*before)
            gc.unfreeze()

    async def _collect_now_and_then(self) -> None:
        pause = 0.0
        small = self.resident() + GROWN
        looked = trio.current_time()
        while True:
            await trio.sleep(pause / SHARE)
            with trio.move_on_after(INTERVAL):
                await self._enough.wait()
            self._left = 0
            self._enough = trio.Event()
            if self.resident() > small and trio.current_time() < looked + SELDOM:
                continue
            looked = trio.current_time()
            began = time.perf_counter()
            gc.collect()
            pause = time.perf_counter() - began
            if self.resident() > WORTH_RELEASING:
                # In a thread: it may take a while, and most of what the broker does meanwhile needs no large memory.
                await trio.to_thread.run_sync(self.release)

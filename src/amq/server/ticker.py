"""Time for the core: calls `broker.advance` when something is due, and sleeps as long as nothing is."""

import logging
import time
from collections.abc import Callable
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.clock import NEVER

LOGGER: Final = logging.getLogger(__name__)


@attrs.define(eq=False)
class Ticker:
    """Sleeps until the broker's next deadline. `flush` sends what became ready to be sent.

    Whoever let the core work calls `kick` afterwards: an earlier deadline may have appeared. `now` is the clock of
    the broker's deadlines.
    """

    broker: Broker
    flush: Callable[[], None]
    now: Callable[[], float] = time.monotonic
    # Until when `run` sleeps; before its first sleep there is nobody to wake.
    _until: float = attrs.field(default=-NEVER, init=False)
    _wake: trio.Event = attrs.field(factory=trio.Event, init=False)

    def kick(self) -> None:
        """Wake up if something falls due before the end of the present sleep. Costs a comparison otherwise."""
        deadline = self.broker.timers.next_deadline()
        if deadline is not None and deadline < self._until:
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._sleep()
            try:
                self.broker.advance(self.now())
            except Exception:
                # A defect of ours must not take all clients along; its timer is off the heap, the others go on.
                LOGGER.exception("what was due has failed")
            self.flush()

    async def _sleep(self) -> None:
        deadline = self.broker.timers.next_deadline()
        self._until = NEVER if deadline is None else deadline
        self._wake = trio.Event()
        # Waiting for an event lets others run even when the deadline has passed.
        with trio.move_on_after(max(0.0, self._until - self.now())):
            await self._wake.wait()

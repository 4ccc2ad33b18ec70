"""Work of the core that comes in steps, done in slices of time, so that messages go on meanwhile."""

import time
from typing import Final, TypeVar

import trio

from amq.definitions.steps import Steps
from amq.management.node import Node
from amq.management.turns import SLICE

T = TypeVar("T")

# Changes on their way to the disk from which on no more are made: publishers wait for the disk, too.
WAITING: Final = 200


async def in_slices(node: Node, steps: Steps[T]) -> T:
    """Work it off, with turns for everybody else in between; returns the result."""
    while True:
        ended = node.work(lambda: _slice(steps))
        if ended:
            return ended[0]
        if len(node.broker.journal.work.changes) > WAITING:
            await node.safe()
        await trio.lowlevel.checkpoint()


def _slice(steps: Steps[T]) -> tuple[T] | None:
    """Go on for a slice of time; the result once there is one."""
    until = time.perf_counter() + SLICE
    try:
        while time.perf_counter() < until:
            next(steps)
    except StopIteration as done:
        return (done.value,)
    return None

"""Who takes part in a queue, and whose turn it is.

Consumers that can take messages stand in rings, one per priority, the highest first; who cannot is taken out of
its ring (and marked `blocked`) when its turn comes, and put back by `unblock`, so that a thousand busy consumers
cost nothing to those who are idle.
"""

from collections import deque
from typing import Final

from amq.queues.base import Consumer


class Consumers:
    """The consumers of one queue. With `single_active`, the first to come alone takes part until it goes."""

    __slots__ = ("all", "rings", "single_active")

    def __init__(self, single_active: bool) -> None:
        # In order of registration (a dict as an ordered set).
        self.all: dict[Consumer, None] = {}
        self.rings: list[tuple[int, deque[Consumer]]] = []
        self.single_active = single_active

    def add(self, consumer: Consumer) -> None:
        """Enter a consumer; with single active consumer, it waits unless it is the first."""
        self.all[consumer] = None
        if not self.single_active or len(self.all) == 1:
            self.enter(consumer)

    def remove(self, consumer: Consumer) -> None:
        """Take a consumer out; with single active consumer, the next in order takes over."""
        was_active = self.single_active and next(iter(self.all)) is consumer
        del self.all[consumer]
        if not consumer.blocked:
            self.leave(consumer)
        # Acknowledgements that come later must not hand it back.
        consumer.blocked = False
        if was_active and self.all:
            heir = next(iter(self.all))
            heir.blocked = False
            self.enter(heir)

    def unblock(self, consumer: Consumer) -> None:
        """Put a blocked consumer back at the end of its ring."""
        consumer.blocked = False
        if not self.single_active or next(iter(self.all)) is consumer:
            self.enter(consumer)

    def enter(self, consumer: Consumer) -> None:
        """Append to the ring of its priority."""
        rings = self.rings
        at = 0
        while at < len(rings) and rings[at][0] > consumer.priority:
            at += 1
        if at == len(rings) or rings[at][0] != consumer.priority:
            rings.insert(at, (consumer.priority, deque()))
        rings[at][1].append(consumer)

    def leave(self, consumer: Consumer) -> None:
        """Take out of the ring of its priority, if it stands there."""
        for at, (priority, ring) in enumerate(self.rings):
            if priority == consumer.priority:
                if consumer in ring:
                    ring.remove(consumer)
                if not ring:
                    del self.rings[at]
                return

    def next(self) -> Consumer | None:
        """Whose turn it is: the next of the highest priority that can take something, or None."""
        rings = self.rings
        while rings:
            ring = rings[0][1]
            while ring:
                consumer = ring[0]
                if consumer.room() > 0:
                    if len(ring) > 1:
                        ring.rotate(-1)
                    return consumer
                ring.popleft()
                consumer.blocked = True
            del rings[0]
        return None

    def alone(self) -> bool:
        """True when exactly one consumer can take messages, as far as is known."""
        return len(self.rings) == 1 and len(self.rings[0][1]) == 1

    def exclusive(self) -> bool:
        """True when the queue is held by an exclusive consumer, which then is the only one."""
        return len(self.all) == 1 and next(iter(self.all)).exclusive

    def admits(self, exclusive: bool) -> bool:
        """True when one more may come: an exclusive consumer stands no other, and is never one of several in line."""
        return not (self.exclusive() or (exclusive and (self.all or self.single_active)))


# Those of all queues that have had none yet, and are not for a single active one; nobody enters.
NOBODY: Final = Consumers(False)

"""The messages of a queue that wait, in order, and the places of those that are out for delivery.

Every message gets a position when it comes in. Positions only grow, and heads leave in their order, so whatever
comes back stands before everything that was never out: one heap for the returned, one deque for the rest, and no
flag or number per message. A returned message has by definition been delivered before.
"""

from collections import deque
from heapq import heappop, heappush

from amq.message import Message


class Backlog:
    """What a queue asks of its storage."""

    __slots__ = ()

    def push(self, message: Message) -> int:
        """Append; returns its position."""
        raise NotImplementedError

    def pop(self) -> tuple[int, Message, bool]:
        """Take the head: position, message, delivered before. There must be one."""
        raise NotImplementedError

    def peek(self) -> tuple[int, Message] | None:
        """The head, left where it is; None when there is none."""
        raise NotImplementedError

    def put_back(self, position: int, message: Message) -> None:
        """Return a popped message to its place."""
        raise NotImplementedError

    def size(self) -> int:
        """Messages waiting."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget all that wait."""
        raise NotImplementedError


class Fifo(Backlog):
    """First in, first out. `head` is the position of `ready[0]`."""

    __slots__ = ("ready", "head", "returned")

    def __init__(self) -> None:
        self.ready: deque[Message] = deque()
        self.head: int = 0
        self.returned: list[tuple[int, Message]] = []

    def push(self, message: Message) -> int:
        self.ready.append(message)
        return self.head + len(self.ready) - 1

    def pop(self) -> tuple[int, Message, bool]:
        if self.returned:
            position, message = heappop(self.returned)
            return position, message, True
        position = self.head
        self.head = position + 1
        return position, self.ready.popleft(), False

    def peek(self) -> tuple[int, Message] | None:
        if self.returned:
            return self.returned[0]
        if self.ready:
            return self.head, self.ready[0]
        return None

    def put_back(self, position: int, message: Message) -> None:
        heappush(self.returned, (position, message))

    def size(self) -> int:
        return len(self.ready) + len(self.returned)

    def clear(self) -> None:
        self.head += len(self.ready)
        self.ready.clear()
        self.returned.clear()

"""Messages that wait by priority: a fifo per level, higher levels first, always.

Strict, as RabbitMQ's classic priority queues are: a low level waits as long as a higher one has anything.
"""

from typing import Final

from amq.message import Message
from amq.queues.backlog import Backlog, Cleared, Fifo

# Positions of all levels share one number space: `position_in_level * LEVELS + level`.
LEVELS: Final = 256


class Prioritized(Backlog):
    """A backlog with levels 0 to `highest` (at most 255)."""

    __slots__ = ("highest", "levels", "count")

    def __init__(self, highest: int) -> None:
        self.highest = highest
        # Created when first used: most of the 256 possible levels never are.
        self.levels: dict[int, Fifo] = {}
        self.count: int = 0

    def level_of(self, message: Message) -> int:
        """A priority above the highest counts as the highest."""
        return min(message.properties.priority, self.highest)

    def push(self, message: Message) -> int:
        number = self.level_of(message)
        self.count += 1
        return self.level(number).push(message) * LEVELS + number

    def level(self, number: int) -> Fifo:
        """The fifo of a level."""
        level = self.levels.get(number)
        if level is None:
            level = self.levels[number] = Fifo()
        return level

    def top(self) -> int:
        """The highest level that has a message; -1 when none has."""
        best = -1
        for number, level in self.levels.items():
            if number > best and level.size():
                best = number
        return best

    def pop(self) -> tuple[int, Message, bool]:
        number = self.top()
        position, message, redelivered = self.levels[number].pop()
        self.count -= 1
        return position * LEVELS + number, message, redelivered

    def at_hand(self) -> bool:
        number = self.top()
        return number >= 0 and self.levels[number].at_hand()

    def peek(self) -> int:
        number = self.top()
        return -1 if number < 0 else self.levels[number].peek() * LEVELS + number

    def put_back(self, position: int, message: Message) -> None:
        self.levels[position % LEVELS].put_back(position // LEVELS, message)
        self.count += 1

    def size(self) -> int:
        return self.count

    def levels_in_order(self) -> list[tuple[int, Fifo]]:
        return [(number, self.levels[number]) for number in sorted(self.levels, reverse=True)]

    def split(self, position: int) -> tuple[int, int]:
        return position % LEVELS, position // LEVELS

    def joined(self, level: int, position: int) -> int:
        return position * LEVELS + level

    def removed(self) -> None:
        self.count -= 1

    def restore(self, priority: int, lsns: range, octets: int) -> tuple[range, Fifo]:
        number = min(priority, self.highest)
        places, level = self.level(number).restore(priority, lsns, octets)
        self.count += len(lsns)
        return range(places.start * LEVELS + number, places.stop * LEVELS + number, LEVELS), level

    def clear(self) -> list[tuple[int, Cleared]]:
        self.count = 0
        return [(number, cleared) for number, level in self.levels.items() for _, cleared in level.clear()]

"""What one channel has published and the broker has not confirmed yet, and what a confirmation is about."""

from collections import deque
from typing import Final


class Unconfirmed:
    """Publish sequence numbers in runs that share a stamp. `count` is how many wait."""

    __slots__ = ("count", "_runs", "_early")

    def __init__(self) -> None:
        self.count: int = 0
        # [first, last, stamp], ascending.
        self._runs: Final[deque[list[int]]] = deque()
        # Confirmed before others that came before them.
        self._early: Final[set[int]] = set()

    def add(self, first: int, count: int, stamp: int) -> None:
        """Messages were published, with numbers in a row."""
        self._runs.append([first, first + count - 1, stamp])
        self.count += count

    def settle(self, tag: int, multiple: bool) -> list[tuple[int, int]]:
        """The broker confirms or refuses this one, or with `multiple` all up to it (0: all there are).

        Returns (stamp, how many) for those that were not settled before.
        """
        runs = self._runs
        if not runs:
            return []
        if multiple:
            return self._up_to(tag or runs[-1][1])
        if tag == runs[0][0]:
            found = self._up_to(tag)
            self._skip_early()
            return found
        return self._alone(tag)

    def _up_to(self, tag: int) -> list[tuple[int, int]]:
        runs = self._runs
        found = []
        while runs and runs[0][0] <= tag:
            first, last, stamp = runs[0]
            stop = min(last, tag)
            count = stop - first + 1
            if self._early:
                early = {each for each in self._early if first <= each <= stop}
                self._early.difference_update(early)
                count -= len(early)
            if count:
                found.append((stamp, count))
                self.count -= count
            if stop == last:
                runs.popleft()
            else:
                runs[0][0] = stop + 1
        return found

    def _skip_early(self) -> None:
        """What stands at the head and is settled already does not wait any more."""
        runs = self._runs
        early = self._early
        while early and runs and runs[0][0] in early:
            early.remove(runs[0][0])
            if runs[0][0] == runs[0][1]:
                runs.popleft()
            else:
                runs[0][0] += 1

    def _alone(self, tag: int) -> list[tuple[int, int]]:
        if tag in self._early:
            return []
        for first, last, stamp in self._runs:
            if first <= tag <= last:
                self._early.add(tag)
                self.count -= 1
                return [(stamp, 1)]
        return []

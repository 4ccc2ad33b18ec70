"""What must be alive after a crash, and what may be: a naive journal that is a list of batches.

The disk holds a prefix of the batches that were written: all that were safe, and as many of the others as reached it
whole. So what recovery finds must be equal to one of a few states; anything else is a loss, a part of a batch,
an invention, or something settled that has come back.
"""

from collections.abc import Iterator

import attrs

Pair = tuple[int, int]


@attrs.frozen
class Content:
    """What must be the same when a message comes back; `expires` in ms since 1970, -1: never."""

    address: bytes
    header: bytes
    body: bytes
    priority: int
    expires: int


@attrs.define
class Page:
    """One batch: what it brings to life and what it settles, by queue id and LSN, and the queues that it deletes.

    A `ticket` of 0: one that nobody waits for.
    """

    ticket: int = 0
    published: dict[Pair, Content] = attrs.field(factory=dict)
    settled: set[Pair] = attrs.field(factory=set)
    deleted: set[int] = attrs.field(factory=set)

    def apply(self, pairs: dict[Pair, Content]) -> None:
        """Do to `pairs` what the batch says."""
        pairs.update(self.published)
        for pair in self.settled:
            pairs.pop(pair, None)


@attrs.define
class Book:
    """`safe` is what all safe batches together leave alive; `flying` are batches that were taken and may be lost.

    Only messages in queues that are `known` count. Which these are is told by another file.
    """

    known: set[int]
    safe: dict[Pair, Content] = attrs.field(factory=dict)
    flying: list[Page] = attrs.field(factory=list)

    def land(self, ticket: int) -> None:
        """The broker was told that everything up to that ticket is safe."""
        while any(page.ticket and page.ticket <= ticket for page in self.flying):
            self._land(self.flying.pop(0))

    def settle_for(self, flying: int) -> None:
        """Recovery found so many of the flying batches: they are safe now, and the others never were."""
        for page in self.flying[:flying]:
            self._land(page)
        self.flying.clear()

    def states(self) -> Iterator[dict[Pair, Content]]:
        """What may be alive, from what must be to what was written last."""
        pairs = dict(self.safe)
        yield self._counting(pairs)
        for page in self.flying:
            page.apply(pairs)
            yield self._counting(pairs)

    def check(self, found: dict[Pair, Content]) -> int:
        """Raise AssertionError unless `found` is one of the states; returns how many flying batches it includes."""
        for number, state in enumerate(self.states()):
            if state == found:
                return number
        raise AssertionError(self.complaint(found))

    def complaint(self, found: dict[Pair, Content]) -> str:
        """What is wrong with what was found, against the state that comes nearest to it."""
        nearest = min(self.states(), key=lambda state: len(state.keys() ^ found.keys()))
        known = {pair: content for page in self.flying for pair, content in page.published.items()} | self.safe
        lines = []
        for title, pairs in (
            ("lost", nearest.keys() - found.keys()),
            ("settled and back, or part of a batch", (found.keys() - nearest.keys()) & known.keys()),
            ("invented, or settled long ago", found.keys() - nearest.keys() - known.keys()),
            ("altered", {pair for pair in found.keys() & nearest.keys() if found[pair] != nearest[pair]}),
        ):
            if pairs:
                lines.append(f"{title} (queue, LSN): {sorted(pairs)[:10]}{' ...' if len(pairs) > 10 else ''}")
        return "; ".join(lines)

    def _counting(self, pairs: dict[Pair, Content]) -> dict[Pair, Content]:
        return {pair: content for pair, content in pairs.items() if pair[0] in self.known}

    def _land(self, page: Page) -> None:
        page.apply(self.safe)
        self.known -= page.deleted

"""A stretch of a backlog that is not in memory: enough to find the messages again."""

from array import array

from amq.journal.record import Lsns, compact


class Span:
    """`count` messages in a row, with bodies of about `octets` together."""

    __slots__ = ("count", "octets")

    def __init__(self, count: int, octets: int) -> None:
        self.count = count
        self.octets = octets


class KeptSpan(Span):
    """Messages that stand in the journal under these numbers, ascending."""

    __slots__ = ("lsns",)

    def __init__(self, lsns: Lsns, octets: int) -> None:
        super().__init__(len(lsns), octets)
        self.lsns: Lsns = lsns

    @classmethod
    def of(cls, numbers: list[int], octets: int) -> "KeptSpan":
        """A span of these."""
        return cls(compact(numbers), octets)

    def extend(self, part: range, octets: int, most: int, most_octets: int) -> bool:
        """Take further messages in; False when that would be too many, or too much."""
        if self.count + len(part) > most or self.octets + octets > most_octets:
            return False
        lsns = self.lsns
        if isinstance(lsns, range) and lsns.stop == part.start:
            self.lsns = range(lsns.start, part.stop)
        else:
            joined = array("Q", lsns)
            joined.extend(part)
            self.lsns = joined
        self.count += len(part)
        self.octets += octets
        return True

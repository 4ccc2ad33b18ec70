"""What was safe once and cannot be read, and what is lost for it."""

# From and to which LSN messages may be lost, both included; None: nobody knows.
Gap = tuple[int | None, int | None]


class Damage:
    """Something that was safe and cannot be read: octets `offset` up to `end` of a file.

    Frames `first` to `last` are missing for it (0: none). `gaps` are the LSNs that no readable RUN has, `settled` how
    many of these were settled later; `carried`: older messages, up to that LSN, may have been written again there (0:
    none can). `kept` counts messages that could be read all the same, `around` are ids of the
    queues that the frames before and behind it are about. `unknown`: nobody knows what there was.
    """

    __slots__ = (
        "name",
        "offset",
        "end",
        "problem",
        "first",
        "last",
        "gaps",
        "settled",
        "carried",
        "kept",
        "around",
        "unknown",
    )

    def __init__(self, name: str, offset: int, end: int, problem: str, first: int = 0, last: int = 0) -> None:
        self.name = name
        self.offset = offset
        self.end = end
        self.problem = problem
        self.first = first
        self.last = last
        self.gaps: list[Gap] = []
        self.settled: int = 0
        self.carried: int = 0
        self.kept: int = 0
        self.around: list[int] = []
        self.unknown: bool = False

    def loses(self) -> bool:
        """Whether something is lost for it."""
        return self.unknown or self.first > 0

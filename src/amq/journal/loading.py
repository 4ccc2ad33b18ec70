"""A wish for messages that stand in the journal and not in memory."""

from amq.journal.record import Lsns
from amq.message import Message


class Load:
    """`lsns`, ascending, are to be read; `arrived` is then called with the messages in that order."""

    __slots__ = ("lsns",)

    def __init__(self, lsns: Lsns) -> None:
        self.lsns = lsns

    def arrived(self, messages: list[Message]) -> None:
        """They are here."""
        raise NotImplementedError

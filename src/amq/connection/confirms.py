"""Publisher confirms of one channel: which sequence numbers are safe, and how to say so in few frames.

Sequence numbers are safe in their order: a number waits for its own ticket and for those of the numbers before it,
so one `basic.ack` with multiple says it all; only refused messages need words of their own.
"""

from collections import deque
from struct import Struct
from typing import Final

from amq.connection.outbox import Outbox
from amq.journal.batch import Batch
from amq.tally import Tally
from amq.wire import spec

REQUEUE: Final = 2

_FRAME: Final = Struct(">BHIIQBB")


class Confirms:
    """`published` is the last sequence number given, `confirmed` the last that the client was told about."""

    __slots__ = ("channel", "outbox", "journal", "tally", "published", "confirmed", "pending", "refused", "last_ticket")

    def __init__(self, channel: int, outbox: Outbox, journal: Batch, tally: Tally) -> None:
        self.tally = tally
        self.channel = channel
        self.outbox = outbox
        self.journal = journal
        self.published: int = 0
        self.confirmed: int = 0
        # Runs of numbers that wait: the last number of the run, and the ticket that all of it waits for.
        self.pending: deque[tuple[int, int]] = deque()
        self.last_ticket: int = 0
        self.refused: list[int] = []

    def publish(self, count: int, ticket: int) -> None:
        """`count` more messages were taken; they are safe when `ticket` is (0: at once)."""
        before = self.published
        self.published = before + count
        if ticket > self.journal.durable:
            if ticket <= self.last_ticket and self.pending:
                self.pending[-1] = (self.published, self.last_ticket)
            else:
                if before > self.confirmed and not self.pending:
                    # Those are safe already.
                    self.pending.append((before, 0))
                self.pending.append((self.published, ticket))
                self.last_ticket = ticket
        elif self.pending:
            self.pending[-1] = (self.published, self.last_ticket)

    def refuse(self) -> None:
        """The message published last was refused by a queue."""
        self.refused.append(self.published)

    def waiting(self) -> bool:
        """True while there are numbers that the client was not told about."""
        return self.confirmed < self.published

    def flush(self) -> None:
        """Tell the client about everything that is safe by now."""
        pending = self.pending
        durable = self.journal.durable
        safe = self.published
        if pending:
            safe = self.confirmed
            while pending and pending[0][1] <= durable:
                safe = pending.popleft()[0]
            if not pending:
                safe = self.published
        if safe <= self.confirmed:
            return
        if self.refused:
            self._flush_mixed(safe)
        else:
            self._say(spec.BASIC_ACK, safe, safe - self.confirmed > 1)
        self.tally.confirmed += safe - self.confirmed
        self.confirmed = safe

    def _flush_mixed(self, safe: int) -> None:
        """Acks first, up to the first refused number in one frame; then the refused ones."""
        nacks = [number for number in self.refused if number <= safe]
        self.tally.confirmed -= len(nacks)
        self.refused = self.refused[len(nacks) :]
        first = self.confirmed + 1
        cutoff = nacks[0] if nacks else safe + 1
        if cutoff > first:
            self._say(spec.BASIC_ACK, cutoff - 1, cutoff - first > 1)
        refused = set(nacks)
        for number in range(cutoff, safe + 1):
            if number not in refused:
                self._say(spec.BASIC_ACK, number, False)
        for number in nacks:
            self._say(spec.BASIC_NACK, number, False)

    def _say(self, method: int, number: int, multiple: bool) -> None:
        # Next to `multiple` a nack has the bit `requeue`, which means nothing here and is set in RabbitMQ's.
        bits = multiple | REQUEUE if method == spec.BASIC_NACK else multiple
        self.outbox.put(_FRAME.pack(spec.FRAME_METHOD, self.channel, 13, method, number, bits, spec.FRAME_END))

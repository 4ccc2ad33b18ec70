"""Everything small, so that a short story sees all of it: spans of a few messages, segments of a few frames."""

import pytest

from amq.queues import backlog, classic, emptying
from amq.queues.classic import ClassicQueue
from amq.server import journal_files
from tests.model.storage import SEGMENT

hand_out = ClassicQueue.hand_out


def hand_out_all(queue: ClassicQueue, fresh: bool) -> None:
    """With a disk that answers at once, a queue that has run out of messages in memory goes on with the next ones."""
    wanted = queue.agenda.journal.wanted
    while True:
        served = getattr(wanted, "served", 0)
        hand_out(queue, fresh)
        if getattr(wanted, "served", 0) == served:
            return
        fresh = False


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "SPAN", 3)
    # Spans of a few messages are as many more.
    monkeypatch.setattr(emptying, "SPAN_COST", 1)
    # What a queue that drops heads keeps in memory.
    monkeypatch.setattr(classic, "SPAN", 3)
    monkeypatch.setattr(journal_files, "FIRST_BYTES", SEGMENT)
    monkeypatch.setattr(journal_files, "LEAST_BYTES", SEGMENT)
    monkeypatch.setattr(journal_files, "LEAST_SPARE", SEGMENT)
    monkeypatch.setattr(ClassicQueue, "hand_out", hand_out_all)

"""What a batch's changes of definitions come to, worked out without holding anybody up."""

from collections.abc import Sequence

import trio

from amq.definitions import entities
from amq.journal.change import Change


async def gathered(changes: Sequence[Change]) -> entities.Writes:
    """What these changes write; of very many with turns for everybody else in between."""
    steps = entities.writing(changes)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            wanted: entities.Writes = done.value
            return wanted
        await trio.lowlevel.checkpoint()

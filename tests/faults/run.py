"""A run: a broker under load, ended and started again at random moments, drained at last, and what the checker says."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.faults.checker import check
from tests.faults.client import Address
from tests.faults.history import History
from tests.faults.target import Target, started
from tests.faults.verdict import Rules, Verdict
from tests.faults.workload import Load, mixed

# What RabbitMQ does not promise: transactions are not atomic, and acknowledgements and purges are written to disk when
# it finds the time. That dead letters may be lost cannot be told from other losses, so it is not forgiven.
RABBITMQ_RULES: Final = Rules(
    forgiven=frozenset({"torn transaction", "purge undone", "came back after a crash", "redelivery without its flag"})
)


class Trouble:
    """Faults at random moments: most are kills, some stops in good order, some kills while it is starting up."""

    def __init__(self, target: Target, history: History, seed: str) -> None:
        self.target = target
        self.history = history
        self.rng = random.Random(f"{seed}/trouble")

    def strike(self, longest: float = 1.2, stops: float = 0.15, early_kills: float = 0.15) -> None:
        """Wait for a moment, end the broker and start it again."""
        time.sleep(self.rng.uniform(0.02, longest))
        if self.rng.random() < stops:
            self.history.fault("stop")
            status = self.target.stop()
            assert status == 0, f"status {status} after SIGTERM"
        else:
            self.history.fault("kill")
            self.target.kill()
        if self.rng.random() < early_kills:
            # A life without clients; after it the broker cannot know what had been delivered in the one before.
            self.target.launch()
            time.sleep(self.rng.uniform(0, 0.6))
            self.history.fault("kill")
            self.target.kill()
        self.target.start()
        self.history.up = True

    def rest(self) -> None:
        """Let the load go on for a moment."""
        time.sleep(self.rng.uniform(0.5, 1.0))

    def restart(self) -> None:
        """Stop in good order and start again, at once."""
        self.history.fault("stop")
        status = self.target.stop()
        assert status == 0, f"status {status} after SIGTERM"
        self.target.start()
        self.history.up = True


Kind = Callable[[Address, History, str], Load]


def play(
    target: Target, seed: str, faults: int, history_file: Path, rules: Rules | None = None, kind: Kind = mixed
) -> Verdict:
    """Load with so many faults from this seed; the history is kept in the file if a promise was broken."""
    history = History()
    with started(target):
        load = kind(target.address, history, seed)
        load.declare()
        trouble = Trouble(target, history, seed)
        endure(load, trouble, faults)
        load.drain()
        # What was acknowledged in the drain must stay away.
        trouble.restart()
        load.drain()
        target.stop()
    verdict = check(history, rules)
    if not verdict.good:
        history.save(history_file)
    return verdict


def endure(load: Load, trouble: Trouble, faults: int) -> None:
    """The load, with so many faults."""
    load.start()
    try:
        for _ in range(faults):
            trouble.strike()
        trouble.rest()
    finally:
        load.finish()

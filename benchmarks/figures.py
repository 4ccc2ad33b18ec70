"""What the durability scenarios share: a figure with its target, a broker in a scratch folder, and the load."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from amqpload import Load, load
from broker_process import Broker

MIB: Final = 1 << 20
SECONDS: Final = 900  # for one load
SETTLED: Final = 3.0  # seconds until what nobody waits for is done
# Arguments of amqpload. Many unconfirmed messages: it is the broker that sets the pace.
WINDOW: Final = 5000
CONFIRMS: Final = ("-c", WINDOW)
CONSUMER: Final = ("-y", 1, "-f", 500, "-a", 50)
NO_CONSUMER: Final = ("-y", 0, "-k")
# Most octets of a journal without a message that lives: garbage that nobody minds, two spares, a segment or two in use.
BOUND: Final = (256 + 4 * 64) * MIB


@dataclass(frozen=True)
class Figure:
    """Something measured, and what it must not exceed (`most`) or fall below (`least`), if there is a target."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None when there is none."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.least is None else self.value >= self.least

    @property
    def target(self) -> str:
        """The target in words."""
        if self.most is not None:
            return f"at most {shown(self.most)}"
        return "" if self.least is None else f"at least {shown(self.least)}"


def shown(value: float) -> str:
    """A number with as many digits as matter."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"


@dataclass(frozen=True)
class Bench:
    """How to measure: a share of the full sizes, where data go, and how much RabbitMQ gets."""

    scale: float
    folder: Path | None
    rabbitmq_count: int

    def count(self, full: int) -> int:
        """So many of something, scaled."""
        return max(10, int(full * self.scale))

    def load(self, broker: Broker, *arguments: str | int) -> Load:
        """Run amqpload with durable queues and persistent messages. Raises amqpload.Failed."""
        return load(f"127.0.0.1:{broker.port}", "-d", *arguments, patience=2 * SECONDS)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that is removed afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="amq-durability-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def broker(self, kind: Callable[[Path], Broker]) -> Iterator[Broker]:
        """A broker on an empty folder, running."""
        with self.scratch() as folder:
            broker = kind(folder)
            try:
                broker.start()
                yield broker
            finally:
                broker.kill()

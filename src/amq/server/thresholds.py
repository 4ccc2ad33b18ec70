"""Moves the thresholds of the alarms."""

import attrs

from amq.broker import Broker
from amq.config.settings import DiskFreeLimit, MemoryWatermark
from amq.metrics.thresholds import Thresholds
from amq.server import memory
from amq.server.alarms import MemoryAlarm
from amq.server.storage import Storage


@attrs.define(eq=False)
class Alarms(Thresholds):
    """The alarms that a server has, and the settings that say when they are raised."""

    broker: Broker
    memory: MemoryAlarm | None
    storage: Storage | None

    def memory_limit(self) -> int:
        return 0 if self.memory is None else self.memory.limit

    def disk_free_limit(self) -> int:
        return 0 if self.storage is None else self.storage.alarm.limit

    def set_memory_high_watermark(self, watermark: MemoryWatermark) -> None:
        self.broker.settings = attrs.evolve(self.broker.settings, memory_high_watermark=watermark)
        self.apply()

    def set_disk_free_limit(self, limit: DiskFreeLimit) -> None:
        self.broker.settings = attrs.evolve(self.broker.settings, disk_free_limit=limit)
        self.apply()

    def apply(self) -> None:
        """Take the limits from the broker's settings."""
        settings = self.broker.settings
        total = settings.total_memory_available_override_value or memory.available()
        if self.memory is not None and total is not None:
            self.memory.limit = settings.memory_high_watermark.limit(total)
        if self.storage is not None:
            self.storage.alarm.limit = settings.disk_free_limit.limit(total)

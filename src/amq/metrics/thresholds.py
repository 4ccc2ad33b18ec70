"""From when on publishers are blocked: how much memory may be used, and how much of the disk stays free."""

from amq.config.settings import DiskFreeLimit, MemoryWatermark


class Thresholds:
    """The thresholds of the process, which operators may move while it runs."""

    def memory_limit(self) -> int:
        """In bytes; 0 where the system does not tell how much memory is used."""
        raise NotImplementedError

    def disk_free_limit(self) -> int:
        """In bytes; 0 for a broker that keeps nothing on disk."""
        raise NotImplementedError

    def set_memory_high_watermark(self, watermark: MemoryWatermark) -> None:
        """Let this count, until the configuration is read again."""
        raise NotImplementedError

    def set_disk_free_limit(self, limit: DiskFreeLimit) -> None:
        """Let this count, until the configuration is read again."""
        raise NotImplementedError

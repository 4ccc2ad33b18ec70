"""One file of the fake disk: what programs read of it, and what a crash may leave of it."""

from random import Random

# What a disk writes as a whole or not at all, in octets.
SECTOR = 512
# Later than every operation.
END = 1 << 62


def sectors_of(start: int, end: int) -> range:
    """The sectors that hold some of the octets from `start` up to `end`."""
    return range(start // SECTOR, (end + SECTOR - 1) // SECTOR) if end > start else range(0)


class FakeFile:
    """Octets in a page cache before octets on a platter.

    `cache` is what is read, `stable` what is on the platter for certain. What was put into a sector since the last sync
    stands in `versions`, each with the number of the operation that put it there, and every length that the file had
    in `sizes`: a crash leaves any of them. A sector that is not in `versions` is clean, even if it differs (a sync
    failed).
    """

    __slots__ = ("cache", "stable", "allocated", "versions", "sizes")

    def __init__(self, content: bytes = b"") -> None:
        self.cache = bytearray(content)
        self.stable = bytearray(content)
        self.allocated = set(sectors_of(0, len(content)))
        self.versions: dict[int, list[tuple[int, bytes]]] = {}
        self.sizes: list[tuple[int, int]] = []

    def growth(self, start: int, end: int) -> int:
        """How many sectors a write of that range would take from what is free."""
        return sum(sector not in self.allocated for sector in sectors_of(start, end))

    def write(self, operation: int, offset: int, octets: bytes) -> None:
        """Put octets into the cache; a gap before them becomes zeros. Nothing at all changes nothing."""
        if not octets:
            return
        end = offset + len(octets)
        size = len(self.cache)
        if offset > size:
            self.cache += bytes(offset - size)
        self.cache[offset:end] = octets
        for sector in sectors_of(offset, end):
            self._note(operation, sector)
            self.allocated.add(sector)
        if len(self.cache) != size:
            self.sizes.append((operation, len(self.cache)))

    def truncate(self, operation: int, size: int) -> None:
        """Cut in the cache, or extend with zeros that take no space."""
        was = len(self.cache)
        if size > was:
            self.cache += bytes(size - was)
        else:
            del self.cache[size:]
            for sector in sectors_of(size, was):
                self._note(operation, sector)
            self.allocated.difference_update(sectors_of(size + SECTOR - 1, was))
        if size != was:
            self.sizes.append((operation, size))

    def sync(self) -> None:
        """Bring what is dirty to the platter. What a failed sync has forgotten stays where it is, or zeros."""
        if self.versions or self.sizes:
            latest = {sector: versions[-1][1] for sector, versions in self.versions.items()}
            self.stable = self._image(latest, len(self.cache))
            self.forget()

    def forget(self) -> None:
        """Mark all clean, as a kernel does after a failed sync: the cache still shows what is nowhere else."""
        self.versions.clear()
        self.sizes.clear()

    def flip(self, bit: int) -> None:
        """Turn one bit over, in the cache and on the platter."""
        for octets in (self.cache, self.stable):
            if bit // 8 < len(octets):
                octets[bit // 8] ^= 1 << bit % 8

    def at(self, moment: int, sectors: int) -> bytearray:
        """The platter after all operations before `moment` and the first so many sectors of what that one wrote."""
        chosen: dict[int, bytes] = {}
        begun = []
        for sector, versions in self.versions.items():
            for operation, octets in versions:
                if operation < moment:
                    chosen[sector] = octets
                elif operation == moment:
                    begun.append((sector, octets))
        size = len(self.stable)
        for operation, reached in self.sizes:
            if operation < moment:
                size = reached
            elif operation == moment and reached > size:
                size = min(reached, max([size, *[(sector + 1) * SECTOR for sector, _ in sorted(begun)[:sectors]]]))
        chosen.update(sorted(begun)[:sectors])
        return self._image(chosen, size)

    def torn(self, random: Random, chance: float) -> bytearray:
        """The platter after some of what is dirty reached it, each sector with that chance, in any of its versions."""
        chosen = {}
        for sector, versions in self.versions.items():
            if random.random() < chance:
                chosen[sector] = versions[-1 if random.random() < 0.7 else random.randrange(len(versions))][1]
        sizes = [len(self.stable), *[size for _, size in self.sizes]]
        size = random.choice([*sizes, sizes[-1]])
        if random.random() < 0.5:
            # A write of many sectors lengthens the file step by step.
            size = min(max(sizes), max(min(sizes), random.randint(min(sizes), max(sizes)) // SECTOR * SECTOR))
        return self._image(chosen, size)

    def _image(self, chosen: dict[int, bytes], size: int) -> bytearray:
        image = bytearray(self.stable)
        if size > len(image):
            image += bytes(size - len(image))
        for sector, octets in chosen.items():
            start = sector * SECTOR
            if start < len(image):
                image[start : start + SECTOR] = octets
        del image[size:]
        return image

    def _note(self, operation: int, sector: int) -> None:
        octets = bytes(self.cache[sector * SECTOR : (sector + 1) * SECTOR])
        self.versions.setdefault(sector, []).append((operation, octets.ljust(SECTOR, b"\0")))

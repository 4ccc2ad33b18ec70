"""The contract of a definition store: what exists, as keys and values, with a revision that grows.

    revision   1           2                 3
               put a, b    put a, delete b   put c          scan at 3: a (written at 2), c (written at 3)

The model is etcd's, so that etcd can be one: keys and values are octets, keys are in the order of their octets, a
transaction is written as a whole or not at all, and each one that changes something makes the next revision. Every
write is on disk before it is answered.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence

from amq.definitions.entry import Compare, Entry, Event, Result, Scan


class StoreError(Exception):
    """The store cannot be read or written; the text names it and says why.

    After one from a write it is not known whether the write has happened, and a store whose disk failed takes no other
    one: whoever told nobody of the write yet must not go on as if it were there.
    """


class StoreFull(StoreError):
    """There is no room for what was to be written: nothing of it was, and it may be tried again."""


class Compacted(StoreError):
    """The events that a watch was to begin with are no longer remembered: scan, and watch from that revision on."""


class Store(ABC):
    """A definition store. Every method raises StoreError, also after `close`."""

    @abstractmethod
    async def get(self, key: bytes) -> Entry | None:
        """The entry of a key, or None."""

    @abstractmethod
    async def scan(self, prefix: bytes = b"") -> Scan:
        """All entries whose keys begin with `prefix`."""

    @abstractmethod
    async def txn(
        self,
        compares: Sequence[Compare] = (),
        puts: Sequence[tuple[bytes, bytes]] = (),
        deletes: Sequence[bytes] = (),
        prefixes: Sequence[bytes] = (),
    ) -> Result:
        """If all of `compares` hold, delete and put; else do nothing.

        `prefixes` delete every key that begins so, but for those in `puts` (etcd's transactions delete the ranges
        between them). No key may stand in both `puts` and `deletes`, or twice in one of them; deleting what is not
        there is no mistake. A transaction that changes nothing makes no revision. When it is cancelled, it may have
        happened all the same.
        """

    @abstractmethod
    def watch(self, prefix: bytes, after_revision: int) -> AsyncGenerator[list[Event], None]:
        """What happens to keys that begin with `prefix`, from the revision that follows `after_revision` on, for ever.

        Each item holds the events of one transaction, none of which is left out or torn: whoever has seen to an item
        can go on from its revision later. Ends when the store is closed here. Raises Compacted.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of the store. Nothing happens the second time."""

    async def compare_and_swap(self, key: bytes, expected_revision: int, value: bytes | None) -> Result:
        """Write the entry of a key (None: delete it) if it was last written at that revision; 0: if there is none."""
        compares = [Compare(key, expected_revision)]
        if value is None:
            return await self.txn(compares, deletes=[key])
        return await self.txn(compares, puts=[(key, value)])

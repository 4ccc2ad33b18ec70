"""What a definition store holds and answers, as values."""

import attrs


@attrs.frozen
class Entry:
    """A key with its value; `revision` is that of the transaction that wrote it last (from 1 on)."""

    key: bytes
    value: bytes
    revision: int


@attrs.frozen
class Scan:
    """Entries in the order of their keys, all as they were at `revision` of the store."""

    entries: list[Entry]
    revision: int


@attrs.frozen
class Compare:
    """A condition: the entry of `key` was last written at `revision`; 0: there is none."""

    key: bytes
    revision: int


@attrs.frozen
class Result:
    """What became of a transaction, and the revision of the store after it.

    Not `succeeded`: a condition did not hold, and nothing was written.
    """

    succeeded: bool
    revision: int


@attrs.frozen
class Event:
    """The entry of `key` was written, or with None as its `value` deleted, at `revision`."""

    key: bytes
    value: bytes | None
    revision: int

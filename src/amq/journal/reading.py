"""Messages read back from the octets of the journal."""

from zlib import crc32

from amq.journal import record
from amq.journal.log import Reading
from amq.journal.record import HEAD, Content, Lsns
from amq.message import Message


class Unreadable(Exception):
    """A message that is needed cannot be read; the text says which file and where."""


def messages(lsns: Lsns, readings: list[Reading], octets: list[bytes]) -> list[Message]:
    """These messages, in that order, from what was read for them. Raises Unreadable."""
    wanted: Lsns | set[int] = lsns if isinstance(lsns, range) else set(lsns)
    found: list[Message] = []
    alike: Content | None = None
    for reading, piece in zip(readings, octets, strict=True):
        for at in reading.records:
            size, crc, kind = HEAD.unpack_from(piece, at) if at + HEAD.size <= len(piece) else (0, 0, 0)
            end = at + 8 + size
            if kind != record.RUN or end > len(piece) or crc32(memoryview(piece)[at + 8 : end]) != crc:
                raise Unreadable(f"{reading.segment.name}: offset {reading.start + at}: a message is damaged")
            run = record.read_run(piece, at)
            alike = record.content_like(piece, at, run, alike)
            found += [each for each in record.messages(piece, at, run, alike) if each.lsn in wanted]
    if len(found) != len(lsns):
        raise Unreadable(f"{len(lsns) - len(found)} of {len(lsns)} messages from {lsns[0]} on are missing")
    if not isinstance(lsns, range) or any(each.lsn != lsn for each, lsn in zip(found, lsns, strict=True)):
        by_lsn = {each.lsn: each for each in found}
        found = [by_lsn[lsn] for lsn in lsns]
    return found

"""Segments as docs/formats/journal.md shows them: every octet on a line of its field, with what it means.

    .venv/bin/python -m tests.journal.hexdump DIR/journal/0000000001.seg

It follows the page, not the code: that the two agree is what tests/journal/test_hexdump.py is about.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import attrs

# A field's octets, and what they mean.
Field = tuple[bytes, str]


@attrs.define
class Reader:
    """Takes octets one field after the other."""

    octets: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        self.at += size
        assert self.at <= len(self.octets)
        return self.octets[self.at - size : self.at]

    def number(self, size: int, signed: bool = False) -> tuple[bytes, int]:
        raw = self.take(size)
        return raw, int.from_bytes(raw, "little", signed=signed)

    def named(self, size: int, name: str) -> Field:
        raw, number = self.number(size)
        return raw, f"{name} {number}"

    def crc(self, name: str, covered: bytes) -> Field:
        raw, number = self.number(4)
        assert number == crc32(covered), name
        return raw, f"crc of {name}"


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def annotated(octets: bytes) -> list[str]:
    """The lines of the page; a blank one before each frame and record."""
    lines = []
    offset = 0
    for raw, meaning in fields(octets):
        if not raw:
            lines += ["", meaning] if lines else [meaning]
            continue
        for start in range(0, len(raw), 16):
            part = raw[start : start + 16]
            lines.append(f"{offset:04x}  {part.hex(' '):<47}  {meaning if not start else ''}".rstrip())
            offset += len(part)
    assert offset == len(octets)
    return lines


def read_back(lines: list[str]) -> bytes:
    """The octets that lines of the page show."""
    octets = b""
    for line in lines:
        if line[:4].strip() and line[4:6] == "  ":
            assert int(line[:4], 16) == len(octets), line
            octets += bytes.fromhex(line[6:53])
    return octets


def fields(octets: bytes) -> Iterator[Field]:
    """All fields; one without octets is a heading."""
    yield b"", "segment header"
    yield from segment_header(Reader(octets[:64]))
    at = 64
    while octets[at : at + 4] == b"AMQF":
        size = int.from_bytes(octets[at + 8 : at + 12], "little")
        end = at + 48 + size
        padded = -(-end // 8) * 8
        yield from frame(octets[at:end])
        if padded > end:
            yield octets[end:padded], "zeros up to a multiple of 8"
        at = padded
    yield b"", "unused"
    yield octets[at:], "zeros, as far as the file goes"


def segment_header(reader: Reader) -> Iterator[Field]:
    yield reader.take(8), "magic, AMQJSEG1"
    yield reader.named(2, "version")
    yield reader.take(2), "0"
    yield reader.take(4), "salt of this use of the file"
    yield reader.named(8, "segment")
    yield reader.named(8, "first frame")
    raw, created = reader.number(8)
    yield raw, f"created {moment(created)}"
    yield reader.named(8, "first LSN")
    yield reader.take(12), "0"
    yield reader.crc("all before it", reader.octets[:60])


def frame(octets: bytes) -> Iterator[Field]:
    reader = Reader(octets)
    flags = int.from_bytes(octets[40:44], "little")
    number = int.from_bytes(octets[16:24], "little")
    yield b"", f"frame {number}" + (", a MARK" if flags else "")
    yield reader.take(4), "magic, AMQF"
    yield reader.crc("the rest of the frame's header", octets[8:48])
    yield reader.named(4, "payload size")
    yield reader.named(4, "records")
    yield reader.named(8, "frame")
    yield reader.named(8, "safe: all up to frame")
    yield reader.take(4), "salt"
    heads = b""
    parts = []
    at = 48
    while at < len(octets):
        size = 8 + int.from_bytes(octets[at : at + 4], "little")
        heads += octets[at : at + 8]
        parts.append(octets[at : at + size])
        at += size
    yield reader.crc("the records' sizes and crcs", heads)
    raw, flags = reader.number(4)
    yield raw, "flags: MARK" if flags else "flags"
    yield reader.take(4), "0"
    for part in parts:
        yield from record(part)


def record(octets: bytes) -> Iterator[Field]:
    kinds = {1: run, 2: settled, 3: clean}
    kind = octets[8]
    reader = Reader(octets)
    yield b"", f"record, {kinds[kind].__name__.upper()}"
    yield reader.named(4, "size of what follows the crc:")
    yield reader.crc("all that follows", octets[8:])
    yield reader.named(1, "kind")
    yield from kinds[kind](reader)
    assert reader.at == len(octets)


def run(reader: Reader) -> Iterator[Field]:
    yield reader.named(8, "LSN of the first message:")
    raw, count = reader.number(4)
    yield raw, f"messages: {count}"
    raw, size = reader.number(4)
    yield raw, f"size of each body: {size}"
    raw, time = reader.number(8)
    yield raw, f"published {moment(time)}"
    raw, expires = reader.number(8, signed=True)
    yield raw, f"expires {expires}: never" if expires < 0 else f"expires {moment(expires)}"
    yield reader.named(1, "priority")
    raw, queues = reader.number(4)
    yield raw, f"queues: {queues}"
    sizes = []
    for name in ("address", "content header", "BCC keys"):
        raw, number = reader.number(2 if name == "address" else 4)
        sizes.append(number)
        yield raw, f"size of the {name}: {number}"
    for _ in range(queues):
        yield reader.named(8, "queue")
    address = reader.take(sizes[0])
    exchange = address[1 : 1 + address[0]].decode()
    key = address[2 + address[0] :].decode()
    yield address, f"address: exchange {exchange!r}, routing key {key!r}"
    yield reader.take(sizes[1]), "content header of class 60, basic, as the publisher sent it"
    if sizes[2]:
        yield reader.take(sizes[2]), "BCC keys"
    for number in range(count):
        body = reader.take(size)
        yield body, f"body {number + 1}: {body.decode()!r}"


def settled(reader: Reader) -> Iterator[Field]:
    yield reader.named(8, "queue")
    raw, form = reader.number(1)
    yield raw, f"form {form}: {'a list' if form else 'a range'}"
    if form:
        while reader.at < len(reader.octets):
            yield reader.named(8, "LSN")
    else:
        yield reader.named(8, "from LSN")
        yield reader.named(8, "messages:")


def clean(reader: Reader) -> Iterator[Field]:
    while reader.at < len(reader.octets):
        yield reader.named(8, "queue")
        yield reader.named(1, "priority")
        yield reader.named(8, "had been delivered: those that wait, up to LSN")


if __name__ == "__main__":
    content = Path(sys.argv[1]).read_bytes()
    used = len(content.rstrip(b"\0"))
    # With a little of what is not used.
    sys.stdout.write("\n".join(annotated(content[: -(-used // 8) * 8 + 32])) + "\n")

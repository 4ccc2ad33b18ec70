"""Field values of AMQP 0-9-1 tables, written and read octet by octet.

Written for the conformance dialogues alone and sharing nothing with the broker, so that one
mistake cannot hide in both. Numbers are big-endian. Decoding keeps the type letter of every
value when asked to, because clients tell an int32 from an int64 by nothing else.
"""

import struct
from typing import Any, NamedTuple

NUMBERS = {"b": ">b", "B": ">B", "s": ">h", "u": ">H", "I": ">i", "i": ">I", "l": ">q", "L": ">q", "f": ">f", "d": ">d"}


class Typed(NamedTuple):
    """A table value with its type letter, for when the letter matters."""

    letter: str
    value: Any


def shortstr(text: str | bytes) -> bytes:
    """A length octet and at most 255 octets."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack(">B", len(raw)) + raw


def longstr(text: str | bytes) -> bytes:
    """A 32-bit length and the octets."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack(">I", len(raw)) + raw


def table(fields: dict[str, Any]) -> bytes:
    """A field table with its 32-bit length in front."""
    return longstr(b"".join(shortstr(name) + value(content) for name, content in fields.items()))


def value(content: Any) -> bytes:
    """One field value behind its type letter; plain Python values get the usual letter."""
    letter, plain = content if isinstance(content, Typed) else (letter_of(content), content)
    return letter.encode() + encoded(letter, plain)


def letter_of(content: Any) -> str:
    """The letter that common clients send for a Python value."""
    if content is None:
        return "V"
    if isinstance(content, bool):
        return "t"
    if isinstance(content, int):
        return "I" if -(2**31) <= content < 2**31 else "l"
    return {float: "d", str: "S", bytes: "S", list: "A", dict: "F"}[type(content)]


def encoded(letter: str, plain: Any) -> bytes:
    """The octets of a value without its letter."""
    if letter in NUMBERS:
        return struct.pack(NUMBERS[letter], plain)
    if letter == "t":
        return struct.pack(">?", plain)
    if letter in "Sx":
        return longstr(plain)
    if letter == "F":
        return table(plain)
    if letter == "A":
        return longstr(b"".join(value(item) for item in plain))
    if letter == "T":
        return struct.pack(">Q", plain)
    if letter == "D":
        return struct.pack(">BI", *plain)
    return b""


class Reader:
    """Takes values off the front of a byte string."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` octets; EOFError when there are fewer."""
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise EOFError(f"{count} octets wanted, {len(piece)} left")
        self.at += count
        return piece

    def number(self, form: str) -> Any:
        """One number in a struct format."""
        (number,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return number

    def shortstr(self) -> str:
        """A short string as text."""
        return self.take(self.number(">B")).decode("utf-8", "surrogateescape")

    def longstr(self) -> bytes:
        """A long string as octets."""
        return self.take(self.number(">I"))

    def table(self, typed: bool = False) -> dict[str, Any]:
        """A field table, in wire order; values as ``Typed`` when asked."""
        inner = Reader(self.longstr())
        fields = {}
        while inner.at < len(inner.data):
            name = inner.shortstr()
            fields[name] = inner.value(typed)
        return fields

    def value(self, typed: bool = False) -> Any:
        """One field value with its letter."""
        letter = self.take(1).decode("latin-1")
        plain = self.plain(letter, typed)
        return Typed(letter, plain) if typed else plain

    def plain(self, letter: str, typed: bool) -> Any:
        """The value behind a letter; long strings become text where they are UTF-8."""
        if letter in NUMBERS:
            return self.number(NUMBERS[letter])
        if letter == "t":
            return self.number(">?")
        if letter == "S":
            return self.longstr().decode("utf-8", "surrogateescape")
        if letter == "x":
            return self.longstr()
        if letter == "F":
            return self.table(typed)
        if letter == "A":
            inner, items = Reader(self.longstr()), []
            while inner.at < len(inner.data):
                items.append(inner.value(typed))
            return items
        if letter == "T":
            return self.number(">Q")
        if letter == "D":
            return struct.unpack(">BI", self.take(5))
        if letter == "V":
            return None
        raise ValueError(f"field type {letter!r}")

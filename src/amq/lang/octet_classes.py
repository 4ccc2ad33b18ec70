"""Sets of octets, as ints with a bit for each: the classes of regular expressions, as RabbitMQ's PCRE has them.

It is compiled with tables for ISO 8859-1, so that letters are letters beyond ASCII, too.
"""

from collections.abc import Iterable
from typing import Final

ALL: Final = (1 << 256) - 1


def among(*ranges: tuple[int, int]) -> int:
    """The octets of these ranges, both ends included."""
    return sum([(1 << last + 1) - (1 << first) for first, last in ranges])


def of(octets: Iterable[int]) -> int:
    """Just these octets."""
    found = 0
    for octet in octets:
        found |= 1 << octet
    return found


DIGIT: Final = among((0x30, 0x39))
UPPER: Final = among((0x41, 0x5A), (0xC0, 0xD6), (0xD8, 0xDE))
LOWER: Final = among((0x61, 0x7A), (0xDF, 0xF6), (0xF8, 0xFF)) | of(b"\xaa\xb5\xba")
WORD: Final = DIGIT | UPPER | LOWER | of(b"_")
SPACE: Final = among((0x09, 0x0D)) | of(b" ")
NEWLINE: Final = of(b"\n")
GRAPH: Final = among((0x21, 0x7E), (0xA0, 0xFF))

# By the letter of their escape; the capital is the complement.
ESCAPED: Final = {
    "d": DIGIT,
    "s": SPACE,
    "w": WORD,
    "h": of(b"\t \xa0"),
    "v": among((0x0A, 0x0D)) | of(b"\x85"),
}
POSIX: Final = {
    "alnum": DIGIT | UPPER | LOWER,
    "alpha": UPPER | LOWER,
    "ascii": ALL,
    "blank": of(b"\t "),
    "cntrl": among((0x00, 0x1F), (0x7F, 0x9F)),
    "digit": DIGIT,
    "graph": GRAPH,
    "lower": LOWER,
    "print": GRAPH | of(b" "),
    "punct": GRAPH & ~(DIGIT | UPPER | LOWER),
    "space": SPACE,
    "upper": UPPER,
    "word": WORD,
    "xdigit": DIGIT | among((0x41, 0x46), (0x61, 0x66)),
}
# Capitals that have a small letter, which is 0x20 further on.
_FOLDED: Final = UPPER


def either_case(members: int) -> int:
    """These octets, and the letters among them in the other case, too."""
    return members | (members & _FOLDED) << 0x20 | (members >> 0x20) & _FOLDED

"""Letters of a pattern, one after the other, and what a backslash makes of them: PCRE's escapes."""

from typing import Final

from amq.lang import octet_classes as octets
from amq.lang import pattern_tree as tree
from amq.lang.pattern_tree import Assertion, Node, Octets

END_OF_PATTERN: Final = "\\ at end of pattern"
_SINGLE: Final = {"a": 7, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9}
_PLACES: Final = {
    "A": tree.START,
    "Z": tree.END,
    "z": tree.VERY_END,
    "b": tree.WORD,
    "B": tree.NO_WORD,
}
_NOT_HERE: Final = {
    "g": "back references and recursion are not supported",
    "k": "back references are not supported",
    "G": "\\G is not supported",
    "K": "\\K is not supported",
    "R": "\\R is not supported",
    "X": "\\X is not supported",
    "p": "\\p is not supported",
    "P": "\\P is not supported",
    **dict.fromkeys("LlUu", "PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u"),
}
_HEX: Final = "0123456789abcdefABCDEF"
OCTAL: Final = "01234567"
DIGITS: Final = "0123456789"


class ReadError(ValueError):
    """This is no regular expression, or none that is supported; `position` is in octets from 0."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


class Escapes:
    """A place in a pattern, and the flags that count there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text)
        self.pos = 0
        # Those of i, m, s and x that are set; they last until the group ends.
        self.flags: frozenset[str] = frozenset()

    def peek(self) -> str:
        """The next letter; empty at the end."""
        return self.text[self.pos : self.pos + 1]

    def take(self) -> str:
        """The next letter, which there is."""
        letter = self.text[self.pos]
        self.pos += 1
        return letter

    def one(self, octet: int) -> Node:
        """One octet, in both cases if they do not count."""
        members = 1 << octet
        return Octets((octets.either_case(members) if "i" in self.flags else members,))

    def escape(self) -> tuple[Node, bool]:
        """What a backslash, which is read, makes of the next letter."""
        if self.pos >= self.end:
            raise ReadError(END_OF_PATTERN, self.pos)
        letter = self.take()
        if letter in _PLACES:
            return Assertion(_PLACES[letter]), False
        if letter == "N":
            if self.peek() == "{" and self.braces() is None:
                raise ReadError(_NOT_HERE["L"], self.pos - 1)
            return Octets((octets.ALL & ~octets.NEWLINE,)), True
        if letter == "C":
            return Octets((octets.ALL,)), True
        members = class_of(letter)
        if members is not None:
            return Octets((members,)), True
        if letter in DIGITS[1:]:
            return self.one(self.number(letter)), True
        return self.one(self.escaped(letter)), True

    def braces(self) -> tuple[str, str | None, int] | None:
        """Of `{2,5}` both numbers as text and where it ends; None for anything else."""
        close = self.text.find("}", self.pos)
        least, comma, most = self.text[self.pos + 1 : max(close, 0)].partition(",")
        if not least or least.strip(DIGITS) or most.strip(DIGITS):
            return None
        return least, (most if comma else None), close + 1

    def number(self, first: str) -> int:
        """`\\101` is an octal number where it cannot be a back reference."""
        start = self.pos
        digits = first
        while self.peek() and self.peek() in DIGITS:
            digits += self.take()
        groups = self.text.count("(")
        if int(digits) <= groups or (len(digits) == 1 and first in OCTAL):
            raise ReadError("back references are not supported", start)
        self.pos = start
        return self.octal(first, 3) if first in OCTAL else ord(first)

    def escaped(self, letter: str) -> int:
        """The octet that an escape stands for, in brackets and outside of them."""
        if letter in _SINGLE:
            return _SINGLE[letter]
        if letter in _NOT_HERE:
            raise ReadError(_NOT_HERE[letter], self.pos - 1)
        if letter == "0":
            return self.octal("0", 3)
        if letter == "x":
            return self.hexadecimal()
        if letter == "o":
            return self.braced_octal()
        if letter == "c":
            if self.pos >= self.end:
                raise ReadError("\\c at end of pattern", self.end)
            controlled = ord(self.take())
            if controlled > 0x7F:
                raise ReadError("\\c must be followed by an ASCII character", self.pos - 1)
            return ord(chr(controlled).upper()) ^ 0x40
        return ord(letter)

    def octal(self, digits: str, most: int) -> int:
        """Up to so many octal digits, of which some are read."""
        while len(digits) < most and self.peek() and self.peek() in OCTAL:
            digits += self.take()
        if int(digits, 8) > 0xFF:
            raise ReadError("octal value is greater than \\377 in 8-bit non-UTF-8 mode", self.pos - 1)
        return int(digits, 8)

    def hexadecimal(self) -> int:
        """`\\x`, up to two digits, or any number of them in braces."""
        if self.peek() != "{":
            digits = ""
            while len(digits) < 2 and self.peek() and self.peek() in _HEX:
                digits += self.take()
            return int(digits or "0", 16)
        return self.braced(_HEX, 16, "non-hex character in \\x{} (closing brace missing?)")

    def braced_octal(self) -> int:
        """`\\o{101}`."""
        if self.peek() != "{":
            raise ReadError("missing opening brace after \\o", self.pos - 1)
        return self.braced(OCTAL, 8, "non-octal character in \\o{} (closing brace missing?)")

    def braced(self, allowed: str, base: int, problem: str) -> int:
        """A number in braces."""
        self.pos += 1
        start = self.pos
        while self.peek() and self.peek() in allowed:
            self.pos += 1
        digits = self.text[start : self.pos]
        if self.peek() != "}":
            raise ReadError(problem, self.pos)
        if not digits:
            raise ReadError("digits missing in \\x{} or \\o{}", self.pos)
        if len(digits) > 20 or int(digits, base) > 0xFF:
            raise ReadError("character value in \\x{} or \\o{} is too large", self.pos)
        self.pos += 1
        return int(digits, base)


def class_of(letter: str) -> int | None:
    """The octets of `\\d` and its like."""
    members = octets.ESCAPED.get(letter.lower())
    if members is None or letter.islower():
        return members
    return octets.ALL & ~members

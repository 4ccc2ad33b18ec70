"""Classes in brackets: `[^a-z\\d[:punct:]]`."""

from typing import Final

from amq.lang import octet_classes as octets
from amq.lang.pattern_escapes import END_OF_PATTERN, OCTAL, Escapes, ReadError, class_of
from amq.lang.pattern_tree import Node, Octets

NO_BRACKET: Final = "missing terminating ] for character class"
COLLATING: Final = "POSIX collating elements are not supported"


class Brackets(Escapes):
    """Reads a class."""

    def brackets(self) -> Node:
        """A class, of which the opening bracket is read."""
        if self.peek() in (":", ".", "=") and _posix_end(self.text, self.pos) >= 0:
            named = self.peek() == ":"
            problem = "POSIX named classes are supported only within a class" if named else COLLATING
            raise ReadError(problem, self.pos - 1)
        negative = self.peek() == "^"
        self.pos += negative
        members, first = 0, True
        quoting = False
        while True:
            if self.pos >= self.end:
                raise ReadError(NO_BRACKET, self.end)
            if self.text.startswith("\\E", self.pos):
                quoting = False
                self.pos += 2
                continue
            if not quoting and self.text.startswith("\\Q", self.pos):
                quoting = True
                self.pos += 2
                continue
            if not quoting and self.text[self.pos] == "]" and not first:
                self.pos += 1
                break
            members |= self.member(quoting)
            first = False
        if "i" in self.flags:
            members = octets.either_case(members)
        return Octets((octets.ALL & ~members if negative else members,))

    def member(self, quoting: bool) -> int:
        """The octets of a letter, an escape, a named class or a range."""
        low = self.member_end(quoting)
        if isinstance(low, Octets):
            return low.sets[0]
        if quoting or self.peek() != "-" or self.text[self.pos + 1 : self.pos + 2] in ("", "]"):
            return 1 << low
        self.pos += 1
        high = self.member_end(False)
        if isinstance(high, Octets):
            raise ReadError("invalid range in character class", self.pos - 1)
        if high < low:
            raise ReadError("range out of order in character class", self.pos - 1)
        return octets.among((low, high))

    def member_end(self, quoting: bool) -> int | Octets:
        """An octet that may begin or end a range, or a class."""
        letter = self.take()
        if letter == "[" and not quoting and self.peek() in (":", ".", "="):
            close = _posix_end(self.text, self.pos)
            if close >= 0:
                return Octets((self.posix(close),))
        if letter != "\\" or quoting:
            return ord(letter)
        if self.pos >= self.end:
            raise ReadError(END_OF_PATTERN, self.pos)
        letter = self.take()
        if letter == "b":
            return 8
        if letter == "N":
            raise ReadError("\\N is not supported in a class", self.pos - 1)
        if letter in "BRX":
            # PCRE takes these for the letters.
            return ord(letter)
        members = class_of(letter)
        if members is not None:
            return Octets((members,))
        if letter in OCTAL:
            return self.octal(letter, 3)
        return self.escaped(letter)

    def posix(self, close: int) -> int:
        """`[:alpha:]`, of which the opening bracket is read; `close` is where the closing marks stand."""
        if self.text[self.pos] != ":":
            raise ReadError(COLLATING, self.pos - 1)
        name = self.text[self.pos + 1 : close]
        members = octets.POSIX.get(name.removeprefix("^"))
        if members is None:
            raise ReadError("unknown POSIX class name", self.pos + 1)
        if "i" in self.flags and name.removeprefix("^") in ("upper", "lower"):
            members = octets.POSIX["alpha"]
        self.pos = close + 2
        return octets.ALL & ~members if name.startswith("^") else members


def _posix_end(text: str, pos: int) -> int:
    """Where the `:]` of a `[:name:]` stands whose first colon is at `pos`; -1 when it is none."""
    mark = text[pos]
    close = text.find(mark + "]", pos + 1)
    name = text[pos + 1 : close]
    return close if close >= 0 and not any(letter in "[]\\" for letter in name) else -1

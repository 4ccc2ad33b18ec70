"""Reads regular expressions as RabbitMQ does: PCRE without options, octet by octet. Pattern in, tree out.

What cannot be matched in a time that is bounded by the lengths of pattern and name, or not without remembering what
was matched before, is refused: back references, recursion, conditions, atomic groups, possessive quantifiers, verbs.
Words and positions of errors are PCRE's where it refuses, too.
"""

from typing import Final

from amq.lang import octet_classes as octets
from amq.lang import pattern_tree as tree
from amq.lang.pattern_tree import Assertion, Choice, Look, Node, Octets, Repeat, Sequence

# Groups within groups.
DEEPEST: Final = 100
MOST_TIMES: Final = 65_535
END_OF_PATTERN: Final = "\\ at end of pattern"
UNKNOWN_GROUP: Final = "unrecognized character after (? or (?-"
NO_BRACKET: Final = "missing terminating ] for character class"
COLLATING: Final = "POSIX collating elements are not supported"
NOTHING: Final = Octets(())
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
_LOOKS: Final = {"=": (True, False), "!": (True, True), "<=": (False, False), "<!": (False, True)}
_WHITE: Final = (" ", "\t", "\n", "\v", "\f", "\r")
_HEX: Final = "0123456789abcdefABCDEF"
_OCTAL: Final = "01234567"
_DIGITS: Final = "0123456789"


class ReadError(ValueError):
    """This is no regular expression, or none that is supported; `position` is in octets from 0."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


def read(pattern: bytes) -> Node:
    """The tree of a pattern. Raises ReadError."""
    reader = _Reader(pattern.decode("latin-1"))
    found = reader.choice(0)
    if reader.pos < reader.end:
        raise ReadError("unmatched parentheses", reader.pos)
    return found


class _Reader:
    """A place in a pattern, and the flags that count there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text)
        self.pos = 0
        self.quoting = False
        # Those of i, m, s and x that are set; they last until the group ends.
        self.flags: frozenset[str] = frozenset()

    # -- structure --

    def choice(self, depth: int) -> Node:
        """Alternatives, up to the end of the group."""
        flags = self.flags
        branches = [self.sequence(depth)]
        while self.peek() == "|":
            self.pos += 1
            branches.append(self.sequence(depth))
        self.flags = flags
        return branches[0] if len(branches) == 1 else _either(branches)

    def sequence(self, depth: int) -> Node:
        """One alternative."""
        parts: list[Node] = []
        # Whether what was read last can be repeated.
        repeatable = False
        while self.pos < self.end:
            if self.skip():
                continue
            letter = self.text[self.pos]
            if not self.quoting and letter in "|)":
                break
            if not self.quoting and self.at_quantifier():
                self.repeat(parts, repeatable)
                repeatable = False
                continue
            part, repeatable = self.part(depth)
            if part is not None:
                parts.append(part)
        return _joined(parts)

    def skip(self) -> bool:
        """Pass over what stands for nothing: comments, marks of quotations, with the flag x white space."""
        if self.text.startswith("\\E", self.pos):
            self.quoting = False
            self.pos += 2
        elif self.quoting:
            return False
        elif self.text.startswith("\\Q", self.pos):
            self.quoting = True
            self.pos += 2
        elif self.text.startswith("(?#", self.pos):
            close = self.text.find(")", self.pos)
            if close < 0:
                raise ReadError("missing ) after comment", self.end)
            self.pos = close + 1
        elif "x" in self.flags and self.text[self.pos] in _WHITE:
            self.pos += 1
        elif "x" in self.flags and self.text[self.pos] == "#":
            newline = self.text.find("\n", self.pos)
            self.pos = self.end if newline < 0 else newline + 1
        else:
            return False
        return True

    def part(self, depth: int) -> tuple[Node | None, bool]:
        """The next thing, None for one that sets flags, and whether it can be repeated."""
        letter = self.take()
        if self.quoting:
            return self.one(ord(letter)), True
        if letter == "^":
            return Assertion(tree.LINE_START if "m" in self.flags else tree.START), False
        if letter == "$":
            return Assertion(tree.LINE_END if "m" in self.flags else tree.END), False
        if letter == ".":
            return Octets((octets.ALL if "s" in self.flags else octets.ALL & ~octets.NEWLINE,)), True
        if letter == "[":
            return self.brackets(), True
        if letter == "(":
            return self.group(depth)
        if letter == "\\":
            return self.escape()
        return self.one(ord(letter)), True

    def one(self, octet: int) -> Node:
        """One octet, in both cases if they do not count."""
        members = 1 << octet
        return Octets((octets.either_case(members) if "i" in self.flags else members,))

    # -- quantifiers --

    def at_quantifier(self) -> bool:
        """Whether a quantifier stands here; `{` is one only if it is whole."""
        letter = self.text[self.pos]
        return letter in "*+?" or (letter == "{" and self.braces() is not None)

    def braces(self) -> tuple[str, str | None, int] | None:
        """Of `{2,5}` both numbers as text and where it ends; None for anything else."""
        close = self.text.find("}", self.pos)
        least, comma, most = self.text[self.pos + 1 : max(close, 0)].partition(",")
        if not least or least.strip(_DIGITS) or most.strip(_DIGITS):
            return None
        return least, (most if comma else None), close + 1

    def repeat(self, parts: list[Node], repeatable: bool) -> None:
        """Take a quantifier and let what was read last be repeated."""
        least, most = self.quantifier()
        if not repeatable:
            raise ReadError("nothing to repeat", self.pos - 1)
        after = self.pos
        while "x" in self.flags and self.text[after : after + 1] in _WHITE:
            after += 1
        if self.text.startswith("+", after):
            raise ReadError("possessive quantifiers are not supported", after)
        if self.text.startswith("?", after):
            # Lazy: what is found first does not matter where only whether counts.
            self.pos = after + 1
        part = parts.pop()
        if isinstance(part, Look):
            # PCRE looks once at most.
            least, most = min(least, 1), 1
        parts.append(Repeat(part, least, most))

    def quantifier(self) -> tuple[int, int | None]:
        """How often, at least and at most."""
        letter = self.text[self.pos]
        if letter in "*+?":
            self.pos += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[letter]
        found = self.braces()
        assert found is not None, "at_quantifier has seen it"
        least, most, self.pos = found
        if max(len(least), len(most or "")) > 5 or max(int(least), int(most or 0)) > MOST_TIMES:
            raise ReadError("number too big in {} quantifier", self.pos - 1)
        if most and int(most) < int(least):
            raise ReadError("numbers out of order in {} quantifier", self.pos - 1)
        if most is None:
            return int(least), int(least)
        return int(least), int(most) if most else None

    # -- groups --

    def group(self, depth: int) -> tuple[Node | None, bool]:
        """What stands in parentheses, of which the first is read."""
        if depth >= DEEPEST:
            raise ReadError("parentheses are too deeply nested", self.pos)
        if self.peek() == "*":
            self.refuse_verb()
        if self.peek() != "?":
            return self.inside(depth), True
        self.pos += 1
        for mark, (ahead, negative) in _LOOKS.items():
            if self.text.startswith(mark, self.pos):
                self.pos += len(mark)
                return Look(self.inside(depth), ahead, negative), True
        letter = self.peek()
        if letter in (":", "|"):
            self.pos += 1
            return self.inside(depth), True
        if letter in ("<", "'", "P"):
            self.name()
            return self.inside(depth), True
        self.refuse_group(letter)
        return self.flag_group(depth)

    def inside(self, depth: int) -> Node:
        """Up to the closing parenthesis."""
        found = self.choice(depth + 1)
        if self.peek() != ")":
            raise ReadError("missing )", self.end)
        self.pos += 1
        return found

    def name(self) -> None:
        """Pass over the name of a group."""
        letter = self.take()
        if letter == "P":
            if self.peek() in ("=", ">"):
                raise ReadError("back references and recursion are not supported", self.pos)
            if self.peek() != "<":
                raise ReadError("unrecognized character after (?P", min(self.pos + 1, self.end))
            letter = self.take()
        close = ">" if letter == "<" else "'"
        start = self.pos
        while self.peek().isalnum() or self.peek() == "_":
            self.pos += 1
        if self.pos == start:
            raise ReadError("unrecognized character after (?<", self.pos)
        if self.text[start] in _DIGITS:
            raise ReadError("group name must start with a non-digit", start)
        if self.peek() != close:
            raise ReadError("syntax error in subpattern name (missing terminator)", self.pos)
        self.pos += 1

    def refuse_verb(self) -> None:
        """`(*NAME)` is a verb, `(*)` a mistake that is noticed elsewhere."""
        following = self.text[self.pos + 1 : self.pos + 2]
        if following.isupper() or following == ":":
            raise ReadError("verbs are not supported", self.pos)

    def refuse_group(self, letter: str) -> None:
        """Raise ReadError for groups that PCRE knows and this does not."""
        if letter == ">":
            raise ReadError("atomic groups are not supported", self.pos)
        if letter == "(":
            raise ReadError("conditions are not supported", self.pos)
        following = self.text[self.pos + 1 : self.pos + 2]
        signed = letter == "-" and following != "" and following in _DIGITS
        if (letter != "" and letter in "R&+C0123456789") or signed:
            raise ReadError("recursion and callouts are not supported", self.pos)

    def flag_group(self, depth: int) -> tuple[Node | None, bool]:
        """`(?i)` for what follows in this group, or `(?i:...)` for what stands in it."""
        flags, setting = set(self.flags), True
        while (letter := self.peek()) not in (")", ":"):
            if letter == "-":
                setting = False
            elif letter in ("i", "m", "s", "x"):
                (flags.add if setting else flags.discard)(letter)
            elif letter not in ("J", "U"):
                # Those two have nothing to do with whether something matches.
                raise ReadError(UNKNOWN_GROUP, min(self.pos, self.end))
            self.pos += 1
        self.pos += 1
        before = self.flags
        self.flags = frozenset(flags)
        if letter == ")":
            return None, False
        found = self.inside(depth)
        self.flags = before
        return found, True

    # -- escapes --

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
        members = _class_of(letter)
        if members is not None:
            return Octets((members,)), True
        if letter in _DIGITS[1:]:
            return self.one(self.number(letter)), True
        return self.one(self.escaped(letter)), True

    def number(self, first: str) -> int:
        """`\\101` is an octal number where it cannot be a back reference."""
        start = self.pos
        digits = first
        while self.peek() and self.peek() in _DIGITS:
            digits += self.take()
        groups = self.text.count("(")
        if int(digits) <= groups or (len(digits) == 1 and first in _OCTAL):
            raise ReadError("back references are not supported", start)
        self.pos = start
        return self.octal(first, 3) if first in _OCTAL else ord(first)

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
        while len(digits) < most and self.peek() and self.peek() in _OCTAL:
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
        return self.braced(_OCTAL, 8, "non-octal character in \\o{} (closing brace missing?)")

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

    # -- brackets --

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
        members = _class_of(letter)
        if members is not None:
            return Octets((members,))
        if letter in _OCTAL:
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

    # -- letters --

    def peek(self) -> str:
        """The next letter; empty at the end."""
        return self.text[self.pos : self.pos + 1]

    def take(self) -> str:
        """The next letter, which there is."""
        letter = self.text[self.pos]
        self.pos += 1
        return letter


def _class_of(letter: str) -> int | None:
    """The octets of `\\d` and its like."""
    members = octets.ESCAPED.get(letter.lower())
    if members is None or letter.islower():
        return members
    return octets.ALL & ~members


def _posix_end(text: str, pos: int) -> int:
    """Where the `:]` of a `[:name:]` stands whose first colon is at `pos`; -1 when it is none."""
    mark = text[pos]
    close = text.find(mark + "]", pos + 1)
    name = text[pos + 1 : close]
    return close if close >= 0 and not any(letter in "[]\\" for letter in name) else -1


def _either(branches: list[Node]) -> Node:
    """One or the other; of single octets a set of them."""
    members = 0
    for branch in branches:
        if not isinstance(branch, Octets) or len(branch.sets) != 1:
            return Choice(tuple(branches))
        members |= branch.sets[0]
    return Octets((members,))


def _joined(parts: list[Node]) -> Node:
    """One after the other, with neighbouring octets made one."""
    joined: list[Node] = []
    for part in parts:
        before = joined[-1] if joined else None
        if isinstance(part, Octets) and isinstance(before, Octets):
            joined[-1] = Octets(before.sets + part.sets)
        else:
            joined.append(part)
    if not joined:
        return NOTHING
    return joined[0] if len(joined) == 1 else Sequence(tuple(joined))

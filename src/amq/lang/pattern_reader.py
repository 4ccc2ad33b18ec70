"""Reads regular expressions as RabbitMQ does: PCRE without options, octet by octet. Pattern in, tree out.

What cannot be matched in a time that is bounded by the lengths of pattern and name, or not without remembering what
was matched before, is refused: back references, recursion, conditions, atomic groups, possessive quantifiers, verbs.
Words and positions of errors are PCRE's where it refuses, too.
"""

from typing import Final

from amq.lang import octet_classes as octets
from amq.lang import pattern_tree as tree
from amq.lang.pattern_brackets import Brackets
from amq.lang.pattern_escapes import DIGITS, ReadError
from amq.lang.pattern_tree import Assertion, Choice, Look, Node, Octets, Repeat, Sequence

# Groups within groups.
DEEPEST: Final = 100
MOST_TIMES: Final = 65_535
UNKNOWN_GROUP: Final = "unrecognized character after (? or (?-"
NOTHING: Final = Octets(())
_LOOKS: Final = {"=": (True, False), "!": (True, True), "<=": (False, False), "<!": (False, True)}
_WHITE: Final = (" ", "\t", "\n", "\v", "\f", "\r")


def read(pattern: bytes) -> Node:
    """The tree of a pattern. Raises ReadError."""
    reader = _Reader(pattern.decode("latin-1"))
    found = reader.choice(0)
    if reader.pos < reader.end:
        raise ReadError("unmatched parentheses", reader.pos)
    return found


class _Reader(Brackets):
    """Reads sequences, alternatives, groups and quantifiers."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.quoting = False

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

    # -- quantifiers --

    def at_quantifier(self) -> bool:
        """Whether a quantifier stands here; `{` is one only if it is whole."""
        letter = self.text[self.pos]
        return letter in "*+?" or (letter == "{" and self.braces() is not None)

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
        if self.text[start] in DIGITS:
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
        signed = letter == "-" and following != "" and following in DIGITS
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

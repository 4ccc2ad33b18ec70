"""Whether a regular expression is found in a name, in a time that is bounded by the lengths of both.

A set of places between the octets of a name is an int with a bit for each. The expression is a graph of states, each
with the places at which the search may be in it; a state hands its new places on, moved by what it matches, until
nothing new comes. Every state takes every place once at most: states times places is all the work there can be, however
the expression is nested. What is asserted of places (an end, a lookahead) is such a set, found once.

    ab*c in "xabbc"   places 0-5   "a" at {1} -> {2}; b* -> {2, 3, 4}; "c" at {4} -> {5}: found
"""

from typing import Final

from amq.lang import octet_classes as octets
from amq.lang import pattern_tree as tree
from amq.lang.pattern_tree import Assertion, Choice, Look, Node, Octets, Repeat, Sequence, backwards

# What a state takes: a string of octets, as many octets of a set as there are, nothing but several ways on, nothing but
# that something holds; or it is the end.
STRING: Final = 0
RUN: Final = 1
FORK: Final = 2
TEST: Final = 3
FOUND: Final = 4
CARRIED: Final = -1
_SHIFTS: Final = {RUN: CARRIED, FOUND: -2}
EVERYWHERE: Final = -1
# So many octets of a string count as a state of their own.
OCTETS_PER_STATE: Final = 32
LONGEST_STRING: Final = 10_000


class TooLarge(ValueError):
    """An expression has more states than may be."""


class Program:
    """A graph of states: of each what it does, with what, and where it goes on.

    `shifts` are the octets that a state takes, or less than 0 for one that is no string and no test; `masks` are the
    places at which it may take them, None where that depends on the name.
    """

    __slots__ = ("kinds", "data", "followers", "shifts", "masks", "entry", "_constants")

    def __init__(self, node: Node, constants: "Constants") -> None:
        self.kinds: list[int] = []
        self.data: list[int] = []
        self.followers: list[tuple[int, ...]] = []
        self.shifts: list[int] = []
        self.masks: list[int | None] = []
        self._constants = constants
        self.entry = self._compile(node, self._state(FOUND, 0, ()))

    def search(self, subject: "Subject", everywhere: bool) -> int:
        """The places at which a match ends that begins anywhere; with `everywhere` false, some of them will do."""
        followers, shifts = self.followers, self.shifts
        masks = self.masks[:]
        pending = [0] * len(masks)
        missing = [-1] * len(masks)
        pending[self.entry] = subject.all_places
        missing[self.entry] = ~subject.all_places
        queue = [self.entry]
        # It grows while it is gone through.
        for state in queue:
            places = pending[state]
            pending[state] = 0
            mask = masks[state]
            if mask is None:
                mask = masks[state] = subject.mask(self.kinds[state], self.data[state])
            shift = shifts[state]
            if shift >= 0:
                places = (places & mask) << shift
            elif shift == CARRIED:
                # Adding a place to a run of ones carries it to the run's end.
                places |= ((places & mask) + mask) ^ mask
            elif not everywhere:
                return places
            if not places:
                continue
            for follower in followers[state]:
                new = places & missing[follower]
                if new:
                    missing[follower] ^= new
                    if not pending[follower]:
                        queue.append(follower)
                    pending[follower] |= new
        # The first state is the end.
        return ~missing[0]

    # -- compiling --

    def _state(self, kind: int, data: int, followers: tuple[int, ...]) -> int:
        self._constants.count(1)
        self.kinds.append(kind)
        self.data.append(data)
        self.followers.append(followers)
        self.shifts.append(_SHIFTS.get(kind, 0) if kind != STRING else len(self._constants.strings[data]))
        self.masks.append(None if kind in (STRING, RUN, TEST) else EVERYWHERE)
        return len(self.kinds) - 1

    def _compile(self, node: Node, after: int) -> int:
        """States for a node that go on with `after`; returns where they begin."""
        if isinstance(node, Octets):
            return self._state(STRING, self._constants.string(node.sets), (after,)) if node.sets else after
        if isinstance(node, Sequence):
            for part in reversed(node.parts):
                after = self._compile(part, after)
            return after
        if isinstance(node, Choice):
            return self._state(FORK, 0, tuple([self._compile(part, after) for part in node.parts]))
        if isinstance(node, Repeat):
            return self._repeat(node, after)
        return self._state(TEST, self._constants.test(node), (after,))

    def _repeat(self, node: Repeat, after: int) -> int:
        least = node.least
        if node.most is None:
            if isinstance(node.part, Octets) and len(node.part.sets) == 1:
                after = self._state(RUN, self._constants.one_of(node.part.sets[0]), (after,))
            else:
                fork = self._state(FORK, 0, (after,))
                again = self._compile(node.part, fork)
                self.followers[fork] = (again, after)
                # What comes once at least begins with it, and needs no copy for that.
                after = again if least else fork
                least = max(least - 1, 0)
        else:
            # (((x)?x)?x)?: each one that may come is followed by fewer.
            end = after
            for _ in range(node.most - least):
                after = self._state(FORK, 0, (self._compile(node.part, after), end))
        if isinstance(node.part, Octets) and len(node.part.sets) * least <= LONGEST_STRING:
            return self._compile(Octets(node.part.sets * least), after)
        for _ in range(least):
            after = self._compile(node.part, after)
        return after


class Constants:
    """What programs of one pattern refer to by number: strings, sets of octets, and what is asserted of places.

    All of them together have at most so many states.
    """

    __slots__ = ("states", "most_states", "strings", "tables", "tests", "programs", "_numbers")

    def __init__(self, most_states: int) -> None:
        self.states: int = 0
        self.most_states = most_states
        # Each octet of one is one of a set.
        self.strings: list[tuple[int, ...]] = []
        # For `bytes.translate`: "1" for a member and "0" for any other octet.
        # The first 256 are those of single octets.
        self.tables: list[bytes] = list(_SINGLE)
        self.tests: list[Assertion | Look] = []
        # Of each Look the program that finds its places.
        self.programs: dict[int, Program] = {}
        self._numbers: dict[object, int] = {}

    def count(self, states: int) -> None:
        """There are so many states more. Raises TooLarge."""
        self.states += states
        if self.states > self.most_states:
            raise TooLarge

    def string(self, sets: tuple[int, ...]) -> int:
        """The number of a string."""
        self.count(len(sets) // OCTETS_PER_STATE)
        number = self._numbers.setdefault(sets, len(self.strings))
        if number == len(self.strings):
            self.strings.append(tuple([self.one_of(members) for members in sets]))
        return number

    def one_of(self, members: int) -> int:
        """The number of a set of octets."""
        if members & (members - 1) == 0 and members:
            return members.bit_length() - 1
        number = self._numbers.setdefault(members, len(self.tables))
        if number == len(self.tables):
            self.tables.append(table_of(members))
        return number

    def test(self, node: Assertion | Look) -> int:
        """The number of something that is asserted."""
        number = self._numbers.setdefault(node, len(self.tests))
        if number == len(self.tests):
            self.tests.append(node)
            if isinstance(node, Look):
                # What lies ahead is found from its end.
                self.programs[number] = Program(backwards(node.part) if node.ahead else node.part, self)
        return number


class Subject:
    """A name that is searched, read in one direction, with what was found out about its places."""

    __slots__ = ("octets", "all_places", "_constants", "_other", "_known")

    def __init__(self, name: bytes, constants: Constants, other: "Subject | None" = None) -> None:
        self.octets = name
        self.all_places = (2 << len(name)) - 1
        self._constants = constants
        # The same name read in the other direction; that which was there first is read forwards.
        self._other = other
        # By kind of state and number.
        self._known: dict[tuple[int, int], int] = {}

    def mask(self, kind: int, number: int) -> int:
        """The places at which a state of that kind goes on."""
        if kind == STRING:
            return self.starts(number)
        return self.members(number) if kind == RUN else self.truths(number)

    def members(self, number: int) -> int:
        """The places behind which an octet of that set stands."""
        found = self._known.get((RUN, number))
        if found is None:
            found = self._known[RUN, number] = self.places_of(self._constants.tables[number])
        return found

    def starts(self, number: int) -> int:
        """The places at which that string stands."""
        found = self._known.get((STRING, number))
        if found is None:
            found = self.all_places
            for offset, members in enumerate(self._constants.strings[number]):
                found &= self.members(members) >> offset
                if not found:
                    break
            self._known[STRING, number] = found
        return found

    def truths(self, number: int) -> int:
        """The places of which that assertion is true."""
        found = self._known.get((TEST, number))
        if found is None:
            if self._other is None:
                found = self._find(self._constants.tests[number], number)
            else:
                found = mirrored(self._other.truths(number), len(self.octets) + 1)
            self._known[TEST, number] = found
        return found

    def places_of(self, table: bytes) -> int:
        """The places behind which an octet stands that the table has a "1" for."""
        return int(self.octets[::-1].translate(table) or b"0", 2)

    def _find(self, test: Assertion | Look, number: int) -> int:
        if isinstance(test, Assertion):
            return self._asserted(test.kind)
        program = self._constants.programs[number]
        if test.ahead:
            backward = Subject(self.octets[::-1], self._constants, self)
            found = mirrored(program.search(backward, True), len(self.octets) + 1)
        else:
            found = program.search(self, True)
        return self.all_places & ~found if test.negative else found

    def _asserted(self, kind: str) -> int:
        end = 1 << len(self.octets)
        if kind == tree.START:
            return 1
        if kind == tree.VERY_END:
            return end
        if kind == tree.END:
            return end | (end >> 1 if self.octets.endswith(b"\n") else 0)
        if kind in (tree.LINE_START, tree.LINE_END):
            newlines = self.places_of(_NEWLINE)
            # Behind a newline that ends the name no line begins.
            return newlines | end if kind == tree.LINE_END else 1 | (newlines << 1) & ~end
        words = self.places_of(_WORD)
        edges = words ^ words << 1
        return edges if kind == tree.WORD else self.all_places & ~edges


def table_of(members: int) -> bytes:
    """For `bytes.translate`: "1" for each of these octets, "0" for the others."""
    return f"{members:0256b}"[::-1].encode("ascii")


def mirrored(places: int, count: int) -> int:
    """The same of so many places, counted from the other end."""
    return int(f"{places:0{count}b}"[::-1], 2)


_SINGLE: Final = tuple([table_of(1 << octet) for octet in range(256)])
_NEWLINE: Final = table_of(octets.NEWLINE)
_WORD: Final = table_of(octets.WORD)

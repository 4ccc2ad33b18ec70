"""Regular expressions of operators: permissions, policies, filters. As RabbitMQ reads them, and bounded in time.

Searched anywhere in a name (unanchored), octet by octet. The work for a name is at most the number of the expression's
states times the name's octets (`amq.lang.pattern_program`), where `re` may take for ever; decision 0019 has figures.
Knows nothing of what a pattern is for.
"""

from functools import lru_cache
from typing import Final, Literal

from amq.lang import pattern_reader
from amq.lang.pattern_escapes import ReadError
from amq.lang.pattern_program import Constants, Program, Subject, TooLarge
from amq.lang.pattern_tree import Node, found_at_once

# Octets of a pattern.
LONGEST: Final = 10_000
# States of one that an operator sets: with names of 255 octets some take 20 ms, ordinary ones a few us. And of one that
# anybody may send with a request for a list, where it is searched in thousands of names.
MOST_STATES: Final = 500
MOST_STATES_OF_FILTER: Final = 50


class PatternError(ValueError):
    """A pattern is no regular expression, or one that is not supported; the text says what is wrong and where.

    `problem` alone is PCRE's where it has the same; `position` is in octets from 0.
    """

    def __init__(self, pattern: str, problem: str, position: int) -> None:
        super().__init__(f"{pattern!r} is not a usable regular expression: {problem} at position {position}")
        self.problem = problem
        self.position = position


class Pattern:
    """A regular expression that was compiled. Raises ReadError and TooLarge."""

    __slots__ = ("_constants", "_everywhere", "_program")

    def __init__(self, node: Node, most_states: int) -> None:
        self._constants = Constants(most_states)
        self._program = Program(node, self._constants)
        # Whatever the name is: no need to look.
        self._everywhere = found_at_once(node)

    @property
    def states(self) -> int:
        """How much work it is at most, for each octet of a name."""
        return self._constants.states

    def search(self, name: bytes) -> Literal[True] | None:
        """Whether it is found anywhere in a name: something true, or None, as in `re`."""
        if self._everywhere or self._program.search(Subject(name, self._constants), False):
            return True
        return None


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Pattern:
    """A pattern to search names with. The empty one is found in every name.

    Raises PatternError.
    """
    return _compiled(pattern, MOST_STATES)


def compile_filter(pattern: str) -> Pattern:
    """The same for one that comes with a request and is searched in many names: it may be less complicated."""
    return _compiled(pattern, MOST_STATES_OF_FILTER)


def _compiled(pattern: str, most_states: int) -> Pattern:
    octets = _octets(pattern)
    if len(octets) > LONGEST:
        raise PatternError(f"{pattern[:20]}...", f"it has {len(octets)} octets, {LONGEST} are allowed", LONGEST)
    try:
        return Pattern(pattern_reader.read(octets), most_states)
    except ReadError as error:
        raise PatternError(pattern, error.problem, error.position) from None
    except TooLarge:
        raise PatternError(pattern, "regular expression is too large", len(octets)) from None


def _octets(pattern: str) -> bytes:
    try:
        return pattern.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half a surrogate pair, which a text of JSON may have.
        return pattern.encode("utf-8", "surrogatepass")

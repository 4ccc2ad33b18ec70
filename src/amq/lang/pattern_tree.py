"""A regular expression as a tree, over octets. What is searched may be read in either direction: `backwards`."""

from typing import Final

import attrs

# What an Assertion says of a place between octets.
START: Final = "start"
LINE_START: Final = "line start"
END: Final = "end"
LINE_END: Final = "line end"
VERY_END: Final = "very end"
WORD: Final = "edge of a word"
NO_WORD: Final = "no edge of a word"


@attrs.frozen
class Octets:
    """So many octets, none at all included: at each place one of those whose bits are set."""

    sets: tuple[int, ...]


@attrs.frozen
class Sequence:
    """One after the other."""

    parts: tuple["Node", ...]


@attrs.frozen
class Choice:
    """One of them, whichever."""

    parts: tuple["Node", ...]


@attrs.frozen
class Repeat:
    """At least and at most so many times; no `most` is as often as one likes."""

    part: "Node"
    least: int
    most: int | None


@attrs.frozen
class Assertion:
    """Something of the place itself; `kind` is one of the words above."""

    kind: str


@attrs.frozen
class Look:
    """Whether what comes next (`ahead`) or came before is, or with `negative` is not, this."""

    part: "Node"
    ahead: bool
    negative: bool


Node = Octets | Sequence | Choice | Repeat | Assertion | Look


def backwards(node: Node) -> Node:
    """What matches the same, read from its end to its beginning. Places and what is said of them stay."""
    if isinstance(node, Octets):
        return Octets(node.sets[::-1])
    if isinstance(node, Sequence):
        return Sequence(tuple(backwards(part) for part in reversed(node.parts)))
    if isinstance(node, Choice):
        return Choice(tuple(backwards(part) for part in node.parts))
    if isinstance(node, Repeat):
        return Repeat(backwards(node.part), node.least, node.most)
    return node


def found_at_once(node: Node) -> bool:
    """Whether it matches nothing at all at the beginning of any name, so that it is found in every one."""
    if isinstance(node, Octets):
        return not node.sets
    if isinstance(node, Sequence):
        return all(found_at_once(part) for part in node.parts)
    if isinstance(node, Choice):
        return any(found_at_once(part) for part in node.parts)
    if isinstance(node, Repeat):
        return node.least == 0 or found_at_once(node.part)
    return isinstance(node, Assertion) and node.kind in (START, LINE_START)

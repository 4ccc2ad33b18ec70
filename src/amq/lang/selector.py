"""Selectors: conditions on messages, as trees that are evaluated once per message.

The language is that of JMS selectors, which is SQL-92's of search conditions; `amq.lang.selector_grammar` reads it,
`amq.lang.selector_subject` knows what a message has to say. Here is what the parts of a selector mean.

A value is a str, an int, a float, a bool, something with parts (a dict or a list), or None: unknown. What a message
does not have is unknown, and so is what cannot be compared or computed: a selector that asks for it does not match,
and neither does its opposite.
"""

from typing import Any, Final

from amq.lang.selector_like import Like
from amq.lang.selector_subject import Subject
from amq.message import Message

# Larger results of arithmetic go on as a float, so that no selector makes numbers that grow without end.
MAX_INTEGER: Final = 1 << 63


class SelectorError(ValueError):
    """The text is no selector; `message` says what is wrong and what is allowed there. Line and column count from 1."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.line = line
        self.column = column
        self.message = message


class Node:
    """A part of a selector."""

    __slots__ = ()

    def value(self, subject: Subject) -> Any:
        """What it is for that message; None: unknown."""
        raise NotImplementedError


class Selector:
    """A whole selector. `text` is what it was made from."""

    __slots__ = ("text", "root", "subject")

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self.root = root
        # One for all messages, one after the other.
        self.subject = Subject()

    def matches(self, message: Message, redelivered: bool) -> bool:
        """Whether the selector is true of a message. Nothing of the message is kept, or left in its caches."""
        subject = self.subject
        subject.look_at(message, redelivered)
        try:
            return self.root.value(subject) is True
        finally:
            subject.forget()


class Constant(Node):
    """A string, a number, TRUE or FALSE."""

    __slots__ = ("constant",)

    def __init__(self, constant: str | int | float | bool) -> None:
        self.constant = constant

    def value(self, subject: Subject) -> Any:
        return self.constant


class Or(Node):
    """True if one is; unknown if none is and one is unknown."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Node]) -> None:
        self.parts = parts

    def value(self, subject: Subject) -> Any:
        answer: bool | None = False
        for part in self.parts:
            found = part.value(subject)
            if found is True:
                return True
            if found is not False:
                answer = None
        return answer


class And(Node):
    """False if one is; unknown if none is and one is unknown."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Node]) -> None:
        self.parts = parts

    def value(self, subject: Subject) -> Any:
        answer: bool | None = True
        for part in self.parts:
            found = part.value(subject)
            if found is False:
                return False
            if found is not True:
                answer = None
        return answer


class Not(Node):
    """The opposite; that of the unknown, and of what is no truth value, is unknown."""

    __slots__ = ("part",)

    def __init__(self, part: Node) -> None:
        self.part = part

    def value(self, subject: Subject) -> Any:
        found = self.part.value(subject)
        if found is True:
            return False
        return True if found is False else None


class Comparison(Node):
    """Two values, compared by `compare` if they are of one kind; otherwise unknown."""

    __slots__ = ("left", "right")

    def __init__(self, left: Node, right: Node) -> None:
        self.left = left
        self.right = right

    def value(self, subject: Subject) -> Any:
        left = self.left.value(subject)
        right = self.right.value(subject)
        kind = _KINDS.get(type(left), _UNCOMPARABLE)
        if kind == _UNCOMPARABLE or kind != _KINDS.get(type(right), _UNCOMPARABLE):
            return None
        return self.compare(left, right, kind)

    def compare(self, left: Any, right: Any, kind: int) -> bool | None:
        """The answer for two values of that kind."""
        raise NotImplementedError


# What may be compared with what: numbers with numbers, strings with strings, TRUE and FALSE with each other.
_UNCOMPARABLE: Final = 0
_NUMBER: Final = 1
_TEXT: Final = 2
_TRUTH: Final = 3
_KINDS: Final[dict[type, int]] = {int: _NUMBER, float: _NUMBER, str: _TEXT, bool: _TRUTH}


def kind_of(value: object) -> int:
    """Two values can be compared if this is the same for both, and not 0."""
    return _KINDS.get(type(value), _UNCOMPARABLE)


class Equal(Comparison):
    """`=`"""

    __slots__ = ()

    def compare(self, left: Any, right: Any, kind: int) -> bool | None:
        return bool(left == right)


class NotEqual(Comparison):
    """`<>`"""

    __slots__ = ()

    def compare(self, left: Any, right: Any, kind: int) -> bool | None:
        return bool(left != right)


class Less(Comparison):
    """`<`; `>` is that with the sides exchanged. TRUE and FALSE have no order."""

    __slots__ = ()

    def compare(self, left: Any, right: Any, kind: int) -> bool | None:
        return None if kind == _TRUTH else bool(left < right)


class LessOrEqual(Comparison):
    """`<=`; `>=` is that with the sides exchanged."""

    __slots__ = ()

    def compare(self, left: Any, right: Any, kind: int) -> bool | None:
        return None if kind == _TRUTH else bool(left <= right)


class OneOf(Node):
    """`IN`: whether a value is one of several constants; unknown if none of them is of its kind."""

    __slots__ = ("part", "constants", "kinds")

    def __init__(self, part: Node, constants: list[str | int | float | bool]) -> None:
        self.part = part
        # By kind and value, because to Python 1 is TRUE.
        self.constants = frozenset([(kind_of(constant), constant) for constant in constants])
        self.kinds = frozenset([kind for kind, _ in self.constants])

    def value(self, subject: Subject) -> Any:
        found = self.part.value(subject)
        kind = kind_of(found)
        if kind == _UNCOMPARABLE:
            return None
        if (kind, found) in self.constants:
            return True
        # As with a row of comparisons by `=` and OR, a comparison with another kind of value is unknown.
        return False if self.kinds == {kind} else None


class Matches(Node):
    """`LIKE`; unknown if the value is no string."""

    __slots__ = ("part", "like")

    def __init__(self, part: Node, like: Like) -> None:
        self.part = part
        self.like = like

    def value(self, subject: Subject) -> Any:
        found = self.part.value(subject)
        return self.like.matches(found) if type(found) is str else None


class Contains(Node):
    """`CONTAINS`: whether a string stands anywhere in another one; unknown if one of them is no string."""

    __slots__ = ("whole", "part")

    def __init__(self, whole: Node, part: Node) -> None:
        self.whole = whole
        self.part = part

    def value(self, subject: Subject) -> Any:
        whole = self.whole.value(subject)
        part = self.part.value(subject)
        return part in whole if type(whole) is str and type(part) is str else None


class IsNull(Node):
    """`IS NULL`: whether the message does not have it. Never unknown."""

    __slots__ = ("part",)

    def __init__(self, part: Node) -> None:
        self.part = part

    def value(self, subject: Subject) -> Any:
        return self.part.value(subject) is None


class Negative(Node):
    """`-` in front of a number; unknown if it is none."""

    __slots__ = ("part",)

    def __init__(self, part: Node) -> None:
        self.part = part

    def value(self, subject: Subject) -> Any:
        found = self.part.value(subject)
        return -found if kind_of(found) == _NUMBER else None


class Arithmetic(Node):
    """Numbers and what stands between them: `+` and `-`, or `*`, `/` and `%`; calculated from left to right."""

    __slots__ = ("first", "steps")

    def __init__(self, first: Node, steps: list[tuple[str, Node]]) -> None:
        self.first = first
        self.steps = steps

    def value(self, subject: Subject) -> Any:
        result = self.first.value(subject)
        for operator, part in self.steps:
            right = part.value(subject)
            if kind_of(result) != _NUMBER or kind_of(right) != _NUMBER:
                return None
            result = calculate(result, operator, right)
        return result


def calculate(left: int | float, operator: str, right: int | float) -> int | float | None:
    """One step; None where there is no result. A division of integers without remainder gives an integer."""
    result: int | float
    if operator == "+":
        result = left + right
    elif operator == "-":
        result = left - right
    elif operator == "*":
        result = left * right
    elif not right:
        return None
    elif operator == "%":
        result = left % right
    elif type(left) is int and type(right) is int and not left % right:
        result = left // right
    else:
        result = left / right
    if type(result) is int and not -MAX_INTEGER <= result < MAX_INTEGER:
        return float(result)
    return result

"""The language of selectors: SQL-92's search conditions, as JMS selectors have them, and a little more.

    selector   = and { OR and }
    and        = not { AND not }
    not        = { NOT } condition
    condition  = sum [ (= | <> | < | <= | > | >=) sum
                     | [NOT] BETWEEN sum AND sum
                     | [NOT] IN ( constant { , constant } )
                     | [NOT] LIKE string [ ESCAPE string ]
                     | [NOT] CONTAINS sum
                     | IS [NOT] NULL ]
    sum        = product { (+ | -) product }
    product    = factor { (* | / | %) factor }
    factor     = { + | - } ( string | number | TRUE | FALSE | name | ( selector ) )
    name       = word { . word | ['string'] | [number] }

Keywords in any case; names as they are. Strings stand in single quotes, with two of them for one. What a selector means
is a matter of `amq.lang.selector`, what names there are one of `amq.lang.selector_names`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import pyparsing as pp

from amq.lang import selector_names
from amq.lang.selector import (
    And,
    Arithmetic,
    Constant,
    Contains,
    Equal,
    IsNull,
    Less,
    LessOrEqual,
    Matches,
    Negative,
    Node,
    Not,
    NotEqual,
    OneOf,
    Or,
    Selector,
    SelectorError,
)
from amq.lang.selector_like import Like, LikeError

# In characters, and in words: names, strings, numbers, operators, each parenthesis and comma. One with a few hundred
# message ids fits; parsing takes about 15 µs for a word.
MAX_LENGTH: Final = 16384
MAX_WORDS: Final = 1000
# Parentheses in each other: parsing and evaluation are recursive.
MAX_DEPTH: Final = 12
# Longer integers are read as floats.
MAX_DIGITS: Final = 19

A_VALUE: Final = "a name, a string in single quotes, a number, TRUE, FALSE, '-' or '('"
A_STRING: Final = "a string in single quotes"
A_CONSTANT: Final = "a string in single quotes, a number, TRUE or FALSE"
AN_OPERATOR: Final = (
    "AND, OR, a comparison (= <> < <= > >=, [NOT] BETWEEN, IN, LIKE or CONTAINS, IS [NOT] NULL), arithmetic (+ - * / %)"
)
KEYWORDS: Final = (*("AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "ESCAPE", "CONTAINS", "IS", "NULL", "TRUE", "FALSE"),)

_STRING: Final = r"'(?:[^']|'')*'(?!')"
_WORD: Final = r"[A-Za-z_][A-Za-z0-9_]*"
_NUMBER: Final = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_STEP: Final = re.compile(rf"\.({_WORD})|\[({_STRING})\]|\[([0-9]+)\]")
# How pyparsing begins a text about what it did not find.
_EXPECTED: Final = "Expected "
_ANY_WORD: Final = re.compile(rf"{_STRING}|{_WORD}|[0-9.]+|\S")
_BEFORE_A_CONDITION: Final = re.compile(r"(?:^|\(|\b(?:AND|OR|NOT))\s*\Z", re.IGNORECASE)


def parse(text: str) -> Selector:
    """The selector that a text is.

    Raises SelectorError.
    """
    check_size(text)
    return Selector(text, _tree(text))


@lru_cache(maxsize=64)
def _tree(text: str) -> Node:
    try:
        found = _SELECTOR.parse_string(text, parse_all=True)
    except pp.ParseBaseException as error:
        raise explained(text, error) from None
    return node(found[0])


def check_size(text: str) -> None:
    """Refuse what would take long to parse, or would need a deep stack. Raises SelectorError."""
    if len(text) > MAX_LENGTH:
        raise _at(text, MAX_LENGTH, f"a selector has at most {MAX_LENGTH} characters, not {len(text)}")
    depth = 0
    for count, word in enumerate(_ANY_WORD.finditer(text)):
        if count == MAX_WORDS:
            raise _at(text, word.start(), f"a selector has at most {MAX_WORDS} words")
        depth += {"(": 1, ")": -1}.get(word[0], 0)
        if depth > MAX_DEPTH:
            raise _at(text, word.start(), f"parentheses can be nested {MAX_DEPTH} deep at most")


def _at(text: str, at: int, message: str) -> SelectorError:
    return SelectorError(pp.lineno(at, text), pp.col(at, text), message)


class Refused(pp.ParseFatalException):
    """What is well-formed and yet has no meaning; raised by parse actions."""


def explained(text: str, error: pp.ParseBaseException) -> SelectorError:
    """What is wrong, and where."""
    at = error.loc
    while at < len(text) and text[at].isspace():
        at += 1
    message = str(error.msg)
    if not message.startswith(_EXPECTED):
        # A parse action refused it.
        return _at(text, at, message)
    expected = message.removeprefix(_EXPECTED)
    if expected == "end of text":
        expected = f"{AN_OPERATOR} or the end"
    elif expected == A_VALUE and _BEFORE_A_CONDITION.search(text, 0, at):
        expected = f"NOT, {A_VALUE}"
    word = _ANY_WORD.match(text, at)
    if word is not None and word[0] == "'":
        return _at(text, at, "a string begins here, and nothing ends it")
    found = "the selector ends" if word is None else f"{shortened(word[0])} stands"
    return _at(text, at, f"{found} where there must be {expected}")


def shortened(word: str) -> str:
    """A word of the text as errors quote it."""
    return repr(word if len(word) <= 40 else f"{word[:40]}…")


# -- from words to trees; pyparsing calls these with text, position and what it found --


def _string(tokens: pp.ParseResults) -> str:
    return str(tokens[0])[1:-1].replace("''", "'")


def _number(tokens: pp.ParseResults) -> int | float:
    digits = str(tokens[0])
    if len(digits) < MAX_DIGITS and digits.lstrip("+-").isdigit():
        return int(digits)
    return float(digits)


def node(found: object) -> Node:
    """What pyparsing hands over, which says nothing of types."""
    assert isinstance(found, Node)
    return found


def _truth(tokens: pp.ParseResults) -> bool:
    return str(tokens[0]) == "TRUE"


def _constant(tokens: pp.ParseResults) -> Node:
    return Constant(tokens[0])


def _name(text: str, at: int, tokens: pp.ParseResults) -> Node:
    written = str(tokens[0])
    first = written.replace("[", ".").partition(".")[0]
    path: list[str | int] = [first]
    for word, quoted, number in _STEP.findall(written, len(first)):
        path.append(int(number) if number else word or quoted[1:-1].replace("''", "'"))
    try:
        return selector_names.resolve(path)
    except selector_names.UnknownName as error:
        raise Refused(text, at, str(error)) from None


def _sign(tokens: pp.ParseResults) -> Node:
    """Each sign is one level of the tree at most, however many there are."""
    *signs, part = tokens
    if signs.count("-") % 2:
        return Negative(part)
    return Negative(Negative(part)) if signs else node(part)


def _chain(tokens: pp.ParseResults) -> Node:
    first, *rest = tokens
    return Arithmetic(first, list(zip(rest[::2], rest[1::2], strict=True))) if rest else node(first)


def _like(text: str, at: int, tokens: pp.ParseResults) -> list[object]:
    verb, pattern, *escape = tokens
    try:
        return [verb, Like(pattern, escape[0] if escape else "")]
    except LikeError as error:
        raise Refused(text, at, str(error)) from None


def _condition(tokens: pp.ParseResults) -> Node:
    left, *tail = tokens
    if not tail:
        return node(left)
    words = list(tail[0])
    negated = "NOT" in words[:2]
    if negated:
        words.remove("NOT")
    verb, *operands = words
    found = _CONDITIONS[verb](left, operands)
    return Not(found) if negated else found


def _between(part: Node, bounds: list[Any]) -> Node:
    return And([LessOrEqual(bounds[0], part), LessOrEqual(part, bounds[1])])


_CONDITIONS: Final[dict[str, Callable[[Any, list[Any]], Node]]] = {
    "=": lambda left, rest: Equal(left, rest[0]),
    "<>": lambda left, rest: NotEqual(left, rest[0]),
    "!=": lambda left, rest: NotEqual(left, rest[0]),
    "<": lambda left, rest: Less(left, rest[0]),
    "<=": lambda left, rest: LessOrEqual(left, rest[0]),
    ">": lambda left, rest: Less(rest[0], left),
    ">=": lambda left, rest: LessOrEqual(rest[0], left),
    "BETWEEN": _between,
    "IN": lambda left, rest: OneOf(left, rest),
    "LIKE": lambda left, rest: Matches(left, rest[0]),
    "CONTAINS": lambda left, rest: Contains(left, rest[0]),
    "IS": lambda left, _: IsNull(left),
}


def _all_of(tokens: pp.ParseResults) -> Node:
    return And(list(tokens)) if len(tokens) > 1 else node(tokens[0])


def _any_of(tokens: pp.ParseResults) -> Node:
    return Or(list(tokens)) if len(tokens) > 1 else node(tokens[0])


def _negated(tokens: pp.ParseResults) -> Node:
    """Each NOT counts, but two of them are as good as four."""
    *signs, part = tokens
    for _ in range(2 - len(signs) % 2 if signs else 0):
        part = Not(part)
    return node(part)


def _grammar() -> pp.ParserElement:
    """`-` where only one thing can follow, so that a mistake is reported where it is."""
    word = {name: pp.CaselessKeyword(name) for name in KEYWORDS}
    opening, comma = pp.Literal("(").suppress(), pp.Literal(",").suppress()
    closing = pp.Literal(")").suppress().set_name(f"{AN_OPERATOR} or ')'")
    string = pp.Regex(_STRING).add_parse_action(_string).set_name(A_STRING)
    number = pp.Regex(_NUMBER).add_parse_action(_number)
    signed = pp.Regex(rf"[+-]?{_NUMBER}").add_parse_action(_number)
    truth = (word["TRUE"] | word["FALSE"]).add_parse_action(_truth)
    name = pp.Regex(rf"(?!(?i:{'|'.join(KEYWORDS)})\b){_WORD}(?:{_STEP.pattern})*").add_parse_action(_name)

    selector = pp.Forward()
    constant = (string | number | truth).add_parse_action(_constant)
    value = (constant | name | opening - selector - closing).set_name(A_VALUE)
    factor = (pp.ZeroOrMore(pp.one_of("+ -")) + value).add_parse_action(_sign)
    product = (factor + pp.ZeroOrMore(pp.one_of("* / %") - factor)).add_parse_action(_chain)
    total = (product + pp.ZeroOrMore(pp.one_of("+ -") - product)).add_parse_action(_chain)

    comparison = pp.one_of("= <> != < <= > >=") - total
    between = word["BETWEEN"] - total - word["AND"].copy().suppress().set_name("AND") - total
    choice = (signed | string | truth).set_name(A_CONSTANT)
    choices = choice - pp.ZeroOrMore(comma - choice) - pp.Literal(")").suppress().set_name("',' or ')'")
    one_of = word["IN"] - opening.copy().set_name("'('") - choices
    like = word["LIKE"] - string - pp.Opt(word["ESCAPE"].copy().suppress() - string)
    contains = word["CONTAINS"] - total
    positive = (between | one_of | like.add_parse_action(_like) | contains).set_name("BETWEEN, IN, LIKE or CONTAINS")
    null = word["IS"] - pp.Opt(word["NOT"]) + word["NULL"].copy().suppress().set_name("NULL or NOT NULL")
    tail = pp.Group(comparison | positive | word["NOT"] - positive | null)
    condition = (total + pp.Opt(tail)).add_parse_action(_condition)

    negation = (pp.ZeroOrMore(word["NOT"]) + condition).add_parse_action(_negated)
    both = (negation + pp.ZeroOrMore(word["AND"].copy().suppress() - negation)).add_parse_action(_all_of)
    selector <<= (both + pp.ZeroOrMore(word["OR"].copy().suppress() - both)).add_parse_action(_any_of)
    return selector.parse_with_tabs()


_SELECTOR: Final = _grammar()

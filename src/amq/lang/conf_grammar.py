"""The language of `rabbitmq.conf`: `key = value`, a line each.

    # a comment, at the start of a line
    heartbeat = 30                     # or after a value
    listeners.tcp.local = 127.0.0.1:5672
    default_pass = 'with # and spaces'
    loopback_users.guest\\.two = true   a dot within a word of the key
    include conf.d/*.conf

As RabbitMQ 3.13 reads it (its parser is cuttlefish 3.4): an unquoted value ends before `#` wherever that stands, a
quoted one may go over several lines and knows no escapes, blanks around a value do not count, a key without a value
is a mistake. What keys mean, `$(...)` and included files are matters of `amq.config.load`.

Not imported by a broker without such a file: pyparsing takes a tenth of the time of a start.
"""

from typing import Final

import pyparsing as pp

from amq.lang.conf import ConfError, Entry, Include

# Editors on Windows put it before a text.
BYTE_ORDER_MARK: Final = "\ufeff"


def parse(text: str) -> list[Entry | Include]:
    """Every setting and include of the text, in order. A byte order mark at its start does not count.

    Raises ConfError.
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        found = _CONF.parse_string(text, parse_all=True)
    except pp.ParseBaseException as error:
        raise _explained(text, error) from None
    return list(found)


def _entry(text: str, _start: int, tokens: pp.ParseResults) -> Entry:
    at, value = tokens["value"]
    words = tuple(word.replace("\\.", ".") for word in tokens["key"])
    return Entry(words, value, pp.lineno(at, text), pp.col(at, text))


def _include(text: str, _start: int, tokens: pp.ParseResults) -> Include:
    at, pattern = tokens["pattern"]
    return Include(pattern, pp.lineno(at, text), pp.col(at, text))


def _placed(_text: str, start: int, tokens: pp.ParseResults) -> list[tuple[int, str]]:
    return [(start, tokens[0])]


def _unquoted(tokens: pp.ParseResults) -> str:
    return str(tokens[0][1:-1])


def _explained(text: str, error: pp.ParseBaseException) -> ConfError:
    line, column = pp.lineno(error.loc, text), pp.col(error.loc, text)
    if text[error.loc - column + 1 : error.loc].strip():
        return ConfError(line, column, f"{error.msg[:1].lower()}{error.msg[1:]}")
    return ConfError(line, column, "expected 'key = value', a comment or an empty line")


def _grammar() -> pp.ParserElement:
    """`-` where only one thing can follow, so that a mistake is reported where it is."""
    blank = pp.Regex(r"[ \t]*").leave_whitespace().suppress()
    comment = pp.Regex(r"[ \t]*#[^\n]*").leave_whitespace().suppress()
    end = pp.Regex(r"\r?\n|\Z").leave_whitespace().suppress()
    end.set_name("a comment or the end of the line")
    word = pp.Regex(r"(?:\\\.|[A-Za-z0-9_-])+").leave_whitespace().set_name("a key of letters, digits, - and _")
    dot = pp.Literal(".").leave_whitespace().suppress()
    equals = pp.Literal("=").leave_whitespace().suppress().set_name("'=' after the key")
    quoted = pp.Regex(r"'[^']*'").leave_whitespace().add_parse_action(_unquoted)
    # Up to blanks and a comment, or blanks and the end of the line.
    bare = pp.Regex(r"(?:(?![ \t]*(?:\r?\n|\Z|#)).)+").leave_whitespace()
    value = (quoted | bare).leave_whitespace().set_name("a value").add_parse_action(_placed)
    pattern = pp.Regex(r"[A-Za-z0-9_.*/-]+").leave_whitespace().set_name("a path (letters, digits, - _ . * /)")

    key = pp.Group(word + pp.ZeroOrMore(dot - word))("key")
    setting = (key + blank - equals - blank - value("value")).add_parse_action(_entry)
    # `include = x` is a setting of that name.
    directive = pp.Regex(r"include[ \t]+(?!=)").leave_whitespace().suppress()
    include = (directive - pattern.add_parse_action(_placed)("pattern")).add_parse_action(_include)
    more = pp.Regex(r"(?=[\s\S])").leave_whitespace().suppress()
    line = more + blank + pp.Opt(include | setting) + blank + pp.Opt(comment) - end
    return pp.ZeroOrMore(line).parse_with_tabs()


_CONF: Final = _grammar()

"""Patterns of permissions: regular expressions as operators write them for RabbitMQ, compiled by `re`.

Searched anywhere in a name (unanchored), octet by octet as RabbitMQ does; the empty pattern matches only the empty
name. Knows where PCRE and `re` differ; knows nothing of what a pattern is for.
"""

import re
import warnings
from functools import lru_cache
from typing import Final

# PCRE's POSIX classes, which `re` would read as something else.
POSIX_CLASSES: Final = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb" \t",
    b"digit": rb"0-9",
    b"lower": rb"a-z",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb"\s",
    b"upper": rb"A-Z",
    b"word": rb"\w",
    b"xdigit": rb"0-9A-Fa-f",
}
_POSIX: Final = re.compile(rb"\[:(\w+):\]")


class PatternError(ValueError):
    """A pattern is no regular expression; the text says what is wrong and where."""


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[bytes]:
    """A pattern to search names with.

    Raises PatternError with the position of the fault.
    """
    octets = pattern.encode("utf-8", "surrogateescape") or b"^$"
    octets = _POSIX.sub(_posix_class, octets)
    try:
        with warnings.catch_warnings():
            # `re` warns where its reading differs from PCRE's; a permission must not be guessed.
            warnings.simplefilter("error", FutureWarning)
            return re.compile(octets)
    except re.error as error:
        at = "" if error.pos is None else f" at position {error.pos}"
        raise PatternError(f"{pattern!r} is not a regular expression: {error.msg}{at}") from None
    except (FutureWarning, OverflowError, RecursionError) as error:
        raise PatternError(f"{pattern!r} is not a usable regular expression: {error}") from None


def _posix_class(found: re.Match[bytes]) -> bytes:
    return POSIX_CLASSES.get(found[1], found[0])

"""A JSON object of lists, cut into the items of its lists: a document of megabytes is not read in one go."""

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, Final

from amq.definitions.fields import DocumentError, Fields

WHOLE: Final = -1
MOST_DIGITS: Final = 1000
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


def pieces(text: str) -> Iterator[tuple[str, int, Any]]:
    """Every item of every list of the object in this text: its key, its place in the list, the item.

    What is no list comes whole, with WHOLE for its place. Raises DocumentError at what is not JSON.
    """
    try:
        yield from _Cutter(text).object()
    except json.JSONDecodeError as error:
        raise DocumentError("", f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except _Unusable as error:
        raise DocumentError("", f"a number that cannot be used: {error}") from None
    except RecursionError:
        raise DocumentError("", "nested too deeply") from None


class _Unusable(Exception):
    """A number that JSON does not know, or that would not be one when it is written again."""


def _refuse(constant: str) -> Any:
    raise _Unusable(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise _Unusable(text)
    return number


def _whole(text: str) -> int:
    # Of very many digits Python makes no number.
    if len(text) > MOST_DIGITS:
        raise _Unusable(f"{text[:20]}... has {len(text)} digits")
    return int(text)


class _Cutter:
    """`at` is where the next value, or what follows it, begins."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._decode = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, parse_int=_whole).raw_decode
        self._skip()

    def object(self) -> Iterator[tuple[str, int, Any]]:
        if not self._take("{"):
            # Whatever it is instead.
            Fields(self._value(), "")
        more = not self._take("}")
        while more:
            if self.text[self.at : self.at + 1] != '"':
                raise self._expected("property name enclosed in double quotes")
            key = self._value()
            if not self._take(":"):
                raise self._expected("':' delimiter")
            if self._take("["):
                yield from self._items(key)
            else:
                yield key, WHOLE, self._value()
            more = self._goes_on("}")
        if self.at < len(self.text):
            raise json.JSONDecodeError("Extra data", self.text, self.at)

    def _items(self, key: str) -> Iterator[tuple[str, int, Any]]:
        number = 0
        more = not self._take("]")
        while more:
            yield key, number, self._value()
            number += 1
            more = self._goes_on("]")

    def _goes_on(self, end: str) -> bool:
        if self._take(","):
            return True
        if self._take(end):
            return False
        raise self._expected("',' delimiter")

    def _value(self) -> Any:
        value, self.at = self._decode(self.text, self.at)
        self._skip()
        return value

    def _take(self, sign: str) -> bool:
        if self.text[self.at : self.at + 1] != sign:
            return False
        self.at += 1
        self._skip()
        return True

    def _skip(self) -> None:
        found = _BLANKS.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def _expected(self, what: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(f"Expecting {what}", self.text, self.at)

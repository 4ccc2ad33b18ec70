"""Erlang's `phash2` over 2^32, which RabbitMQ names bindings by that differ in nothing but their arguments.

Terms are field tables as RabbitMQ holds them, a list of {name, type, value}. The function is that of the Erlang runtime
(Bob Jenkins' mixing, 1996); what does not occur in a field table is left out.
"""

from struct import Struct
from typing import Final

from amq.wire.tables import Field, Table, type_name

_MASK: Final = 0xFFFFFFFF
_GOLDEN: Final = 0x9E3779B9
# What the runtime mixes in tells kinds of terms apart: multiples of the golden ratio.
_SMALL, _NIL, _ATOM, _TUPLE, _NEGATIVE, _POSITIVE, _FLOAT, _BINARY = (
    number * _GOLDEN & _MASK for number in (1, 2, 3, 9, 10, 11, 12, 13)
)
_NIL_VALUE: Final = 2
_EMPTY_LIST: Final = 3468870702
# Integers of 28 bits and more are hashed as big ones.
_SMALL_INTEGERS: Final = range(-(1 << 27), 1 << 27)
_THREE_WORDS: Final = Struct("<III")
_DOUBLE: Final = Struct(">d")


def table_hash(table: Table) -> int:
    """The hash of a field table, 32 bits. Its keys are sorted, as RabbitMQ sorts those of a binding."""
    return _table(dict(sorted(table.items())), 0)


def _table(table: Table, seed: int) -> int:
    for name, field in table.items():
        seed = _words(3, 0, _TUPLE, seed)
        seed = _binary(name.encode("utf-8", "surrogateescape"), seed)
        seed = _value(field, _atom(type_name(field[0]), seed))
    return _end(seed)


def _array(fields: list[Field], seed: int) -> int:
    for field in fields:
        seed = _words(2, 0, _TUPLE, seed)
        seed = _value(field, _atom(type_name(field[0]), seed))
    return _end(seed)


def _end(seed: int) -> int:
    return _words(_NIL_VALUE, 0, _NIL, seed) if seed else _EMPTY_LIST


def _value(field: Field, seed: int) -> int:
    kind, value = field
    if kind in ("S", "x"):
        return _binary(value, seed)
    if kind == "t":
        return _atom("true" if value else "false", seed)
    if kind == "V":
        return _atom("undefined", seed)
    if kind == "F":
        return _table(value, seed)
    if kind == "A":
        return _array(value, seed)
    if kind in ("f", "d"):
        # Adding 0.0 makes a negative zero positive.
        octets = _DOUBLE.pack(value + 0.0)
        return _words(int.from_bytes(octets[:4], "big"), int.from_bytes(octets[4:], "big"), _FLOAT, seed)
    if kind == "D":
        scale, digits = value
        return _integer(digits, _integer(scale, _words(2, 0, _TUPLE, seed)))
    return _integer(value, seed)


def _integer(value: int, seed: int) -> int:
    if value in _SMALL_INTEGERS:
        if value < 0:
            seed = _words(-value, 0, _SMALL, seed)
        return _words(value & _MASK, 0, _SMALL, seed)
    # No integer of a field table has more than one digit of 64 bits.
    size = abs(value)
    return _words(size & _MASK, size >> 32, _NEGATIVE if value < 0 else _POSITIVE, seed)


def _atom(name: str, seed: int) -> int:
    """An ASCII name, hashed as P. J. Weinberger did."""
    value = 0
    for octet in name.encode():
        value = (value << 4) + octet
        high = value & 0xF0000000
        value = (value ^ high >> 24 ^ high) & _MASK
    return _words(value, 0, _ATOM, seed)


def _binary(octets: bytes, seed: int) -> int:
    start = _BINARY + seed & _MASK
    if not octets:
        return start
    a = b = _GOLDEN
    c = start
    whole = len(octets) // 12 * 12
    for first, second, third in _THREE_WORDS.iter_unpack(octets[:whole]):
        a, b, c = _mix(a + first, b + second, c + third)
    rest = octets[whole:]
    a += int.from_bytes(rest[:4], "little")
    b += int.from_bytes(rest[4:8], "little")
    # The lowest octet of the third word is for the length.
    c += len(octets) + (int.from_bytes(rest[8:], "little") << 8)
    return _mix(a, b, c)[2]


def _words(first: int, second: int, kind: int, seed: int) -> int:
    return _mix(kind + first, kind + second, seed)[2]


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = (a - b - c & _MASK) ^ (c & _MASK) >> 13
    b = (b - c - a & _MASK) ^ (a << 8 & _MASK)
    c = (c - a - b & _MASK) ^ b >> 13
    a = (a - b - c & _MASK) ^ c >> 12
    b = (b - c - a & _MASK) ^ (a << 16 & _MASK)
    c = (c - a - b & _MASK) ^ b >> 5
    a = (a - b - c & _MASK) ^ c >> 3
    b = (b - c - a & _MASK) ^ (a << 10 & _MASK)
    c = (c - a - b & _MASK) ^ b >> 15
    return a, b, c

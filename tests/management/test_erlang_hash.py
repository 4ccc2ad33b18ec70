"""phash2, as Erlang's runtime computes it: what `erlang:phash2(Term, 1 bsl 32)` printed."""

import pytest

from amq.management.erlang_hash import table_hash
from amq.wire.tables import Table


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, 3468870702),
        ({"x": ("I", 5)}, 510278937),
        ({"k": ("l", 1), "z": ("S", b"y")}, 2940674779),
        ({"z": ("S", b"y"), "k": ("l", 1)}, 2940674779),
        ({"e": ("F", {})}, 2525874166),
        ({"e": ("A", [])}, 3769040234),
        ({"e": ("S", b"")}, 3291887948),
        ({"e": ("l", -(1 << 63))}, 1079905222),
        ({"e": ("l", -3)}, 2982963671),
        ({"e": ("t", False)}, 3047474886),
        ({"e": ("T", 1_700_000_000)}, 3205082029),
        ({"d": ("d", 1.5)}, 1279670192),
        ({"d": ("d", -0.0)}, 2335425887),
        ({"v": ("V", None)}, 3233508068),
        ({"D": ("D", (2, 314))}, 4199471105),
        ({"s": ("S", b"a string of more than twelve octets")}, 1098118042),
        ({"a": ("A", [("l", 300), ("t", True), ("F", {"n": ("S", b"x")})])}, 515422991),
        ({"b": ("l", 134217727)}, 1033025764),
        ({"b": ("l", 134217728)}, 1198244429),
        ({"b": ("l", -134217728)}, 164791284),
        ({"b": ("l", -134217729)}, 1020048837),
        ({"b": ("l", 1 << 40)}, 2005895421),
        ({"b": ("x", b"\xff\x00")}, 957469033),
    ],
)
def test_tables_hash_as_in_erlang(table: Table, expected: int) -> None:
    assert table_hash(table) == expected

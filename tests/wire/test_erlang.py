import pytest

from amq.wire.erlang import term


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (("S", b""), "<<>>"),
        (("S", b'a b"c\\d\n'), '<<"a b\\"c\\\\d\\n">>'),
        (("S", "föö".encode()), '<<"föö">>'),
        (("x", b"\x00\xff"), "<<0,255>>"),
        (("S", b"a\x00"), "<<97,0>>"),
        (("I", -3), "-3"),
        (("t", False), "false"),
        (("V", None), "undefined"),
        (("D", (2, 125)), "{2,125}"),
        (("d", 1.5), "1.5"),
        (("d", 1e22), "1.0e22"),
        (("d", 2.5e-7), "2.5e-7"),
        (("F", {}), "[]"),
        (("F", {"a": ("S", b"b"), "n": ("F", {})}), '[{<<"a">>,longstr,<<"b">>},{<<"n">>,table,[]}]'),
        (("A", [("I", 70), ("l", 71)]), "[{signedint,70},{long,71}]"),
    ],
)
def test_a_field_is_shown_as_erlang_shows_it(field, said):
    assert term(field) == said

import pytest

from amq import exchanges
from amq.exchanges.base import Exchange
from amq.exchanges.direct import Direct


def test_every_type_is_found_by_its_name_on_the_wire():
    names = {b"direct", b"fanout", b"topic", b"headers", b"x-consistent-hash", b"x-random", b"x-recent-history"}
    assert set(exchanges.TYPES) >= names
    assert exchanges.exchange_type(b"direct") is Direct
    assert exchanges.exchange_type(b"x-nothing") is None
    assert all(name == cls.type_name.encode() for name, cls in exchanges.TYPES.items())


def test_which_routes_may_be_cached_is_said_by_the_type():
    by_key = {name for name, cls in exchanges.TYPES.items() if cls.by_key}
    assert by_key == {b"direct", b"fanout", b"topic"}


def test_a_plug_in_enters_its_own_type(monkeypatch):
    class Own(Direct):
        __slots__ = ()
        type_name = "x-own"

    monkeypatch.setattr(exchanges, "TYPES", dict(exchanges.TYPES))
    exchanges.register(Own)
    exchanges.register(Own)
    assert exchanges.exchange_type(b"x-own") is Own


def test_a_name_is_given_once(monkeypatch):
    class Other(Direct):
        __slots__ = ()

    class Nameless(Exchange):
        __slots__ = ()

    monkeypatch.setattr(exchanges, "TYPES", dict(exchanges.TYPES))
    with pytest.raises(ValueError, match="'direct' is taken by Direct"):
        exchanges.register(Other)
    with pytest.raises(ValueError, match="has no type_name"):
        exchanges.register(Nameless)
    assert exchanges.exchange_type(b"direct") is Direct

"""The names of bindings between two ends, as RabbitMQ makes them."""

import pytest

from amq.exchanges.base import Binding
from amq.exchanges.direct import Direct
from amq.management.properties_key import named, properties_key
from amq.wire.tables import Table

SOURCE = Direct(b"x", True, False, False, {})
ONE: Table = {"a": ("l", 1)}
TWO: Table = {"b": ("l", 2), "a": ("l", 1)}


@pytest.mark.parametrize(
    ("routing_key", "arguments", "key"),
    [
        (b"", {}, "~"),
        (b"k", {}, "k"),
        (b"k", ONE, "k~Ajat_Q"),
        (b"", TWO, "~9JXBgw"),
        ("a b/c~d%é".encode(), {}, "a+b%2Fc%7Ed%25%C3%A9"),
        (b"a.b-c_d*#", {}, "a.b-c_d%2A%23"),
        (b"\xff", {}, "%FF"),
        (b"+", {}, "%2B"),
    ],
)
def test_a_binding_is_named_by_key_and_arguments(routing_key: bytes, arguments: Table, key: str) -> None:
    assert properties_key(routing_key, arguments) == key
    binding = Binding(SOURCE, SOURCE, routing_key, arguments)
    others = [Binding(SOURCE, SOURCE, b"other", {}), Binding(SOURCE, SOURCE, routing_key, {"z": ("t", True)})]
    assert named([*others, binding], key) is binding


@pytest.mark.parametrize("name", ["k~nope", "k~Ajat_Q~", "k~Ajat_Q~x", "zz", "~", ""])
def test_another_name_names_nothing(name: str) -> None:
    assert named([Binding(SOURCE, SOURCE, b"k", ONE)], name) is None

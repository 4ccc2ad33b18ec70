"""Properties of clients are shared: most clients of a broker are of a few kinds."""

from amq.connection.vocabulary import LONGEST, MOST, Vocabulary
from amq.wire.tables import Table, decode, encode
from tests.harness.dialogue import enter, new_broker

TABLE: Table = {
    "product": ("S", b"a client"),
    "capabilities": ("F", {"basic.nack": ("t", True), "connection.blocked": ("t", False)}),
    "limit": ("I", 1),
}


def fresh(table: Table) -> Table:
    return decode(encode(table), 0)[0]


def test_what_is_said_twice_is_kept_once() -> None:
    words = Vocabulary()
    one, other = words.shared(fresh(TABLE)), words.shared(fresh({**TABLE, "limit": ("I", 2)}))
    assert one == TABLE
    assert other == {**TABLE, "limit": ("I", 2)}
    assert one["capabilities"] is other["capabilities"]
    assert one["product"] is other["product"]


def test_values_that_only_look_alike_are_told_apart() -> None:
    words = Vocabulary()
    words.shared({"x": ("I", 1)})
    assert words.shared({"x": ("t", True)}) == {"x": ("t", True)}
    assert words.shared({"x": ("t", True)})["x"][1] is True
    assert words.shared({"x": ("l", 1)}) == {"x": ("l", 1)}


def test_little_is_remembered_whatever_clients_say() -> None:
    words = Vocabulary()
    words.shared({"long": ("S", bytes(LONGEST))})
    assert not words.known
    for number in range(3 * MOST):
        assert words.shared({"name": ("S", b"%d" % number)}) == {"name": ("S", b"%d" % number)}
        assert len(words.known) <= MOST


def test_connections_share_what_their_clients_say_alike() -> None:
    broker = new_broker()
    one, other = [enter(broker).connection.handshake.properties for _ in range(2)]
    assert one == other
    assert one["capabilities"] is other["capabilities"]

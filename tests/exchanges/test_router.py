from amq.exchanges.base import Exchange
from amq.exchanges.default import Default
from amq.exchanges.direct import Direct
from amq.exchanges.fanout import Fanout
from amq.exchanges.headers import Headers
from amq.exchanges.router import Routing, route
from amq.exchanges.topic import Topic
from amq.queues.base import Queue
from tests.exchanges.build import PLAIN, A, B, C, bind, exchange


class Place:
    """A few exchanges that know each other by name."""

    def __init__(self) -> None:
        self.exchanges: dict[bytes, Exchange] = {}

    def declare(self, cls: type[Exchange], name: bytes, alternate: bytes | None = None) -> Exchange:
        arguments = {} if alternate is None else {"alternate_exchange": ("S", alternate)}
        self.exchanges[name] = exchange(cls, name, **arguments)
        return self.exchanges[name]

    def routing(self, first: Exchange, *keys: bytes) -> Routing:
        return route(self.exchanges, first, list(keys), PLAIN)

    def queues(self, first: Exchange, *keys: bytes) -> list[Queue]:
        return self.routing(first, *keys).queues


def test_each_queue_gets_one_copy_even_through_a_loop_of_exchanges():
    place = Place()
    x, y, z = [place.declare(Fanout, name) for name in (b"x", b"y", b"z")]
    bind(x, y)
    bind(y, z)
    bind(z, x)
    bind(x, A)
    bind(z, A)
    bind(z, B)
    bind(x, x)
    assert sorted(q.name for q in place.queues(x, b"k")) == [b"a", b"b"]


def test_the_same_key_is_looked_up_in_every_exchange_on_the_way():
    place = Place()
    x, y = place.declare(Topic, b"x"), place.declare(Direct, b"y")
    bind(x, y, b"logs.#")
    bind(y, A, b"logs.error")
    assert place.queues(x, b"logs.error") == [A]
    assert place.queues(x, b"logs.info") == []


def test_every_key_counts_and_a_queue_under_several_gets_one_copy():
    place = Place()
    x = place.declare(Direct, b"x")
    bind(x, A, b"1")
    bind(x, A, b"2")
    bind(x, B, b"3")
    assert place.queues(x, b"1", b"2", b"3", b"4") == [A, B]


def test_the_default_exchange_takes_every_key_for_a_queues_name():
    default = Default({b"a": A, b"b": B})
    assert Place().queues(default, b"b", b"a", b"missing") == [B, A]


def test_the_alternate_exchange_takes_what_matched_nothing():
    place = Place()
    x = place.declare(Direct, b"x", alternate=b"ae")
    bind(place.declare(Fanout, b"ae"), B)
    bind(x, A, b"k")
    assert place.queues(x, b"k") == [A]
    assert place.queues(x, b"other") == [B]


def test_one_key_that_matches_is_enough_to_keep_the_alternate_out():
    place = Place()
    x = place.declare(Direct, b"x", alternate=b"ae")
    bind(place.declare(Fanout, b"ae"), B)
    bind(x, A, b"k")
    assert place.queues(x, b"other", b"k") == [A]


def test_a_bound_exchange_counts_as_a_match_even_if_it_leads_nowhere():
    place = Place()
    x, dead = place.declare(Direct, b"x", alternate=b"ae"), place.declare(Direct, b"dead")
    bind(place.declare(Fanout, b"ae"), B)
    bind(x, dead, b"k")
    assert place.queues(x, b"k") == []


def test_the_alternate_of_an_exchange_on_the_way_is_used():
    place = Place()
    x, inner = place.declare(Fanout, b"x"), place.declare(Direct, b"inner", alternate=b"ae")
    bind(place.declare(Fanout, b"ae"), B)
    bind(x, inner)
    bind(x, A)
    assert place.queues(x, b"k") == [A, B]


def test_alternates_chain_and_a_loop_of_them_ends():
    place = Place()
    x = place.declare(Direct, b"x", alternate=b"y")
    y = place.declare(Direct, b"y", alternate=b"z")
    z = place.declare(Direct, b"z", alternate=b"x")
    assert place.queues(x, b"k") == []
    bind(z, C, b"k")
    assert place.queues(x, b"k") == [C]
    assert place.queues(y, b"k") == [C]


def test_an_alternate_that_does_not_exist_is_ignored():
    place = Place()
    assert place.queues(place.declare(Direct, b"x", alternate=b"gone"), b"k") == []
    assert place.queues(place.declare(Direct, b"self", alternate=b"self"), b"k") == []


def test_the_default_exchange_serves_as_nobodys_alternate():
    """RabbitMQ 3.10.8: an empty name in alternate-exchange leads nowhere, also where a queue has the key's name."""
    place = Place()
    place.exchanges[b""] = Default({b"a": A})
    assert place.queues(place.declare(Direct, b"x", alternate=b""), b"a") == []


def test_a_route_may_be_cached_only_if_every_exchange_on_the_way_goes_by_the_key():
    place = Place()
    x, y = place.declare(Fanout, b"x"), place.declare(Headers, b"y")
    bind(x, A)
    assert place.routing(x, b"k").by_key is True
    bind(x, y)
    assert place.routing(x, b"k").by_key is False
    other = place.declare(Direct, b"other", alternate=b"y")
    assert place.routing(other, b"k").by_key is False
    bind(other, A, b"k")
    assert place.routing(other, b"k").by_key is True

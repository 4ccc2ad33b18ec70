import pytest

from amq.destination import Destination
from amq.errors import ChannelFault
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.recent_history import RecentHistory
from amq.message import Message
from tests.exchanges.build import A, B, bind, exchange, message, reached


def publish(x: Exchange, count: int) -> list[Message]:
    """Route so many messages under three keys each."""
    sent = [message({"n": ("I", n)}) for n in range(count)]
    for one in sent:
        found: list[Destination] = []
        x.route_all([b"k", b"cc", b"bcc"], one, found)
    return sent


def remembered(x: Exchange, destination: Destination = B) -> list[Message]:
    return x.bind(Binding(x, destination, b"any", {}))


def test_it_is_a_fanout():
    x = exchange(RecentHistory)
    bind(x, A, b"1")
    bind(x, B, b"2")
    assert reached(x, b"3") == [A, B]


def test_a_new_binding_gets_the_last_twenty_oldest_first():
    x = exchange(RecentHistory)
    assert remembered(x, A) == []
    sent = publish(x, 25)
    assert remembered(x) == sent[5:]


@pytest.mark.parametrize("kind", "bsIl")
def test_the_argument_sets_how_many(kind):
    x = exchange(RecentHistory, x_recent_history_length=(kind, 3))
    sent = publish(x, 5)
    assert remembered(x) == sent[2:]


def test_a_second_binding_of_a_queue_gets_them_again():
    x = exchange(RecentHistory)
    sent = publish(x, 2)
    assert remembered(x) == sent
    assert x.bind(Binding(x, B, b"other", {})) == sent


@pytest.mark.parametrize(
    ("field", "stored"), [(("t", True), False), (("t", False), True), (("S", b"true"), True), (("I", 1), True)]
)
def test_only_no_store_true_keeps_a_message_out(field, stored):
    x = exchange(RecentHistory)
    one = message({"x-recent-history-no-store": field})
    bind(x, A)
    assert reached(x, b"k", one) == [A]
    assert remembered(x) == ([one] if stored else [])


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (("I", 0), "0"),
        (("I", -1), "-1"),
        (("S", b"5"), '<<"5">>'),
        (("t", True), "true"),
        (("V", None), "undefined"),
        (("B", 5), "5"),
        (("T", 1577836800), "1577836800"),
        (("D", (2, 125)), "{2,125}"),
        (("d", 1.0), "1.0"),
        (("A", [("S", b"a")]), '[{longstr,<<"a">>}]'),
    ],
)
def test_a_length_that_is_no_positive_integer_is_refused_in_rabbitmqs_words(field, said):
    with pytest.raises(ChannelFault) as fault:
        exchange(RecentHistory, x_recent_history_length=field)
    text = f"Invalid argument {said}, 'x-recent-history-length' must be a positive integer"
    assert (fault.value.code, fault.value.text) == (406, text)


def test_the_longest_length_that_a_client_can_ask_for_costs_nothing_by_itself():
    x = exchange(RecentHistory, x_recent_history_length=("l", 2**63 - 1))
    sent = publish(x, 1)
    assert remembered(x) == sent

"""Whose turn it is."""

import pytest

from amq.queues.consumers import Consumers
from tests.queues.build import Taker


def turns(consumers: Consumers, count: int) -> list[bytes]:
    """Let the next take a message, so many times."""
    order = []
    for _ in range(count):
        consumer = consumers.next()
        assert isinstance(consumer, Taker)
        consumer.credit -= 1
        order.append(consumer.tag)
    return order


def several(*tags: bytes, credit: int = 100, single_active: bool = False) -> tuple[Consumers, list[Taker]]:
    consumers = Consumers(single_active)
    takers = [Taker(tag, credit) for tag in tags]
    for taker in takers:
        consumers.add(taker)
    return consumers, takers


def test_without_consumers_it_is_nobodys_turn() -> None:
    assert Consumers(False).next() is None


def test_equals_take_turns() -> None:
    consumers, _ = several(b"a", b"b", b"c")
    assert turns(consumers, 7) == [b"a", b"b", b"c", b"a", b"b", b"c", b"a"]


def test_who_comes_later_takes_turns_from_then_on() -> None:
    consumers, _ = several(b"a", b"b")
    turns(consumers, 1)
    consumers.add(Taker(b"c"))
    assert turns(consumers, 4) == [b"b", b"a", b"c", b"b"]


def test_who_has_no_credit_is_passed_over() -> None:
    consumers, (_, b, _) = several(b"a", b"b", b"c")
    b.credit = 0
    assert turns(consumers, 4) == [b"a", b"c", b"a", b"c"]
    assert b.blocked


def test_who_has_credit_again_goes_to_the_end_of_the_line() -> None:
    consumers, (a, _, _) = several(b"a", b"b", b"c")
    a.credit = 0
    turns(consumers, 1)
    a.credit = 5
    consumers.unblock(a)
    assert not a.blocked
    assert turns(consumers, 3) == [b"c", b"b", b"a"]


def test_when_nobody_has_credit_it_is_nobodys_turn_until_somebody_has() -> None:
    consumers, takers = several(b"a", b"b", credit=0)
    assert consumers.next() is None
    assert all(taker.blocked for taker in takers)
    assert consumers.rings == []
    takers[1].credit = 1
    consumers.unblock(takers[1])
    assert turns(consumers, 1) == [b"b"]


@pytest.mark.parametrize("order", [(1, 5, 3), (5, 3, 1), (3, 1, 5), (-2, 0, 2**40)])
def test_a_higher_priority_goes_first_whatever_the_order_of_coming(order: tuple[int, ...]) -> None:
    consumers = Consumers(False)
    for priority in order:
        consumers.add(Taker(b"%d" % priority, credit=1, priority=priority))
    assert turns(consumers, 3) == [b"%d" % priority for priority in sorted(order, reverse=True)]


def test_a_lower_priority_has_its_turn_when_no_higher_one_can() -> None:
    consumers = Consumers(False)
    high, low = Taker(b"high", credit=1, priority=1), Taker(b"low")
    consumers.add(low)
    consumers.add(high)
    assert turns(consumers, 3) == [b"high", b"low", b"low"]
    high.credit = 1
    consumers.unblock(high)
    assert turns(consumers, 2) == [b"high", b"low"]


def test_who_is_gone_has_no_turn() -> None:
    consumers, (a, _, _) = several(b"a", b"b", b"c")
    consumers.remove(a)
    assert turns(consumers, 3) == [b"b", b"c", b"b"]


def test_who_is_gone_does_not_block_the_others_in_its_ring() -> None:
    consumers, (a, b) = several(b"a", b"b")
    a.credit = 0
    assert turns(consumers, 1) == [b"b"]
    consumers.remove(a)
    assert not a.blocked
    consumers.remove(b)
    assert consumers.rings == []
    assert not consumers.all


def test_alone_is_who_has_no_competitor() -> None:
    consumers, (a, b) = several(b"a", b"b")
    assert not consumers.alone()
    consumers.remove(b)
    assert consumers.alone()
    consumers.add(Taker(b"higher", priority=1))
    assert not consumers.alone()
    consumers.remove(a)
    assert consumers.alone()


def test_the_single_active_consumer_takes_everything() -> None:
    consumers, _ = several(b"a", b"b", single_active=True)
    assert turns(consumers, 3) == [b"a", b"a", b"a"]


def test_the_others_wait_even_while_the_active_one_has_no_credit() -> None:
    consumers, (a, _) = several(b"a", b"b", single_active=True)
    a.credit = 0
    assert consumers.next() is None
    a.credit = 1
    consumers.unblock(a)
    assert turns(consumers, 1) == [b"a"]


def test_the_next_in_order_of_registration_takes_over() -> None:
    consumers, (a, b, _) = several(b"a", b"b", b"c", single_active=True)
    consumers.remove(b)
    assert turns(consumers, 1) == [b"a"]
    consumers.remove(a)
    assert turns(consumers, 2) == [b"c", b"c"]


def test_who_takes_over_from_one_without_credit_can_take_at_once() -> None:
    consumers, (a, _) = several(b"a", b"b", single_active=True)
    a.credit = 0
    assert consumers.next() is None
    consumers.remove(a)
    assert turns(consumers, 1) == [b"b"]


def test_a_priority_does_not_make_a_consumer_the_single_active_one() -> None:
    consumers, _ = several(b"a", single_active=True)
    consumers.add(Taker(b"higher", priority=9))
    assert turns(consumers, 1) == [b"a"]


def test_when_the_last_one_has_gone_it_is_nobodys_turn() -> None:
    consumers, (a,) = several(b"a", single_active=True)
    consumers.remove(a)
    assert consumers.next() is None


def test_an_exclusive_consumer_is_known_while_it_is_there() -> None:
    consumers = Consumers(False)
    assert not consumers.exclusive()
    taker = Taker(b"x", exclusive=True)
    consumers.add(taker)
    assert consumers.exclusive()
    consumers.remove(taker)
    assert not consumers.exclusive()

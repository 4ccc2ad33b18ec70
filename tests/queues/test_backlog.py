"""The order in which messages wait, and where those go that come back."""

import pytest

from amq.queues.backlog import Backlog, Fifo
from amq.queues.priority import LEVELS, Prioritized
from tests.queues.build import message


def bodies(backlog: Backlog) -> list[bytes]:
    """Pop everything."""
    return [backlog.pop()[1].body for _ in range(backlog.size())]


def filled(backlog: Backlog, *names: bytes) -> Backlog:
    for name in names:
        backlog.push(message(name))
    return backlog


@pytest.fixture(params=["fifo", "priority"])
def backlog(request: pytest.FixtureRequest) -> Backlog:
    """A backlog of each kind; with one priority they behave alike."""
    return Fifo() if request.param == "fifo" else Prioritized(5)


def test_what_comes_first_goes_first(backlog: Backlog) -> None:
    assert bodies(filled(backlog, b"a", b"b", b"c")) == [b"a", b"b", b"c"]


def test_push_tells_the_position_that_pop_tells(backlog: Backlog) -> None:
    pushed = [backlog.push(message()) for _ in range(4)]
    assert [backlog.pop()[0] for _ in range(4)] == pushed


def test_positions_are_never_given_twice(backlog: Backlog) -> None:
    first = backlog.push(message())
    backlog.pop()
    second = backlog.push(message())
    backlog.clear()
    third = backlog.push(message())
    assert len({first, second, third}) == 3


def test_an_empty_backlog_has_no_head(backlog: Backlog) -> None:
    assert backlog.peek() == -1
    assert not backlog.at_hand()
    assert backlog.size() == 0


def test_peek_shows_the_head_and_leaves_it(backlog: Backlog) -> None:
    filled(backlog, b"a", b"b")
    head = backlog.peek()
    assert backlog.at_hand()
    assert backlog.peek() == head
    assert backlog.size() == 2
    assert backlog.pop()[0] == head
    assert backlog.peek() > head


def test_the_returned_stand_before_what_was_never_out_in_their_old_order(backlog: Backlog) -> None:
    filled(backlog, b"a", b"b", b"c", b"d")
    out = [backlog.pop() for _ in range(3)]
    for position, back, _ in reversed(out):
        backlog.put_back(position, back)
    assert bodies(backlog) == [b"a", b"b", b"c", b"d"]


def test_only_the_returned_were_delivered_before(backlog: Backlog) -> None:
    filled(backlog, b"a", b"b")
    position, back, before = backlog.pop()
    assert not before
    backlog.put_back(position, back)
    assert [backlog.pop()[2] for _ in range(2)] == [True, False]


def test_the_head_is_the_first_of_the_returned(backlog: Backlog) -> None:
    filled(backlog, b"a", b"b")
    position, back, _ = backlog.pop()
    backlog.put_back(position, back)
    assert backlog.peek() == position
    assert backlog.pop() == (position, back, True)


def test_clear_forgets_the_returned_too(backlog: Backlog) -> None:
    filled(backlog, b"a", b"b")
    position, back, _ = backlog.pop()
    backlog.put_back(position, back)
    backlog.clear()
    assert backlog.size() == 0
    assert backlog.peek() == -1


def test_what_was_out_while_the_rest_was_cleared_comes_back_before_what_is_new(backlog: Backlog) -> None:
    filled(backlog, b"out", b"cleared")
    position, back, _ = backlog.pop()
    backlog.clear()
    backlog.push(message(b"new"))
    backlog.put_back(position, back)
    assert bodies(backlog) == [b"out", b"new"]


def test_a_higher_priority_goes_first_always() -> None:
    backlog = Prioritized(9)
    for priority in (0, 5, 9, 5, 0):
        backlog.push(message(b"%d" % priority, priority))
    assert bodies(backlog) == [b"9", b"5", b"5", b"0", b"0"]


@pytest.mark.parametrize(("priority", "level"), [(0, 0), (3, 3), (4, 3), (255, 3)])
def test_a_priority_above_the_highest_counts_as_the_highest(priority: int, level: int) -> None:
    backlog = Prioritized(3)
    assert backlog.push(message(priority=priority)) % LEVELS == level


def test_equal_priorities_keep_their_order_and_a_returned_message_its_level() -> None:
    backlog = Prioritized(255)
    for name, priority in ((b"low", 1), (b"high", 255), (b"high too", 255)):
        backlog.push(message(name, priority))
    position, back, _ = backlog.pop()
    assert back.body == b"high"
    backlog.push(message(b"highest of the new", 255))
    backlog.put_back(position, back)
    assert bodies(backlog) == [b"high", b"high too", b"highest of the new", b"low"]

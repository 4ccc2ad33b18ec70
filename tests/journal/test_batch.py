"""Records and the tickets that stand for them."""

from amq.journal.batch import Batch
from tests.queues.build import message, queue


def test_tickets_count_from_one() -> None:
    batch = Batch(keeps=True)
    assert batch.ticket == batch.durable == 0
    assert [batch.publish(message(), [queue()]) for _ in range(3)] == [1, 2, 3]


def test_what_is_taken_comes_with_the_ticket_that_makes_all_of_it_durable() -> None:
    batch = Batch(keeps=True)
    there = queue()
    first, second = message(b"1"), message(b"2")
    batch.publish(first, [there])
    batch.publish(second, [there])
    assert batch.take() == ([(first, [there]), (second, [there])], 2)


def test_what_was_taken_is_not_taken_again_and_tickets_go_on() -> None:
    batch = Batch(keeps=True)
    batch.publish(message(), [])
    batch.take()
    assert batch.take() == ([], 1)
    assert batch.publish(message(), []) == 2
    assert len(batch.take()[0]) == 1


def test_records_that_come_after_a_take_do_not_change_what_was_taken() -> None:
    batch = Batch(keeps=True)
    batch.publish(message(), [])
    taken, ticket = batch.take()
    batch.publish(message(), [])
    assert (len(taken), ticket) == (1, 1)

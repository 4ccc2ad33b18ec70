"""The classic queue by itself: enqueueing, handing out, settling, returning."""

from tests.queues.build import Taker, agenda, dead, drain, message, queue


def test_a_queue_asks_to_be_dispatched_once() -> None:
    there = queue()
    for body in (b"a", b"b"):
        assert there.enqueue(message(body))
    assert there.agenda.touched == [there]
    there.dispatch()
    assert not there.touched


def test_the_only_consumer_gets_all_that_it_can_take_in_one_run() -> None:
    there = queue()
    for number in range(5):
        there.enqueue(message(b"%d" % number))
    taker = Taker(credit=3)
    there.add_consumer(taker)
    there.dispatch()
    assert taker.taken == [(0, b"0", False), (1, b"1", False), (2, b"2", False)]
    assert (there.ready_count(), there.unacked, there.taken) == (2, 3, 3)


def test_several_consumers_take_turns_message_by_message() -> None:
    there = queue()
    a, b = Taker(b"a"), Taker(b"b")
    there.add_consumer(a)
    there.add_consumer(b)
    for number in range(5):
        there.enqueue(message(b"%d" % number))
    there.dispatch()
    assert a.bodies() == [b"0", b"2", b"4"]
    assert b.bodies() == [b"1", b"3"]


def test_what_goes_out_without_acknowledgement_is_not_counted_as_out() -> None:
    there = queue()
    there.add_consumer(Taker(no_ack=True))
    for _ in range(3):
        there.enqueue(message())
    there.dispatch()
    assert (there.ready_count(), there.unacked, there.taken) == (0, 0, 3)


def test_without_acknowledgement_no_deadline_is_remembered() -> None:
    there = queue()
    there.enqueue(message(b"held back"))
    there.enqueue(message(b"mortal", ttl=1000))
    there.add_consumer(Taker(no_ack=True))
    there.dispatch()
    assert there.deadlines == {}


def test_returned_messages_go_out_before_the_rest_and_say_so() -> None:
    there = queue()
    for number in range(4):
        there.enqueue(message(b"%d" % number))
    first, second = there.get(), there.get()
    assert first is not None and second is not None
    there.requeue([(second[0], second[1]), (first[0], first[1])])
    taker = Taker()
    there.add_consumer(taker)
    there.dispatch()
    assert [(body, again) for _, body, again in taker.taken] == [
        (b"0", True),
        (b"1", True),
        (b"2", False),
        (b"3", False),
    ]
    assert there.unacked == 4


def test_get_takes_the_head_and_leaves_the_rest() -> None:
    there = queue()
    assert there.get() is None
    there.enqueue(message(b"a"))
    there.enqueue(message(b"b"))
    found = there.get()
    assert found is not None
    assert (found[1].body, found[2]) == (b"a", False)
    assert (there.ready_count(), there.unacked) == (1, 1)


def test_get_counts_as_use_even_when_there_is_nothing() -> None:
    there = queue()
    there.agenda.clock.now += 5
    there.get()
    assert there.used_at == there.agenda.clock.now


def test_a_consumer_that_leaves_was_a_use() -> None:
    there = queue()
    taker = Taker()
    there.add_consumer(taker)
    there.agenda.clock.now += 5
    there.remove_consumer(taker)
    assert there.used_at == there.agenda.clock.now
    assert there.consumer_count() == 0


def test_a_rejected_message_is_left_to_the_dead_letter_exchange() -> None:
    there = queue({"x-dead-letter-exchange": ("S", b"dlx")})
    there.enqueue(message(b"m"))
    found = there.get()
    assert found is not None
    there.reject(found[0], found[1])
    assert dead(there) == [(b"m", "rejected")]
    assert there.unacked == 0


def test_a_rejected_message_without_a_dead_letter_exchange_is_gone() -> None:
    there = queue()
    there.enqueue(message())
    found = there.get()
    assert found is not None
    there.reject(found[0], found[1])
    assert dead(there) == []
    assert (there.ready_count(), there.unacked) == (0, 0)


def test_a_deleted_queue_neither_buries_nor_takes_back() -> None:
    there = queue({"x-dead-letter-exchange": ("S", b"dlx")})
    for _ in range(2):
        there.enqueue(message())
    first, second = there.get(), there.get()
    assert first is not None and second is not None
    there.deleted = True
    there.reject(first[0], first[1])
    there.requeue([(second[0], second[1])])
    assert dead(there) == []
    assert there.ready_count() == 0


def test_purge_drops_the_ready_and_tells_how_many() -> None:
    there = queue()
    for _ in range(3):
        there.enqueue(message())
    found = there.get()
    assert found is not None
    assert there.purge() == 2
    assert (there.ready_count(), there.unacked) == (0, 1)
    there.requeue([(found[0], found[1])])
    assert there.ready_count() == 1


def test_a_deleted_queues_consumers_are_told() -> None:
    there = queue()
    takers = [Taker(b"a"), Taker(b"b")]
    for taker in takers:
        there.add_consumer(taker)
    there.cancel_consumers()
    assert all(taker.was_cancelled for taker in takers)
    assert there.consumer_count() == 0


def test_a_consumer_with_credit_again_is_served() -> None:
    there = queue()
    taker = Taker(credit=1)
    there.add_consumer(taker)
    for body in (b"a", b"b"):
        there.enqueue(message(body))
    there.dispatch()
    assert taker.blocked
    there.agenda.touched.clear()
    taker.credit = 1
    there.unblock(taker)
    assert there.agenda.touched == [there]
    there.dispatch()
    assert taker.bodies() == [b"a", b"b"]


def test_priorities_reach_consumers_highest_first() -> None:
    there = queue({"x-max-priority": ("I", 9)})
    for priority in (1, 9, 5):
        there.enqueue(message(b"%d" % priority, priority))
    taker = Taker()
    there.add_consumer(taker)
    there.dispatch()
    assert taker.bodies() == [b"9", b"5", b"1"]


def test_a_queue_without_arguments_pays_for_none() -> None:
    there = queue()
    there.enqueue(message())
    assert not there.guarded
    assert there.deadlines == {}
    assert there.size == 0
    assert there.agenda.timers.heap == []


def test_two_queues_share_an_agenda() -> None:
    shared = agenda()
    one, other = queue(there=shared), queue(there=shared)
    other.enqueue(message())
    one.enqueue(message())
    assert shared.touched == [other, one]
    assert drain(one) == [b"m"]


def test_a_plain_queue_takes_a_run_of_messages_without_a_look_at_each() -> None:
    plan = agenda()
    plain = queue(None, plan)
    plain.enqueue(message(b"first"))
    assert plain.takes_all(-1)
    plain.enqueue_all([message(b"second"), message(b"third")])
    assert plan.touched == [plain]
    consumer = Taker()
    plain.add_consumer(consumer)
    plain.dispatch()
    assert consumer.bodies() == [b"first", b"second", b"third"]


def test_limits_priorities_and_times_to_live_want_a_look_at_each_message() -> None:
    for argument in ("x-max-length", "x-message-ttl", "x-max-priority"):
        looking = queue({argument: ("I", 2)})
        looking.enqueue(message())
        assert not looking.takes_all(-1)
    plain = queue()
    plain.enqueue(message())
    assert not plain.takes_all(1000)

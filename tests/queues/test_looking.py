"""Looking through a queue changes nothing, and what is removed from it is gone, wherever it stood."""

import random

import pytest

from amq.queues import backlog, looking
from amq.queues.looking import Look, LookLoad, Seen, Sorting, look, remove, take_out
from tests.queues.build import Taker, lsns_in, message
from tests.queues.test_cold import Disk, numbers


class Wish(LookLoad):
    """A load whose end is noted."""

    __slots__ = ("ended",)

    def done(self) -> None:
        self.ended = True


def see(disk: Disk, most: int = 7) -> list[Seen]:
    """Everything, a few at a time, also what must be read."""
    seen: list[Seen] = []
    after = -1
    for _ in range(10_000):
        step = look(disk.queue, after, most)
        assert len(step.seen) <= most
        seen += step.seen
        after = step.after
        if step.cold is not None:
            wish = Wish(step.cold)
            disk.journal.wanted.append(wish)
            disk.serve()
            if wish.look is not None:
                seen += wish.look.seen
                after = wish.look.after
        elif after < 0:
            return seen
    raise AssertionError("it never ends")


def shown(disk: Disk) -> list[bytes]:
    return [each.message.body for each in see(disk)]


@pytest.fixture(autouse=True)
def short_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "SPAN", 8)


def test_messages_are_seen_in_the_order_in_which_they_would_be_delivered() -> None:
    disk = Disk()
    disk.fill(20)
    taken = [disk.queue.get() for _ in range(3)]
    assert taken[1] is not None
    disk.queue.requeue([(taken[1][0], taken[1][1])])
    found = see(disk)
    assert [each.message.body for each in found] == numbers(range(1, 2), range(3, 20))
    assert [each.redelivered for each in found] == [True] + [False] * 17


def test_higher_priorities_are_seen_first() -> None:
    disk = Disk(max_priority=5)
    for priority in (1, 3, 0, 3, 9):
        disk.publish(b"%d" % priority, priority=priority)
    assert shown(disk) == [b"9", b"3", b"3", b"1", b"0"]


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_not_in_memory_is_seen_too(durable: bool) -> None:
    disk = Disk(durable=durable)
    for number in range(100):
        disk.publish(b"%d" % number, persistent=durable)
    assert disk.queue.page_out(5, 1000) > 50
    assert shown(disk) == numbers(range(100))


def test_looking_changes_nothing() -> None:
    disk = Disk()
    disk.fill(50)
    disk.queue.page_out(5, 1000)
    before = (disk.queue.ready_count(), disk.queue.unacked, disk.queue.taken, disk.queue.backlog.peek())
    see(disk)
    assert (disk.queue.ready_count(), disk.queue.unacked, disk.queue.taken, disk.queue.backlog.peek()) == before
    taker = Taker()
    disk.queue.add_consumer(taker)
    for _ in range(20):
        disk.queue.dispatch()
        disk.serve()
    assert taker.taken == [(number, b"%d" % number, False) for number in range(50)]


def test_a_span_that_leaves_while_it_is_read_is_found_elsewhere() -> None:
    disk = Disk()
    disk.fill(30)
    disk.queue.page_out(2, 1000)
    step = look(disk.queue, -1, 100)
    assert step.cold is not None
    wish = Wish(step.cold)
    assert disk.drain() == numbers(range(30))
    disk.journal.wanted.append(wish)
    disk.serve()
    assert (wish.look, wish.stale()) == (None, True)
    assert look(disk.queue, step.after, 100).seen == []


def test_what_is_removed_is_gone_and_leaves_the_others_where_they_are() -> None:
    disk = Disk()
    disk.fill(30)
    disk.queue.page_out(3, 1000)
    before = {each.message.body: each.position for each in see(disk)}
    for each in see(disk):
        if int(each.message.body) % 3 == 0:
            assert remove(disk.queue, each.position, each.message)
    left = see(disk)
    assert [each.message.body for each in left] == [body for body in before if int(body) % 3]
    assert all(before[each.message.body] == each.position for each in left)
    assert disk.queue.ready_count() == 20
    assert disk.drain() == [body for body in before if int(body) % 3]


def test_the_journal_hears_of_what_is_removed_and_not_of_what_is_taken_out() -> None:
    disk = Disk()
    disk.fill(3)
    first, second, _ = see(disk)
    assert remove(disk.queue, first.position, first.message)
    assert take_out(disk.queue, second.position, second.message)
    assert disk.queue.settled.lsns == [first.message.lsn]


def test_a_message_is_removed_once_and_never_another_in_its_place() -> None:
    disk = Disk()
    disk.fill(3)
    first, second, third = see(disk)
    assert remove(disk.queue, second.position, second.message)
    assert not remove(disk.queue, second.position, second.message)
    assert disk.queue.get() is not None
    assert not remove(disk.queue, first.position, first.message)
    assert [each.message for each in see(disk)] == [third.message]


def test_octets_and_deadlines_go_with_a_message() -> None:
    disk = Disk(max_length=10)
    disk.publish(b"four", ttl=60_000)
    disk.publish(b"seventy")
    first, second = see(disk)
    assert remove(disk.queue, first.position, first.message)
    assert (disk.queue.size, disk.queue.deadlines) == (7, {})
    assert remove(disk.queue, second.position, second.message)
    assert (disk.queue.size, disk.queue.ready_count()) == (0, 0)


@pytest.mark.parametrize("seed", range(60))
def test_random_work_around_removed_messages(seed: int) -> None:
    dice = random.Random(seed)
    durable = dice.random() < 0.6
    disk = Disk(durable=durable)
    queue = disk.queue
    waiting: dict[int, bytes] = {}
    out: list[tuple[int, bytes]] = []
    next_body = 0
    stored = {}
    for _ in range(300):
        choice = dice.random()
        if choice < 0.35:
            for _ in range(dice.randrange(1, 20)):
                disk.publish(b"%d" % next_body, persistent=durable and dice.random() < 0.8)
                waiting[next_body] = b"%d" % next_body
                next_body += 1
        elif choice < 0.5:
            queue.page_out(dice.randrange(6), dice.randrange(1, 60))
        elif choice < 0.6:
            disk.serve()
        elif choice < 0.75:
            found = queue.get()
            if found is not None:
                assert waiting.pop(min(waiting)) == found[1].body
                out.append((found[0], found[1].body))
                stored[found[0]] = found[1]
            else:
                assert not waiting or queue.cold_head()
        elif choice < 0.85 and out:
            position, body = out.pop(dice.randrange(len(out)))
            if dice.random() < 0.5:
                queue.requeue([(position, stored[position])])
                waiting[int(body)] = body
            else:
                queue.settle(position, stored[position])
        elif choice < 0.97:
            found_now = see(disk, dice.randrange(1, 30))
            assert [each.message.body for each in found_now] == [waiting[number] for number in sorted(waiting)]
            for each in dice.sample(found_now, min(len(found_now), dice.randrange(4))):
                if dice.random() < 0.3 and queue.fetching:
                    queue.fetch()
                assert remove(queue, each.position, each.message)
                assert not remove(queue, each.position, each.message)
                del waiting[int(each.message.body)]
        else:
            assert queue.purge() == len(waiting)
            waiting.clear()
        assert queue.ready_count() == len(waiting)
    disk.serve()
    assert disk.drain() == [waiting[number] for number in sorted(waiting)]


def test_single_messages_can_be_taken_out_of_a_long_queue_that_then_leaves_memory() -> None:
    disk = Disk(pages=False)
    disk.fill(40)
    for each in see(disk)[5:30]:
        assert remove(disk.queue, each.position, each.message)
    disk.queue.page_out(2, 1000)
    assert disk.drain() == numbers(range(5), range(30, 40))
    disk.queue.enqueue(message(b"new"))
    assert shown(disk) == [b"new"]


@pytest.mark.parametrize("durable", [True, False])
def test_what_comes_behind_a_stretch_on_disk_that_was_emptied_is_delivered(durable: bool) -> None:
    disk = Disk(durable=durable)
    for number in range(12):
        disk.publish(b"%d" % number, persistent=durable)
    assert disk.queue.page_out(4, 1000) == 8
    for each in see(disk):
        assert remove(disk.queue, each.position, each.message)
    assert disk.queue.get() is None
    assert disk.queue.ready_count() == 0
    disk.publish(b"last", persistent=durable)
    disk.queue.dispatch()
    disk.serve()
    taken = disk.queue.get()
    assert taken is not None
    assert taken[1].body == b"last"


# -- very many that came back --


def returned(count: int, order: random.Random) -> tuple[Disk, list[int]]:
    """A queue with so many messages that were all got, and most of which came back, in any order."""
    disk = Disk()
    disk.fill(count)
    taken = [found for found in [disk.queue.get() for _ in range(count)] if found is not None]
    order.shuffle(taken)
    kept, back = taken[: count // 10], taken[count // 10 :]
    disk.queue.requeue([(position, found) for position, found, _ in back])
    assert len(kept) + len(back) == count
    return disk, sorted(position for position, _, _ in back)


def sorted_look(disk: Disk, after: int, most: int, sorting: Sorting | None) -> tuple[Look, Sorting | None]:
    """A look, after all the sorting that it asks for."""
    step = look(disk.queue, after, most, sorting)
    while step.unsorted is not None and not step.seen:
        sorting = step.unsorted
        while not sorting.step():
            pass
        step = look(disk.queue, after, most, sorting)
    return step, sorting


@pytest.mark.parametrize("seed", range(5))
def test_messages_that_came_back_are_seen_in_order_however_many_they_are(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "FEW", 10)
    monkeypatch.setattr(looking, "STEP", 7)
    monkeypatch.setattr(looking, "SORTED", 20)
    order = random.Random(seed)
    disk, expected = returned(200, order)
    disk.publish(b"new")
    expected.append(200)
    found: list[int] = []
    after = -1
    sorting: Sorting | None = None
    for _ in range(1000):
        step, sorting = sorted_look(disk, after, 6, sorting)
        found += [each.position for each in step.seen]
        after = step.after
        if after < 0:
            break
        gone = order.choice(expected)
        if order.random() < 0.3 and gone > after and gone != 200:
            # One that is still ahead is removed; those that are gone are not seen.
            assert remove(disk.queue, gone, message())
            expected.remove(gone)
    assert found == expected
    assert disk.queue.ready_count() == len(expected)
    got = [disk.queue.get() for _ in expected]
    assert [each and each[0] for each in got] == expected


def test_a_step_of_sorting_looks_at_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "FEW", 10)
    monkeypatch.setattr(looking, "STEP", 50)
    disk, expected = returned(1000, random.Random(1))
    unsorted = look(disk.queue, -1, 5).unsorted
    assert unsorted is not None
    steps = 1
    while not unsorted.step():
        steps += 1
    assert steps == len(expected) // 50
    assert [each.position for each in look(disk.queue, -1, 5, unsorted).seen] == expected[:5]


def test_what_came_back_and_was_removed_is_not_got_again_and_not_settled_twice() -> None:
    disk = Disk()
    disk.fill(6)
    taken = [found for found in [disk.queue.get() for _ in range(6)] if found is not None]
    disk.queue.requeue([(position, found) for position, found, _ in taken])
    for place in (0, 3, 5):
        assert remove(disk.queue, place, taken[place][1])
        assert not remove(disk.queue, place, taken[place][1])
    assert not remove(disk.queue, 7, taken[0][1])
    assert disk.queue.ready_count() == 3
    fifo = disk.queue.fifo
    assert fifo is not None
    assert (sorted(fifo.back), fifo.size()) == ([1, 2, 4], 3)
    assert lsns_in(fifo) == [taken[place][1].lsn for place in (1, 2, 4)]
    first = disk.queue.get()
    assert first is not None
    disk.queue.requeue([first[:2]])
    assert [each and each[0] for each in (disk.queue.get() for _ in range(4))] == [1, 2, 4, None]


def test_many_returned_messages_that_are_gone_are_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "FEW", 2)
    monkeypatch.setattr(looking, "SORTED", 4)
    disk = Disk()
    disk.fill(20)
    taken = [found for found in [disk.queue.get() for _ in range(20)] if found is not None]
    disk.queue.requeue([found[:2] for found in taken])
    for found in taken[1:12]:
        assert remove(disk.queue, found[0], found[1])
    seen: list[bytes] = []
    after, sorting = -1, None
    for _ in range(50):
        step = looking.look(disk.queue, after, 3, sorting)
        seen += [each.message.body for each in step.seen]
        if step.unsorted is not None:
            sorting = step.unsorted
            while not sorting.step():
                pass
        elif step.after < 0:
            break
        after = step.after
    assert seen == numbers(range(1), range(12, 20))

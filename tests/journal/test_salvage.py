"""What is alive in the first segment is written again at the end; nothing comes back with it, and nothing is lost."""

import pytest

from amq.journal.record import compact
from amq.journal.salvage import Damaged, Salvage
from tests.journal.build import Paper, published

A, B = 7, 8


def bodies(paper: Paper, *lsns: int) -> list[bytes]:
    return [message.body for message in paper.read(compact(list(lsns)))]


def half_settled() -> Paper:
    """Messages 1 to 6 of A and B in a first segment, 7 of A in a second; LEFT is what was not settled."""
    paper = Paper()
    paper.publish([b"%d" % number for number in range(1, 7)], [A, B], priority=4, ttl=60_000, blind=[b"key"])
    paper.settle(A, 2, 3, 5)
    paper.settle(B, 3, 5, 6)
    paper.roll()
    paper.publish([b"7"], [A])
    return paper


LEFT = {A: [1, 4, 6, 7], B: [1, 2, 4]}


def test_a_segment_goes_when_what_was_alive_in_it_stands_elsewhere() -> None:
    paper = half_settled()
    paper.salvage()
    assert [segment.number for segment in paper.log.segments] == [2]
    assert paper.log.segments[0].alive == {A: 4, B: 3}
    assert bodies(paper, 1, 2, 4, 6, 7) == [b"1", b"2", b"4", b"6", b"7"]
    assert paper.restart() == LEFT
    assert bodies(paper, 1, 2, 4, 6, 7) == [b"1", b"2", b"4", b"6", b"7"]


def test_copies_are_what_the_messages_were() -> None:
    paper = half_settled()
    before = paper.read(range(1, 2))[0]
    paper.salvage()
    after = paper.read(range(1, 2))[0]
    assert (after.address, after.header, after.body) == (before.address, before.header, before.body)
    assert (after.lsn, after.properties.blind) == (1, [b"key"])
    stretches = paper.replay().alive({A}, {A, B})[A]
    assert [(each.first, each.priority, each.expires, each.time) for each in stretches] == [
        (1, 4, 60_000, 0),
        (4, 4, 60_000, 0),
        (6, 4, 60_000, 0),
        (7, 0, -1, 0),
    ]


def test_only_what_is_alive_is_copied_for_the_queues_in_which_it_is() -> None:
    paper = half_settled()
    first = paper.log.segments[0]
    salvage = Salvage(paper.log, first, bytes(paper.octets[first.name]))
    assert salvage.slice(paper.batch, 100, 1 << 20)
    work = paper.write()
    assert [(pair.lsn, pair.queues) for pair in published(work)] == [(1, [A, B]), (2, [B]), (4, [A, B]), (6, [A])]
    assert salvage.copied == work.size


def test_what_is_settled_between_two_slices_is_not_copied_and_what_was_copied_is_settled_where_it_stands() -> None:
    paper = Paper()
    for number in range(1, 4):
        paper.publish([b"%d" % number], [A])
    paper.roll()
    paper.salvage(slices=1)
    paper.settle(A, 1, 2)
    paper.salvage()
    assert [segment.number for segment in paper.log.segments] == [2]
    assert paper.log.segments[0].alive == {A: 1}
    assert paper.restart() == {A: [3]}


def test_what_is_settled_in_the_batch_of_a_copy_does_not_come_back_with_it() -> None:
    paper = Paper()
    paper.publish([b"1", b"2"], [A])
    paper.roll()
    first = paper.log.segments[0]
    salvage = Salvage(paper.log, first, bytes(paper.octets[first.name]))
    paper.batch.settle_now(A, range(1, 2), 1)
    salvage.slice(paper.batch, 100, 1 << 20)
    assert paper.batch.work.first_lsn == 1, "nothing about the copies may go ahead of them"
    paper.write()
    first.alive.clear()
    assert paper.drop() == [1]
    assert paper.restart() == {A: [2]}


def interrupted() -> Paper:
    """Messages 1 to 4 of A and B in a first segment, whose salvage copied 2 to 4 (1 was settled), but not 5 of A."""
    paper = Paper()
    paper.publish([b"%d" % number for number in range(1, 5)], [A, B])
    paper.settle(A, 1)
    paper.settle(B, 1)
    paper.publish([b"5"], [A])
    paper.roll()
    paper.salvage(slices=1)
    assert paper.restart() == {A: [2, 3, 4, 5], B: [2, 3, 4]}
    return paper


def test_a_salvage_that_a_crash_has_ended_is_taken_up_again_and_copies_nothing_twice() -> None:
    paper = interrupted()
    first = paper.log.segments[0]
    Salvage(paper.log, first, bytes(paper.octets[first.name])).slice(paper.batch, 100, 1 << 20)
    assert [(pair.lsn, pair.queues) for pair in published(paper.write())] == [(5, [A])]
    first.alive.clear()
    assert paper.drop() == [1]
    assert paper.restart() == {A: [2, 3, 4, 5], B: [2, 3, 4]}
    assert bodies(paper, 2, 3, 4, 5) == [b"2", b"3", b"4", b"5"]


def test_what_is_settled_after_its_copy_stays_settled_through_a_second_salvage() -> None:
    paper = interrupted()
    paper.settle(A, 3)
    paper.settle(B, 2)
    paper.salvage()
    assert paper.restart() == {A: [2, 4, 5], B: [3, 4]}


def test_copies_are_copied_when_their_segment_is_the_first() -> None:
    paper = half_settled()
    for number in range(5):
        paper.roll()
        paper.salvage()
        if number == 2:
            paper.settle(A, 1)
    assert [segment.number for segment in paper.log.segments] == [6, 7]
    assert paper.restart() == {A: [4, 6, 7], B: [1, 2, 4]}
    assert bodies(paper, 1, 2, 4, 6, 7) == [b"1", b"2", b"4", b"6", b"7"]


def test_words_about_messages_that_were_not_copied_take_nothing_from_the_copies() -> None:
    paper = Paper()
    for number in range(1, 5):
        paper.publish([b"%d" % number], [A])
    paper.roll()
    paper.salvage(slices=1)
    paper.settle(A, 3)
    paper.salvage()
    assert paper.restart() == {A: [1, 2, 4]}
    paper.settle(A, 2, 4)
    paper.roll()
    assert paper.drop() == []
    assert paper.restart() == {A: [1]}
    assert bodies(paper, 1) == [b"1"]


def test_a_deleted_queue_needs_no_copies() -> None:
    paper = half_settled()
    paper.batch.forget_queue(A)
    paper.write()
    paper.salvage()
    assert paper.log.segments[0].alive == {B: 3}


def test_a_slice_copies_about_as_much_as_it_is_told_to() -> None:
    paper = Paper(1 << 16)
    for _ in range(10):
        paper.publish([b"x" * 1000], [A])
    paper.roll()
    first = paper.log.segments[0]
    salvage = Salvage(paper.log, first, bytes(paper.octets[first.name]))
    assert not salvage.slice(paper.batch, 100, 2500)
    assert len(published(paper.write())) == 3
    assert not salvage.slice(paper.batch, 2, 1 << 20)
    assert len(published(paper.write())) == 2
    assert salvage.slice(paper.batch, 100, 1 << 20)
    assert len(published(paper.write())) == 5


def test_a_message_that_is_damaged_is_not_copied() -> None:
    paper = half_settled()
    first = paper.log.segments[0]
    octets = bytearray(paper.octets[first.name])
    octets[first.offsets[0] + 20] ^= 1
    with pytest.raises(Damaged, match=rf"0000000001\.seg: offset {first.offsets[0]}: a message that is needed"):
        Salvage(paper.log, first, bytes(octets)).slice(paper.batch, 100, 1 << 20)


def test_salvage_is_wanted_when_garbage_outweighs_what_lives_by_more_than_what_nobody_minds() -> None:
    paper = Paper(1 << 16)
    paper.publish([b"x" * 1000] * 20, [A])
    paper.roll()
    paper.publish([b"x" * 1000], [A])
    assert not paper.log.wants_salvage(0)
    paper.settle(A, *range(1, 19))
    assert paper.log.wants_salvage(0)
    assert not paper.log.wants_salvage(20_000)
    paper.salvage()
    assert not paper.log.wants_salvage(0)

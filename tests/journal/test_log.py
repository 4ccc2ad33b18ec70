"""What is alive in which segment, where a message is found, and which segment may go."""

import pytest

from amq.journal import frame
from amq.journal.batch import Placed
from amq.journal.reading import Unreadable
from amq.journal.record import compact
from amq.journal.segment import segment_name, segment_number
from tests.journal.build import Paper

A, B = 7, 1 << 62


def bodies(paper: Paper, *lsns: int) -> list[bytes]:
    return [message.body for message in paper.read(compact(list(lsns)))]


def two_segments() -> Paper:
    """A log whose first segment holds messages 1 to 4 of queue A, 3 and 4 of B too, and the second 5 of both."""
    paper = Paper()
    paper.publish([b"1", b"2"], [A])
    paper.publish([b"3", b"4"], [A, B])
    paper.roll()
    paper.publish([b"5"], [A, B])
    return paper


def test_frames_follow_one_another_and_are_numbered_through_all_segments() -> None:
    paper = two_segments()
    first, last = paper.log.segments
    assert (first.number, first.first_sequence, first.first_lsn) == (1, 1, 1)
    assert (last.number, last.first_sequence, last.first_lsn) == (2, 3, 5)
    assert (paper.log.sequence, paper.log.last_lsn) == (4, 5)
    octets = bytes(paper.octets[first.name])
    found = frame.read_frame(octets, frame.SEGMENT_HEADER, first.salt)
    assert found is not None
    assert (found.sequence, found.synced) == (1, 0)
    found = frame.read_frame(octets, found.end, first.salt)
    assert found is not None
    assert (found.sequence, found.synced, found.end) == (2, 1, first.used)


def test_pairs_of_message_and_queue_are_counted_until_they_are_settled() -> None:
    paper = two_segments()
    first, last = paper.log.segments
    assert (first.alive, last.alive) == ({A: 4, B: 2}, {A: 1, B: 1})
    paper.settle(A, 1, 3, 5)
    assert (first.alive, last.alive) == ({A: 2, B: 2}, {B: 1})
    paper.settle(B, 3, 4)
    assert first.alive == {A: 2}
    assert first.gone(A) == {1, 3}
    paper.settle(A, 2, 4)
    assert first.alive == {}


def test_only_the_first_segment_goes_and_only_when_nothing_in_it_is_alive() -> None:
    paper = two_segments()
    paper.roll()
    paper.settle(A, 5)
    paper.settle(B, 5)
    assert paper.drop() == []
    paper.settle(A, 1, 2, 3, 4)
    assert paper.drop() == []
    paper.settle(B, 3, 4)
    assert paper.drop() == [1, 2]
    assert paper.log.droppable() is None, "the last one is written to"


def test_a_segment_that_is_being_read_stays() -> None:
    paper = two_segments()
    paper.log.segments[0].readers += 1
    paper.settle(A, 1, 2, 3, 4)
    paper.settle(B, 3, 4)
    assert paper.drop() == []
    paper.log.segments[0].readers -= 1
    assert paper.drop() == [1]


def test_nothing_of_a_deleted_queue_is_alive() -> None:
    paper = two_segments()
    paper.settle(A, 1, 2)
    paper.batch.forget_queue(A)
    paper.write()
    assert [segment.alive for segment in paper.log.segments] == [{B: 2}, {B: 1}]
    paper.settle(A, 3)
    assert [segment.alive for segment in paper.log.segments] == [{B: 2}, {B: 1}]


def test_what_is_needed_of_a_segment_shrinks_as_messages_go() -> None:
    paper = Paper()
    paper.publish([b"x" * 100] * 10, [A])
    segment = paper.log.segments[0]
    whole = segment.live_octets()
    assert whole == segment.used
    # Five of ten, however it is known what they weigh.
    paper.batch.settle_now(A, range(1, 4), 300)
    paper.settle(A, 4, 5)
    assert abs(segment.live_octets() - whole // 2) <= whole // 20
    paper.settle(A, *range(6, 11))
    assert segment.live_octets() == 0


# -- reading --


@pytest.mark.parametrize("lsns", [(1,), (2,), (1, 2), (2, 3), (1, 4), (4, 5), (1, 2, 3, 4, 5), (3, 5)])
def test_messages_are_found_within_runs_over_runs_and_over_segments(lsns: tuple[int, ...]) -> None:
    assert bodies(two_segments(), *lsns) == [b"%d" % lsn for lsn in lsns]


def test_records_that_stand_near_each_other_are_read_in_one_go() -> None:
    paper = Paper(1 << 17)
    for number in range(20):
        paper.publish([b"%d" % number], [A])
    assert len(paper.log.readings(range(1, 21))) == 1
    assert bodies(paper, 1, 11, 20) == [b"0", b"10", b"19"]
    paper.publish([b"x" * 50_000], [A])
    paper.publish([b"far"], [A])
    assert len(paper.log.readings(compact([20, 22]))) == 2
    assert bodies(paper, 20, 22) == [b"19", b"far"]


def test_numbers_that_nobody_got_may_lie_between_messages() -> None:
    paper = Paper()
    paper.publish([b"1"], [A])
    paper.batch.next_lsn += 100
    paper.publish([b"102"], [A])
    assert bodies(paper, 1, 102) == [b"1", b"102"]
    with pytest.raises(Unreadable, match="1 of 2 messages from 1 on are missing"):
        bodies(paper, 1, 50)


def test_a_damaged_message_is_not_handed_out() -> None:
    paper = two_segments()
    segment = paper.log.segments[0]
    paper.octets[segment.name][segment.used - 10] ^= 1
    assert bodies(paper, 1, 2) == [b"1", b"2"]
    with pytest.raises(Unreadable, match=rf"0000000001\.seg: offset {segment.offsets[1]}: a message is damaged"):
        bodies(paper, 3)


def test_a_message_beyond_4_gib_of_numbers_is_found() -> None:
    paper = Paper()
    paper.batch.next_lsn = (1 << 40) + 7
    first = paper.publish([b"a", b"b"], [A])
    paper.settle(A, first)
    assert bodies(paper, first + 1) == [b"b"]
    assert paper.restart() == {A: [first + 1]}


# -- names --


def test_segments_are_named_by_their_numbers_in_the_order_of_names() -> None:
    assert segment_name(1) == "0000000001.seg"
    assert segment_number("0000000001.seg") == 1
    assert segment_number(segment_name(10**10 - 1)) == 10**10 - 1


@pytest.mark.parametrize("name", ["1.seg", "0000000001.spare", "000000000x.seg", "0000000001.seg.bak", "probe", ""])
def test_other_files_are_no_segments(name: str) -> None:
    assert segment_number(name) is None


def test_a_range_that_spans_segments_is_settled_in_each_of_them() -> None:
    paper = two_segments()
    first, last = paper.log.segments
    paper.log.settle(A, range(2, 6), -1)
    assert (first.alive, last.alive) == ({A: 1, B: 2}, {B: 1})
    assert first.gone(A) == {2, 3, 4}


def test_a_range_is_settled_where_its_messages_were_written_again() -> None:
    paper = two_segments()
    first, last = paper.log.segments
    paper.log.enter(last, Placed(2, 2, 1, [A], 0, 10), 1000)
    paper.log.settle(A, range(1, 6), -1)
    assert first.gone(A) == {1, 4}
    assert (first.alive[A], last.alive) == (2, {B: 1})
